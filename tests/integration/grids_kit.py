"""A village of two groups with some households in it, for tests of grids."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from sqlalchemy import delete, select

from xiangyue.db.uow import Uow
from xiangyue.features.grids import service
from xiangyue.features.grids.models import (
    Grid,
    GridChange,
    GridCode,
    GridHousehold,
    GridSetting,
    GridSizeNote,
    GridVersion,
)
from xiangyue.features.households.bulk import HouseholdRow, upsert_households
from xiangyue.features.households.models import Household, NameSuffix, Person, RegisterAct, RegisterActPart
from xiangyue.testing.fixtures import County

VILLAGE = 610921100200_000
TOWN = 610921100000_000
BORN = date(1980, 1, 31)
FIRST = date(2026, 1, 1)
GRID_TABLES = (GridSizeNote, GridHousehold, GridVersion, GridCode, Grid, GridChange, GridSetting)


def families(group: int, first: int, count: int, persons: int = 2) -> list[HouseholdRow]:
    """Households of a group with numbers from ``first`` on, each with that many persons."""
    rows = []
    for n in range(first, first + count):
        people: list[Any] = [
            {"name": f"王{'甲乙丙丁戊己庚辛壬癸'[n % 10]}{p}", "relation": "02" if p == 0 else "20", "birth_date": BORN}
            for p in range(persons)
        ]
        rows.append(HouseholdRow(VILLAGE + group, f"{VILLAGE // 1000}{n:04}", f"{group}组{n}号", people))
    return rows


def fill(county: County, rows: list[HouseholdRow]) -> None:
    with county.uow() as uow:
        upsert_households(uow, county.runtime.tenant_keys(uow), rows)


def empty(county: County) -> None:
    with county.uow() as uow:
        for model in (*GRID_TABLES, RegisterActPart, RegisterAct, NameSuffix, Person, Household):
            uow.session.execute(delete(model))


@pytest.fixture(name="county", scope="module")
def divided_county(hanyin: County) -> Iterator[County]:
    """Five households in group 1 and four in group 2; no grid yet."""
    fill(hanyin, [*families(1, 1, 5), *families(2, 6, 4)])
    yield hanyin
    empty(hanyin)


def homes(uow: Uow, group: int | None = None) -> list[int]:
    """Household ids by number, of one group or all."""
    wanted = select(Household.id).order_by(Household.code)
    if group is not None:
        wanted = wanted.where(Household.area_code == VILLAGE + group)
    return list(uow.session.scalars(wanted))


def made_by(change: GridChange, place: int = 0) -> int:
    """Id of a grid that the change made."""
    return int(change.changes["made"][place])


def grid(uow: Uow, id: int) -> Grid:
    uow.session.flush()
    return uow.get(Grid, id)


def group_grid(uow: Uow, group: int, on: date = FIRST, **more: Any) -> int:
    """A level-2 grid over a group with all its households; its id."""
    values = {"name": f"{group}组网格", "level": 2, "household_ids": homes(uow, group), "size_reason": "自然院落"}
    change = service.create_grid(uow, area_code=VILLAGE + group, on=on, **{**values, **more})
    return made_by(change)
