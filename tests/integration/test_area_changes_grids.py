"""Grids follow changes of areas at once: nobody lies in another village's grid, and an undo puts every row back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from areas_kit import DAY, A, B, do, fill, undo
from grids_kit import FIRST, GRID_TABLES, group_grid, homes
from groups_kit import TABLES as GROUP_TABLES
from sqlalchemy import delete, select

from register_kit import clear
from xiangyue.errors import Conflict
from xiangyue.features.areas.models import AreaChange
from xiangyue.features.grids import jobs, queries, service
from xiangyue.features.grids.models import GridChange, GridCode, GridHousehold, GridVersion
from xiangyue.features.grids.queries_coverage import coverage
from xiangyue.features.household_groups.models import HouseholdGroupMember, HouseholdGroupVersion
from xiangyue.features.household_groups.service import create_groups
from xiangyue.features.households.models import Household
from xiangyue.features.households.person_input import today
from xiangyue.i18n import in_locale
from xiangyue.testing.fixtures import County

TABLES = (GridHousehold, GridVersion, HouseholdGroupVersion, HouseholdGroupMember)


@pytest.fixture(name="laid")
def two_villages(hanyin: County) -> Iterator[tuple[County, Any]]:
    """Village A: one leaf grid over it all, with all five households of which one of each group make a ten-household
    group; village B: one with its three."""
    fill(hanyin, (A, (1, 2)), (B, (1,)))
    with hanyin.uow() as uow:
        everyone = {h.code: h for h in uow.session.scalars(select(Household))}
        of_a = [h.id for h in everyone.values() if h.area_code // 1000 == A // 1000]
        first = group_grid(uow, 0, name="甲片", household_ids=of_a)
        ours = [min(h.id for h in everyone.values() if h.area_code == A + group) for group in (1, 2)]
        create_groups(uow, grid_id=first, on=FIRST, parts=[{"name": "一组", "household_ids": ours}], size_reason="少")
        of_b = [h.id for h in everyone.values() if h.area_code // 1000 == B // 1000]
        service.create_grid(
            uow, area_code=B, name="乙片", level=2, on=FIRST, household_ids=of_b, size_reason="自然院落"
        )
    with in_locale("en"):
        yield hanyin, hanyin.account()
    with hanyin.uow() as uow:
        done = select(AreaChange).where(AreaChange.state == "done").order_by(AreaChange.id.desc())
        changes = list(uow.session.scalars(done))
        for model in (*GROUP_TABLES, *GRID_TABLES):
            uow.session.execute(delete(model))
    for change in changes:
        assert undo(hanyin, hanyin.account(), change) == "succeeded"
    clear(hanyin.runtime.settings.migration_database_url, hanyin.info.id)


def rows(county: County) -> list[tuple[Any, ...]]:
    """Every row of grids and groups with all that stands in it."""
    with county.uow() as uow:
        return [
            (model.__tablename__, *(getattr(row, column.key) for column in model.__table__.columns))
            for model in TABLES
            for row in uow.session.scalars(select(model).order_by(model.id))
        ]


def crossing(county: County) -> list[str]:
    """Households that lie today in a grid which does not cover where they live."""
    with county.uow() as uow:
        lies = (
            select(Household.code, Household.area_code, GridVersion.area_code)
            .join(GridHousehold, GridHousehold.household_id == Household.id)
            .join(GridVersion, GridVersion.grid_id == GridHousehold.grid_id)
            .where(GridHousehold.valid_to.is_(None), GridVersion.valid_to.is_(None))
        )
        found = uow.session.execute(lies).all()
    assert found
    return [code for code, lives, covers in found if covers not in (lives, lives - lives % 1000)]


def waiting(county: County) -> int:
    with county.uow() as uow:
        return sum(line.owed.waiting for line in coverage(uow, 0, today()))


def changes_since(county: County, last: int) -> list[GridChange]:
    with county.uow() as uow:
        return list(uow.session.scalars(select(GridChange).where(GridChange.id > last).order_by(GridChange.id)))


def newest(county: County) -> int:
    with county.uow() as uow:
        return max(uow.session.scalars(select(GridChange.id)))


def test_who_comes_under_a_new_village_waits_there_and_the_undo_is_exact(laid: tuple[County, Any]) -> None:
    county, admin = laid
    before, last = rows(county), newest(county)
    change = do(county, admin, "split", area=A, parts=[{"name": "新桥村", "children": [A + 2]}])
    assert crossing(county) == []
    assert waiting(county) == 2
    (followed,) = changes_since(county, last)
    assert (followed.kind, followed.on_date, len(followed.changes["touched"])) == ("register", DAY, 2)
    with county.uow() as uow:
        jobs.sweep(uow)  # has nothing to do, and writes nothing
    assert [one.id for one in changes_since(county, last)] == [followed.id]
    assert rows(county) != before
    assert undo(county, admin, change) == "succeeded"
    assert rows(county) == before
    assert (waiting(county), crossing(county)) == (0, [])
    assert {(one.state, one.area_code) for one in changes_since(county, last)} == {("undone", A)}


def test_moves_and_merges_let_grids_follow_and_come_back(laid: tuple[County, Any]) -> None:
    county, admin = laid
    before = rows(county)
    change = do(county, admin, "move", area=A + 2, parent=B)
    assert (crossing(county), waiting(county)) == ([], 2)  # a group that no grid of B has yet: nobody guesses
    assert undo(county, admin, change) == "succeeded"
    assert rows(county) == before
    change = do(county, admin, "merge", areas=[A + 2], into=A + 1)
    assert (crossing(county), waiting(county), rows(county) == before) == ([], 0, False)
    assert undo(county, admin, change) == "succeeded"
    assert rows(county) == before
    change = do(
        county, admin, "merge", areas=[A], into=B, children={str(A + 2): {"code": B + 1}},
    )  # fmt: skip
    assert crossing(county) == []
    assert undo(county, admin, change) == "succeeded"
    assert rows(county) == before


def test_who_is_sent_along_with_a_group_lies_in_its_grid(laid: tuple[County, Any]) -> None:
    county, admin = laid
    with county.uow() as uow:
        group_grid(uow, 2, on=FIRST + timedelta(31))
        sent = homes(uow, 1)[0]
    before, new = rows(county), A + 90_000
    change = do(
        county, admin, "split", area=A, households={str(sent): new + 2},
        parts=[{"name": "新桥村", "code": new, "children": [A + 2]}],
    )  # fmt: skip
    with county.uow() as uow:
        written = set(uow.session.scalars(select(GridChange.area_code).where(GridChange.kind == "register")))
    assert written == {A, new}
    assert (crossing(county), waiting(county)) == ([], 0)
    assert undo(county, admin, change) == "succeeded"
    assert rows(county) == before


def test_what_somebody_did_with_the_grids_since_stands_in_the_way(laid: tuple[County, Any]) -> None:
    county, admin = laid
    change = do(county, admin, "split", area=A, parts=[{"name": "新桥村", "children": [A + 2]}])
    with county.uow() as uow:
        village = next(int(code) for code in change.changes["made"] if int(code) % 1000 == 0)
        service.create_grid(uow, area_code=village, name="新片", level=2, on=today(), size_reason="少")
    with pytest.raises(Conflict, match="can no longer be undone"):
        undo(county, admin, change)


def tree(county: County) -> dict[str, tuple[int, str, int, int]]:
    """Of each grid today: level, name of the one above, households in it or below, area; by name and code."""
    with county.uow() as uow:
        stand = {v.grid_id: v for v in uow.session.scalars(select(GridVersion).where(GridVersion.valid_to.is_(None)))}
        sizes = queries.list_grids(uow, queries.GridFilter(on=today(), area=0), limit=50).items
        inside = {item["id"]: item["size"].households for item in sizes}
    return {
        v.name: (v.level, stand[v.parent_id].name if v.parent_id else "", inside[id], v.area_code)
        for id, v in stand.items()
    }  # fmt: skip


def test_grids_of_groups_that_went_hang_below_their_new_villages_own(laid: tuple[County, Any]) -> None:
    county, admin = laid
    with county.uow() as uow:
        (lone,) = homes(uow, 0)
        parts: list[dict[str, Any]] = [
            {"key": "v", "name": "甲村", "level": 1, "area_code": A},
            {"key": "0", "name": "街上", "level": 2, "area_code": A, "parent": "v", "household_ids": [lone]},
        ]
        for group in (1, 2):
            ids = homes(uow, group)
            key, area = str(group), A + group
            parts += [{"key": key, "name": f"{group}组", "level": 2, "area_code": area, "parent": "v"},
                      {"key": f"{key}a", "name": f"{group}组甲", "level": 3, "area_code": area, "parent": key,
                       "household_ids": ids[:1]},
                      {"key": f"{key}b", "name": f"{group}组乙", "level": 3, "area_code": area, "parent": key,
                       "household_ids": ids[1:]}]  # fmt: skip
        service.apply_division(uow, village=A, on=FIRST + timedelta(31), parts=parts, reason="x", size_reason="少")
    before, new = rows(county), A + 90_000
    for last in (1, 2):
        asked = {"name": "新桥村", "code": new, "children": [A + 2]}
        change = do(county, admin, "split", area=A, parts=[asked])
        now = tree(county)
        assert now["新桥村"] == (1, "", 2, new)
        assert now["2组"] == (2, "新桥村", 2, new + 2)
        assert (now["甲村"][2], now["2组乙"][:2], waiting(county)) == (3, (3, "2组"), 0)
        with county.uow() as uow:
            codes = list(uow.session.scalars(select(GridCode.code).where(GridCode.code >= str(new // 1000)).order_by(
                GridCode.code)))  # fmt: skip
            assert [code[12:] for code in codes if code.startswith(str(new // 1000))][-1].endswith(str(last))
        assert undo(county, admin, change) == "succeeded"
        assert rows(county) == before, "a code that was given stays given"
    # Village B has grids, but none of level 1: the group's stand beside them.
    change = do(county, admin, "move", area=A + 2, parent=B)
    assert tree(county)["2组"][:3] == (2, "", 2)
    assert undo(county, admin, change) == "succeeded"
    assert rows(county) == before
