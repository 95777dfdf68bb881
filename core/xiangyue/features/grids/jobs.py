"""Grids follow imports: households that came, moved or went with a roster are looked at afterwards, and once a day."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.features.grids.keeping import keep_households
from xiangyue.features.grids.kept_sizes import recount_households
from xiangyue.features.households.person_input import today
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.jobs.models import OPEN_STATES
from xiangyue.plugin.registry import JobKind, Schedule

_DAY_SECONDS = 86_400
_AT_A_TIME = 2_000

#: Households in no grid today although their village has some; those that lie in one and are gone, or outside of it.
_ASTRAY = """
SELECT h.id FROM household h
 WHERE {tenant:h} AND h.state = 'active' AND h.id > :last
   AND EXISTS (SELECT 1 FROM grid_version v WHERE {tenant:v} AND v.valid_to IS NULL
                  AND v.area_code BETWEEN h.area_code - h.area_code % 1000 AND h.area_code - h.area_code % 1000 + 999)
   AND NOT EXISTS (SELECT 1 FROM grid_household g WHERE {tenant:g} AND g.household_id = h.id
                      AND g.valid_from <= CAST(:on AS date) AND (g.valid_to IS NULL OR g.valid_to > CAST(:on AS date)))
UNION
SELECT h.id FROM grid_household g
  JOIN household h ON h.id = g.household_id
  JOIN grid_version v ON v.grid_id = g.grid_id AND v.valid_from <= CAST(:on AS date)
       AND (v.valid_to IS NULL OR v.valid_to > CAST(:on AS date))
 WHERE {tenant:g} AND {tenant:h} AND {tenant:v} AND h.id > :last
   AND (g.valid_to IS NULL OR g.valid_to > CAST(:on AS date))
   AND (h.state <> 'active' OR h.area_code NOT BETWEEN v.area_code
        AND v.area_code + CASE WHEN v.area_code % 1000 = 0 THEN 999 ELSE 0 END)
 ORDER BY id LIMIT :most
"""


def _astray(uow: Uow) -> Iterator[list[int]]:
    last = 0
    while True:
        params = {"on": today(), "last": last, "most": _AT_A_TIME}
        with uow.tenant_wide("the whole county is looked through"):
            ids = [id for (id,) in scoped_rows(uow.session, _ASTRAY, params)]
        if not ids:
            return
        yield ids
        last = ids[-1]


def sweep(uow: Uow) -> int:
    """Let grids follow the register wherever they do not; returns how many households were looked at."""
    seen = 0
    for ids in _astray(uow):
        keep_households(uow, ids, today())
        seen += len(ids)
    # What was arranged for today has come, and what nobody told of is right again.
    recount_households(uow, None)
    return seen


def say_import(uow: Uow, state: str) -> Any:
    """For the page of a roster that was written, where the county has grids: that they have not followed yet."""
    if not scoped_rows(uow.session, "SELECT 1 FROM grid_version v WHERE {tenant:v} LIMIT 1", {}):
        return None
    if state in OPEN_STATES:
        return _l("The households are being put into grids now; their pages show it shortly.")
    return _l("The households could not be put into grids just now; it is tried again within a day.")


def _run(context: Any) -> dict[str, Any]:
    with context.uow() as uow:
        return {"seen": sweep(uow)}


SWEEP = JobKind("grids.follow_register", _l("Let grids follow the register"), _run)
DAILY = Schedule("grids.follow_register", SWEEP.key, _DAY_SECONDS)
