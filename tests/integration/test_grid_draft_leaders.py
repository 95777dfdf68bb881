"""Leaders proposed in a draft are in charge once it is in force; the undo takes their posts back; boards follow."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from drafts_kit import two_groups  # noqa: F401 - a fixture
from grids_kit import TOWN, VILLAGE
from households_kit import hidden, text
from sqlalchemy import select

from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Invalid
from xiangyue.features.drafts import deciding, service
from xiangyue.features.drafts.leaders import NOBODY, Chosen, proposals
from xiangyue.features.drafts.models import GridDraft
from xiangyue.features.drafts.queries import live_draft
from xiangyue.features.grids import service as grids
from xiangyue.features.grids import service_posts
from xiangyue.features.grids.models import GridChange, GridPost
from xiangyue.features.grids.queries_posts import posts_on
from xiangyue.features.grids.standing import division_on
from xiangyue.features.households.models import Household, Person
from xiangyue.features.households.person_input import today
from xiangyue.testing.fixtures import County

ON, LATER, END = date(2026, 3, 1), date(2026, 4, 1), date(2028, 12, 31)
#: One household of group 1 has a head of this name; two have one of that.
ONE, TWO = "王庚0", "王乙0"


def approved(uow: Uow, leaders: dict[str, str], present: bool = False) -> GridDraft:
    """A draft of the village with these leaders by name of the part, approved."""
    draft = service.draft_present(uow, village=VILLAGE) if present else service.plan_draft(uow, village=VILLAGE)
    if present:
        parts = {part.name: part for part in live_draft(uow, draft).parts}
        service.move_households(uow, draft_id=draft.id, version=draft.version,
                                household_ids=[parts["1组-3"].homes[0].id], part_id=parts["1组-2"].id)  # fmt: skip
    for part in live_draft(uow, draft).parts:
        if part.name in leaders:
            service.edit_part(uow, draft_id=draft.id, version=draft.version, part_id=part.id, name=part.name,
                              leader=leaders[part.name], fixed=False)  # fmt: skip
    deciding.submit(uow, draft_id=draft.id, version=draft.version)
    return deciding.approve(uow, draft_id=draft.id, version=draft.version)


def force(uow: Uow, draft: GridDraft, on: date = ON, **more: Any) -> GridChange:
    deciding.put_in_force(uow, draft_id=draft.id, version=draft.version, on=on, reason="年度调整", **more)
    assert draft.change_id is not None
    return uow.get(GridChange, draft.change_id)


def in_charge(uow: Uow, on: date) -> dict[str, tuple[str, bool]]:
    """(name of the leader, whether of the register) by name of the grid."""
    cells = division_on(uow, VILLAGE, on).cells
    found = posts_on(uow, list(cells), on)
    return {cells[id].name: (post["name"], post["person_id"] is not None) for id in cells for post in found[id]}


def test_proposed_leaders_are_in_charge_and_the_undo_takes_them_back(drawn: County) -> None:
    with drawn.uow() as uow:
        draft = approved(uow, {"1组-1": ONE, "1组-2": TWO, "2组": "外来干部"})
        answers = {one.part_name: one.answer for one in proposals(uow, live_draft(uow, draft), ON)}
        assert answers["1组-1"].isdigit()
        assert (answers["1组-2"], answers["2组"]) == ("", "outside")
        part = next(one.part_id for one in proposals(uow, live_draft(uow, draft), ON) if one.part_name == "1组-2")
        with pytest.raises(Invalid) as doubt:
            force(uow, draft)
        assert set(doubt.value.fields) == {f"leader.{part}"}, "two have this name"
        uow.rollback()
    with drawn.uow() as uow:
        draft = approved(uow, {"1组-1": ONE, "1组-2": TWO, "2组": "外来干部"})
        part = next(one.part_id for one in proposals(uow, live_draft(uow, draft), ON) if one.part_name == "1组-2")
        who = max(uow.session.scalars(select(Person.id).where(Person.name == TWO)))
        change = force(uow, draft, term_until=END, leaders={part: Chosen(str(who), "0915-5210000")})
        assert in_charge(uow, ON) == {"1组-1": (ONE, True), "1组-2": (TWO, True), "2组": ("外来干部", False)}
        posts = uow.session.scalars(select(GridPost)).all()
        assert {(post.principal, post.term_until, post.valid_from) for post in posts} == {(True, END, ON)}
        assert {post.office_phone for post in posts if post.person_id == who} == {"0915-5210000"}
        grids.undo_change(uow, change_id=change.id, version=change.version, reason="误")
        assert uow.session.scalars(select(GridPost)).all() == []
        uow.rollback()


def test_who_is_in_charge_stays_unless_another_is_proposed(drawn: County) -> None:
    with drawn.uow() as uow:
        force(uow, approved(uow, {"1组-1": ONE, "2组": "外来干部"}))
        again = approved(uow, {"1组-1": "接任者", "2组": "外来干部"}, present=True)
        change = force(uow, again, LATER)
        assert in_charge(uow, LATER) == {"1组-1": ("接任者", False), "2组": ("外来干部", False)}
        old = uow.session.scalars(select(GridPost).where(GridPost.name == ONE)).one()
        assert (old.valid_to, old.ended_reason) == (LATER, "年度调整")
        kept = uow.session.scalars(select(GridPost).where(GridPost.name == "外来干部")).one()
        assert (kept.valid_from, kept.valid_to) == (ON, None)
        # Somebody else begins by hand: the change has something built on it until that is undone.
        grid = uow.session.scalars(select(GridPost.grid_id).where(GridPost.name == "接任者")).one()
        post = uow.session.scalars(select(GridPost).where(GridPost.name == "接任者")).one()
        service_posts.end_post(uow, post_id=post.id, version=1, on=LATER + timedelta(9), reason="调走")
        with pytest.raises(Conflict, match="接任者"):
            grids.undo_change(uow, change_id=change.id, version=change.version, reason="误")
        post.valid_to, post.version = None, 1
        uow.session.flush()
        grids.undo_change(uow, change_id=change.id, version=change.version, reason="误")
        uow.session.refresh(old)
        assert (old.valid_to, old.ended_reason, old.grid_id) == (None, "", grid)
        assert in_charge(uow, LATER)["1组-1"] == (ONE, True)
        uow.rollback()


def test_a_draft_may_change_leaders_alone(drawn: County) -> None:
    with drawn.uow() as uow:
        force(uow, approved(uow, {}))
        with pytest.raises(Invalid, match="没有任何改变"):
            force(uow, approved(uow, {}), LATER)
        change = force(uow, approved(uow, {"1组-1": ONE}), LATER)
        assert in_charge(uow, LATER) == {"1组-1": (ONE, True)}
        assert change.changes["grids"] == []
        grids.undo_change(uow, change_id=change.id, version=change.version, reason="误")
        assert in_charge(uow, LATER) == {}
        uow.rollback()


def test_nobody_is_in_charge_of_a_grid_that_ended(drawn: County) -> None:
    with drawn.uow() as uow:
        force(uow, approved(uow, {"1组-1": ONE}))
        cells = division_on(uow, VILLAGE, LATER).cells
        ids = {cell.name: id for id, cell in cells.items()}
        change = grids.merge_grids(uow, grid_ids=[ids["1组-1"]], into_id=ids["1组-2"], on=LATER, reason="合并",
                                   size_reason="自然院落")  # fmt: skip
        post = uow.session.scalars(select(GridPost).where(GridPost.name == ONE)).one()
        assert (post.valid_to, post.ended_reason) == (LATER, "合并")
        grids.undo_change(uow, change_id=change.id, version=change.version, reason="误")
        assert (post.valid_to, post.ended_reason) == (None, "")
        uow.rollback()


def test_the_page_asks_who_it_is_and_leads_to_the_boards(drawn: County) -> None:
    with drawn.uow() as uow:
        draft = approved(uow, {"1组-1": ONE, "1组-2": TWO})
        id, version = draft.id, draft.version
        parts = {one.part_name: one.part_id for one in proposals(uow, live_draft(uow, draft), ON)}
    client = drawn.client(drawn.account("county_admin", locale="en"))
    url = f"/grid-drafts/{id}"
    page = text(client, url)
    assert "Proposed leaders are put in charge" in page
    form = {"csrf_token": hidden(page, "csrf_token"), "version": str(version), "on": ON.isoformat(), "reason": "调整"}
    doubt = client.post(f"{url}/force", data=form)
    assert doubt.status_code == 422
    assert f"2 persons are called {TWO}" in doubt.text
    wrong = client.post(f"{url}/force", data={**form, f"leader.{parts['1组-2']}": NOBODY, "term_until": "2020-01-01"})
    assert wrong.status_code == 422
    assert "The term ends before it begins" in wrong.text
    with drawn.uow() as uow:
        assert uow.get(GridDraft, id).state == "approved"
        assert uow.session.scalars(select(GridPost)).all() == [], "nothing is half done"
    answer = client.post(f"{url}/force", data={**form, f"leader.{parts['1组-2']}": NOBODY})
    assert answer.status_code == 303, answer.text
    shown = text(client, url)
    assert f"/grids/boards?area={VILLAGE // 1000}" in shown
    assert ONE in shown
    assert shown.count("/board.pdf") == 4
    assert text(drawn.client(drawn.account("town", area=TOWN)), url).count("/board.pdf") == 4


def test_what_is_to_be_in_force_later_is_called_back(drawn: County) -> None:
    later = today() + timedelta(days=9)
    with drawn.uow() as uow:
        draft = approved(uow, {"1组-1": "接任者"}, present=True)
        before = in_charge(uow, later)
        force(uow, draft, later)
        assert in_charge(uow, later) != before
        id = draft.id
    town = drawn.client("town", area=TOWN)
    url = f"/grid-drafts/{id}"
    shown = text(town, url)
    assert f"将于{later}生效" in shown
    form = {"csrf_token": hidden(shown, "csrf_token"), "version": draft.version}
    assert town.post(f"{url}/call-back", data=form).status_code == 303
    with drawn.uow() as uow:
        draft = uow.get(GridDraft, id)
        assert (draft.state, draft.on_date, draft.change_id) == ("approved", None, None)
        assert in_charge(uow, later) == before
        change = force(uow, draft, today())
        with pytest.raises(Conflict, match="生效日期已到"):
            deciding.call_back(uow, draft_id=id, version=draft.version)
        grids.undo_change(uow, change_id=change.id, version=change.version, reason="误")
        assert draft.state == "approved", "it may be put in force anew"
        uow.rollback()


def test_a_draft_in_force_shows_what_was_put_in_force(drawn: County) -> None:
    with drawn.uow() as uow:
        draft = approved(uow, {"1组-1": "接任者"}, present=True)
        before = live_draft(uow, draft)
        force(uow, draft, LATER)
        gone, *_rest = before.parts[0].homes
        uow.get(Household, gone.id).area_code = VILLAGE + 3_000
        uow.session.flush()
        then = live_draft(uow, draft)
        assert [(p.name, p.level, p.area_code, p.homes) for p in then.parts] == [
            (p.name, p.level, p.area_code, p.homes) for p in before.parts
        ]
        assert (then.places, then.stale) == (before.places, False)
        copied = live_draft(uow, service.copy_draft(uow, draft_id=draft.id))
        assert sum(part.households for part in copied.parts) == sum(part.households for part in then.parts) - 1
        uow.rollback()
