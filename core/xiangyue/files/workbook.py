"""A list as a file to take along, .xlsx or .csv: what is shown, in typed cells; rows are written as they come.

Text stays text: nothing that a person typed becomes a formula or a link, here or in a program that opens the CSV.
"""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import IO, Any

import xlsxwriter

from xiangyue.errors import Invalid
from xiangyue.i18n import TIMEZONE
from xiangyue.i18n import lazy_gettext as _l

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: Up to here a file stays in memory.
IN_MEMORY = 8 * 1024 * 1024
#: A spreadsheet counts with 15 digits and makes zeros of the rest.
_EXACT = 10**15
_CELL = 32_767
#: Excel's number of the paper.
_A4 = 9

Cells = Iterable[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Written:
    """A finished file: ``stream`` at its start, ``rows`` without the headings, ``size`` in bytes."""

    stream: IO[bytes]
    rows: int
    size: int
    extension: str
    media_type: str

    def pieces(self) -> Iterator[bytes]:
        """The file piece by piece; it goes with the last one."""
        with self.stream:
            while piece := self.stream.read(64 * 1024):
                yield piece


@dataclass(frozen=True, slots=True)
class Watermark:
    """Who took a file along, when and what for: ``line`` in words, and the ``number`` under which it is on record."""

    line: str
    number: str


def write_table(
    title: Any, headers: Sequence[Any], rows: Cells, *, format: str = "xlsx", watermark: Watermark | None = None
) -> Written:
    """A file of one sheet in one of ``FORMATS``.

    ``watermark`` stands above the headings and, by its number, at the head and foot of every printed page; in a CSV,
    whose first line is for the headings, it is the last line. Cells are text, whole or decimal numbers, dates, times
    (shown in Asia/Shanghai) or empty. Memory does not grow with the rows. What ``rows`` raises goes on to the caller,
    and nothing is left behind. Raises Invalid (format).
    """
    if format not in FORMATS:
        raise Invalid({"format": [_l("Choose one of the options.")]})
    extension, media_type, write = FORMATS[format]
    stream = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - closed by whoever sends it
    try:
        count = write(stream, str(title), [str(header) for header in headers], rows, watermark)
        size = stream.seek(0, io.SEEK_END)
        stream.seek(0)
    except BaseException:
        stream.close()
        raise
    return Written(stream, count, size, extension, media_type)


def defused(text: str) -> str:
    """Text that a spreadsheet takes as text even after it was saved as CSV and opened again."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _xlsx(stream: Any, title: str, headers: Sequence[str], rows: Cells, watermark: Watermark | None) -> int:
    options = {"constant_memory": True, "default_date_format": "yyyy-mm-dd"}
    count = 0
    with xlsxwriter.Workbook(stream, options) as book:
        sheet = book.add_worksheet(sheet_name(title))
        bold = book.add_format({"bold": True})
        moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        for column, header in enumerate(headers):
            sheet.set_column(column, column, max(12, min(40, 2 * len(header) + 4)))
        head = 0
        if watermark is not None:
            sheet.write_string(0, 0, defused(watermark.line)[:_CELL], book.add_format({"font_color": "#8A1F11"}))
            head = 1
        for column, header in enumerate(headers):
            sheet.write_string(head, column, defused(header), bold)
        sheet.freeze_panes(head + 1, 0)
        print_on_a4(sheet, head, watermark.number if watermark else "")
        for count, row in enumerate(rows, 1):
            for column, value in enumerate(row):
                _write(sheet, head + count, column, value, moment)
    return count


def print_on_a4(sheet: Any, head: int, number: str = "") -> None:
    """Landscape, as wide as the page; rows up to ``head`` again on every page, which says its number and the file's."""
    sheet.set_landscape()
    sheet.set_paper(_A4)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0, head)
    sheet.set_margins(left=0.4, right=0.4, top=0.6, bottom=0.6)
    if number:
        sheet.set_header(f"&R{number}")
    sheet.set_footer(f"&L{number}&C&P / &N")


def _write(sheet: Any, row: int, column: int, value: Any, moment: Any) -> None:
    if value is None or value == "":
        return
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _EXACT:
        sheet.write_number(row, column, value)
    elif isinstance(value, datetime):
        sheet.write_datetime(row, column, value.astimezone(TIMEZONE).replace(tzinfo=None), moment)
    elif isinstance(value, date):
        sheet.write_datetime(row, column, datetime(value.year, value.month, value.day))
    else:
        sheet.write_string(row, column, defused(str(value))[:_CELL])


def _csv(stream: Any, _title: str, headers: Sequence[str], rows: Cells, watermark: Watermark | None) -> int:
    """With a byte order mark, by which Excel knows UTF-8."""
    text = io.TextIOWrapper(stream, "utf-8-sig", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow([defused(header) for header in headers])
    count = 0
    for row in rows:
        writer.writerow([_plain(value) for value in row])
        count += 1
    if watermark is not None:
        writer.writerow([defused(watermark.line)])
    text.detach()
    return count


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(TIMEZONE).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, date):
        return value.isoformat()
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _EXACT):
        return value
    text = defused(str(value))
    # A household number of 16 digits would come out rounded; behind a tab it is read as text.
    return f"\t{text}" if text.isascii() and text.isdigit() and len(text) > 11 else text


def sheet_name(title: str) -> str:
    """Excel's rules: at most 31 characters, none of these."""
    return "".join("-" if c in "[]:*?/\\" else c for c in title)[:31] or "1"


#: Key -> (extension, media type, writer).
FORMATS: dict[str, tuple[str, str, Callable[[Any, str, Sequence[str], Cells, Watermark | None], int]]] = {
    "xlsx": ("xlsx", MEDIA_TYPE, _xlsx),
    "csv": ("csv", "text/csv; charset=utf-8", _csv),
}
