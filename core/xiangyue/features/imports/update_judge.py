"""Judging rows of a file that changes some columns: completed from the register, values cleared by a word, and rows
whose record was not found, until their key is mended."""

from __future__ import annotations

from typing import Any

from xiangyue.db.uow import Uow
from xiangyue.features.imports.judging import Checker, Judge
from xiangyue.features.imports.models import ImportBatch
from xiangyue.features.imports.roster_check import CheckedRow
from xiangyue.features.imports.roster_messages import CellError
from xiangyue.features.imports.roster_read import RosterRow
from xiangyue.features.imports.roster_update import FOUND, Completer, is_clear, update_columns
from xiangyue.runtime import Runtime
from xiangyue.text.codes import HEAD
from xiangyue.text.folding import cell_text

#: Columns of the roster that may say nothing; own fields may where the county does not ask for them.
CLEARABLE = frozenset(("phone", "nationality", "address", "household_income"))


class UpdateJudge(Judge):
    """Of files that change some columns."""

    by_itself = False

    def __init__(self, runtime: Runtime, uow: Uow, batch: ImportBatch) -> None:
        super().__init__(runtime, uow, batch)
        self._asked = {column.key: column for column in self.columns}
        self.columns = update_columns(self.columns)
        self.completer = Completer(uow, runtime.tenant_keys(uow), self.scope, self.columns, self.areas)
        #: Judges rows whose record was not found, which are no part of any household.
        self._aside = self.checker()

    def check(self, checker: Checker, row: RosterRow) -> CheckedRow:
        """As of a roster, with ``clear`` among the values: columns whose value is to go."""
        if FOUND not in row.cells:
            values = self._aside.check_row(row).values
            return CheckedRow(row.number, values, [self.completer.lost(row)])
        said = [key for key, value in row.cells.items() if is_clear(value)]
        if not said:
            return super().check(checker, row)
        checked = super().check(checker, RosterRow(row.number, {k: v for k, v in row.cells.items() if k not in said}))
        refused = {key: code for key in said if (code := self._refusal(key, checked.values))}
        errors = [error for error in checked.errors if error.column not in refused]
        errors += [
            CellError(row.number, key, code, {}, cell_text(row.cells[key])[:20]) for key, code in refused.items()
        ]
        if "household_income" in said and checked.values["income_year"] is None:
            errors.append(CellError(row.number, "income_year", "income_year_missing"))
        checked.values["clear"] = sorted(set(said) - set(refused))
        return CheckedRow(row.number, checked.values, errors)

    def _refusal(self, key: str, values: dict[str, Any]) -> str:
        """Why a column cannot be cleared in a row; "" where it can."""
        column = self._asked.get(key)
        if column is None or column.offered or not (key in CLEARABLE or column.custom):
            return "clear_refused"
        if column.required:
            return "clear_required"
        return "clear_twice" if column.entity == "household" and values["relation"] != HEAD else ""

    def mend(self, row: Any) -> RosterRow | None:
        """Complete a row (`rework.MendedRow`) whose record is found now that its key is mended; it goes back with that
        repair. Returns the row of the household's head, if the row is not its own."""
        if FOUND in row.cells or not row.repairs or row.out:
            return None
        *heads, (done, lost) = self.completer.complete([RosterRow(row.row_no, dict(row.cells))])
        if lost is not None:
            return None
        last = row.repairs[-1]
        for key in {**row.cells, **done.cells}:
            if row.cells.get(key) != done.cells.get(key):
                row.put(last, key, done.cells.get(key))
        return heads[0][0] if heads else None
