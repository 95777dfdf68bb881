"""Any sequence of changes of groups, of grids and of the register, and undos of all three, keeps on every day: a
household in one group at most, and every group with all its households within one leaf grid."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from datetime import date
from typing import Any

import pytest
from grids_kit import VILLAGE, divided_county, homes
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from test_grids_property import attempt, days

from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Invalid
from xiangyue.features.grids import service as grids
from xiangyue.features.grids.models import GridHousehold, GridVersion
from xiangyue.features.household_groups import service
from xiangyue.features.household_groups.models import (
    HouseholdGroup,
    HouseholdGroupChange,
    HouseholdGroupMember,
    HouseholdGroupVersion,
)
from xiangyue.features.households.person_input import today
from xiangyue.testing.fixtures import County

__all__ = ["divided_county"]
KINDS = ("g_create", "g_create", "g_create", "g_members", "g_members", "g_rename", "g_close", "g_undo", "g_undo",
         "split", "split", "split", "merge", "merge", "move", "move", "move", "plan", "undo", "undo", "r_split",
         "r_close", "r_area", "r_undo")  # fmt: skip
STEPS = st.lists(
    st.tuples(st.sampled_from(KINDS), st.sampled_from((0, 1, 2, 2, 2, 2, 2, 2, 2, 2, 3, 4)), st.integers(0, 99),
              st.integers(0, 99), st.integers(0, 7)),
    min_size=20, max_size=26,
)  # fmt: skip
DONE: Counter[str] = Counter()
#: (day, household) -> (group, name, grid)
Seen = dict[tuple[date, int], tuple[int, str, int]]


class Rolled(Exception):
    """The example is over; nothing of it stays."""


@settings(
    max_examples=10, deadline=None, database=None, derandomize=True, phases=(Phase.generate,),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(steps=STEPS)
def test_any_sequence_of_changes(county: County, steps: list[tuple[str, int, int, int, int]]) -> None:
    with suppress(Rolled), county.uow() as uow:
        keys = county.runtime.tenant_keys(uow)
        for group in (1, 2):
            grids.create_grid(uow, area_code=VILLAGE + group, name=f"{group}组", level=2, on=days()[0],
                              household_ids=homes(uow, group))  # fmt: skip
        before: Seen = check(uow)
        undoable: dict[int, Seen] = {}
        for kind, day, a, b, bits in steps:
            on = days()[day]
            savepoint = uow.session.begin_nested()
            try:
                if kind.startswith("g_"):
                    done = attempt_group(uow, kind, on, a, b, bits)
                else:
                    done = attempt(uow, keys, kind, min(on, today()) if kind.startswith("r_") else on, a, b, bits)
            except (Invalid, Conflict):
                savepoint.rollback()
                uow.session.expire_all()
                continue
            savepoint.commit()
            after = check(uow)
            DONE[kind] += 1
            if isinstance(done, HouseholdGroupChange):
                if done.state == "undone" and done.id in undoable:
                    assert after == undoable[done.id], "exactly as before"
                undoable = {done.id: before} if done.state == "done" else {}
            elif not kind.startswith("g_"):
                undoable = {}
            before = after
        raise Rolled


def attempt_group(uow: Uow, kind: str, on: date, a: int, b: int, bits: int) -> HouseholdGroupChange | None:
    lies = select(GridHousehold.grid_id, GridHousehold.household_id).where(GridHousehold.valid_to.is_(None))
    by_grid: dict[int, list[int]] = {}
    for grid, household in uow.session.execute(lies.order_by(GridHousehold.grid_id, GridHousehold.household_id)):
        by_grid.setdefault(grid, []).append(household)
    if kind == "g_create":
        if not by_grid:
            return None
        grid = sorted(by_grid)[a % len(by_grid)]
        some = [id for n, id in enumerate(by_grid[grid]) if (b >> (n % 5)) & 1]
        return service.create_groups(uow, grid_id=grid, on=on, parts=[{"name": f"组{a}", "household_ids": some}],
                                     size_reason="x")  # fmt: skip
    if kind == "g_undo":
        wanted = select(HouseholdGroupChange.id, HouseholdGroupChange.version).where(
            HouseholdGroupChange.state == "done", HouseholdGroupChange.kind != "follow"
        )
        found = uow.session.execute(wanted.order_by(HouseholdGroupChange.id.desc()).limit(3)).all()
        if not found:
            return None
        one = found[a % len(found)]
        return service.undo_change(uow, change_id=one.id, version=one.version, reason="x")
    groups = uow.session.execute(
        select(HouseholdGroup.id, HouseholdGroup.version, HouseholdGroupVersion.grid_id)
        .join(HouseholdGroupVersion, HouseholdGroupVersion.group_id == HouseholdGroup.id)
        .where(HouseholdGroupVersion.valid_to.is_(None)).order_by(HouseholdGroup.id)
    ).all()  # fmt: skip
    if not groups:
        return None
    id, version, grid = groups[a % len(groups)]
    if kind == "g_members":
        some = [h for n, h in enumerate(by_grid.get(grid, [])) if (b >> (n % 5)) & 1]
        return service.set_members(uow, group_id=id, version=version, household_ids=some, on=on, size_reason="x")
    if kind == "g_rename":
        return service.rename_group(uow, group_id=id, version=version, name=f"名{b}", on=on)
    return service.close_group(uow, group_id=id, version=version, on=on, reason="x")


def check(uow: Uow) -> Seen:
    """The rules on every day; returns who was where."""
    uow.session.flush()
    seen: Seen = {}
    for day in days():

        def on(model: Any, day: date = day) -> Any:
            return (model.valid_from <= day) & (model.valid_to.is_(None) | (model.valid_to > day))

        homes_then = select(GridHousehold.household_id, GridHousehold.grid_id).where(on(GridHousehold))
        lies = {row.household_id: row.grid_id for row in uow.session.execute(homes_then)}
        leaves = set(uow.session.scalars(select(GridVersion.grid_id).where(on(GridVersion), GridVersion.leaf)))
        groups = {g: (name, grid) for g, name, grid in uow.session.execute(
            select(HouseholdGroupVersion.group_id, HouseholdGroupVersion.name, HouseholdGroupVersion.grid_id)
            .where(on(HouseholdGroupVersion)))}  # fmt: skip
        members = uow.session.execute(
            select(HouseholdGroupMember.household_id, HouseholdGroupMember.group_id).where(on(HouseholdGroupMember))
        ).all()
        assert len({m.household_id for m in members}) == len(members), "in two groups"
        assert {grid for _name, grid in groups.values()} <= leaves, "a group lies in a grid that is no leaf"
        for household, group in members:
            assert group in groups, "a household in a group that does not stand"
            assert lies.get(household) == groups[group][1], "a household outside its group's grid"
            seen[day, household] = (group, *groups[group])
    return seen


def test_everything_was_tried() -> None:
    tried = {kind for kind in KINDS if kind.startswith("g_")} | {"split", "merge", "move", "undo"}
    if sum(DONE.values()) == 0:
        pytest.fail("the test above did not run")
    assert len(tried - set(DONE)) <= 1, DONE
    assert sum(DONE.values()) > 60, DONE
