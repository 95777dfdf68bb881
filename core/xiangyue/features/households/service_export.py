"""Exports leave the house, so each is written down with what for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit
from xiangyue.db.uow import Uow
from xiangyue.features.households.policy import HOUSEHOLD_EXPORT
from xiangyue.features.households.writing import required_text


@acts(HOUSEHOLD_EXPORT)
def note_export(
    uow: Uow,
    *,
    entity: str,
    purpose: str,
    area_code: int,
    rows: int,
    columns: Sequence[str],
    conditions: Mapping[str, Any],
    sensitive_marks: Sequence[str] = (),
) -> None:
    """Put an export of a list (``entity`` household or person) into the audit trail. Raises Invalid on ``purpose``."""
    purpose = required_text(purpose, "purpose", least=2)
    after = {"rows": rows, "fields": list(columns), "filters": dict(conditions), "marks": list(sensitive_marks)}
    audit(
        uow,
        action=f"{entity}.export",
        object_type=entity,
        area_code=area_code,
        after={k: v for k, v in after.items() if v},
        purpose=purpose,
    )
