"""A list as a spreadsheet: what is shown, with typed cells; rows are written out as they come."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import IO, Any

import xlsxwriter

from xiangyue.i18n import TIMEZONE

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def write_workbook(title: Any, headers: Sequence[Any], rows: Iterable[Sequence[Any]]) -> IO[bytes]:
    """An .xlsx with one sheet, positioned at its start.

    Cells are text, whole or decimal numbers, dates, times (shown in Asia/Shanghai) or empty. Text is always text:
    nothing that a person typed becomes a formula or a link.
    """
    stream = io.BytesIO()
    options = {"constant_memory": True, "default_date_format": "yyyy-mm-dd", "in_memory": False}
    with xlsxwriter.Workbook(stream, options) as book:
        sheet = book.add_worksheet(_sheet_name(str(title)))
        bold = book.add_format({"bold": True})
        moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        sheet.freeze_panes(1, 0)
        for column, header in enumerate(headers):
            sheet.set_column(column, column, max(12, min(40, 2 * len(str(header)) + 4)))
            sheet.write_string(0, column, str(header), bold)
        for number, row in enumerate(rows, 1):
            for column, value in enumerate(row):
                _write(sheet, number, column, value, moment)
    stream.seek(0)
    return stream


def _write(sheet: Any, row: int, column: int, value: Any, moment: Any) -> None:
    if value is None or value == "":
        return
    if isinstance(value, bool | str):
        sheet.write_string(row, column, str(value)[:32767])
    elif isinstance(value, int | float):
        if isinstance(value, int) and abs(value) >= 10**15:  # a spreadsheet would round it
            sheet.write_string(row, column, str(value))
        else:
            sheet.write_number(row, column, value)
    elif isinstance(value, datetime):
        sheet.write_datetime(row, column, value.astimezone(TIMEZONE).replace(tzinfo=None), moment)
    elif isinstance(value, date):
        sheet.write_datetime(row, column, datetime(value.year, value.month, value.day))
    else:
        sheet.write_string(row, column, str(value)[:32767])


def _sheet_name(title: str) -> str:
    """Excel's rules: at most 31 characters, none of these."""
    return "".join("-" if c in "[]:*?/\\" else c for c in title)[:31] or "1"
