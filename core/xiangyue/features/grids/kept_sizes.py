"""How large each leaf is today, kept so that grids are picked out by size without counting a county's households.

The numbers are taken anew at the end of every transaction that changes what lies in a grid or how many persons a
household has. A change that was arranged for a later day needs nothing to happen on that day: ``until`` says from when
on a row does not count any more, and whoever reads counts such grids afresh.
"""

from __future__ import annotations

from collections.abc import Collection
from zlib import crc32

from sqlalchemy import func, select

from xiangyue.db.sql import scoped_rows, scoped_sql
from xiangyue.db.uow import Uow
from xiangyue.features.households.person_input import today

# ruff: noqa: S608 - statements are put together from constants; values are always parameters

#: First half of the advisory locks: of a county, shared by those who count some villages; and of a village.
_COUNTY, _VILLAGE = 7_235_001, 7_235_002

#: Villages of these households and of the grids in question; none in a county without grids.
_VILLAGES = """
SELECT h.area_code / 1000 FROM household h
 WHERE {tenant:h} AND h.id = ANY(:households) AND EXISTS (SELECT 1 FROM grid x WHERE {tenant:x})
UNION
SELECT g.area_code / 1000 FROM grid_household gh JOIN grid g ON {tenant:g} AND g.id = gh.grid_id
 WHERE {tenant:gh} AND gh.household_id = ANY(:households)
UNION
SELECT g.area_code / 1000 FROM grid g WHERE {tenant:g} AND g.id = ANY(:grids)
"""
_OF_HOUSEHOLDS = """
SELECT gh.grid_id FROM grid_household gh
 WHERE {tenant:gh} AND gh.household_id = ANY(:households) AND (gh.valid_to IS NULL OR gh.valid_to > CAST(:on AS date))
"""
_DUE = f"{_OF_HOUSEHOLDS} UNION SELECT g.id FROM grid g WHERE {{tenant:g}} AND g.id = ANY(:grids)"
_LIES = "gh.valid_from <= CAST(:on AS date)"
_COUNT = f"""
INSERT INTO grid_size (tenant_id, grid_id, households, registered, living, until)
SELECT o.tenant_id, o.id, count(h.id) FILTER (WHERE {_LIES}),
       coalesce(sum(h.registered_count) FILTER (WHERE {_LIES}), 0),
       coalesce(sum(h.living_count) FILTER (WHERE {_LIES}), 0),
       min(CASE WHEN {_LIES} THEN gh.valid_to ELSE gh.valid_from END)
  FROM grid o
  LEFT JOIN grid_household gh ON {{tenant:gh}} AND gh.grid_id = o.id
       AND (gh.valid_to IS NULL OR gh.valid_to > CAST(:on AS date))
  LEFT JOIN household h ON {{tenant:h}} AND h.id = gh.household_id
 WHERE {{tenant:o}} AND %s
 GROUP BY o.tenant_id, o.id
    ON CONFLICT (tenant_id, grid_id) DO UPDATE SET households = EXCLUDED.households, registered = EXCLUDED.registered,
       living = EXCLUDED.living, until = EXCLUDED.until
 WHERE (grid_size.households, grid_size.registered, grid_size.living, grid_size.until) IS DISTINCT FROM
       (EXCLUDED.households, EXCLUDED.registered, EXCLUDED.living, EXCLUDED.until)
"""


class Recount:
    """What of one transaction is to be counted before it is committed. ``whole``: all grids of the county."""

    def __init__(self, uow: Uow) -> None:
        self.uow = uow
        self.households: set[int] = set()
        self.grids: set[int] = set()
        self.whole = False

    def __call__(self) -> None:
        """As the last thing of the transaction, one after the other in a village: two that change the same grid at once
        would each count without the other."""
        session, tenant = self.uow.session, self.uow.tenant_id
        session.flush()
        ids = {"households": sorted(self.households), "grids": sorted(self.grids)}
        if self.whole:
            session.execute(select(func.pg_advisory_xact_lock(_COUNTY, tenant)))
            scoped_sql(session, _COUNT % "true", {"on": today()})
        elif villages := [village for (village,) in scoped_rows(session, _VILLAGES, ids)]:
            session.execute(select(func.pg_advisory_xact_lock_shared(_COUNTY, tenant)))
            keys = sorted(crc32(f"{tenant} {village}".encode()) - 2**31 for village in villages)
            session.execute(select(func.pg_advisory_xact_lock(_VILLAGE, func.unnest(keys))))
            scoped_sql(session, _COUNT % f"o.id IN ({_DUE})", {**ids, "on": today()})
        self.households, self.grids, self.whole = set(), set(), False


def recount(uow: Uow, grid_ids: Collection[int]) -> None:
    """Something else lies in these grids, or will: count them before the transaction ends."""
    _waiting(uow).grids.update(grid_ids)


def recount_households(uow: Uow, household_ids: Collection[int] | None) -> None:
    """Count the grids of these households before the transaction ends; None: all of the county's."""
    if household_ids is None:
        _waiting(uow).whole = True
    else:
        _waiting(uow).households.update(household_ids)


def _waiting(uow: Uow) -> Recount:
    found = uow.waiting(Recount)
    if found is None:
        found = Recount(uow)
        uow.before_commit(found)
    return found


def not_counted(uow: Uow) -> list[int] | None:
    """Grids that this transaction has changed so that what is kept of them is of before; None: any may be."""
    due = uow.waiting(Recount)
    if due is None:
        return []
    if due.whole:
        return None
    homes = {"households": sorted(due.households), "on": today()}
    theirs = scoped_rows(uow.session, _OF_HOUSEHOLDS, homes) if due.households else []
    return sorted(due.grids.union(id for (id,) in theirs))
