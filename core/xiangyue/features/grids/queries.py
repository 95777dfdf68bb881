"""Reads of grids."""

from __future__ import annotations

from datetime import date

from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow

_WAITING = """
SELECT h.id FROM household h
 WHERE {scope:h} AND h.state = 'active'
   AND NOT EXISTS (SELECT 1 FROM grid_household g WHERE {tenant:g} AND g.household_id = h.id
                      AND g.valid_from <= CAST(:on AS date) AND (g.valid_to IS NULL OR g.valid_to > CAST(:on AS date)))
 ORDER BY h.code
"""


def waiting_ids(uow: Uow, area: int, on: date) -> list[int]:
    """Households of an area that are on the register today and lie in no grid on that day, by number."""
    return [id for (id,) in scoped_rows(uow.session, _WAITING, {"on": on}, scope=uow.scope.narrowed(area))]
