"""Files that exports left on the server and that hold somebody who is erased."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select

from xiangyue.db.uow import Uow
from xiangyue.features.households.models import Person
from xiangyue.features.households.service_export import EXPORT_KIND, LEDGER_KIND
from xiangyue.features.privacy import queries_log
from xiangyue.files.models import StoredFile
from xiangyue.jobs.models import Job

#: Exports of one person that are looked at, the newest first; older files have expired.
MOST = 2000


def expire_exports(uow: Uow, persons: Sequence[Person]) -> int:
    """End the time of stored exports that somebody of these records stands in, by the numbers in their access log: they
    can no longer be fetched, and the daily job deletes the bytes. The list is exported again when it is needed. Returns
    how many."""
    wanted, now = queries_log.LogFilter(way="export"), datetime.now(UTC)
    numbers = {look.number for one in persons for look in queries_log.each_look(uow, one, wanted, limit=MOST)} - {""}
    jobs = select(Job).where(Job.kind.in_((EXPORT_KIND, LEDGER_KIND)), Job.result["number"].astext.in_(numbers))
    ended = 0
    for job in uow.session.scalars(jobs) if numbers else ():
        result = job.result or {}
        file = uow.session.scalars(select(StoredFile).where(StoredFile.token == UUID(result["file"]))).one_or_none()
        if file is not None and (file.expires_at is None or file.expires_at > now):
            file.expires_at = now
            job.result = {**result, "expires_at": now.isoformat()}
            ended += 1
    return ended


__all__ = ["expire_exports"]
