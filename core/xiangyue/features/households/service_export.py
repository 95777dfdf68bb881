"""Exports leave the house, so each is written down with what for."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit_export
from xiangyue.db.uow import Uow
from xiangyue.features.households.policy import HOUSEHOLD_EXPORT
from xiangyue.features.households.writing import required_text
from xiangyue.features.privacy.access_log import Ids, members_of, note_set
from xiangyue.jobs.models import Job
from xiangyue.jobs.service import enqueue_job

#: The job that writes large ones.
EXPORT_KIND, LEDGER_KIND, ACTS_KIND = "households.export", "households.ledger", "households.acts"


@acts(HOUSEHOLD_EXPORT)
def start_export(uow: Uow, *, params: Mapping[str, Any], kind: str = EXPORT_KIND) -> Job:
    """Have a list (``pages.exporting.Wanted`` as ``params``), a ledger (``ledger_make.LedgerWanted``) or what happened
    to the register (``pages.register_export.Asked``) written by a job. Asked for again while it waits or runs, the same
    is the same job."""
    same = sorted((name, value) for name, value in params.items() if name != "number")
    digest = hashlib.sha256(repr(same).encode()).hexdigest()[:24]
    return enqueue_job(uow, kind=kind, params=dict(params), unique_key=f"{kind}:{uow.actor.account_id}:{digest}")


@acts(HOUSEHOLD_EXPORT)
def note_export(
    uow: Uow,
    *,
    entity: str,
    number: str,
    purpose: str,
    area_code: int,
    rows: int,
    columns: Sequence[str],
    conditions: Mapping[str, Any],
    sensitive_marks: Sequence[str] = (),
    seen: Ids | None = None,
    what: str = "columns",
) -> None:
    """Put an export of a list (``entity`` household or person) or a ledger into the audit trail, where its ``number``
    finds it, and into the log of everybody in it (``seen``: ids of the rows, of households where the ``entity`` is
    household, else of persons; ``what``: a key of ``privacy.policy.SEEN``). Raises Invalid on ``purpose``."""
    purpose = required_text(purpose, "purpose", least=2)
    if seen is not None:
        persons = members_of(uow, seen) if entity == "household" else seen
        note_set(uow, persons=persons, seen=what, detail=columns, purpose=purpose, way="export", number=number)
    audit_export(
        uow,
        action=f"{entity}.export",
        number=number,
        purpose=purpose,
        rows=rows,
        columns=columns,
        conditions=conditions,
        area_code=area_code,
        marks=sensitive_marks,
    )
