"""Lists of calls, and of a call's households, that leave the house are on record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit_export
from xiangyue.db.uow import Uow
from xiangyue.features.callouts.policy import CALLOUT_EXPORT
from xiangyue.features.privacy.access_log import members_of, note_set

EXPORT_LIMIT = 20_000


@acts(CALLOUT_EXPORT)
def note_export(
    uow: Uow, *, number: str, purpose: str, rows: int, columns: Sequence[str], conditions: Mapping[str, Any], area: int,
    households: Sequence[int] = (),
) -> None:  # fmt: skip
    """Put it into the audit trail, where the ``number`` on the file finds it; of a list of ``households`` also into the
    log of everybody who lives in them."""
    persons = members_of(uow, households)
    note_set(uow, persons=persons, seen="columns", detail=columns, purpose=purpose, way="export", number=number)
    audit_export(uow, action="callout.export", number=number, purpose=purpose, rows=rows, columns=columns,
                 conditions=conditions, area_code=area)  # fmt: skip
