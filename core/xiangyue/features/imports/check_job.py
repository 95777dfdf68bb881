"""The check of an uploaded roster: every row judged, staged, and tried against the register without writing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from xiangyue.access.crypto import TenantKeys
from xiangyue.db.session import end_statements_after
from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict
from xiangyue.features.imports import queries, sift
from xiangyue.features.imports.erasing import hold_back_erased
from xiangyue.features.imports.helper import Helper, can_help, spread
from xiangyue.features.imports.models import ImportBatch
from xiangyue.features.imports.policy import CHECK_KIND, IMPORT_RUN, ROSTER, STATEMENT_SECONDS, UPDATE
from xiangyue.features.imports.register_hand import RegisterFault
from xiangyue.features.imports.register_judge import judge_of
from xiangyue.features.imports.registers import find_register, header_faults
from xiangyue.features.imports.release import drop_rows, let_go
from xiangyue.features.imports.roster_book import columns_found, columns_given, header_of
from xiangyue.features.imports.roster_check import RosterChecker
from xiangyue.features.imports.roster_file import RosterFileError
from xiangyue.features.imports.roster_messages import CellError
from xiangyue.features.imports.roster_read import SKIPPED, RosterBook, RosterRow, RosterSheet, read_book
from xiangyue.features.imports.roster_update import key_problems
from xiangyue.features.imports.row_store import RowStore
from xiangyue.features.imports.row_work import BLOCK, RowWork, blocks_of
from xiangyue.features.imports.seldom import seldom_collected
from xiangyue.features.imports.staging import errors_json, read_upload, row_bytes, row_sealer, seal_columns
from xiangyue.features.imports.update_judge import UpdateJudge
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.jobs.context import JobContext
from xiangyue.plugin.registry import JobKind

READING = _l("Reading the file")
CHECKING = _l("Checking the rows")
STORING = _l("Putting the rows in order")

_PULSE = 500
#: Rows from which a second process is worth its start.
_MANY = 4 * BLOCK

_COUNTS = """
SELECT count(*), coalesce(sum(r.error_count), 0), count(*) FILTER (WHERE r.error_count > 0)
  FROM import_row r WHERE {tenant:r} AND r.batch_id = :batch
"""


def run(context: JobContext) -> dict[str, Any]:
    """Check the batch in ``params["batch_id"]``; returns its counts. All in one transaction: a stop leaves nothing."""
    batch_id = int(context.params["batch_id"])
    context.progress(0, 0, READING)
    with context.uow() as uow:
        if not _mine(context, uow.get_for_update(ImportBatch, batch_id)):
            raise Conflict(_l("This import was discarded, or is being checked by newer work."))
        uow.get(ImportBatch, batch_id).state = "checking"
    try:
        return _checked(context, batch_id)
    except RegisterFault as fault:
        with context.uow() as uow:
            if _mine(context, batch := uow.get_for_update(ImportBatch, batch_id)):
                batch.state, batch.problem = "failed", fault.as_problem()
                batch.version += 1
        raise


def _checked(context: JobContext, batch_id: int) -> dict[str, Any]:
    with context.uow() as uow:
        end_statements_after(uow.session, STATEMENT_SECONDS)
        batch = uow.get_for_update(ImportBatch, batch_id)
        if not _mine(context, batch):
            raise Conflict(_l("This import was discarded, or is being checked by newer work."))
        drop_rows(uow, batch)
        kept = {key: batch.header[key] for key in ("given", "wanted", "asked") if batch.header.get(key)}
        batch.counts, batch.problem, batch.header = {}, None, kept
        batch.checked_at = datetime.now(UTC)
        batch.version += 1
        book = _book(context, uow, batch)
        if book is not None:
            with seldom_collected():
                _Check(context, uow, batch, book.sheets).run()
        context.check_cancelled()
        return {"batch_id": batch_id, **{k: v for k, v in batch.counts.items() if isinstance(v, int)}}


def _mine(context: JobContext, batch: ImportBatch) -> bool:
    broke = batch.state == "failed" and (batch.problem or {}).get("code") == "check_broke"  # repeated by hand
    return batch.job_id == context.job_id and (broke or batch.state in ("uploaded", "checking"))


def _book(context: JobContext, uow: Uow, batch: ImportBatch) -> RosterBook | None:
    """The rosters in the file; None, with the problem noted on the batch, when it cannot be read as one or its
    columns must be matched by a person first."""
    data = read_upload(uow, context.runtime, batch.file_id)
    given, asked = batch.header.get("given"), batch.header.get("asked")

    def recall(fingerprint: str, sheet: int) -> dict[int, str] | None:
        """What a person decided for this very file, else for an earlier one of the kind."""
        decided = columns_given(given, sheet) if given else {}
        return decided or (None if asked else queries.remembered(uow, batch.kind, fingerprint))

    try:
        columns, wanted = queries.columns_for(uow, batch), batch.header.get("wanted")
        headings = queries.remembered_headings(uow, batch.kind)
        book = read_book(data, columns, recall, wanted, asked, decided=headings, wide=batch.kind == ROSTER)
    except RosterFileError as error:
        batch.state, batch.problem = "failed", {"code": error.code, "params": error.params}
        return None
    if batch.kind == UPDATE:
        for sheet in book.sheets:
            sheet.problems += key_problems(sheet)
    register = find_register(uow, batch.kind)
    if register is not None:
        for sheet in book.sheets:
            sheet.problems += header_faults(register[1], sheet)
    batch.header = {
        **batch.header,
        **header_of(book),
        "file_columns": seal_columns(context.runtime.tenant_keys(uow), uow.tenant_id, columns_found(book)),
    }
    if any(sheet.blocking for sheet in book.sheets):
        batch.state, batch.problem = "mapping", {"code": "header", "params": {}}
        return None
    return book


class _Check:
    """One check of one file."""

    def __init__(self, context: JobContext, uow: Uow, batch: ImportBatch, sheets: Sequence[RosterSheet]) -> None:
        self.context, self.uow, self.batch, self.sheets = context, uow, batch, sheets
        self.keys: TenantKeys = context.runtime.tenant_keys(uow)
        self.judge = judge_of(context.runtime, uow, batch)
        self.checker = self.judge.checker()
        self.households = self.judge.grouping()
        self.rows = (row for sheet in sheets for row in sheet.rows)
        self.count = 0

    def _worked_rows(self) -> Iterator[tuple[Any, ...]]:
        """Each row as `RowStore` takes it."""
        if self.judge.by_itself:
            return self._worked()
        if isinstance(self.judge, UpdateJudge):
            return self._rows(row for part in self.judge.completer.parts(self.rows) for row, _lost in part)
        return self._rows(self.rows)

    def run(self) -> None:
        store = RowStore(self.uow.session, self.batch.id, sifted=self.judge.by_itself)
        staged = store.take(self._worked_rows(), aside=self.judge.by_itself)
        self.batch.header = {
            **self.batch.header,
            "skipped": {kind: sum(sheet.skipped[kind] for sheet in self.sheets) for kind in SKIPPED},
            "repaired": {
                **self.checker.repaired,
                "filled_down": sum(sheet.above.filled for sheet in self.sheets if sheet.above is not None),
            },
        }
        if not staged:
            self.batch.state, self.batch.problem = "failed", {"code": "no_rows", "params": {}}
            return
        self.context.progress(staged, staged, STORING)
        self.context.check_cancelled()
        store.finish(self._cross())
        hold_back_erased(self.uow, self.keys, self.batch)
        outcome = self.judge.try_out(self.context, self.uow, self.keys, self.batch)
        self.batch.counts = {**self._counts(), **outcome}
        self.batch.state = "checked"

    def _worked(self) -> Iterator[tuple[Any, ...]]:
        """Each row as `RowStore` takes it, judged by this process and, of many rows, by a helper."""
        checker, households = self.checker, self.households
        assert isinstance(checker, RosterChecker)
        total = sum(sheet.row_count for sheet in self.sheets)
        work = RowWork(self.judge, self.keys, self.uow.tenant_id, sift.Sieve(self.uow, self.keys))
        helper = Helper(work) if total >= _MANY and can_help() else None
        for worked, repaired in spread(blocks_of(self.rows), work, helper):
            self.context.progress(self.count, max(total, self.count), CHECKING)
            self.context.check_cancelled()
            for kind, number in repaired.items():
                checker.repaired[kind] = checker.repaired.get(kind, 0) + number
            for staged, noted in worked:
                self.count += 1
                checker.remember(noted)
                yield households.number_of(noted[0], noted[2], noted[3], noted[4]), *staged

    def _rows(
        self, rows: Iterable[RosterRow]
    ) -> Iterator[tuple[int, int | None, int | None, bytes, int, str, int, bool]]:
        """Each row as `RowStore` takes it, in the sheet's order."""
        seal = row_sealer(self.keys, self.uow.tenant_id)
        row_keys = self.judge.row_keys(self.keys)
        total = sum(sheet.row_count for sheet in self.sheets)
        for row in rows:
            if self.count % _PULSE == 0:
                self.context.progress(self.count, max(total, self.count), CHECKING)
                self.context.check_cancelled()
            self.count += 1
            checked = self.judge.check(self.checker, row)
            values, errors = checked.values, checked.errors
            yield (
                self.households.number(row, values),
                row_keys.household(row, values),
                row_keys.person(values),
                seal(row_bytes(row, values)),
                row.number,
                errors_json(errors),
                len(errors),
                self.judge.leads(values),
            )

    def _cross(self) -> Iterator[tuple[int, str, int]]:
        by_row: dict[int, list[CellError]] = {}
        for error in self.checker.finish():
            by_row.setdefault(error.row, []).append(error)
        for row_no, errors in sorted(by_row.items()):
            yield row_no, errors_json(errors), len(errors)

    def _counts(self) -> dict[str, int]:
        """Of rows, households and errors, after the trial."""
        ((rows, errors, wrong),) = scoped_rows(self.uow.session, _COUNTS, {"batch": self.batch.id})
        return {
            "rows": rows,
            "persons": rows,
            "households": self.households.count,
            "errors": int(errors),
            "error_rows": wrong,
        }


CHECK = JobKind(CHECK_KIND, _l("Check of an imported file"), run, permission=IMPORT_RUN, ended=let_go)
