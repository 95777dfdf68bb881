"""Numbers of rows: one number tells the sheet, the row in it and, where a row is a household, which of its members.

A plain file's numbers are the sheet's own. They go up in the order in which the file is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

#: Sheets of a file that are read, at most, and members that a row may have.
MOST_SHEETS = 20
MOST_MEMBERS = 40
_SHEET = 100_000_000
#: From here on a number tells a member too; sheets have fewer rows than that.
_WIDE = 1_000_000
_MEMBERS = 64


class RowPlace(NamedTuple):
    """``sheet`` from 0, among those that are read; ``row`` from 1, the sheet's own; ``member`` of the household in that
    row: 0 is its head, and None where a row is one person."""

    sheet: int
    row: int
    member: int | None = None


def number_of(sheet: int, row: int, member: int | None = None) -> int:
    """The number of a row (see `RowPlace`); below 2^31."""
    if member is None:
        return sheet * _SHEET + row
    return sheet * _SHEET + _WIDE + row * _MEMBERS + member


def place_of_number(number: int) -> RowPlace:
    sheet, rest = divmod(number, _SHEET)
    if rest < _WIDE:
        return RowPlace(sheet, rest)
    row, member = divmod(rest - _WIDE, _MEMBERS)
    return RowPlace(sheet, row, member)


def row_text(number: int, sheets: Sequence[str] = ()) -> int | str:
    """The number as people read it: 5; ``5(2)`` for the second member in row 5; ``Sheet!5`` where several sheets (their
    names) are read. A plain number stays a number."""
    place = place_of_number(number)
    text: int | str = f"{place.row}({place.member})" if place.member else place.row
    if len(sheets) > 1 and place.sheet < len(sheets):
        return f"{sheets[place.sheet]}!{text}"
    return text


def sheet_names(header: dict[str, Any]) -> list[str]:
    """Names of the sheets in a batch's file, as its header keeps them, where more than one of them is read."""
    sheets = header.get("sheets") or ()
    return [sheet["name"] for sheet in sheets] if sum(sheet["read"] for sheet in sheets) > 1 else []
