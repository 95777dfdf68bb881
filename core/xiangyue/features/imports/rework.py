"""Rows that were mended are judged again, with all that depends on them and nothing else: what comes of it is what the
check of a corrected file would say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import select

from xiangyue.access.crypto import TenantKeys
from xiangyue.db.sql import analyze_stage, scoped_rows, scoped_sql, stage_rows
from xiangyue.db.uow import Uow
from xiangyue.features.imports import rework_sql as sql
from xiangyue.features.imports.judging import LABEL_MASK, Checker, Judge
from xiangyue.features.imports.models import ImportBatch, ImportRow
from xiangyue.features.imports.roster_messages import CellError
from xiangyue.features.imports.roster_read import RosterRow
from xiangyue.features.imports.staging import (
    Mends,
    errors_json,
    open_row,
    payload_context,
    seal_row,
)
from xiangyue.features.imports.trial import Watch, enough
from xiangyue.i18n import lazy_gettext as _l

MENDING = _l("Mending the rows")
_CHUNK = 1000
#: The pseudo-column under which a row's leaving out is kept.
WHOLE_ROW = ""


@dataclass(slots=True)
class MendedRow:
    """A row to be changed: ``cells`` as they hold now. Changes are kept beside what the file said."""

    row_no: int
    cells: dict[str, Any]
    mends: Mends = field(default_factory=dict)

    @property
    def out(self) -> bool:
        """Whether a person left it out."""
        stack = self.mends.get(WHOLE_ROW)
        return bool(stack and stack[-1][1])

    @property
    def repairs(self) -> list[int]:
        return sorted({int(entry[0]) for stack in self.mends.values() for entry in stack if entry[0]})

    def put(self, repair_id: int, column: str, value: Any) -> None:
        """What the repair writes into a cell (or, for `WHOLE_ROW`, whether the row is left out)."""
        self.mends.setdefault(column, [[0, self.cells.get(column)]]).append([repair_id, value])
        self._show(column)

    def take(self, repair_id: int) -> None:
        """Take a repair back, wherever it stands; later ones of the same cell stay."""
        for column, stack in list(self.mends.items()):
            stack[:] = [entry for entry in stack if entry[0] != repair_id]
            self._show(column)
            if len(stack) == 1:
                del self.mends[column]

    def take_all(self) -> None:
        for column, stack in self.mends.items():
            del stack[1:]
            self._show(column)
        self.mends = {}

    def _show(self, column: str) -> None:
        value = self.mends[column][-1][1]
        if column == WHOLE_ROW:
            return
        if value is None or value == "":
            self.cells.pop(column, None)
        else:
            self.cells[column] = value


Change = Callable[[MendedRow], None]


def touch(uow: Uow, rows: Iterable[int]) -> int:
    """Say which rows of the batch are to be changed; returns their number."""
    return stage_rows(uow.session, "stage_touched", sql.TOUCHED, ((row_no,) for row_no in rows))


def touch_by(uow: Uow, statement: str, params: Mapping[str, Any]) -> int:
    """The same by a SELECT of row numbers."""
    touch(uow, ())
    number = scoped_sql(uow.session, f"INSERT INTO stage_touched (row_no) {statement}", params).rowcount
    analyze_stage(uow.session, "stage_touched")
    return number


class Rework:
    """Changes the rows that `touch` named and judges what depends on them. The batch is locked by the caller."""

    def __init__(self, watch: Watch, uow: Uow, keys: TenantKeys, batch: ImportBatch, judge: Judge) -> None:
        self.watch, self.uow, self.keys, self.batch, self.judge = watch, uow, keys, batch, judge
        self.context = payload_context(uow.tenant_id)
        self.row_keys = judge.row_keys(keys)
        self.params = {"batch": batch.id, "mask": LABEL_MASK, "joins": judge.by_itself}
        self.again = 0

    def foresee(self, change: Change) -> int:
        """What the rows will belong to, and how many rows depend on them; writes nothing yet."""
        self._new_keys(change)
        stage_rows(self.uow.session, "stage_again", sql.AGAIN, ())
        number = self._run(sql.SEED)
        more = number
        while more:
            analyze_stage(self.uow.session, "stage_again")
            more = self._run(sql.WIDEN)
            number += more
        self.again = number
        return number

    def apply(self, change: Change) -> None:
        """Change the rows, judge all that depend on them, compare their households with the register, count."""
        before = self.judge.tried(self.uow, self.keys, self.batch)
        self._run(sql.MARK_GONE)
        checker = self._judged(change)
        self._finish(checker)
        stage_rows(self.uow.session, "stage_verdict", sql.VERDICT, ())
        self._run(sql.JUDGE)
        analyze_stage(self.uow.session, "stage_verdict")
        self._run(sql.SETTLE)
        self._run(sql.REORDER)
        after = self.judge.try_out(self.watch, self.uow, self.keys, self.batch, again=True)
        self.batch.counts = self._counted(before, after)
        self.batch.version += 1

    def _run(self, statement: str, **more: Any) -> int:
        return scoped_sql(self.uow.session, statement, {**self.params, **more}).rowcount

    def _read(self, statement: str) -> Iterator[tuple[list[tuple[Any, ...]], int]]:
        """Rows by the chunk, with the number of those before."""
        after = done = 0
        while True:
            found = scoped_rows(self.uow.session, statement, {**self.params, "after": after, "limit": _CHUNK})
            if found:
                yield found, done
                after, done = found[-1][0], done + len(found)
            if len(found) < _CHUNK:
                return

    def _mended(self, row_no: int, payload: bytes, change: Change | None) -> tuple[MendedRow, RosterRow | None]:
        """The row as it is now, and one that is to stand with it."""
        whole = open_row(self.keys, self.context, payload)
        row = MendedRow(row_no, whole["cells"], whole.get("mends") or {})
        head = None
        if change is not None:
            change(row)
            head = self.judge.mend(row)
        return row, head

    def _new_keys(self, change: Change) -> None:
        scratch = self.judge.checker()
        for found, _done in self._read(sql.NEXT_TOUCHED):
            self.watch.check_cancelled()
            keys: list[tuple[int, int | None, int | None, bool]] = []
            for row_no, payload in found:
                mended, head = self._mended(row_no, payload, change)
                if head is not None:
                    self._bring(head)
                if mended.out:
                    keys.append((row_no, None, None, True))
                    continue
                row = RosterRow(row_no, mended.cells)
                values = scratch.check_row(row).values
                keys.append((row_no, self.row_keys.household(row, values), self.row_keys.person(values), False))
            stage_rows(self.uow.session, "stage_key", sql.KEY, keys)
            self._run(sql.NEW_KEYS)

    def _bring(self, row: RosterRow) -> None:
        """Put the row of a head into the batch, for a member whose household is not in it yet."""
        values = self.judge.check(self.judge.checker(), row).values
        key = self.row_keys.household(row, values)
        if scoped_rows(self.uow.session, sql.OF_HOUSEHOLD, {**self.params, "key": key, "row": row.number}):
            return
        statement = select(ImportRow).where(ImportRow.batch_id == self.batch.id, ImportRow.row_no == row.number)
        made = self.uow.session.scalars(statement).one_or_none()
        if made is None:
            made = ImportRow(batch_id=self.batch.id, row_no=row.number, mended=[])
            self.uow.session.add(made)
        made.household_n, made.household_key, made.person_key = row.number, key, self.row_keys.person(values)
        made.payload = seal_row(self.keys, self.context, row, values)
        made.errors, made.error_count, made.action = [], 0, "write"
        self.uow.session.flush()
        self.uow.session.expunge(made)  # the statements that follow change it past the session

    def _judged(self, change: Change) -> Checker:
        checker = self.judge.checker()
        self._know_others(checker)
        grouping = self.judge.grouping()
        last = 0
        for found, done in self._read(sql.NEXT_AGAIN):
            self.watch.progress(done, self.again, MENDING)
            self.watch.check_cancelled()
            staged: list[tuple[Any, ...]] = []
            for row_no, payload, touched, out, before in found:
                mended, _head = self._mended(row_no, payload, change if touched else None)
                row = RosterRow(row_no, mended.cells)
                if out:
                    sealed = seal_row(self.keys, self.context, row, {}, mended.mends)
                    repairs = orjson.dumps(mended.repairs).decode()
                    staged.append((row_no, row_no, None, None, sealed, repairs, "[]", 0, "out"))
                    continue
                checked = self.judge.check(checker, row)
                values, errors = checked.values, checked.errors
                number = grouping.number(row, values, adjacent=before == last)
                last = row_no
                staged.append((
                    row_no,
                    number,
                    self.row_keys.household(row, values),
                    self.row_keys.person(values),
                    seal_row(self.keys, self.context, row, values, mended.mends) if touched else None,
                    orjson.dumps(mended.repairs).decode() if touched else None,
                    errors_json(errors),
                    len(errors),
                    "head" if self.judge.leads(values) else "member",
                ))  # fmt: skip
            stage_rows(self.uow.session, "stage_row", sql.ROW, staged)
            self._run(sql.WRITE)
        return checker

    def _know_others(self, checker: Checker) -> None:
        rows = [row_no for (row_no,) in scoped_rows(self.uow.session, sql.KNOWN, self.params)]
        for start in range(0, len(rows), _CHUNK):
            params = {**self.params, "rows": rows[start : start + _CHUNK]}
            for row_no, payload in scoped_rows(self.uow.session, sql.PAYLOADS, params):
                identity = self.judge.identity(open_row(self.keys, self.context, payload)["values"])
                if identity:
                    checker.know_identity(identity, row_no)

    def _finish(self, checker: Checker) -> None:
        elsewhere = {int(label) for (label,) in scoped_rows(self.uow.session, sql.LABELS, self.params)}
        by_row: dict[int, list[CellError]] = {}
        for error in checker.finish(lambda label, lost: self.row_keys.label(label, lost=lost) in elsewhere):
            by_row.setdefault(error.row, []).append(error)
        rows = ((row_no, errors_json(errors), len(errors)) for row_no, errors in sorted(by_row.items()))
        if stage_rows(self.uow.session, "stage_import_cross", sql.CROSS, rows):
            self._run(sql.ADD_CROSS)

    def _counted(self, before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
        """The batch's counts: of rows and errors anew, of the dry run by the difference."""
        ((rows, errors, wrong, households, valid, out),) = scoped_rows(self.uow.session, sql.COUNTS, self.params)
        old = self.batch.counts
        numbers = {key: max(0, int(old.get(key, 0)) - before[key] + after[key]) for key in self.judge.numbers}
        groups = Counter({key: int(n) for key, n in (old.get("groups") or {}).items()})
        groups.subtract({key: n for key, n in before["groups"].items() if key in groups})
        groups.update(after["groups"])
        groups = +groups
        kept = [sample for sample in old.get("samples", []) if sample not in before["samples"]]
        named = {"rows": [sample["row"] for sample in kept if "row" in sample]}
        judged = {row_no for (row_no,) in scoped_rows(self.uow.session, sql.AMONG_AGAIN, named)}
        kept = [sample for sample in kept if sample.get("row") not in judged] + after["samples"]
        return {
            **old,
            **numbers,
            "rows": rows,
            "persons": rows,
            "left_out": out,
            "households": households,
            "errors": int(errors),
            "error_rows": wrong,
            "valid_households": valid,
            "groups": dict(groups),
            "groups_new": len(groups),
            "samples": enough(kept),
            "conflicts": [],
        }
