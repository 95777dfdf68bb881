"""A ledger (台账) as a designed sheet: title, unit and day, headings in groups, ruled rows, a sum, a line to sign.

Made to be printed on A4 landscape and signed: the headings stand on every page, pages are counted, and the number of
the file stands at the head and foot of each.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import xlsxwriter

from xiangyue.files.workbook import IN_MEMORY, MEDIA_TYPE, Watermark, Written, defused, print_on_a4, sheet_name

_RULE, _GROUND = "#808080", "#EEF3EE"


@dataclass(frozen=True, slots=True)
class LedgerColumn:
    """``width`` in characters of the sheet; ``centred``: short codes, numbers and dates."""

    label: Any
    width: int = 10
    centred: bool = False


@dataclass(frozen=True, slots=True)
class ColumnGroup:
    """Columns under one heading; one column without a heading of its own above it has ""."""

    label: Any
    columns: tuple[LedgerColumn, ...]


@dataclass(slots=True)
class LedgerSheet:
    """What stands around the rows. ``left`` and ``right``: below the title; ``total(rows)`` and ``sign`` at the end,
    ``total`` asked once all rows are written."""

    title: str
    left: str
    right: str
    groups: Sequence[ColumnGroup]
    sign: str
    total: Callable[[int], Any] | None = None


def write_ledger(sheet: LedgerSheet, rows: Iterable[Sequence[Any]], *, watermark: Watermark) -> Written:
    """The ledger as .xlsx. Cells are text, whole numbers, dates or empty; the first column is counted here.

    Memory does not grow with the rows, so only cells of one row are merged. What ``rows`` raises goes on to the
    caller, and nothing is left behind.
    """
    stream = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - closed by whoever sends it
    try:
        count = _write(stream, sheet, rows, watermark)
        size = stream.seek(0, io.SEEK_END)
        stream.seek(0)
    except BaseException:
        stream.close()
        raise
    return Written(stream, count, size, "xlsx", MEDIA_TYPE)


def _write(stream: Any, sheet: LedgerSheet, rows: Iterable[Sequence[Any]], watermark: Watermark) -> int:
    columns = [column for group in sheet.groups for column in group.columns]
    last = len(columns) - 1
    with xlsxwriter.Workbook(stream, {"constant_memory": True}) as book:
        page = book.add_worksheet(sheet_name(sheet.title))
        styles = _Styles(book)
        for number, column in enumerate(columns):
            page.set_column(number, number, column.width)
        page.set_row(0, 36)
        page.merge_range(0, 0, 0, last, sheet.title, styles.title)
        middle = max(1, last // 2)
        page.set_row(1, 20)
        page.merge_range(1, 0, 1, middle, sheet.left, styles.left)
        page.merge_range(1, middle + 1, 1, last, sheet.right, styles.right)
        page.merge_range(2, 0, 2, last, defused(watermark.line), styles.mark)
        _headings(page, sheet.groups, styles)
        page.freeze_panes(5, 0)
        print_on_a4(page, 4, watermark.number)
        count = 0
        for count, row in enumerate(rows, 1):
            for number, value in enumerate((count, *row)):
                _cell(page, 4 + count, number, value, styles.centred if columns[number].centred else styles.cell)
        end = 5 + count
        if sheet.total is not None:
            page.merge_range(end, 0, end, last, str(sheet.total(count)), styles.sum)
            end += 1
        page.set_row(end, 28)
        page.merge_range(end, 0, end, last, sheet.sign, styles.sign)
    return count


class _Styles:
    def __init__(self, book: Any) -> None:
        ruled = {"border": 1, "border_color": _RULE, "valign": "vcenter", "font_size": 10, "text_wrap": True}
        centre = {"align": "center", "valign": "vcenter"}
        self.title = book.add_format({**centre, "bold": True, "font_size": 18})
        self.left = book.add_format({"valign": "vcenter"})
        self.right = book.add_format({"valign": "vcenter", "align": "right"})
        self.mark = book.add_format({"font_size": 8, "font_color": "#8A1F11", "valign": "vcenter"})
        self.head = book.add_format({**ruled, **centre, "bold": True, "bg_color": _GROUND})
        #: Two cells one above the other without a rule between: merged to the eye, which rows written in order allow.
        self.upper = book.add_format({**ruled, **centre, "bottom": 0, "bg_color": _GROUND})
        self.lower = book.add_format({**ruled, **centre, "bold": True, "top": 0, "bg_color": _GROUND})
        self.cell = book.add_format(ruled)
        self.centred = book.add_format({**ruled, **centre})
        self.sum = book.add_format({**ruled, "bold": True})
        self.sign = book.add_format({"valign": "bottom"})


def _headings(page: Any, groups: Sequence[ColumnGroup], styles: _Styles) -> None:
    at = 0
    for group in groups:
        width = len(group.columns)
        if width > 1:
            page.merge_range(3, at, 3, at + width - 1, str(group.label), styles.head)
        elif group.label:
            page.write_string(3, at, str(group.label), styles.head)
        else:
            page.write_blank(3, at, None, styles.upper)
        at += width
    page.set_row(4, 30)
    labels = [
        (column.label, styles.head if group.label else styles.lower) for group in groups for column in group.columns
    ]
    for number, (label, style) in enumerate(labels):
        page.write_string(4, number, str(label), style)


def _cell(page: Any, row: int, column: int, value: Any, style: Any) -> None:
    if value is None or value == "":
        page.write_blank(row, column, None, style)
    elif isinstance(value, int) and not isinstance(value, bool):
        page.write_number(row, column, value, style)
    elif isinstance(value, date):
        page.write_string(row, column, value.isoformat(), style)  # 1899 too, which a spreadsheet's dates do not know
    else:
        page.write_string(row, column, defused(str(value)), style)
