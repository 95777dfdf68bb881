"""Writes of the audit trail's own pages: an export of it is an entry of it; a check of its seals is a job."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit
from xiangyue.access.models import AuditEntry
from xiangyue.db.uow import Uow
from xiangyue.features.audit import policy, queries
from xiangyue.files.workbook import Written, write_table
from xiangyue.i18n import gettext as _
from xiangyue.jobs.models import Job
from xiangyue.jobs.service import enqueue_job


@acts(policy.AUDIT_VIEW)
def export_entries(
    uow: Uow,
    *,
    wanted: queries.EntryFilter,
    columns: Sequence[tuple[str, Any]],
    cells: Callable[[AuditEntry], dict[str, Any]],
    oldest_first: bool = False,
) -> Written:
    """The filtered entries as .xlsx, at most EXPORT_LIMIT. ``columns`` (key, header); ``cells`` gives a row by key."""
    conditions = {k: str(v) for k, v in asdict(wanted).items() if v}
    audit(
        uow,
        action="audit.export",
        object_type="audit_entry",
        after={"format": "xlsx", "filters": conditions, "fields": [key for key, _header in columns]},
    )
    uow.session.flush()
    entries = queries.each_entry(uow, wanted, limit=policy.EXPORT_LIMIT, oldest_first=oldest_first)
    rows = ([row.get(key) for key, _header in columns] for row in map(cells, entries))
    return write_table(_("Audit trail"), [header for _key, header in columns], rows)


@acts(policy.AUDIT_VIEW)
def start_verify(uow: Uow, *, head: str = "") -> Job:
    """Have every seal computed again, for ``head`` see ``access.verify``; a check of the same that is under way is
    returned instead of a second one. Raises Forbidden for those who see a part of the county only."""
    queries.need_whole_county(uow.scope.ranges)
    head = "".join(head.split()).lower()[:64]
    key = f"{policy.VERIFY_KIND}:{head}"
    return enqueue_job(uow, kind=policy.VERIFY_KIND, params={"head": head}, unique_key=key)
