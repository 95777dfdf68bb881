"""Any sequence of changes and undos keeps every household in one area that there is, on every day, and shows nobody
more than he or she saw, but for what came into areas that were his or hers already. From the day of the last change on
nobody lies in two grids, none in another village's, and nobody is lost: 不重复, 不交叉, 不遗漏."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pytest
from areas_kit import DAY, OTHER_TOWN, TOWN, A, B, C, fill
from grids_kit import FIRST, GRID_TABLES
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from xiangyue.access.models import RoleGrant
from xiangyue.db.scope import area_range
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Invalid
from xiangyue.features.areas.changes import back, force, queries, service
from xiangyue.features.areas.changes.codes import free_code
from xiangyue.features.areas.models import Area, AreaChange
from xiangyue.features.grids.models import GridHousehold, GridVersion
from xiangyue.features.grids.queries_households import waiting_ids
from xiangyue.features.grids.service import apply_division
from xiangyue.features.households.models import Household
from xiangyue.i18n import today
from xiangyue.testing.fixtures import County

DAYS = [DAY + timedelta(n) for n in range(-1, 4)]
Where = dict[int, int]


@dataclass
class Replay:
    """Households as plain Python: in which area each was on each day."""

    days: dict[date, Where]
    moved: dict[int, Where] = field(default_factory=dict)

    def put(self, change: AreaChange, now: Where) -> None:
        """From its day on what it moved is there."""
        last = self.days[DAYS[-1]]
        self.moved[change.id] = {id: last[id] for id, code in now.items() if code != last[id]}
        for day in DAYS:
            if day >= change.on_date:
                self.days[day].update({id: now[id] for id in self.moved[change.id]})

    def back(self, change: AreaChange) -> None:
        """From its day on it is where it was."""
        for day in DAYS:
            if day >= change.on_date:
                self.days[day].update(self.moved[change.id])


@pytest.fixture(name="county", scope="module")
def stocked(hanyin: County) -> Iterator[County]:
    fill(hanyin, (A, (1, 2)), (B, (1,)), (C, ()), each=1)
    for code in (A, A + 1, B, TOWN, OTHER_TOWN):
        hanyin.account("village", area=code)
    with hanyin.uow() as uow:
        for village, groups in ((A, (1, 2)), (B, (1,))):
            by_area = {code: id for id, code in located(uow).items()}
            parts: list[dict[str, Any]] = [{"key": "v", "name": "村", "level": 1, "area_code": village}]
            parts += [
                {"name": f"{group}片", "level": 2, "area_code": village + group, "parent": "v",
                 "household_ids": [by_area[village + group]]}
                for group in (0, *groups)
            ]  # fmt: skip
            apply_division(uow, village=village, on=FIRST, parts=parts, reason="x", size_reason="少")
    yield hanyin
    with hanyin.uow() as uow:
        for model in GRID_TABLES:
            uow.session.execute(delete(model))


OPS = st.tuples(
    st.sampled_from(["rename", "merge", "merge", "split", "recode", "move", "undo", "undo"]),
    st.integers(0, 7),
    st.integers(0, 7),
    st.sampled_from(DAYS),
)


@settings(
    max_examples=10, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate]
)
@given(ops=st.lists(OPS, min_size=2, max_size=6))
def test_every_household_is_in_one_area_on_every_day(county: County, ops: list[tuple[str, int, int, date]]) -> None:
    with county.uow() as uow:
        start = located(uow)
        replay = Replay({day: dict(start) for day in DAYS})
        done: list[AreaChange] = []
        before: dict[int, dict[int, set[int]]] = {}
        for number, (kind, first, second, on) in enumerate(ops):
            held, was = grants(uow), located(uow)
            back_to: dict[int, set[int]] = {}
            with suppress(Invalid, Conflict), uow.session.begin_nested():
                if kind == "undo":
                    if done:
                        change = done[first % len(done)]
                        undo(uow, change)
                        back_to = before[change.id]
                        done.remove(change)
                        replay.back(change)
                else:
                    change = do(uow, kind, number, first, second, on)
                    done.append(change)
                    before[change.id] = held
                    replay.put(change, located(uow))
            check(uow, replay)
            check_grids(uow, max([DAY, *(one.on_date for one in done)]))
            check_sight(uow, was, held, back_to)
        uow.rollback()


def villages(uow: Uow) -> list[int]:
    lying = {code - code % 1000 for code in located(uow).values()}
    return sorted(uow.session.scalars(select(Area.area_code).where(Area.area_code.in_(lying), Area.active.is_(True))))


def do(uow: Uow, kind: str, number: int, first: int, second: int, on: date) -> AreaChange:
    known = villages(uow)
    one, two = known[first % len(known)], known[second % len(known)]
    below = list(uow.session.scalars(select(Area.area_code).where(Area.parent_code == one, Area.active.is_(True))))
    there = sorted(uow.session.scalars(select(Household.id).where(Household.area_code == one)))
    town = one - one % 10**6
    asked: dict[str, Any] = {
        "rename": {"area": one, "name": f"第{number}村"},
        "merge": {"areas": [one], "into": two},
        "split": {
            "area": one,
            "keep": bool(second % 2) or bool(there[1:]),
            "parts": [{"name": f"分{number}村", "children": below if not second % 2 else below[:1]}],
            "households": {str(id): 0 for id in there[:1]},
        },
        "recode": {"area": one},
        "move": {"area": one, "parent": OTHER_TOWN if town == TOWN else TOWN},
    }[kind]
    if kind == "split":
        code = free_code(uow, town, "village_committee")
        asked["parts"][0]["code"] = code
        asked["households"] = dict.fromkeys(asked["households"], code)
    change = service.draft_change(uow, kind=kind, on=on, request=asked)
    service.request_change(uow, id=change.id, version=change.version)
    force.force(uow, change, lambda _done, _total: None)
    return change


def undo(uow: Uow, change: AreaChange) -> None:
    service.request_undo(uow, id=change.id, version=change.version, reason="弄错了")
    back.take_back(uow, change, "弄错了", lambda _done, _total: None)


def located(uow: Uow) -> Where:
    uow.session.expire_all()
    return {row.id: row.area_code for row in uow.session.execute(select(Household.id, Household.area_code))}


def grants(uow: Uow) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    for account, code in uow.session.execute(select(RoleGrant.account_id, RoleGrant.area_code)):
        found.setdefault(account, set()).add(code)
    return found


def sees(codes: set[int], place: int) -> bool:
    return any(lo <= place <= hi for lo, hi in map(area_range, codes))


def check(uow: Uow, replay: Replay) -> None:
    now = located(uow)
    assert now == replay.days[DAYS[-1]]
    for day in DAYS:
        then = queries.area_codes_on(uow, day, now)
        assert then == replay.days[day], day
        there = {area.area_code for area in queries.areas_on(uow, day)}
        assert set(then.values()) <= there, day
        assert sum(count.households for count in queries.counts_on(uow, day).values()) == len(now)
    active = set(uow.session.scalars(select(Area.area_code).where(Area.active.is_(True))))
    assert set(now.values()) <= active


def check_grids(uow: Uow, since: date) -> None:
    lies, now = uow.session.scalars(select(GridHousehold)).all(), located(uow)
    versions = uow.session.scalars(select(GridVersion)).all()
    for day in {since, DAYS[-1], today()}:
        stand = {v.grid_id: v for v in versions if v.valid_from <= day and (v.valid_to is None or v.valid_to > day)}
        here = [row for row in lies if row.valid_from <= day and (row.valid_to is None or row.valid_to > day)]
        assert len({row.household_id for row in here}) == len(here), "不重复"
        for row in here:
            assert stand[row.grid_id].leaf
            assert sees({stand[row.grid_id].area_code}, now[row.household_id]), "不交叉"
        for grid in stand.values():
            assert grid.leaf == all(other.parent_id != grid.grid_id for other in stand.values())
            if grid.parent_id is not None:
                above = stand[grid.parent_id]
                assert above.level == grid.level - 1
                assert sees({above.area_code}, grid.area_code), "不交叉"
        covered = {v.area_code - v.area_code % 1000 for v in stand.values()}
        placed = {row.household_id for row in here}
        waiting = {id for village in covered for id in waiting_ids(uow, village, day)}
        assert waiting == {id for id, code in now.items() if code - code % 1000 in covered} - placed, "不遗漏"


def check_sight(uow: Uow, was: Where, held: dict[int, set[int]], back_to: dict[int, set[int]]) -> None:
    """``back_to``: after an undo, the roles that there were before the change."""
    now = located(uow)
    for account, codes in grants(uow).items():
        if back_to:
            assert codes <= held.get(account, set()) | back_to.get(account, set())
            continue
        for id, place in now.items():
            if sees(codes, place):
                assert sees(held[account], was[id]) or sees(held[account], place)
