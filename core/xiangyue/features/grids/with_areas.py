"""Grids follow changes of areas: who comes to lie under another village leaves the grid of the one before, at once."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from sqlalchemy import select

from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.features.areas.changes.following import Stage
from xiangyue.features.grids.hanging import hang, unhang
from xiangyue.features.grids.keeping import Keeper, found_again, lock_villages, take_back
from xiangyue.features.grids.models import GridChange
from xiangyue.features.grids.standing import lock_village, village_of
from xiangyue.features.households.person_input import today
from xiangyue.i18n import gettext as _

_WHY = "a household's grid follows it through the whole county"

#: Of these households those that lie, from the day on, in a grid that does not cover their area.
_CROSSING = """
SELECT DISTINCT h.id FROM household h
  JOIN grid_household g ON g.household_id = h.id AND (g.valid_to IS NULL OR g.valid_to > CAST(:on AS date))
  JOIN grid_version v ON v.grid_id = g.grid_id AND v.valid_from <= GREATEST(g.valid_from, CAST(:on AS date))
       AND (v.valid_to IS NULL OR v.valid_to > GREATEST(g.valid_from, CAST(:on AS date)))
 WHERE {tenant:h} AND {tenant:g} AND {tenant:v} AND h.state = 'active' AND h.id = ANY(:ids)
   AND h.area_code NOT BETWEEN v.area_code AND v.area_code + CASE WHEN v.area_code % 1000 = 0 THEN 999 ELSE 0 END
"""

#: Those that lie in no grid today although their village has some.
_WAITING = """
SELECT h.id FROM household h
 WHERE {tenant:h} AND h.state = 'active' AND h.id = ANY(:ids)
   AND EXISTS (SELECT 1 FROM grid_version v WHERE {tenant:v} AND v.valid_to IS NULL
                  AND v.area_code BETWEEN h.area_code - h.area_code % 1000 AND h.area_code - h.area_code % 1000 + 999)
   AND NOT EXISTS (SELECT 1 FROM grid_household g WHERE {tenant:g} AND g.household_id = h.id
                      AND g.valid_from <= CAST(:on AS date) AND (g.valid_to IS NULL OR g.valid_to > CAST(:on AS date)))
"""


def follow_areas(uow: Uow, stage: Stage, *, change_id: int, household_ids: Collection[int], on: date) -> None:
    """Let grids follow a change of areas, which is taken back with what followed from it.

    Changes of grids written here carry the id of the change of areas in their ``request``. Households that find no
    place without doubt wait, and the coverage page shows them.
    """
    with uow.tenant_wide(_WHY):
        if stage == "undoing":
            _take_back(uow, change_id)
            return
        if stage == "done":
            hang(uow, on, request={"area_change": change_id}, reason=_("A change of areas"))
        ids = _ids(uow, _CROSSING, household_ids, on)
        if stage == "done":  # else who waits is left to the daily job: an undo puts back and does no more
            ids |= _ids(uow, _WAITING, household_ids, today())
        if not ids:
            return
        villages = lock_villages(uow, ids)
        keeper = Keeper(
            uow, on, request={"area_change": change_id} if stage == "done" else None, reason=_("A change of areas")
        )
        households = found_again(uow, ids)
        for household in households:
            keeper.leave(household)
        for household in households:
            if stage == "done" and village_of(household.area_code) in villages:
                keeper.place(household, None)
        keeper.finish()


def _ids(uow: Uow, sql: str, household_ids: Collection[int], on: date) -> set[int]:
    return {id for (id,) in scoped_rows(uow.session, sql, {"ids": sorted(household_ids), "on": on})}


def _take_back(uow: Uow, change_id: int) -> None:
    followed = select(GridChange).where(
        GridChange.kind == "register", GridChange.state == "done", GridChange.request == {"area_change": change_id}
    )
    changes = uow.session.scalars(followed.order_by(GridChange.id)).all()
    for village in sorted({change.area_code for change in changes}):
        lock_village(uow, village)
    unhang(uow, changes)
    take_back(uow, changes, _("The change of areas was undone"))
