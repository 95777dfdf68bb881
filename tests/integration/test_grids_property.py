"""Any sequence of changes of grids and of the register, and undos of both, keeps the three rules on every day:
不遗漏 (nobody is lost), 不交叉 (grids do not overlap), 不重复 (nobody lies in two)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import date, timedelta
from typing import Any

import pytest
from grids_kit import VILLAGE, divided_county, families, homes
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Invalid
from xiangyue.features.grids import service
from xiangyue.features.grids.kept_sizes import Recount
from xiangyue.features.grids.models import Grid, GridChange, GridCode, GridHousehold, GridSize, GridVersion
from xiangyue.features.grids.queries_households import waiting_ids
from xiangyue.features.grids.sizes import _SIZES, Size, sizes
from xiangyue.features.households.models import Household, Person, RegisterAct
from xiangyue.features.households.person_input import today
from xiangyue.features.households.service import edit_household
from xiangyue.features.households.service_register import do_act, undo_act
from xiangyue.testing.fixtures import County

__all__ = ["divided_county", "families"]

BACK, AHEAD = 2, 2
GRID_KINDS = ("create", "create", "create", "rename", "close", "split", "split", "merge", "move", "move", "plan",
              "undo", "undo")  # fmt: skip
ACT_KINDS = ("r_split", "r_merge", "r_close", "r_reopen", "r_area", "r_undo", "r_undo")
STEPS = st.lists(
    st.tuples(
        st.sampled_from((*GRID_KINDS, *ACT_KINDS)), st.sampled_from((0, 1, 2, 2, 2, 2, 2, 3, 4)), st.integers(0, 99),
        st.integers(0, 99), st.integers(0, 7),
    ),
    min_size=16,
    max_size=20,
)  # fmt: skip
#: (day, household) -> grid; (day, grid) -> what it was.
Seen = tuple[dict[tuple[date, int], int], dict[tuple[date, int], tuple[Any, ...]]]


#: What was really done, over all examples.
DONE: Counter[str] = Counter()


class Rolled(Exception):
    """The example is over; nothing of it stays."""


def days() -> list[date]:
    return [today() + timedelta(n) for n in range(-BACK, AHEAD + 1)]


@settings(
    max_examples=12, deadline=None, database=None, derandomize=True, phases=(Phase.generate,),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(steps=STEPS)
def test_any_sequence_of_changes(county: County, steps: list[tuple[str, int, int, int, int]]) -> None:
    with suppress(Rolled), county.uow() as uow:
        keys = county.runtime.tenant_keys(uow)
        _settle(uow)
        before = check(uow)
        for kind, day, a, b, bits in steps:
            on = days()[day]
            savepoint = uow.session.begin_nested()
            try:
                done = attempt(uow, keys, kind, min(on, today()) if kind.startswith("r_") else on, a, b, bits)
            except (Invalid, Conflict):
                savepoint.rollback()
                uow.session.expire_all()
                continue
            savepoint.commit()
            DONE[kind] += 1
            after = check(uow)
            if isinstance(done, GridChange):
                compare(before, after, done)
            before = after
        raise Rolled


def _settle(uow: Uow) -> None:
    """Two grids of groups, one of them with two of level 3 below, on the first day."""
    first = days()[0]
    for group in (1, 2):
        service.create_grid(uow, area_code=VILLAGE + group, name=f"{group}组", level=2, on=first,
                            household_ids=homes(uow, group)[:-1])  # fmt: skip


def attempt(uow: Uow, keys: Any, kind: str, on: date, a: int, b: int, bits: int) -> Any:
    everyone = homes(uow)
    now = list(uow.session.scalars(select(GridVersion).where(GridVersion.valid_to.is_(None)).order_by(
        GridVersion.leaf.desc(), GridVersion.area_code, GridVersion.grid_id)))  # fmt: skip
    if not now:
        return None
    chosen = now[a % len(now)]
    one, other = chosen.grid_id, now[(a + 1 + b % 2) % len(now)].grid_id
    version = uow.session.scalars(select(Grid.version).where(Grid.id == one)).one()
    some = [id for n, id in enumerate(everyone) if (a >> (n % 6)) & 1]
    if kind == "create":
        below = bits > 4 and 0 < chosen.level < 3
        lies = uow.session.scalars(select(GridHousehold.household_id).where(
            GridHousehold.grid_id == one, GridHousehold.valid_to.is_(None))).all()  # fmt: skip
        return service.create_grid(
            uow, area_code=chosen.area_code if below else VILLAGE + bits % 3, name="新", on=on,
            level=chosen.level + 1 if below else 1 + b % 2, parent_id=one if below else None,
            household_ids=lies if below else some[:2] if bits & 1 else (),
        )  # fmt: skip
    if kind == "rename":
        return service.rename_grid(uow, grid_id=one, version=version, name=f"名{a}", on=on)
    if kind == "close":
        return service.close_grid(uow, grid_id=one, version=version, on=on, into_id=other if bits else None, reason="x")
    if kind == "split":
        inside = list(uow.session.scalars(
            select(GridHousehold.household_id).where(GridHousehold.grid_id == one).distinct()))  # fmt: skip
        parts = [{"name": "甲", "household_ids": inside[: 1 + b % 3]}]
        if bits & 1:
            parts.append({"name": "乙", "household_ids": inside[1 + b % 3 :]})
        return service.split_grid(uow, grid_id=one, version=version, on=on, parts=parts, below=bool(bits & 2))
    if kind == "merge":
        return service.merge_grids(uow, grid_ids=[one, other], into_id=other, on=on, reason="x")
    if kind == "move":
        return service.move_households(uow, grid_id=one, household_ids=some[: 1 + bits], on=on)
    if kind == "plan":
        by_group: dict[int, list[int]] = {}
        for id, area in uow.session.execute(select(Household.id, Household.area_code)):
            by_group.setdefault(area, []).append(id)
        parts = [
            {"key": str(area), "name": "划", "level": 2, "area_code": area, "household_ids": ids,
             "keep_grid_id": one if bits & 1 and area == VILLAGE + 1 else None}
            for area, ids in sorted(by_group.items())
        ]  # fmt: skip
        return service.apply_division(uow, village=VILLAGE, on=on, parts=parts, reason="x")
    if kind == "undo":
        wanted = select(GridChange.id, GridChange.version).where(
            GridChange.state == "done", GridChange.kind != "register"
        )
        done = uow.session.execute(wanted.order_by(GridChange.id.desc())).all()
        if not done:
            return None
        chosen = done[a % min(3, len(done))]
        service.undo_change(uow, change_id=chosen.id, version=chosen.version, reason="x")
        return None
    act(uow, keys, kind, on, everyone[a % len(everyone)], everyone[b % len(everyone)], a, bits)
    return None


def act(uow: Uow, keys: Any, kind: str, on: date, house: int, other: int, a: int, bits: int) -> None:
    if kind == "r_undo":
        done = uow.session.execute(select(RegisterAct.id, RegisterAct.version).where(
            RegisterAct.state == "done").order_by(RegisterAct.id.desc())).all()  # fmt: skip
        if done:
            chosen = done[a % len(done)]
            undo_act(uow, act_id=chosen.id, version=chosen.version, reason="x")
        return
    closed = list(uow.session.scalars(select(Household.id).where(Household.state == "closed")))
    if kind == "r_reopen" and closed:
        house = closed[a % len(closed)]
    if kind == "r_area":
        version = uow.get(Household, house).version
        edit_household(uow, household_id=house, version=version, changes={"area_code": VILLAGE + 1 + bits % 2})
        return
    request: dict[str, Any] = {"household_id": house}
    if kind == "r_split":
        inside = sorted(uow.session.scalars(
            select(Person.id).where(Person.household_id == house, Person.state == "active")))  # fmt: skip
        request |= {"persons": inside[:1], "person_id": inside[0] if inside else 0}
    if kind == "r_merge":
        request["other_household_id"] = other
    do_act(uow, keys=keys, kind=kind[2:], on=on, request=request, reason="x")


def check(uow: Uow) -> Seen:
    uow.session.flush()
    uow.session.expire_all()
    rows = list(uow.session.scalars(select(GridHousehold)))
    versions = list(uow.session.scalars(select(GridVersion)))
    households = {h.id: h for h in uow.session.scalars(select(Household))}
    placed: dict[tuple[date, int], int] = {}
    cells: dict[tuple[date, int], tuple[Any, ...]] = {}
    for day in days():
        stand = [v for v in versions if v.valid_from <= day and (v.valid_to is None or v.valid_to > day)]
        by_grid = {v.grid_id: v for v in stand}
        assert len(by_grid) == len(stand), "a grid is one thing a day"
        for v in stand:
            cells[day, v.grid_id] = (v.name, v.level, v.parent_id, v.area_code)
            assert v.leaf == all(other.parent_id != v.grid_id for other in stand)
            if v.parent_id is not None:
                above = by_grid[v.parent_id]
                assert above.level == v.level - 1
                assert above.area_code in (v.area_code, VILLAGE)
            assert v.level < 3 or v.parent_id is not None
        for row in rows:
            if row.valid_from <= day and (row.valid_to is None or row.valid_to > day):
                assert (day, row.household_id) not in placed, "不重复"
                placed[day, row.household_id] = row.grid_id
                assert by_grid[row.grid_id].leaf, "不交叉"
                household = households[row.household_id]
                gone = household.left_on if household.state != "active" else None
                assert gone is None or day < gone, "who left lies in no grid"
    here = {id for id, h in households.items() if h.state == "active"}
    for id in here:
        at = cells.get((today(), placed.get((today(), id), 0)))
        assert at is None or at[3] in (VILLAGE, households[id].area_code), "不交叉"
    lies = {id for id in here if (today(), id) in placed}
    assert set(waiting_ids(uow, VILLAGE, today())) == here - lies, "不遗漏"
    codes = list(uow.session.scalars(select(GridCode.code)))
    assert len(codes) == len(set(codes))
    check_sizes(uow, {grid for (day, _home), grid in placed.items() if day == today()}, placed)
    return placed, cells


def check_sizes(uow: Uow, grids: Iterable[int], placed: Mapping[tuple[date, int], int]) -> None:
    """What is kept of sizes at the end of a transaction is right, on each day for which it still counts."""
    due = uow.waiting(Recount)
    if due is not None:
        assert sizes(uow, list(grids), today()) == sizes_then(uow, list(grids), today()), "inside the transaction"
        due()
    kept = {row.grid_id: row for row in uow.session.scalars(select(GridSize))}
    for day in days()[BACK:]:
        counts = [id for id, row in kept.items() if row.until is None or row.until > day]
        lies = Counter(grid for (on, _home), grid in placed.items() if on == day)
        assert {id: kept[id].households for id in counts} == {id: lies[id] for id in counts}
    now = [id for id, row in kept.items() if row.until is None or row.until > today()]
    assert set(now) >= set(grids), "what is kept today counts today"
    then = sizes_then(uow, now, today())
    for id in now:
        size = Size(kept[id].households, kept[id].registered, kept[id].living)
        assert size == then.get(id, Size())


def sizes_then(uow: Uow, ids: list[int], on: date) -> dict[int, Size]:
    """Counted from who belonged to which household."""
    return {id: Size(*numbers) for id, *numbers in scoped_rows(uow.session, _SIZES, {"grids": ids, "on": on})}


def compare(before: Seen, after: Seen, change: GridChange) -> None:
    """A change of grids leaves the days before it alone and loses nobody."""
    for old, new in zip(before, after, strict=True):
        assert {k: v for k, v in old.items() if k[0] < change.on_date} == {
            k: v for k, v in new.items() if k[0] < change.on_date
        }
    assert set(before[0]) <= set(after[0]), "不遗漏"


def test_the_sequences_did_something() -> None:
    assert len({*GRID_KINDS, *ACT_KINDS} - set(DONE)) <= 2, DONE
    assert sum(DONE.values()) > 60, DONE


def test_an_undo_puts_back_exactly(county: County) -> None:
    with suppress(Rolled), county.uow() as uow:
        _settle(uow)
        everyone, now = homes(uow), today()
        first, second = _of(uow, everyone[0]), _of(uow, everyone[5])
        whole = [{"name": "全村", "level": 1, "area_code": VILLAGE, "household_ids": everyone}]
        halves = [{"name": "甲", "household_ids": everyone[:2]}]

        def split(on: date) -> GridChange:
            return service.split_grid(uow, grid_id=first, version=_version(uow, first), on=on, parts=halves)

        def merge(on: date) -> GridChange:
            half = kept[0][0].changes["made"][0]
            return service.merge_grids(uow, grid_ids=[half], into_id=first, on=on, reason="x")

        def place(on: date) -> GridChange:
            return service.move_households(uow, grid_id=second, household_ids=[everyone[-1]], on=on)

        def plan(on: date) -> GridChange:
            return service.apply_division(uow, village=VILLAGE, on=on, parts=whole, reason="x")

        def close(on: date) -> GridChange:
            made = service.create_grid(uow, area_code=VILLAGE, name="空", level=1, on=now)
            version = _version(uow, made.changes["made"][0])
            service.close_grid(uow, grid_id=made.changes["made"][0], version=version, on=on, reason="x")
            return made

        kept: list[tuple[GridChange, Seen]] = []
        for make, on in ((split, now), (merge, now), (place, now), (plan, now + timedelta(1))):
            before = check(uow)
            kept.append((make(on), before))
            assert check(uow) != before
        for change, before in reversed(kept):
            undo(uow, change)
            assert check(uow) == before
        made = close(now + timedelta(1))
        with pytest.raises(Conflict, match="停用网格"):
            undo(uow, made)
        raise Rolled


def undo(uow: Uow, change: GridChange) -> None:
    uow.session.refresh(change)
    service.undo_change(uow, change_id=change.id, version=change.version, reason="x")


def _of(uow: Uow, household: int) -> int:
    rows = select(GridHousehold.grid_id).where(
        GridHousehold.household_id == household, GridHousehold.valid_to.is_(None)
    )
    return int(uow.session.scalars(rows).one())


def _version(uow: Uow, grid_id: int) -> int:
    return int(uow.session.scalars(select(Grid.version).where(Grid.id == grid_id)).one())
