"""What is written down when the list of imports leaves the house."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit_export
from xiangyue.db.uow import Uow
from xiangyue.features.imports.policy import IMPORT_RUN


@acts(IMPORT_RUN)
def note_export(
    uow: Uow, *, number: str, purpose: str, rows: int, columns: Sequence[str], conditions: Mapping[str, Any]
) -> None:
    """Put an export of the list into the audit trail, where its ``number`` finds it."""
    audit_export(
        uow,
        action="import.export",
        number=number,
        purpose=purpose,
        rows=rows,
        columns=columns,
        conditions=conditions,
    )
