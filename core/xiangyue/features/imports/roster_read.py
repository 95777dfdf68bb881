# data: zh
"""Reading the rows of an uploaded roster: which sheet, which row is the header, which column is which.

Nothing is judged here but the headers; the cells go to `roster_check` as the spreadsheet holds them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any, NamedTuple

from xiangyue.features.imports.book import open_book
from xiangyue.features.imports.book_sheet import Sheet
from xiangyue.features.imports.roster_columns import NOTE_ROW, STANDARD_COLUMNS, TOTAL_ROW, Column
from xiangyue.features.imports.roster_file import MAX_ROWS, RosterFileError
from xiangyue.features.imports.roster_header import HEADER_ROWS, HeaderFinder, HeaderProblem
from xiangyue.features.imports.roster_match import SAMPLE_ROWS, FileColumn, file_columns, fingerprint
from xiangyue.text.folding import half_width, without_spaces

Cell = str | float | int | bool | date | datetime | time | timedelta | None


class RosterRow(NamedTuple):
    """``number``: the sheet's own, from 1. ``cells`` by column key, as the workbook holds them; empty ones
    are absent.
    """

    number: int
    cells: dict[str, Cell]


#: What is passed over or noticed: blank rows, remarks, totals, the header repeated; hidden rows, which are read.
SKIPPED = ("blank", "note", "total", "header", "hidden")


@dataclass(slots=True)
class RosterSheet:
    """A roster found in a workbook.

    ``header_row`` from 1; ``columns``: key -> position from 0; ``row_count``: rows below the header, blank
    ones among them; ``rows``: an iterator, to be read once; ``skipped``: counts by `SKIPPED`, complete after that;
    ``fingerprint``, ``file_columns``: see `roster_match`; ``others``: other sheets with something in them, as (name,
    whether they have a header of a roster too).
    """

    name: str
    header_row: int
    columns: dict[str, int]
    problems: list[HeaderProblem]
    row_count: int
    rows: Iterator[RosterRow]
    skipped: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SKIPPED, 0))
    others: list[tuple[str, bool]] = field(default_factory=list)
    fingerprint: str = ""
    file_columns: list[FileColumn] = field(default_factory=list)

    @property
    def blocking(self) -> list[HeaderProblem]:
        return [problem for problem in self.problems if problem.blocking]


def read_rows(
    data: bytes,
    columns: Sequence[Column] = STANDARD_COLUMNS,
    recall: Callable[[str], Mapping[int, str] | None] = lambda _fingerprint: None,
) -> RosterSheet:
    """Find the roster in an uploaded file and iterate over its rows.

    Takes the visible sheet with most known headings, the first of equals; blank rows, the template's example row,
    remarks, totals and repeated headers are passed over; row numbers stay the sheet's own. Header problems are in
    ``problems``; with a blocking one the rows must not be used.

    :raises RosterFileError: the file is no sound table, has too many rows, or no header row.
    """
    finder = HeaderFinder(columns)
    best: tuple[int, int, list[Any], Sheet] | None = None
    others: list[tuple[str, bool]] = []
    for sheet in open_book(data):
        found = finder.header_row(sheet.rows())
        if found is None or (best is not None and found[0] <= best[0]):
            if sheet.end is not None:
                others.append((sheet.name, found is not None))
            sheet.release()
            continue
        if best is not None:
            others.append((best[3].name, True))
            best[3].release()
        best = (*found, sheet)
    if best is None:
        wanted = "、".join(column.label for column in columns if column.required)
        raise RosterFileError("no_header", rows=HEADER_ROWS, headers=wanted)
    _, position, header, sheet = best
    below = (sheet.end[0] if sheet.end else 0) - position
    if below > MAX_ROWS:
        raise RosterFileError("too_many_rows", limit=MAX_ROWS)
    kind = fingerprint(header)
    chosen = recall(kind)
    mapping, problems = finder.map(header, position + 1) if chosen is None else finder.apply(header, chosen)
    skipped = dict.fromkeys(SKIPPED, 0)
    return RosterSheet(
        name=sheet.name,
        header_row=position + 1,
        columns=mapping,
        problems=problems,
        row_count=below,
        rows=_rows(sheet, position, header, mapping, skipped),
        skipped=skipped,
        others=others,
        fingerprint=kind,
        file_columns=file_columns(
            finder, header, position + 1, islice(sheet.rows(), position + 1, position + 1 + SAMPLE_ROWS), chosen
        ),
    )


def _rows(
    sheet: Sheet, position: int, header: list[Any], mapping: dict[str, int], skipped: dict[str, int]
) -> Iterator[RosterRow]:
    wanted = sorted((place, key) for key, place in mapping.items())
    hidden = sheet.facts.hidden
    first = wanted[0][0] if wanted else 0
    for number, values in enumerate(sheet.rows(), 1):
        if number <= position + 1:
            continue
        cells: dict[str, Cell] = {}
        for place, key in wanted:
            value = values[place]
            if value != "" and (value.__class__ is not str or not value.isspace()):
                cells[key] = value
        if not cells:
            skipped[_kind(values) if any(str(value).strip() for value in values) else "blank"] += 1
        elif kind := _note(values):
            skipped[kind] += 1
        elif values[first] == header[first] and all(values[place] == header[place] for place, _key in wanted):
            skipped["header"] += 1
        else:
            if number in hidden:
                skipped["hidden"] += 1
            yield RosterRow(number, cells)


def _kind(values: list[Any]) -> str:
    return _note(values) or "note"


def _note(values: list[Any]) -> str:
    """``total`` or ``note`` for a row that is no data, by its first filled cell; else ""."""
    for value in values:
        if value != "":
            if value.__class__ is not str:
                return ""
            text = half_width(value).strip()
            if TOTAL_ROW.fullmatch(without_spaces(text)):
                return "total"
            return "note" if NOTE_ROW.fullmatch(text) else ""
    return ""
