"""That a list or roster of organisations went out stands in the audit trail and in the log of everybody in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit_export
from xiangyue.db.uow import Uow
from xiangyue.features.organisations.policy import EXPORT
from xiangyue.features.privacy.access_log import Ids, note_set


@acts(EXPORT)
def note_export(
    uow: Uow, *, number: str, purpose: str, rows: int, seen: Ids, columns: list[str], conditions: Mapping[str, Any]
) -> None:
    """``seen``: ids of the persons in it; ``number`` is that on the file."""
    note_set(uow, persons=seen, seen="columns", detail=columns, purpose=purpose, way="export", number=number)
    audit_export(
        uow, action="organisation.export", number=number, purpose=purpose, rows=rows, columns=columns,
        conditions=conditions,
    )  # fmt: skip
