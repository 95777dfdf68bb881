"""Large lists as files: a job writes the file, which can be fetched until it expires."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, BinaryIO, cast

from xiangyue.access.permissions import Permission
from xiangyue.db.uow import Uow
from xiangyue.files.service import in_days, store_file
from xiangyue.files.workbook import Written
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.jobs.context import JobContext
from xiangyue.jobs.models import Job

#: Rows between two looks whether to go on.
PULSE = 500


@contextmanager
def reading_as(context: JobContext, permission: Permission, reading: str = "") -> Iterator[Uow]:
    """A unit of work that sees what whoever asked for the file may see; ``reading``: what they said they need sensitive
    facts for, which holds for their job too."""
    with context.uow() as uow:
        uow.info = replace(uow.info, purpose=reading)
        # A job's unit of work reaches the whole county; whoever it works for does not.
        with uow.scoped(uow.scope.within(uow.actor.scope(permission))):
            yield uow


def stepping(context: JobContext, total: int) -> Callable[[int], None]:
    """To be called with the number of each row; raises JobCancelled."""
    context.progress(0, total, _l("Writing the rows"))

    def step(number: int) -> None:
        if number % PULSE == 0:
            context.check_cancelled()
            context.progress(number, max(total, number))

    return step


def keep_written(
    context: JobContext, written: Written, name: str, number: str, permission: Permission, note: Callable[[Uow], None]
) -> dict[str, Any]:
    """Keep the file for whoever has the ``permission`` and put it on record (``note``) in one transaction: a cancel
    leaves neither. The job's result."""
    with written.stream:
        context.check_cancelled()
        context.progress(written.rows, written.rows, _l("Keeping the file"))
        expires = in_days(context.runtime.settings.export_keep_days)
        with context.uow() as uow:
            file = store_file(
                uow,
                context.runtime.storage,
                stream=cast("BinaryIO", written.stream),
                name=f"{name}.{written.extension}",
                media_type=written.media_type,
                purpose=permission.name,
                permission=permission,
                expires_at=expires,
            )
            note(uow)
            return {
                "rows": written.rows,
                "bytes": written.size,
                "number": number,
                "file": str(file.token),
                "expires_at": expires.isoformat(),
            }


def file_url(job: Job) -> str | None:
    """Where the file is fetched; nowhere once it has expired."""
    result = job.result or {}
    if "file" not in result or datetime.fromisoformat(result["expires_at"]) <= datetime.now(UTC):
        return None
    return f"/files/{result['file']}"


def result_text(job: Job) -> Any:
    """Rows, number and until when."""
    result = job.result or {}
    if "file" not in result:
        return None
    expires = datetime.fromisoformat(result["expires_at"])
    if expires <= datetime.now(UTC):
        return _l("The file has expired and is gone; its number was %(number)s. Export the list again.", **result)
    return _l(
        "%(rows)s rows, number %(number)s. The file can be fetched again until %(day)s.",
        rows=f"{result['rows']:,}",
        number=result["number"],
        day=expires.date().isoformat(),
    )
