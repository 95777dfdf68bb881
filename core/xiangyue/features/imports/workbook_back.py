"""The error workbook comes back corrected: which of its cells differ from what stands, and which rows are not taken."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from xiangyue.access.crypto import TenantKeys, blind_index
from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.features.imports import rework_sql as sql
from xiangyue.features.imports.roster_columns import KEY_HEADER, Column
from xiangyue.features.imports.roster_errors import original_text
from xiangyue.features.imports.roster_file import RosterFileError
from xiangyue.features.imports.roster_read import RosterRow, read_rows
from xiangyue.features.imports.staging import open_row, payload_context
from xiangyue.features.imports.trial import Watch
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.text import idnumber

READING = _l("Reading the corrected rows")
KEY = "row_key"
KEY_COLUMN = Column(KEY, *KEY_HEADER, "text")
#: Rows that were not taken are told one by one up to this many.
MOST_TOLD = 100
_CHUNK = 1000

#: Why a row of the workbook is not taken.
REASONS: dict[str, Any] = {
    "no_key": _l("has no repair key: it is a new row, or the key was deleted. Upload it as a file of its own."),
    "foreign": _l("belongs to another import."),
    "unknown": _l("names a row that this import does not have."),
    "twice": _l("stands in the workbook twice. Only the first one was taken."),
    "changed": _l("was mended on this page after the workbook was downloaded. Download it again."),
    "out": _l("is left out on this page. Take it back first."),
}


class RowMarks:
    """Keys of the rows of an error workbook: whose they are, and a mark of the cells they had."""

    def __init__(self, keys: TenantKeys, batch_id: int, columns: Sequence[Column]) -> None:
        self._keys, self._batch_id, self._columns = keys, batch_id, columns

    def __call__(self, row: RosterRow) -> str:
        cells = "\x1f".join(f"{c.key}\x1e{original_text(c, row.cells.get(c.key))}" for c in self._columns)
        digest = hashlib.sha256(cells.encode()).hexdigest()
        mark = blind_index(self._keys, "import.row", f"{self._batch_id}:{row.number}:{digest}").hex()[:16]
        return f"{self._batch_id}.{row.number}.{mark}"


@dataclass(slots=True)
class Corrections:
    """What came back. ``cells``: row of the file -> column -> text; ``refused``: (row of the workbook, key of
    `REASONS`), the first `MOST_TOLD`, of ``refused_count``; ``problem``: why the file cannot be read at all, in the
    current language, or ""."""

    cells: dict[int, dict[str, str]] = field(default_factory=dict)
    refused: list[tuple[int, str]] = field(default_factory=list)
    refused_count: int = 0
    problem: str = ""

    def refuse(self, row_no: int, why: str) -> None:
        self.refused_count += 1
        if len(self.refused) < MOST_TOLD:
            self.refused.append((row_no, why))


def read_corrections(
    watch: Watch, uow: Uow, keys: TenantKeys, batch_id: int, data: bytes, columns: Sequence[Column]
) -> Corrections:
    """Compare a returned workbook with the rows as they stand. Columns that were deleted from it stay as they are; a
    cell that was emptied is emptied. Only differences are kept in memory."""
    made = Corrections()
    try:
        sheet = read_rows(data, (*columns, KEY_COLUMN))
    except RosterFileError as error:
        if error.code != "no_header":
            made.problem = str(error.message)
            return made
        sheet = None
    if sheet is None or KEY not in sheet.columns:
        made.problem = _(
            "This is not the error workbook of an import: it has no column “%(column)s”. Download it again.",
            column=KEY_COLUMN.label,
        )
        return made
    there = [column for column in columns if column.key in sheet.columns]
    marks = RowMarks(keys, batch_id, columns)
    seen: set[int] = set()
    chunk: list[tuple[RosterRow, int, str]] = []
    for count, row in enumerate(sheet.rows, 1):
        if count % _CHUNK == 0:
            watch.progress(count, sheet.row_count, READING)
            watch.check_cancelled()
        why, row_no, key = _named(row, batch_id, seen)
        if why:
            made.refuse(row.number, why)
            continue
        seen.add(row_no)
        chunk.append((row, row_no, key))
        if len(chunk) == _CHUNK:
            _compare(uow, keys, batch_id, chunk, there, marks, made)
            chunk = []
    _compare(uow, keys, batch_id, chunk, there, marks, made)
    return made


def _masked(column: str, before: Mapping[str, str]) -> str:
    """What stands in the workbook in place of a citizen number that the register filled in."""
    return idnumber.mask(before[column]) if column == "id_number" else before[column]


def _named(row: RosterRow, batch_id: int, seen: set[int]) -> tuple[str, int, str]:
    """(why it is not taken or "", row of the file, its key)."""
    key = str(row.cells.get(KEY) or "").strip()
    parts = key.split(".")
    if len(parts) != 3 or not (parts[0].isdigit() and parts[1].isdigit()):
        return "no_key", 0, key
    if int(parts[0]) != batch_id:
        return "foreign", 0, key
    row_no = int(parts[1])
    return ("twice" if row_no in seen else ""), row_no, key


def _compare(
    uow: Uow,
    keys: TenantKeys,
    batch_id: int,
    chunk: Sequence[tuple[RosterRow, int, str]],
    columns: Sequence[Column],
    marks: RowMarks,
    made: Corrections,
) -> None:
    wanted = [row_no for _row, row_no, _key in chunk if row_no < 2**31]
    context = payload_context(uow.tenant_id)
    stored = {
        row_no: open_row(keys, context, payload)
        for row_no, payload in scoped_rows(uow.session, sql.PAYLOADS, {"batch": batch_id, "rows": wanted})
    }
    for row, row_no, key in chunk:
        whole = stored.get(row_no)
        if whole is None:
            made.refuse(row.number, "unknown")
            continue
        cells = whole["cells"]
        if marks(RosterRow(row_no, cells)) != key:
            made.refuse(row.number, "changed")
            continue
        out = (whole.get("mends") or {}).get("")
        if out and out[-1][1]:
            made.refuse(row.number, "out")
            continue
        given = {column.key: original_text(column, row.cells.get(column.key)).strip() for column in columns}
        before = {column.key: original_text(column, cells.get(column.key)).strip() for column in columns}
        changed = {
            column: text for column, text in given.items() if text not in (before[column], _masked(column, before))
        }
        if changed:
            made.cells[row_no] = changed
