"""A list of grids that leaves the house is on record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit
from xiangyue.db.uow import Uow
from xiangyue.features.grids.policy import GRID_EXPORT

EXPORT_LIMIT = 50_000


@acts(GRID_EXPORT)
def note_export(
    uow: Uow,
    *,
    number: str,
    purpose: str,
    rows: int,
    columns: Sequence[str],
    conditions: Mapping[str, Any],
    on: date,
    area: int,
) -> None:
    """Put it into the audit trail; ``number`` stands on the file."""
    after = {"rows": rows, "columns": list(columns), "filters": dict(conditions), "on": on, "number": number}
    audit(uow, action="grid.export", object_type="grid", label=number, area_code=area, after=after, purpose=purpose)
