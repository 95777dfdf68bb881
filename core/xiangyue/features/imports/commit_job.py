"""The writing of a checked roster into the register: everything in one transaction, or nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import Any

from sqlalchemy import func, select

from xiangyue.access.audit import audit
from xiangyue.db.session import end_statements_after
from xiangyue.db.sql import estimated_rows, forget_empty, hold_statistics, refresh_statistics, scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict
from xiangyue.features.households.bulk import HouseholdRow, upsert_households
from xiangyue.features.households.bulk_changes import IMPORT_BATCH
from xiangyue.features.households.bulk_search import write_missing
from xiangyue.features.households.undo_built import Written
from xiangyue.features.imports.models import ImportBatch
from xiangyue.features.imports.offered import Taker, check_still_on
from xiangyue.features.imports.policy import COMMIT_KIND, IMPORT_RUN, STATEMENT_SECONDS
from xiangyue.features.imports.register_write import write_register
from xiangyue.features.imports.registers import is_register
from xiangyue.features.imports.release import let_go
from xiangyue.features.imports.seldom import seldom_collected
from xiangyue.features.imports.speaking import speaks_of
from xiangyue.features.imports.staging import ready_households
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.jobs.context import JobContext
from xiangyue.plugin.dispatch import publish
from xiangyue.plugin.registry import JobKind

WAITING = _l("Waiting for another import")
WRITING = _l("Writing households")
FINISHING = _l("Finishing")

#: First half of the advisory lock under which a county's imports write one after the other; the second is the county.
LOCK_CLASS = 0x696D_706F
#: Tables that an import fills.
WRITTEN = ("household", "person", "person_mark", "household_income", "household_award", "custom_value", "name_suffix")
#: The one whose look takes as long as those of all others.
_LARGEST = "person"
#: Persons of all counties below which an import is large against what stands already.
SMALL_REGISTER = 100_000


def run(context: JobContext) -> dict[str, Any]:
    """Write the batch in ``params["batch_id"]``; returns what was written.

    The batch row is locked all the while and changes its state in the same transaction, so a second run of the same
    job waits and then finds the work done; a kill or a cancel leaves the register as it was. The staged rows stay.
    """
    # Search rows have a transaction of their own, which ends right behind the one that everything else is written in.
    with context.uow() as beside:
        end_statements_after(beside.session, STATEMENT_SECONDS)
        with seldom_collected():
            result = _write(context, beside)
    look_at_tables(context)
    return result


def look_at_tables(context: JobContext) -> None:
    """Let the planner look at what an import has changed at large, by two connections at once.

    Not where nobody is left in the county, as after the undo of its first import: noted as empty, the tables would keep
    their pages, PostgreSQL would take any index for as good as another until autovacuum comes, and each foreign key of
    the next import would read the county (10,000 memberships: half a minute instead of a third of a second).
    """
    with context.uow() as uow:
        if not scoped_rows(uow.session, "SELECT 1 FROM person p WHERE {tenant:p} LIMIT 1"):
            return
    parts = ([_LARGEST], [name for name in WRITTEN if name != _LARGEST])
    with ThreadPoolExecutor(len(parts), "statistics") as threads:
        list(threads.map(partial(_look_at, context), parts))


def _look_at(context: JobContext, tables: Sequence[str]) -> None:
    with context.uow() as uow:
        refresh_statistics(uow.session, *tables)


def _write(context: JobContext, beside: Uow) -> dict[str, Any]:
    batch_id = int(context.params["batch_id"])
    with context.uow() as uow:
        end_statements_after(uow.session, STATEMENT_SECONDS)
        take_turn(context, uow)
        batch = uow.get_for_update(ImportBatch, batch_id)
        if batch.state == "committed":
            # A run before this one may have died before the search rows were kept.
            if batch.written is not None and not is_register(batch.kind):
                write_missing(uow, Written.from_dict(batch_id, batch.written))
            return _result(batch)
        # "checked" with this very job: it failed and was repeated by hand.
        if batch.state not in ("committing", "checked") or batch.job_id != context.job_id:
            raise Conflict(_l("This import is not to be written any more. Reload its page."))
        if is_register(batch.kind):
            write_register(context, uow, batch)
            return _result(batch)
        total = int(batch.counts.get("valid_households", 0))

        def progress(done: int) -> None:
            context.progress(done, total, WRITING)
            context.check_cancelled()

        progress(0)
        keys = context.runtime.tenant_keys(uow)
        check_still_on(uow, batch)
        taker = Taker(uow, batch.header.get("columns", ()))

        def households(reading: Uow) -> Iterator[HouseholdRow]:
            for household in ready_households(reading, keys, batch_id):
                if taker.items:
                    taker.note(household)
                yield household.as_row()

        uow.session.info[IMPORT_BATCH] = batch_id
        # The rows are read by a connection of its own, while this one is busy with the writing.
        with context.uow() as reading:
            counts = upsert_households(
                uow,
                keys,
                households(reading),
                batch_id=batch_id,
                source=batch.source,
                speaks=speaks_of(uow, batch),
                progress=progress,
                written=taker.written if taker.items else None,
                ahead=None if taker.items else reading,
                beside=beside,
            )
        if counts.conflicts:
            raise Conflict(
                _l(
                    "The register or your rights have changed since the check: %(n)d rows no longer fit. Nothing was "
                    "written. Cancel this import and upload the file again.",
                    n=len(counts.conflicts),
                )
            )
        context.progress(total, total, FINISHING)
        taken = taker.hand_over()
        batch = uow.get(ImportBatch, batch_id)  # the bulk write let go of what the session knew
        batch.state = "committed"
        batch.committed_at = datetime.now(UTC)
        at = uow.session.scalars(select(func.now())).one()
        batch.written = Written(batch_id, at, **counts.made).as_dict()
        batch.version += 1
        written = counts.numbers()
        batch.counts = {**batch.counts, "written": {**written, "households": total, "taken": taken}}
        audit(
            uow,
            action="import.written",
            obj=batch,
            label=batch.file_name,
            after={**written, "source": batch.source, **({"taken": taken} if taken else {})},
            purpose=batch.purpose,
        )
        publish(uow, "import_commit_happened", batch_id=batch.id)
        context.check_cancelled()
        return _result(batch)


def take_turn(context: JobContext, uow: Uow) -> None:
    """Wait until no other import of the county writes: two at once could wait for each other's rows for ever.

    While the register of all counties together is small, only one county writes at a time and holds the planner's
    statistics still (`hold_statistics`, `forget_empty`).
    """
    _wait_for(context, uow, context.tenant_id)
    if estimated_rows(uow.session, "person") < SMALL_REGISTER:
        _wait_for(context, uow, 0)
        hold_statistics(uow.session, "household", "person")
        forget_empty(uow.session, *WRITTEN, "household_member")


def _wait_for(context: JobContext, uow: Uow, key: int) -> None:
    lock = select(func.pg_try_advisory_xact_lock(LOCK_CLASS, key))
    while not uow.session.scalar(lock):
        context.progress(0, 0, WAITING)
        context.check_cancelled()
        context.stop.wait(0.3)


def _result(batch: ImportBatch) -> dict[str, Any]:
    return {"batch_id": batch.id, **batch.counts.get("written", {})}


COMMIT = JobKind(COMMIT_KIND, _l("Writing of an imported file"), run, permission=IMPORT_RUN, ended=let_go)
