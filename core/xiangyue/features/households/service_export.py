"""Exports leave the house, so each is written down with what for."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit
from xiangyue.db.uow import Uow
from xiangyue.features.households.policy import EXPORTED, HOUSEHOLD_EXPORT
from xiangyue.features.households.writing import required_text
from xiangyue.files.workbook import Watermark
from xiangyue.i18n import TIMEZONE
from xiangyue.i18n import gettext as _
from xiangyue.jobs.models import Job
from xiangyue.jobs.service import enqueue_job

#: The job that writes large ones.
EXPORT_KIND, LEDGER_KIND = "households.export", "households.ledger"
#: No letter that is taken for a digit, nor one for the other.
_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_number() -> str:
    """Number of an export: short enough to be read out, and nothing can be told from it, such as ``K7Q2-9XFA``."""
    drawn = "".join(secrets.choice(_LETTERS) for _ in range(8))
    return f"{drawn[:4]}-{drawn[4:]}"


def watermark(uow: Uow, purpose: str, number: str) -> Watermark:
    """Who took a file along, when, what for, and the number of the audit entry."""
    line = _(
        "Exported by %(who)s · %(when)s · for: %(purpose)s · number %(number)s · personal information: keep it safe,"
        " destroy it after use",
        who=uow.actor.name or uow.actor.login,
        when=datetime.now(TIMEZONE).strftime("%Y-%m-%d %H:%M"),
        purpose=purpose,
        number=number,
    )
    return Watermark(line, number)


@acts(HOUSEHOLD_EXPORT)
def start_export(uow: Uow, *, params: Mapping[str, Any], kind: str = EXPORT_KIND) -> Job:
    """Have a list (``pages.exporting.Wanted`` as ``params``) or ledger (``ledger_make.LedgerWanted``) written by a job.
    Asked for again while it waits or runs, the same is the same job."""
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
) -> None:
    """Put an export of a list (``entity`` household or person) or a ledger into the audit trail, where its ``number``
    finds it. Raises Invalid on ``purpose``."""
    purpose = required_text(purpose, "purpose", least=2)
    after = {"rows": rows, "fields": list(columns), "filters": dict(conditions), "marks": list(sensitive_marks)}
    audit(
        uow,
        action=f"{entity}.export",
        object_type=EXPORTED,
        label=number,
        area_code=area_code,
        after={k: v for k, v in after.items() if v},
        purpose=purpose,
    )
