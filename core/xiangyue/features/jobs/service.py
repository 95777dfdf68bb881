"""Writes on jobs by people: cancel and repeat one's own, or everyone's with the right to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit, audit_export
from xiangyue.access.permissions import lacking
from xiangyue.db.uow import Uow
from xiangyue.features.jobs.policy import JOB_MANAGE
from xiangyue.features.jobs.queries import get_job, may_steer
from xiangyue.jobs import service as room
from xiangyue.jobs.models import Job


def _steered(uow: Uow, job_id: int) -> Job:
    job = get_job(uow, job_id)
    if not may_steer(uow, job):
        raise lacking(JOB_MANAGE)
    return job


@acts(None)
def cancel_job(uow: Uow, *, job_id: int) -> Job:
    """Stop a job, one's own or with ``job.manage``. Raises NotFound or Forbidden; a finished one stays as it is."""
    before = _steered(uow, job_id).state
    job = room.request_cancel(uow, job_id=job_id)
    if before in ("queued", "running"):
        audit(uow, action="job.cancel", obj=job, label=job.kind)
    return job


@acts(None)
def repeat_job(uow: Uow, *, job_id: int) -> Job:
    """Run a failed or cancelled job again. Raises NotFound, Forbidden, or Conflict for one in another state."""
    _steered(uow, job_id)
    job = room.repeat_job(uow, job_id=job_id)
    audit(uow, action="job.repeat", obj=job, label=job.kind)
    return job


@acts(None)
def note_export(
    uow: Uow, *, number: str, purpose: str, rows: int, columns: Sequence[str], conditions: Mapping[str, Any]
) -> None:
    """Put an export of the list into the audit trail, where its ``number`` finds it."""
    audit_export(
        uow, action="job.export", number=number, purpose=purpose, rows=rows, columns=columns, conditions=conditions
    )
