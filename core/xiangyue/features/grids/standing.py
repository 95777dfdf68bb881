"""A village's division on a day, read and locked; and what was arranged for later."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date, timedelta

from sqlalchemy import ColumnElement, or_, select

from xiangyue.db.scope import area_range
from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid, NotFound
from xiangyue.features.areas.models import VILLAGE, Area
from xiangyue.features.grids.division import Cell, Division
from xiangyue.features.grids.models import Grid, GridChange, GridHousehold, GridVersion
from xiangyue.features.households.person_input import today
from xiangyue.i18n import lazy_gettext as _l

#: How far ahead a change may be arranged, in days.
AHEAD = 366
EARLIEST = date(1990, 1, 1)
WIDE = "the division of a village is one thing, whoever may change part of it"

#: Households on the register on a day, or that come to be on it: closed ones until the day they left.
_ON_REGISTER = """
SELECT h.id, h.area_code FROM household h
 WHERE {tenant:h} AND h.area_code BETWEEN :lo AND :hi
   AND (h.state = 'active' OR h.left_on > CAST(:on AS date)) AND h.merged_into_id IS NULL
"""


def village_of(code: int) -> int:
    return code - code % 1000


def check_day(on: date, field: str = "on") -> None:
    """Raises Invalid (``field``) for a day long ago or far ahead."""
    if not EARLIEST <= on <= today() + timedelta(AHEAD):
        raise Invalid({field: [_l("Choose a day from 1990 on and at most a year ahead.")]})


def lock_village(uow: Uow, village: int) -> None:
    """One writer a village at a time; others wait, but not whoever only looked that the village is there
    (``households.writing.check_area``). The caller is inside ``tenant_wide``. Raises NotFound."""
    found = uow.session.scalars(select(Area.id).where(Area.area_code == village, Area.level == VILLAGE)
                                .with_for_update(key_share=True))  # fmt: skip
    if found.one_or_none() is None:
        raise NotFound(_l("There is no such area, or it lies outside yours."))


def has_grids(uow: Uow, villages: Collection[int]) -> set[int]:
    """Those of the villages that ever had a grid."""
    sql = (
        "SELECT w.village FROM unnest(CAST(:villages AS bigint[])) AS w(village) WHERE EXISTS ("
        " SELECT 1 FROM grid_version v WHERE {tenant:v} AND v.area_code BETWEEN w.village AND w.village + 999)"
    )
    return {row[0] for row in scoped_rows(uow.session, sql, {"villages": list(villages)})}


def division_on(uow: Uow, village: int, on: date) -> Division:
    """The village on a day, whatever the actor's area."""
    with uow.tenant_wide(WIDE):
        lo, hi = area_range(village)
        groups = select(Area.area_code, Area.name).where(Area.area_code.between(lo, hi), Area.active.is_(True))
        division = Division(village, places={row.area_code: row.name for row in uow.session.execute(groups)})
        for grid, version in uow.session.execute(
            select(Grid, GridVersion)
            .join(GridVersion, GridVersion.grid_id == Grid.id)
            .where(GridVersion.area_code.between(lo, hi), *_covers(GridVersion, on))
            .order_by(Grid.id)
        ):
            division.cells[grid.id] = Cell(
                version.name, version.level, version.area_code, version.parent_id, grid.kind, grid.special_kind,
                version.boundary,
            )  # fmt: skip
        rows = scoped_rows(uow.session, _ON_REGISTER, {"lo": lo, "hi": hi, "on": on})
        division.areas = dict(rows)
        placed = select(GridHousehold.household_id, GridHousehold.grid_id).where(
            GridHousehold.grid_id.in_(list(division.cells)), *_covers(GridHousehold, on)
        )
        for household, grid_id in uow.session.execute(placed):
            division.homes[household] = grid_id
            # Who has moved away since was in this grid's area then.
            division.areas.setdefault(household, division.cells[grid_id].area_code)
        return division


class Divisions:
    """Villages as they are on a day, each read once for many rows about them: while nothing is written, or in a
    transaction in which all that is written to their grids goes through here (``keep``)."""

    def __init__(self, uow: Uow) -> None:
        self.uow = uow
        self._known: dict[tuple[int, date], Division] = {}

    def on(self, village: int, day: date) -> Division:
        """To be copied before it is changed in thought."""
        if (village, day) not in self._known:
            self._known[village, day] = division_on(self.uow, village, day)
        return self._known[village, day]

    def keep(self, day: date, after: Division, ids: Mapping[int, int]) -> None:
        """It was made so on that day; ``ids``: of grids that were new, by their negative ones."""
        self._known = {key: one for key, one in self._known.items() if key[0] != after.village}
        after.cells = {
            ids.get(id, id): replace(
                cell, parent_id=ids.get(cell.parent_id, cell.parent_id) if cell.parent_id else None
            )
            for id, cell in after.cells.items()
        }
        after.homes = {household: ids.get(id, id) for household, id in after.homes.items()}
        self._known[after.village, day] = after


def _covers(model: type[GridVersion] | type[GridHousehold], on: date) -> tuple[ColumnElement[bool], ...]:
    return model.valid_from <= on, or_(model.valid_to.is_(None), model.valid_to > on)


def refuse_later(uow: Uow, on: date, grid_ids: Collection[int], household_ids: Collection[int]) -> None:
    """Raises Invalid (``on``) naming the change that stands against changing these on this day: one of a later day."""
    versions = select(GridVersion.opened_by, GridVersion.ended_by, GridVersion.valid_from, GridVersion.valid_to).where(
        GridVersion.grid_id.in_(list(grid_ids)), or_(GridVersion.valid_from > on, GridVersion.valid_to > on)
    )
    later = {row.opened_by if row.valid_from > on else row.ended_by for row in uow.session.execute(versions)}
    rows = select(GridHousehold.opened_by).where(
        GridHousehold.household_id.in_(list(household_ids)), GridHousehold.valid_from > on
    )
    later |= set(uow.session.scalars(rows))
    if not later:
        return
    first = select(GridChange).where(GridChange.id.in_(later)).order_by(GridChange.on_date.desc()).limit(1)
    change = uow.session.scalars(first).one()
    raise Invalid(
        {"on": [_l("A change of %(day)s stands against it (no. %(id)s). Choose that day or a later one, or undo that "
                   "change first.", day=change.on_date.isoformat(), id=change.id)]},
        change_id=change.id,
    )  # fmt: skip
