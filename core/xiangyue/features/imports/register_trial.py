"""The dry run of a declared register: what its own check says of the rows, and which of them it does not take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from itertools import islice
from typing import Any

import orjson

from xiangyue.access.crypto import TenantKeys
from xiangyue.db.scope import Scope
from xiangyue.db.sql import scoped_sql, stage_rows
from xiangyue.db.uow import Uow
from xiangyue.features.imports.models import ImportBatch
from xiangyue.features.imports.register_hand import CHUNK, Hand, cell_errors
from xiangyue.features.imports.register_refs import Resolver
from xiangyue.features.imports.registers import speaking_column
from xiangyue.features.imports.roster_check import shown
from xiangyue.features.imports.roster_messages import CellError
from xiangyue.features.imports.roster_places import row_text, sheet_names
from xiangyue.features.imports.staging import cells_of, ready_rows
from xiangyue.features.imports.trial import COMPARING, CROSS, FIRST_NEW, LEAVE_OUT, SAMPLES, Watch
from xiangyue.plugin.offer import Contributor
from xiangyue.plugin.registers import ImportRegister, RegisterRow, RowOutlook
from xiangyue.text.phone import mask_phone

#: What a dry run counts.
NUMBERS = ("records_new", "records_changed", "records_unchanged")


@dataclass(slots=True)
class Tried:
    """``errors``: of rows that are not taken; the rest is of those that are."""

    rows: int = 0
    numbers: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(NUMBERS, 0)))
    samples: list[dict[str, Any]] = field(default_factory=list)
    errors: list[CellError] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """As the counts of a batch have it."""
        return {**self.numbers, "samples": self.samples, "groups": {}}


class Comparer:
    """Says chunk by chunk what rows would do."""

    def __init__(
        self,
        uow: Uow,
        keys: TenantKeys,
        found: tuple[Contributor, ImportRegister],
        scope: Scope,
        batch: ImportBatch,
    ) -> None:
        self.register = found[1]
        self._row_text = partial(row_text, sheets=sheet_names(batch.header))
        self.hand = Hand(uow, *found, scope)
        self._resolver = Resolver(uow, keys, scope, self.register)
        #: Record -> the row that is about it.
        self._records: dict[int, int] = {}

    def compare(
        self, staged: Sequence[tuple[int, dict[str, Any]]]
    ) -> tuple[list[tuple[RegisterRow, RowOutlook]], list[CellError]]:
        """(rows that may be written with what that would do, what is wrong with the others)."""
        rows, errors = self._resolver.rows(staged)
        good = []
        for row, outlook in zip(rows, self.hand.check(rows), strict=True):
            if outlook.faults:
                errors += cell_errors(self.register, outlook)
            elif outlook.record is not None and self._records.setdefault(outlook.record, row.number) != row.number:
                params = {"first_row": self._row_text(self._records[outlook.record])}
                errors.append(CellError(row.number, speaking_column(self.register), "record_twice", params))
            else:
                good.append((row, outlook))
        return good, errors


def in_chunks(rows: Iterator[tuple[int, dict[str, Any]]]) -> Iterator[list[tuple[int, dict[str, Any]]]]:
    while chunk := list(islice(rows, CHUNK)):
        yield chunk


def compare_rows(
    watch: Watch, uow: Uow, keys: TenantKeys, batch: ImportBatch, comparer: Comparer, *, again: bool = False
) -> Tried:
    """What writing the staged rows would do; ``again``: of those in ``stage_again`` alone. Writes nothing."""
    made = Tried()
    total = int(batch.counts.get("households", 0))
    watch.progress(0, total, COMPARING)
    for chunk in in_chunks(ready_rows(uow, keys, batch.id, again=again)):
        watch.check_cancelled()
        good, errors = comparer.compare(chunk)
        made.errors += errors
        for row, outlook in good:
            made.rows += 1
            note(made, comparer.register, outlook, row.number)
        watch.progress(made.rows, max(total, made.rows), COMPARING)
    return made


def note(made: Tried, register: ImportRegister, outlook: RowOutlook, row_no: int) -> None:
    """Count a row, and keep it as an example of what is new or changes: of phones no more than a list shows."""
    kind = "new" if outlook.record is None else "unchanged" if outlook.unchanged else "changed"
    made.numbers[f"records_{kind}"] += 1
    if kind == "new" and made.numbers["records_new"] <= FIRST_NEW:
        after = {key: _shown(register, key, value) for key, value in outlook.after.items()}
        made.samples.append({
            "entity": "record", "label": outlook.name, "before": None, "row": row_no,
            "after": {key: value for key, value in after.items() if value or value is False},
        })  # fmt: skip
    elif kind == "changed" and made.numbers["records_changed"] <= SAMPLES:
        keys = [key for key, value in outlook.after.items() if outlook.before.get(key) != value]
        made.samples.append({
            "entity": "record", "label": outlook.name,
            "before": {key: _shown(register, key, outlook.before.get(key)) for key in keys},
            "after": {key: _shown(register, key, outlook.after[key]) for key in keys},
        })  # fmt: skip


def _shown(register: ImportRegister, key: str, value: Any) -> Any:
    column = register.column(key)
    return mask_phone(value) if value and column is not None and column.kind == "phone" else plain(value)


def plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def leave_out(uow: Uow, keys: TenantKeys, batch: ImportBatch, errors: Sequence[CellError]) -> None:
    """Note what is wrong at the cells and take their rows out."""
    cells = cells_of(uow, keys, batch.id, sorted({error.row for error in errors}))
    by_row: dict[int, list[dict[str, Any]]] = {}
    for error in errors:
        told = error.as_dict()
        told["shown_value"] = shown(error.column, cells.get(error.row, {}).get(error.column))
        by_row.setdefault(error.row, []).append(told)
    staged = ((row_no, orjson.dumps(found).decode(), len(found)) for row_no, found in sorted(by_row.items()))
    if stage_rows(uow.session, "stage_import_cross", CROSS, staged):
        scoped_sql(uow.session, LEAVE_OUT, {"batch": batch.id})
