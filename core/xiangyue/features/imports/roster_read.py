# data: zh
"""Reading the rows of an uploaded roster: which sheet, which row is the header, which column is which.

Nothing is judged here but the headers; the cells go to `roster_check` as the spreadsheet holds them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from python_calamine import CalamineError, CalamineSheet, SheetTypeEnum, SheetVisibleEnum

from xiangyue.features.imports.roster_columns import (
    IGNORED_HEADERS,
    NOTE_ROW,
    STANDARD_COLUMNS,
    Column,
    bare_header,
    fold_header,
)
from xiangyue.features.imports.roster_file import MAX_ROWS, RosterFileError, open_workbook
from xiangyue.i18n import LazyText, gettext
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.text.folding import half_width

Cell = str | float | int | bool | date | datetime | time | timedelta | None

#: Rows in which the header is looked for.
HEADER_ROWS = 20
#: Headings that must be known for a row to be the header.
_ENOUGH = 3


class RosterRow(NamedTuple):
    """``number``: the sheet's own, from 1. ``cells`` by column key, as the workbook holds them; empty ones
    are absent.
    """

    number: int
    cells: dict[str, Cell]


@dataclass(frozen=True, slots=True)
class HeaderProblem:
    """``code``: header_missing, header_duplicate, header_unknown, header_ignored. ``cell``: where, such as
    ``F3``.
    ``suggestion``: the header that was likely meant. ``blocking``: reading on would lose data."""

    code: str
    header: str
    cell: str = ""
    suggestion: str = ""
    blocking: bool = True

    def as_dict(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "header": self.header,
            "cell": self.cell,
            "suggestion": self.suggestion,
            "blocking": self.blocking,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> HeaderProblem:
        return cls(**data)


HEADER_MESSAGES: dict[str, LazyText] = {
    "header_missing": _l("Column “%(header)s” is missing. Add it to the header row."),
    "header_duplicate": _l("Column “%(header)s” stands there twice, again in %(cell)s. Delete one of them."),
    "header_unknown": _l("Column “%(header)s” in %(cell)s is not known. Did you mean “%(suggestion)s”?"),
    "header_ignored": _l("Column “%(header)s” in %(cell)s is not part of the roster and is passed over."),
}


def describe_header(problem: HeaderProblem) -> str:
    """What is wrong with a header, where, and what to do, in the current language."""
    return gettext(
        HEADER_MESSAGES[problem.code].message,
        header=problem.header,
        cell=problem.cell,
        suggestion=problem.suggestion,
    )


@dataclass(slots=True)
class RosterSheet:
    """A roster found in a workbook.

    ``header_row`` from 1; ``columns``: key -> position from 0; ``row_count``: rows below the header, blank
    ones among them; ``rows``: an iterator, to be read once; ``skipped``: counts of blank rows and notes,
    complete after that.
    """

    name: str
    header_row: int
    columns: dict[str, int]
    problems: list[HeaderProblem]
    row_count: int
    rows: Iterator[RosterRow]
    skipped: dict[str, int] = field(default_factory=lambda: {"blank": 0, "note": 0})

    @property
    def blocking(self) -> list[HeaderProblem]:
        return [problem for problem in self.problems if problem.blocking]


def read_rows(data: bytes, columns: Sequence[Column] = STANDARD_COLUMNS) -> RosterSheet:
    """Find the roster in an .xlsx file and iterate over its rows.

    Takes the first visible sheet with a header row; blank rows, the template's example row, remarks and
    totals are passed over; row numbers stay the sheet's own. Header problems are in ``problems``; with a
    blocking one the rows must not be used.

    :raises RosterFileError: the file is no sound workbook, has too many rows, or no header row.
    """
    workbook = open_workbook(data)
    finder = _HeaderFinder(columns)
    best: tuple[int, int, list[Any], CalamineSheet] | None = None
    for index, sheet_info in enumerate(workbook.sheets_metadata):
        if sheet_info.typ != SheetTypeEnum.WorkSheet or sheet_info.visible != SheetVisibleEnum.Visible:
            continue
        try:
            sheet = workbook.get_sheet_by_index(index)
        except (CalamineError, ValueError, OSError):
            raise RosterFileError("corrupt") from None
        found = finder.header_row(sheet)
        if found is not None and (best is None or found[0] > best[0]):
            best = (*found, sheet)
    if best is None:
        wanted = "、".join(column.label for column in columns if column.required)
        raise RosterFileError("no_header", rows=HEADER_ROWS, headers=wanted)
    _, position, header, sheet = best
    below = (sheet.end[0] if sheet.end else 0) - position
    if below > MAX_ROWS:
        raise RosterFileError("too_many_rows", limit=MAX_ROWS)
    mapping, problems = finder.map(header, position + 1)
    skipped = {"blank": 0, "note": 0}
    return RosterSheet(
        name=sheet.name,
        header_row=position + 1,
        columns=mapping,
        problems=problems,
        row_count=below,
        rows=_rows(sheet, position, mapping, skipped),
        skipped=skipped,
    )


def _rows(sheet: CalamineSheet, header: int, mapping: dict[str, int], skipped: dict[str, int]) -> Iterator[RosterRow]:
    wanted = sorted((position, key) for key, position in mapping.items())
    for number, values in enumerate(sheet.iter_rows(), 1):
        if number <= header + 1:
            continue
        cells: dict[str, Cell] = {}
        for position, key in wanted:
            value = values[position]
            if value != "" and (value.__class__ is not str or not value.isspace()):
                cells[key] = value
        if not cells:
            skipped["note" if any(str(value).strip() for value in values) else "blank"] += 1
        elif _is_note(values):
            skipped["note"] += 1
        else:
            yield RosterRow(number, cells)


def _is_note(values: list[Any]) -> bool:
    for value in values:
        if value != "":
            return value.__class__ is str and NOTE_ROW.fullmatch(half_width(value).strip()) is not None
    return False


class _HeaderFinder:
    """Knows the headings of the columns."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self.columns = columns
        self.by_key = {column.key: column for column in columns}
        self.ignored = {fold_header(text) for text in IGNORED_HEADERS}
        self.known: dict[str, str] = {}
        for column in columns:
            for text in (column.zh, column.en):
                self.known.setdefault(fold_header(text), column.key)
        for column in columns:
            for text in (bare_header(column.zh), bare_header(column.en), *map(fold_header, column.aliases)):
                self.known.setdefault(text, column.key)

    def key_of(self, text: str) -> str | None:
        return self.known.get(fold_header(text)) or self.known.get(bare_header(text))

    def header_row(self, sheet: CalamineSheet) -> tuple[int, int, list[Any]] | None:
        """(known headings, position from 0, cells) of the row with most known headings, or None."""
        best: tuple[int, int, list[Any]] | None = None
        for position, values in enumerate(sheet.iter_rows()):
            if position >= HEADER_ROWS:
                break
            known = len({self.key_of(value) for value in values if isinstance(value, str)} - {None})
            if known >= _ENOUGH and (best is None or known > best[0]):
                best = (known, position, list(values))
        return best

    def map(self, header: list[Any], row: int) -> tuple[dict[str, int], list[HeaderProblem]]:
        """(key -> position, problems)."""
        mapping: dict[str, int] = {}
        problems: list[HeaderProblem] = []
        strangers: list[tuple[str, str]] = []
        for position, value in enumerate(header):
            text = str(value).strip()
            if not text or fold_header(text) in self.ignored:
                continue
            cell = f"{_letters(position)}{row}"
            key = self.key_of(text)
            if key is None:
                strangers.append((text, cell))
            elif key in mapping:
                problems.append(HeaderProblem("header_duplicate", text, cell, self.by_key[key].label))
            else:
                mapping[key] = position
        for text, cell in strangers:
            likely = self._likely(text, mapping)
            code = "header_unknown" if likely else "header_ignored"
            problems.append(HeaderProblem(code, text, cell, likely, bool(likely)))
        for column in self.columns:
            if column.required and column.key not in mapping:
                problems.append(HeaderProblem("header_missing", column.label))
        return mapping, problems

    def _likely(self, text: str, mapping: dict[str, int]) -> str:
        """Label of the column, not yet found, that a heading was likely meant for."""
        from rapidfuzz import fuzz, process

        free = [known for known, key in self.known.items() if key not in mapping]
        best = process.extractOne(bare_header(text), free, scorer=fuzz.ratio, score_cutoff=70)
        return self.by_key[self.known[best[0]]].label if best else ""


def _letters(position: int) -> str:
    text = ""
    position += 1
    while position:
        position, rest = divmod(position - 1, 26)
        text = chr(65 + rest) + text
    return text
