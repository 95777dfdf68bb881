"""Writes of the audit trail's own pages: an export of it is an entry of it; a check of its seals is a job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit_export
from xiangyue.db.uow import Uow
from xiangyue.features.audit import policy, queries
from xiangyue.jobs.models import Job
from xiangyue.jobs.service import enqueue_job


@acts(policy.AUDIT_VIEW)
def note_export(
    uow: Uow, *, number: str, purpose: str, rows: int, columns: Sequence[str], conditions: Mapping[str, Any]
) -> None:
    """Put an export of the trail into the trail, where its ``number`` finds it."""
    audit_export(
        uow,
        action="audit.export",
        number=number,
        purpose=purpose,
        rows=rows,
        columns=columns,
        conditions=conditions,
    )


@acts(policy.AUDIT_VIEW)
def start_verify(uow: Uow, *, head: str = "") -> Job:
    """Have every seal computed again, for ``head`` see ``access.verify``; a check of the same that is under way is
    returned instead of a second one. Raises Forbidden for those who see a part of the county only."""
    queries.need_whole_county(uow.scope.ranges)
    head = "".join(head.split()).lower()[:64]
    key = f"{policy.VERIFY_KIND}:{head}"
    return enqueue_job(uow, kind=policy.VERIFY_KIND, params={"head": head}, unique_key=key)
