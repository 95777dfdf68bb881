# data: zh
"""Reading the rows of an uploaded roster: which sheet, which row is the header, which column is which.

Nothing is judged here but the headers; the cells go to `roster_check` as the spreadsheet holds them.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple

from xiangyue.features.imports.book import open_book
from xiangyue.features.imports.book_sheet import Sheet
from xiangyue.features.imports.roster_columns import EXAMPLE_SHEET, NOTE_ROW, STANDARD_COLUMNS, TOTAL_ROW, Column
from xiangyue.features.imports.roster_file import MAX_ROWS, RosterFileError
from xiangyue.features.imports.roster_fill import Above
from xiangyue.features.imports.roster_header import HEADER_ROWS, HeaderFinder, HeaderProblem
from xiangyue.features.imports.roster_match import SAMPLE_ROWS, FileColumn, file_columns, fingerprint
from xiangyue.features.imports.roster_places import MOST_SHEETS, number_of
from xiangyue.features.imports.roster_wide import WideFinder, grouped, members_of, persons_of
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
    whether they have a header of a roster too). ``index``: from 0 among the sheets with a header, which the numbers of
    its rows tell (`roster_places`); ``members``: of a sheet with one row for each household, how many members have
    columns of their own (`roster_wide`); ``read``: whether it is among those that are to be read; ``above``: what fills
    its rows from those above, and has their number after reading.
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
    index: int = 0
    members: int | None = None
    read: bool = True
    known: int = 0
    above: Above | None = None

    @property
    def blocking(self) -> list[HeaderProblem]:
        return [problem for problem in self.problems if problem.blocking]


@dataclass(slots=True)
class RosterBook:
    """``found``: sheets with the header of a roster; ``others``: names of those with something else in them."""

    found: list[RosterSheet]
    others: list[str]

    @property
    def sheets(self) -> list[RosterSheet]:
        """Those to be read."""
        return [sheet for sheet in self.found if sheet.read]

    @property
    def aside(self) -> list[tuple[str, bool]]:
        """Sheets that are not read: (name, whether they have a header of a roster)."""
        return [
            *((sheet.name, True) for sheet in self.found if not sheet.read),
            *((name, False) for name in self.others),
        ]


Recall = Callable[[str, int], Mapping[int, str] | None]


def read_rows(
    data: bytes, columns: Sequence[Column] = STANDARD_COLUMNS, recall: Recall = lambda _fingerprint, _sheet: None
) -> RosterSheet:
    """The one roster of a file (`read_book`): of several sheets that with most known headings, the first of equals."""
    book = read_book(data, columns, recall, fill=False)
    best = max(book.found, key=lambda sheet: sheet.known)
    best.others = [
        *((sheet.name, True) for sheet in book.found if sheet is not best),
        *((n, False) for n in book.others),
    ]
    return best


def read_book(
    data: bytes,
    columns: Sequence[Column] = STANDARD_COLUMNS,
    recall: Recall = lambda _fingerprint, _sheet: None,
    wanted: Container[str] | None = None,
    asked: Mapping[str, str] | None = None,
    *,
    decided: Mapping[str, str] | None = None,
    wide: bool = True,
    fill: bool = True,
) -> RosterBook:
    """Find the rosters in an uploaded file, to iterate over their rows.

    ``recall(fingerprint, sheet)``: where the columns go, if a person has decided that; ``wanted``: names of the sheets
    to read; ``asked``: where columns go as somebody said in advance (`HeaderFinder.resolve`);
    ``decided``: where headings that are not known went before (`HeaderFinder`); ``wide``: whether a row may be a
    household; where not, two known headings make a header; ``fill``: whether rows of a roster are completed
    from those above (`roster_fill`). Without ``wanted``, the sheet with most known headings is read and every other
    whose header is whole, but examples. Blank rows, the template's example row, remarks, totals and repeated headers
    are passed over; a sheet with one row for each household gives a row for each person. Header problems are in
    ``problems``; with a blocking one the rows must not be used.

    :raises RosterFileError: the file is no sound table, has too many rows, or no header row.
    """
    found: list[RosterSheet] = []
    others: list[str] = []
    last: Sheet | None = None
    for sheet in open_book(data):
        if last is not None:
            last.release()  # one at a time
        last = sheet
        known = len(found) < MOST_SHEETS
        roster = _roster(sheet, columns, recall, len(found), asked, decided, wide, fill and wide) if known else None
        if roster is not None:
            found.append(roster)
        elif sheet.end is not None:
            others.append(sheet.name)
    if not found:
        needed = "、".join(column.label for column in columns if column.required)
        raise RosterFileError("no_header", rows=HEADER_ROWS, headers=needed)
    best = max(found, key=lambda sheet: sheet.known)
    for one in found:
        if wanted is not None:
            one.read = one.name in wanted
        else:
            one.read = one is best or (not one.blocking and one.row_count > 0 and not EXAMPLE_SHEET.search(one.name))
    if not any(one.read for one in found):
        best.read = True
    if sum(one.row_count for one in found if one.read) > MAX_ROWS:
        raise RosterFileError("too_many_rows", limit=MAX_ROWS)
    book = RosterBook(found, others)
    # Of most files the sheet that was looked at last is the one that is read first: it need not be loaded again.
    if last is not None and book.sheets[0] is not roster:
        last.release()
    return book


def _roster(
    sheet: Sheet,
    columns: Sequence[Column],
    recall: Recall,
    index: int,
    asked: Mapping[str, str] | None,
    decided: Mapping[str, str] | None,
    wide: bool,
    fill: bool,
) -> RosterSheet | None:
    """The roster in a sheet, or None."""
    finder = HeaderFinder(columns, decided)
    of_homes = WideFinder(columns)
    if wide:
        best = finder.header_row(sheet.rows()) or of_homes.header_row(sheet.rows())
    else:
        best = finder.header_row(sheet.rows(), 2)
    if best is None:
        return None
    known, position, header = best
    upper = next(islice(sheet.rows(), position - 1, position), []) if position else []
    named = grouped(header, upper)
    members = members_of(of_homes, named) if wide else None
    if members is not None:
        header, finder = named, WideFinder(columns, members)
    below = (sheet.end[0] if sheet.end else 0) - position
    if below > MAX_ROWS:
        raise RosterFileError("too_many_rows", limit=MAX_ROWS)
    kind = fingerprint(header)
    chosen = recall(kind, index)
    if chosen is None and asked:
        chosen = finder.resolve(header, asked)
    mapping, problems = finder.map(header, position + 1) if chosen is None else finder.apply(header, chosen)
    skipped = dict.fromkeys(SKIPPED, 0)
    above = Above(mapping, sheet.merges, persons=members is None) if fill else None
    rows = _rows(sheet, position, header, mapping, skipped, above)
    persons = {column.key for column in columns if column.entity == "person"}
    return RosterSheet(
        name=sheet.name,
        header_row=position + 1,
        columns=mapping,
        problems=problems,
        row_count=below,
        rows=_numbered(rows, index, None if members is None else persons),
        skipped=skipped,
        fingerprint=kind,
        file_columns=file_columns(
            finder, header, position + 1, islice(sheet.rows(), position + 1, position + 1 + SAMPLE_ROWS), chosen
        ),
        index=index,
        members=members,
        known=known,
        above=above,
    )


def _numbered(rows: Iterator[RosterRow], index: int, persons: Container[str] | None) -> Iterator[RosterRow]:
    """Rows with numbers that tell their sheet; those of households as rows of persons."""
    for row in rows:
        if persons is None:
            yield row if not index else RosterRow(number_of(index, row.number), row.cells)
            continue
        for member, cells in persons_of(row.cells, persons):
            yield RosterRow(number_of(index, row.number, member), cells)


def _rows(
    sheet: Sheet,
    position: int,
    header: list[Any],
    mapping: dict[str, int],
    skipped: dict[str, int],
    above: Above | None,
) -> Iterator[RosterRow]:
    wanted = sorted((place, key) for key, place in mapping.items())
    hidden = sheet.facts.hidden
    first = wanted[0][0] if wanted else 0
    for number, values in enumerate(sheet.rows(), 1):
        if number <= position + 1:
            continue
        cells: dict[str, Cell] = {
            key: value
            for place, key in wanted
            if (value := values[place]) != "" and (value.__class__ is not str or not value.isspace())
        }
        if not cells:
            skipped[_kind(values) if any(str(value).strip() for value in values) else "blank"] += 1
            if above is not None:
                above.part()
        elif kind := _note(values):
            skipped[kind] += 1
            if above is not None:
                above.part()
        elif values[first] == header[first] and all(values[place] == header[place] for place, _key in wanted):
            skipped["header"] += 1  # a page's end inside a household
        elif above is not None and (kind := above.read(number, cells, values)):
            skipped[kind] += 1
        else:
            if number in hidden:
                skipped["hidden"] += 1
            yield RosterRow(number, cells)
    sheet.release()


def _kind(values: list[Any]) -> str:
    return _note(values) or "note"


def _note(values: list[Any]) -> str:
    """``total`` or ``note`` for a row that is no data, by its first filled cell; else ""."""
    for value in values:
        if value != "":
            return _note_text(value) if value.__class__ is str else ""
    return ""


@lru_cache(maxsize=1024)
def _note_text(value: str) -> str:
    text = half_width(value).strip()
    if TOTAL_ROW.fullmatch(without_spaces(text)):
        return "total"
    return "note" if NOTE_ROW.fullmatch(text) else ""
