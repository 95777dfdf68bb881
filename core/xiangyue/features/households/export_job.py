"""Large exports and ledgers, written by a job: see ``web.kept_exports``."""

from __future__ import annotations

from typing import Any

from xiangyue.errors import Invalid
from xiangyue.features.households import ledger_make
from xiangyue.features.households.pages import register_export
from xiangyue.features.households.pages.exporting import Wanted, count_rows, put_on_record, write_export
from xiangyue.features.households.policy import HOUSEHOLD_EXPORT
from xiangyue.features.households.service_export import ACTS_KIND, EXPORT_KIND, LEDGER_KIND
from xiangyue.features.privacy.access_log import Ids
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.jobs.context import JobContext
from xiangyue.plugin.registry import JobKind
from xiangyue.web.kept_exports import file_url, keep_written, reading_as, result_text, stepping


def run_export(context: JobContext) -> dict[str, Any]:
    """Write the list page by page, then keep the file."""
    wanted, seen = Wanted.kept(context.params), Ids()
    with reading_as(context, HOUSEHOLD_EXPORT, wanted.reading) as uow:
        keys = context.runtime.tenant_keys(uow)
        listing = wanted.listing(uow)
        problems = {**listing.problems, **{str(f.what): [f.error.message] for f in listing.failed}}
        if problems:
            raise Invalid(problems)
        total = count_rows(uow, wanted, listing, keys)
        written = write_export(uow, wanted, listing, keys, seen, stepping(context, total))
        name = wanted.file_name
    return keep_written(
        context,
        written,
        name,
        wanted.number,
        HOUSEHOLD_EXPORT,
        lambda uow: put_on_record(uow, wanted, listing, written.rows, seen),
    )


def run_ledger(context: JobContext) -> dict[str, Any]:
    """The same for a ledger."""
    wanted, seen = ledger_make.LedgerWanted.kept(context.params), Ids()
    with reading_as(context, HOUSEHOLD_EXPORT, wanted.reading) as uow:
        ledger = ledger_make.checked(uow, wanted)
        keys = context.runtime.tenant_keys(uow)
        written = ledger_make.write(uow, wanted, ledger, keys, seen, stepping(context, 0))
        name = ledger_make.file_name(uow, wanted, ledger)
    return keep_written(
        context,
        written,
        name,
        wanted.number,
        HOUSEHOLD_EXPORT,
        lambda uow: ledger_make.put_on_record(uow, wanted, ledger, written.rows, seen),
    )


def run_acts(context: JobContext) -> dict[str, Any]:
    """The same for the ledger of changes or the reports of them."""
    asked = register_export.Asked.kept(context.params)
    with reading_as(context, HOUSEHOLD_EXPORT) as uow:
        written = register_export.write(uow, asked, stepping(context, register_export.count(uow, asked)))
        name = asked.file_name
    return keep_written(
        context,
        written,
        name,
        asked.number,
        HOUSEHOLD_EXPORT,
        lambda uow: register_export.put_on_record(uow, asked, written.rows),
    )


def _kind(key: str, label: Any, run: Any) -> JobKind:
    return JobKind(key, label, run, permission=HOUSEHOLD_EXPORT, result_url=file_url, result_text=result_text)


EXPORT = _kind(EXPORT_KIND, _l("Export of a list"), run_export)
LEDGER = _kind(LEDGER_KIND, _l("Making a ledger"), run_ledger)
ACTS = _kind(ACTS_KIND, _l("Export of changes of the register"), run_acts)
