"""Large exports: a job writes the file, which can be fetched until it expires."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, BinaryIO, cast

from xiangyue.errors import Invalid
from xiangyue.features.households.pages.exporting import Wanted, count_rows, put_on_record, write_export
from xiangyue.features.households.policy import HOUSEHOLD_EXPORT
from xiangyue.features.households.service_export import EXPORT_KIND
from xiangyue.files.service import in_days, store_file
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.jobs.context import JobContext
from xiangyue.jobs.models import Job
from xiangyue.plugin.registry import JobKind

#: What its files are kept for.
PURPOSE = "household.export"
#: Rows between two looks whether to go on.
PULSE = 500


def run_export(context: JobContext) -> dict[str, Any]:
    """Write the file page by page, then keep it and put it on record in one transaction: a cancel leaves neither."""
    wanted = Wanted.kept(context.params)
    settings, storage = context.runtime.settings, context.runtime.storage
    with context.uow() as uow:
        # What they said they need sensitive facts for holds for their job too.
        uow.info = replace(uow.info, purpose=wanted.reading)
        # A job's unit of work reaches the whole county; whoever it works for does not.
        with uow.scoped(uow.scope.within(uow.actor.scope(HOUSEHOLD_EXPORT))):
            keys = context.runtime.tenant_keys(uow)
            listing = wanted.listing(uow)
            problems = {**listing.problems, **{str(f.what): [f.error.message] for f in listing.failed}}
            if problems:
                raise Invalid(problems)
            total = count_rows(uow, wanted, listing, keys)
            context.progress(0, total, _l("Writing the rows"))

            def step(number: int) -> None:
                if number % PULSE == 0:
                    context.check_cancelled()
                    context.progress(number, total)

            written = write_export(uow, wanted, listing, keys, step)
    with written.stream:
        context.check_cancelled()
        context.progress(written.rows, max(total, written.rows), _l("Keeping the file"))
        expires = in_days(settings.export_keep_days)
        with context.uow() as uow:
            file = store_file(
                uow,
                storage,
                stream=cast("BinaryIO", written.stream),
                name=f"{wanted.file_name}.{written.extension}",
                media_type=written.media_type,
                purpose=PURPOSE,
                permission=HOUSEHOLD_EXPORT,
                expires_at=expires,
            )
            put_on_record(uow, wanted, listing, written.rows)
            return {
                "rows": written.rows,
                "bytes": written.size,
                "number": wanted.number,
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


EXPORT = JobKind(
    EXPORT_KIND,
    _l("Export of a list"),
    run_export,
    permission=HOUSEHOLD_EXPORT,
    result_url=file_url,
    result_text=result_text,
)
