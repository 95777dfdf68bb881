"""Households that lie in no grid on a day, or in two: counted by area and listed by the same conditions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from xiangyue.db.sql import has_constraint, scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.features.grids.conditions import COVERS
from xiangyue.features.households.listing import Conditions, Page, Sort, fetch_page, set_area_names
from xiangyue.features.households.person_input import today

# ruff: noqa: S608 - statements are put together from constants; values are always parameters

_G = COVERS.format(a="gh")

#: On the register today and on days to come: nobody is told of somebody leaving before it happens.
_NOW = "h.state = 'active'"
#: And on a day in the past: not left by then, and somebody belonged to it already. Who was registered without a day
#: counts as having been there always.
_THEN = (
    "(h.state = 'active' OR h.left_on > CAST(:on AS date)) AND h.merged_into_id IS NULL AND ("
    "EXISTS (SELECT 1 FROM household_member k WHERE {tenant:k} AND k.household_id = h.id"
    " AND k.valid_from <= CAST(:on AS date)) OR NOT EXISTS (SELECT 1 FROM household_member k WHERE {tenant:k}"
    " AND k.household_id = h.id))"
)
NONE, TWO = "none", "two"
_PLACED = f"EXISTS (SELECT 1 FROM grid_household gh WHERE {{tenant:gh}} AND gh.household_id = h.id AND {_G})"
STATES = {
    NONE: f"NOT {_PLACED}",
    # The exclusion constraint lets there be none; it is looked at all the same.
    TWO: f"h.id IN (SELECT gh.household_id FROM grid_household gh WHERE {{tenant:gh}} AND {_G}"
    " GROUP BY gh.household_id HAVING count(*) > 1)",
}
#: Since when a household lies in no grid: the day it left one, else when it came onto the register here.
_SINCE = (
    "coalesce((SELECT max(gh.valid_to) FROM grid_household gh WHERE {tenant:gh} AND gh.household_id = h.id"
    " AND gh.valid_to <= CAST(:on AS date)), CAST(h.created_at AT TIME ZONE 'Asia/Shanghai' AS date))"
)
_CREATED = "(SELECT c.created_at FROM household c WHERE {tenant:c} AND c.id = h.id)"
_SELECT = f"SELECT h.id, h.code, h.head_name, h.address, h.area_code, {_SINCE}, %(sort)s, h.id FROM household h"
SORTS = {"code": Sort("h.code", str), "head": Sort("h.sort_key", str)}
NAMES = ("id", "code", "head_name", "address", "area_code", "since")


def _on_register(on: date) -> str:
    return _NOW if on >= today() else _THEN


def list_households(
    uow: Uow,
    state: str,
    area: int,
    on: date,
    *,
    sort: str = "code",
    limit: int = 50,
    after: str | None = None,
    before: str | None = None,
) -> Page:
    """A page of the households of an area in no grid (``none``) or in several (``two``) on a day. Raises Invalid."""
    chosen = SORTS.get(sort.removeprefix("-"), SORTS["code"])
    select = f"{_SELECT % {'sort': chosen.column}} WHERE {{scope:h}} AND {_on_register(on)} AND {STATES[state]}"
    rows, following, back = fetch_page(
        uow, select, Conditions(params={"on": on}), alias="h", area=area, sort=sort, sorts=SORTS, limit=limit,
        after=after, before=before,
    )  # fmt: skip
    items = [dict(zip(NAMES, row, strict=False)) for row in rows]
    set_area_names(uow, items, [item["area_code"] for item in items])
    return Page(items, following, back)


def each_household(
    uow: Uow, state: str, area: int, on: date, *, sort: str = "code", limit: int
) -> Iterator[dict[str, Any]]:
    """All of them, for an export."""
    after: str | None = None
    while limit > 0:
        page = list_households(uow, state, area, on, sort=sort, limit=min(limit, 500), after=after)
        yield from page.items
        limit -= len(page.items)
        after = page.next
        if after is None:
            return


def count_households(uow: Uow, state: str, area: int, on: date) -> int:
    scope = uow.scope.narrowed(area) if area else uow.scope
    sql = f"SELECT count(*) FROM household h WHERE {{scope:h}} AND {_on_register(on)} AND {STATES[state]}"
    return int(scoped_rows(uow.session, sql, {"on": on}, scope=scope)[0][0])


def households_by(uow: Uow, width: int, area: int, on: date) -> dict[int, tuple[int, int, int, date | None]]:
    """By area code at a ``width``: (on the register, in no grid, in several, since when the longest waits)."""
    code = "h.area_code - h.area_code % :width"
    found: dict[int, tuple[int, int, int, date | None]] = {}
    scope = uow.scope.narrowed(area) if area else uow.scope

    def ask(sql: str) -> list[tuple[Any, ...]]:
        return scoped_rows(uow.session, sql, {"on": on, "width": width}, scope=scope)

    # Each by itself, so that the first two read indexes alone; somebody may come to be on the register in between.
    nothing: tuple[int, int, int, date | None] = (0, 0, 0, None)
    for at, number in ask(
        f"SELECT {code}, count(*) FROM household h WHERE {{scope:h}} AND {_on_register(on)} GROUP BY 1"
    ):
        found[int(at)] = (number, 0, 0, None)
    for at, number, since in ask(
        f"""WITH h AS MATERIALIZED (
                 SELECT h.id, h.area_code FROM household h
                  WHERE {{scope:h}} AND {_on_register(on)} AND {STATES[NONE]})
            SELECT {code}, count(*), min({_SINCE.replace("h.created_at", _CREATED)}) FROM h GROUP BY 1"""
    ):
        found[int(at)] = (found.get(int(at), nothing)[0], number, 0, since)
    if not has_constraint(uow.session, "grid_household", "ex_grid_household_one_a_day"):
        where = f"{{scope:h}} AND {_on_register(on)} AND {STATES[TWO]}"
        for at, number in ask(f"SELECT {code}, count(*) FROM household h WHERE {where} GROUP BY 1"):
            of_all, none, _two, since = found.get(int(at), nothing)
            found[int(at)] = (of_all, none, number, since)
    return found


def waiting(uow: Uow, area: int, on: date) -> list[dict[str, Any]]:
    """All households of a village that lie in no grid on that day, by number."""
    return list(each_household(uow, NONE, area, on, limit=100_000))


def waiting_ids(uow: Uow, area: int, on: date) -> list[int]:
    return [row["id"] for row in waiting(uow, area, on)]
