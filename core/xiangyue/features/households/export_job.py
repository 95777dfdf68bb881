"""Large exports and ledgers: a job writes the file, which can be fetched until it expires."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, BinaryIO, cast

from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid
from xiangyue.features.households import ledger_make
from xiangyue.features.households.pages.exporting import Wanted, count_rows, put_on_record, write_export
from xiangyue.features.households.policy import HOUSEHOLD_EXPORT
from xiangyue.features.households.service_export import EXPORT_KIND, LEDGER_KIND
from xiangyue.features.privacy.access_log import Ids
from xiangyue.files.service import in_days, store_file
from xiangyue.files.workbook import Written
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.jobs.context import JobContext
from xiangyue.jobs.models import Job
from xiangyue.plugin.registry import JobKind

#: What its files are kept for.
PURPOSE = "household.export"
#: Rows between two looks whether to go on.
PULSE = 500


@contextmanager
def _reading(context: JobContext, reading: str) -> Iterator[Uow]:
    """A unit of work that sees what whoever asked for the file may see."""
    with context.uow() as uow:
        # What they said they need sensitive facts for holds for their job too.
        uow.info = replace(uow.info, purpose=reading)
        # A job's unit of work reaches the whole county; whoever it works for does not.
        with uow.scoped(uow.scope.within(uow.actor.scope(HOUSEHOLD_EXPORT))):
            yield uow


def _stepping(context: JobContext, total: int) -> Callable[[int], None]:
    context.progress(0, total, _l("Writing the rows"))

    def step(number: int) -> None:
        if number % PULSE == 0:
            context.check_cancelled()
            context.progress(number, max(total, number))

    return step


def run_export(context: JobContext) -> dict[str, Any]:
    """Write the list page by page, then keep the file and put it on record in one transaction: a cancel leaves
    neither."""
    wanted, seen = Wanted.kept(context.params), Ids()
    with _reading(context, wanted.reading) as uow:
        keys = context.runtime.tenant_keys(uow)
        listing = wanted.listing(uow)
        problems = {**listing.problems, **{str(f.what): [f.error.message] for f in listing.failed}}
        if problems:
            raise Invalid(problems)
        total = count_rows(uow, wanted, listing, keys)
        written = write_export(uow, wanted, listing, keys, seen, _stepping(context, total))
        name = wanted.file_name
    return _keep(
        context, written, name, wanted.number, lambda uow: put_on_record(uow, wanted, listing, written.rows, seen)
    )


def run_ledger(context: JobContext) -> dict[str, Any]:
    """The same for a ledger."""
    wanted, seen = ledger_make.LedgerWanted.kept(context.params), Ids()
    with _reading(context, wanted.reading) as uow:
        ledger = ledger_make.checked(uow, wanted)
        keys = context.runtime.tenant_keys(uow)
        written = ledger_make.write(uow, wanted, ledger, keys, seen, _stepping(context, 0))
        name = ledger_make.file_name(uow, wanted, ledger)
    return _keep(
        context,
        written,
        name,
        wanted.number,
        lambda uow: ledger_make.put_on_record(uow, wanted, ledger, written.rows, seen),
    )


def _keep(context: JobContext, written: Written, name: str, number: str, put: Callable[[Uow], None]) -> dict[str, Any]:
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
                purpose=PURPOSE,
                permission=HOUSEHOLD_EXPORT,
                expires_at=expires,
            )
            put(uow)
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


EXPORT = JobKind(
    EXPORT_KIND,
    _l("Export of a list"),
    run_export,
    permission=HOUSEHOLD_EXPORT,
    result_url=file_url,
    result_text=result_text,
)
LEDGER = JobKind(
    LEDGER_KIND,
    _l("Making a ledger"),
    run_ledger,
    permission=HOUSEHOLD_EXPORT,
    result_url=file_url,
    result_text=result_text,
)
