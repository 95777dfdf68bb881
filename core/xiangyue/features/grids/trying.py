"""Whether a change of grids could be made; nothing is written."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from xiangyue.errors import NotFound
from xiangyue.features.grids.division import Cell
from xiangyue.features.grids.standing import WIDE, Divisions, check_day, refuse_later, village_of
from xiangyue.i18n import lazy_gettext as _l


def try_grid(
    divisions: Divisions, *, area_code: int, name: str, level: int, on: date, parent_id: int | None = None
) -> None:
    """An empty area grid. Raises Invalid by field, NotFound."""
    uow = divisions.uow
    check_day(on)
    if not uow.scope.contains(area_code):
        raise NotFound(_l("There is no such area, or it lies outside yours."))
    with uow.tenant_wide(WIDE):
        before = divisions.on(village_of(area_code), on)
        after = before.copy()
        after.add(Cell(" ".join(name.split()), level, area_code, parent_id))
        after.check(before)
        refuse_later(uow, on, [parent_id] if parent_id is not None else [], ())


def try_move(divisions: Divisions, *, grid_id: int, area_code: int, household_ids: Collection[int], on: date) -> None:
    """Households into a grid of the village with this code. Raises Invalid by field."""
    uow = divisions.uow
    check_day(on)
    with uow.tenant_wide(WIDE):
        before = divisions.on(village_of(area_code), on)
        before.cell(grid_id)
        after = before.copy()
        after.put(household_ids, grid_id)
        after.check(before)
        refuse_later(uow, on, [grid_id], household_ids)
