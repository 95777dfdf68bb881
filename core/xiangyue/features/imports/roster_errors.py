# data: zh
"""The error workbook: the rows that could not be taken, as they were, with what is wrong beside them.

It has the roster's own headers, so it is corrected in place and uploaded again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import IO, Any

import xlsxwriter

from xiangyue.features.imports.roster_columns import KEY_HEADER, NOTE_HEADER, ROW_HEADER, Column
from xiangyue.features.imports.roster_messages import CellError, problem_of
from xiangyue.features.imports.roster_places import row_text
from xiangyue.features.imports.roster_read import Cell, RosterRow
from xiangyue.features.imports.roster_template import SHEET_NAMES
from xiangyue.i18n import current_locale, pick
from xiangyue.i18n import gettext as _
from xiangyue.text.folding import cell_text

#: Comments make spreadsheets slow; further wrong cells have their colour and the note of the row.
MAX_COMMENTS = 3_000
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def write_error_workbook(
    stream: IO[bytes],
    columns: Sequence[Column],
    rows_with_errors: Iterable[tuple[RosterRow, Sequence[CellError]]],
    sheets: Sequence[str] = (),
    key_of: Callable[[RosterRow], str] | None = None,
) -> int:
    """Write an .xlsx of rows with their errors, in the current language; gives the number of rows.

    ``columns``: of the county; ``rows_with_errors``: in the sheet's order; ``sheets``: names of the file's sheets,
    where several were read. Give whole households: rows without errors belong in between, otherwise a corrected
    member comes back without its head. Values are the original ones (whoever may download this may see them), all of
    them as text, so that nothing in them runs as a formula and no number is cut; wrong cells are coloured and
    commented; a column says what to mend, the next which row of the file this is, and a hidden one has ``key_of`` the
    row, by which it is known when the workbook comes back (`workbook_back`).
    """
    locale = current_locale()
    book = xlsxwriter.Workbook(
        stream, {"constant_memory": True, "strings_to_urls": False, "strings_to_formulas": False}
    )
    sheet = book.add_worksheet(SHEET_NAMES[locale])
    head = book.add_format({"bold": True, "bg_color": "#E8F1EC", "border": 1, "num_format": "@"})
    plain = book.add_format({"num_format": "@"})
    wrong = book.add_format({"num_format": "@", "bg_color": "#FBE4DF", "border": 1, "border_color": "#B3261E"})
    note = book.add_format({"num_format": "@", "text_wrap": True, "font_color": "#B3261E"})
    # The spreadsheet keeps a leading apostrophe, so that editing the cell does not turn it into a formula either.
    quoted = {
        "plain": book.add_format({"num_format": "@", "quote_prefix": True}),
        "wrong": book.add_format(
            {"num_format": "@", "bg_color": "#FBE4DF", "border": 1, "border_color": "#B3261E", "quote_prefix": True}
        ),
    }
    for position, column in enumerate(columns):
        sheet.set_column(position, position, column.width, plain)
        sheet.write_string(0, position, column.label, head)
    last = len(columns)
    sheet.set_column(last, last, 70, note)
    sheet.write_string(0, last, pick(*NOTE_HEADER), head)
    sheet.set_column(last + 1, last + 1, 8, plain)
    sheet.write_string(0, last + 1, pick(*ROW_HEADER), head)
    if key_of is not None:
        sheet.set_column(last + 2, last + 2, 24, plain, {"hidden": True})
        sheet.write_string(0, last + 2, pick(*KEY_HEADER), head)
    sheet.freeze_panes(1, 0)
    count = comments = 0
    try:
        for row, errors in rows_with_errors:
            count += 1
            problems = _by_column(errors)
            for position, column in enumerate(columns):
                text = original_text(column, row.cells.get(column.key))
                found = problems.get(column.key)
                if text or found:
                    runs = text.startswith(_FORMULA_STARTS)
                    if found:
                        style = quoted["wrong"] if runs else wrong
                    else:
                        style = quoted["plain"] if runs else plain
                    sheet.write_string(count, position, text, style)
                if found and comments < MAX_COMMENTS:
                    comments += 1
                    sheet.write_comment(count, position, "\n".join(found), {"x_scale": 1.8, "author": ""})
            sheet.write_string(count, last + 1, str(row_text(row.number, sheets)), plain)
            if key_of is not None:
                sheet.write_string(count, last + 2, key_of(row), plain)
            if errors:
                sheet.write_string(count, last, _note(row, errors, columns, sheets), note)
    finally:
        # It keeps rows in a temporary file.
        book.close()
    return count


def _by_column(errors: Sequence[CellError]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for error in errors:
        found.setdefault(error.column, []).append(problem_of(error))
    return found


def _note(row: RosterRow, errors: Sequence[CellError], columns: Sequence[Column], sheets: Sequence[str]) -> str:
    labels: dict[str, Any] = {column.key: column.label for column in columns}
    listed = [
        _("%(column)s: %(problem)s", column=labels.get(error.column, error.column), problem=problem_of(error))
        for error in errors
    ]
    return _("Row %(row)s of the file.", row=row_text(row.number, sheets)) + " " + " ".join(listed)


def original_text(column: Column, value: Cell) -> str:
    """The cell as text that reads back as the same: dates and times in ISO, whole numbers without a point."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    if column.kind == "date" and isinstance(value, float | int) and not isinstance(value, bool):
        from xiangyue.text.dates import parse_date
        from xiangyue.text.problems import TextProblem

        # Only a number can be a spreadsheet's day; written as text it would not be one any more.
        try:
            return parse_date(value).isoformat()
        except TextProblem:
            return cell_text(value)
    return cell_text(value)
