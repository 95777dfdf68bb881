"""Drafts of grids: planned, changed by two at once, made stale by a move, approved, put in force."""

from __future__ import annotations

from datetime import date
from typing import Any

import psycopg
import pytest
from drafts_kit import two_groups  # noqa: F401 - a fixture
from grids_kit import VILLAGE, homes
from sqlalchemy import select

from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from xiangyue.features.areas.queries import area_choices
from xiangyue.features.drafts import deciding, jobs, service
from xiangyue.features.drafts.models import GridDraft
from xiangyue.features.drafts.policy import GRID_PLAN
from xiangyue.features.drafts.queries import LiveDraft, live_draft
from xiangyue.features.grids.models import GridVersion
from xiangyue.features.grids.sizes import ReasonNeeded
from xiangyue.features.grids.standing import division_on
from xiangyue.features.households.bulk import HouseholdRow, upsert_households
from xiangyue.features.households.models import Household
from xiangyue.jobs.models import Job
from xiangyue.jobs.run import run_with
from xiangyue.testing.fixtures import County

ON = date(2026, 3, 1)


def live(uow: Uow, draft: GridDraft) -> LiveDraft:
    return live_draft(uow, draft)


def test_a_village_is_planned_by_the_countys_rule(drawn: County) -> None:
    with drawn.uow() as uow:
        draft = service.plan_draft(uow, village=VILLAGE, name="一")
        found = live(uow, draft)
        assert [(p.name, p.level, p.households, p.in_rule) for p in found.parts] == [
            ("1组-1", 3, 4, True),
            ("1组-2", 3, 4, True),
            ("1组-3", 3, 4, True),
            ("2组", 2, 3, True),
        ]
        assert (draft.grids, draft.in_rule, draft.households, draft.version) == (4, 4, 15, 1)
        assert sorted(row.id for part in found.parts for row in part.homes) == sorted(homes(uow))
        assert not found.stale


def test_households_move_and_an_empty_part_goes(drawn: County) -> None:
    with drawn.uow() as uow:
        draft = service.plan_draft(uow, village=VILLAGE)
        first, second, third, fourth = live(uow, draft).parts
        service.move_households(
            uow, draft_id=draft.id, version=1, household_ids=[row.id for row in third.homes], part_id=second.id
        )
        found = live(uow, draft)
        assert [(p.id, p.households, p.in_rule) for p in found.parts] == [
            (first.id, 4, True),
            (second.id, 8, False),
            (fourth.id, 3, True),
        ]
        assert (draft.version, draft.grids, draft.in_rule) == (2, 3, 2)
        assert found.by_hand == {row.id for row in third.homes}
        service.move_households(
            uow, draft_id=draft.id, version=2, household_ids=[third.homes[0].id], part_id=None, name="院子"
        )
        assert [p.name for p in live(uow, draft).parts] == ["1组-1", "1组-2", "2组", "院子"]
        for wrong in ({"household_ids": []}, {"household_ids": [-1]}, {"household_ids": [first.homes[0].id]}):
            with pytest.raises(Invalid):
                service.move_households(uow, draft_id=draft.id, version=3, part_id=first.id, **wrong)


def test_whoever_is_slower_is_told_what_the_other_did(drawn: County) -> None:
    with drawn.uow() as uow:
        draft = service.plan_draft(uow, village=VILLAGE)
        one, two = live(uow, draft).parts[:2]
        service.move_households(uow, draft_id=draft.id, version=1, household_ids=[one.homes[0].id], part_id=two.id)
        with pytest.raises(Stale) as caught:
            service.edit_part(uow, draft_id=draft.id, version=1, part_id=one.id, name="别的")
        assert caught.value.theirs["what"] == "move"
        assert (caught.value.theirs["to"], caught.value.theirs["version"]) == (two.name, 2)


def test_planning_anew_leaves_fixed_parts(drawn: County) -> None:
    with drawn.uow() as uow:
        draft = service.plan_draft(uow, village=VILLAGE)
        one, two = live(uow, draft).parts[:2]
        moved = one.homes[0].id
        service.move_households(uow, draft_id=draft.id, version=1, household_ids=[moved], part_id=two.id)
        service.edit_part(uow, draft_id=draft.id, version=2, part_id=two.id, name="河边", leader="王甲", fixed=True)
        service.replan(uow, draft_id=draft.id, version=3)
        kept = next(p for p in live(uow, draft).parts if p.name == "河边")
        assert (kept.leader, kept.fixed, kept.households) == ("王甲", True, 5)
        assert moved in {row.id for row in kept.homes}
        assert [p.households for p in live(uow, draft).parts if p.name != "河边"] == [4, 3, 3]


def test_a_move_in_between_makes_it_stale_and_a_refresh_keeps_what_was_done_by_hand(drawn: County) -> None:
    with drawn.uow() as uow:
        draft = service.plan_draft(uow, village=VILLAGE)
        one, two, three, four = live(uow, draft).parts
        hand = one.homes[0].id
        service.move_households(uow, draft_id=draft.id, version=1, household_ids=[hand], part_id=three.id)
        gone, mover = uow.get(Household, two.homes[0].id), uow.get(Household, two.homes[1].id)
        gone.state, mover.area_code = "closed", VILLAGE + 2
        uow.session.flush()
        found = live(uow, draft)
        assert (found.stale, found.gone, found.moved) == (True, {gone.id}, {mover.id})
        with pytest.raises(Conflict):
            deciding.submit(uow, draft_id=draft.id, version=2)
        service.refresh(uow, draft_id=draft.id, version=2)
        after = live(uow, draft)
        assert not after.stale
        where = {row.id: part.name for part in after.parts for row in part.homes}
        assert where[hand] == three.name
        assert where[mover.id] == four.name
        assert gone.id not in where
        with pytest.raises(Conflict):
            service.refresh(uow, draft_id=draft.id, version=3)
        uow.rollback()


def test_submitted_returned_approved_and_put_in_force(drawn: County) -> None:
    with drawn.uow() as uow:
        draft = service.plan_draft(uow, village=VILLAGE)
        parts = live(uow, draft).parts
        # One grid out of the rule: putting it in force takes a reason.
        service.move_households(
            uow, draft_id=draft.id, version=1, household_ids=[row.id for row in parts[0].homes], part_id=parts[1].id
        )
        deciding.submit(uow, draft_id=draft.id, version=2)
        with pytest.raises(Conflict):
            service.replan(uow, draft_id=draft.id, version=3)
        with pytest.raises(Invalid):
            deciding.return_draft(uow, draft_id=draft.id, version=3, reason=" ")
        deciding.return_draft(uow, draft_id=draft.id, version=3, reason="院子分开了")
        assert (draft.state, draft.answer) == ("returned", "院子分开了")
        deciding.submit(uow, draft_id=draft.id, version=4)
        deciding.approve(uow, draft_id=draft.id, version=5)
        force: Any = {"draft_id": draft.id, "version": 6, "on": ON, "reason": "年度调整"}
        with pytest.raises(ReasonNeeded):
            deciding.put_in_force(uow, **force)
        deciding.put_in_force(uow, **force, size_reason="自然院落")
        assert (draft.state, draft.on_date, draft.change_id is not None) == ("in_force", ON, True)
        now = division_on(uow, VILLAGE, ON)
        assert sorted((c.level, c.name) for c in now.cells.values()) == sorted(
            [(1, now.places[VILLAGE]), (2, "1组"), (2, "2组"), (3, "1组-2"), (3, "1组-3")]
        )
        wanted = {row.id: part.name for part in live(uow, draft).parts for row in part.homes}
        assert {h: now.cells[g].name for h, g in now.homes.items()} == wanted
        # Drawn again from what is, and put in force a year later: the same grids go on.
        again = service.draft_present(uow, village=VILLAGE)
        names = [part.name for part in live(uow, again).parts]
        assert sorted(names) == ["1组-2", "1组-3", "2组"]
        pair = {part.name: part for part in live(uow, again).parts}
        service.move_households(
            uow, draft_id=again.id, version=1, household_ids=[pair["1组-2"].homes[0].id], part_id=pair["1组-3"].id
        )
        deciding.submit(uow, draft_id=again.id, version=2)
        deciding.approve(uow, draft_id=again.id, version=3)
        later = date(2026, 4, 1)
        deciding.put_in_force(uow, draft_id=again.id, version=4, on=later, reason="调整", size_reason="自然院落")
        then = division_on(uow, VILLAGE, later)
        assert set(then.cells) == set(now.cells)
        assert uow.session.scalars(select(GridVersion).where(GridVersion.valid_from == later)).all() == []
        uow.rollback()


def test_who_may_what(drawn: County) -> None:
    with drawn.uow() as uow:
        id = service.plan_draft(uow, village=VILLAGE).id
        deciding.submit(uow, draft_id=id, version=1)
    with drawn.uow(drawn.actor(GRID_PLAN, area=VILLAGE)) as uow, pytest.raises(Forbidden):
        deciding.approve(uow, draft_id=id, version=2)
    elsewhere = drawn.actor(GRID_PLAN, area=VILLAGE + 1000)
    with drawn.uow(elsewhere) as uow, pytest.raises(NotFound):
        service.plan_draft(uow, village=VILLAGE)
    with drawn.uow(elsewhere) as uow, pytest.raises(NotFound):
        deciding.take_back(uow, draft_id=id, version=2)


def test_a_town_is_planned_as_a_job(drawn: County) -> None:
    with drawn.uow() as uow:
        with pytest.raises(Invalid):
            jobs.request_plan(uow, area=VILLAGE - VILLAGE % 10**6, joining="no")
        job = jobs.request_plan(uow, area=VILLAGE - VILLAGE % 10**6)
        assert (job.kind, job.state) == ("drafts.plan_area", "queued")
        uow.rollback()


def test_a_village_that_fails_does_not_stop_the_others(drawn: County) -> None:
    town = VILLAGE - VILLAGE % 10**6
    with drawn.uow() as uow:
        bad = next(a.area_code for a in area_choices(uow, parent=town) if a.area_code != VILLAGE)
        rows = [HouseholdRow(bad + 1, f"{bad // 1000}0001", "1组1号", [{"name": "王一", "relation": "02"}])]
        upsert_households(uow, drawn.runtime.tenant_keys(uow), rows)
        job = jobs.request_plan(uow, area=town, name="全镇")
    with psycopg.connect(drawn.runtime.settings.migration_database_url, autocommit=True) as owner:
        owner.execute(f"ALTER TABLE grid_draft ADD CONSTRAINT planted CHECK (area_code <> {bad}) NOT VALID")
        try:
            run_with(drawn.runtime, drawn.info.id, job.id)
        finally:
            owner.execute("ALTER TABLE grid_draft DROP CONSTRAINT planted")
    with drawn.uow() as uow:
        job = uow.get(Job, job.id)
        assert job.state == "succeeded", job.error
        assert [one["village"] for one in job.result["failed"]] == [bad]
        assert (job.result["villages"], job.result["grids"]) == (1, 4)
        assert str(bad // 1000) in str(jobs.result_text(job))
        drafts = uow.session.scalars(select(GridDraft).where(GridDraft.name == "全镇"))
        assert [draft.area_code for draft in drafts] == [VILLAGE]
