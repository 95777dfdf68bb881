"""The sheets of a file as its batch keeps them: which have a roster, which are read, and where their columns go.

A column's position tells its sheet too: 100,000 for each sheet with a header before its own, and its place from 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from xiangyue.features.imports.roster_columns import Column
from xiangyue.features.imports.roster_match import FileColumn
from xiangyue.features.imports.roster_read import RosterBook
from xiangyue.features.imports.roster_wide import MEMBERS, wide_columns

_SHEET = 100_000


def sheet_of(position: int) -> int:
    """The sheet (from 0, of those with a header) of a column's position."""
    return position // _SHEET


def columns_given(given: Mapping[str, str], sheet: int) -> dict[int, str]:
    """What a person decided of a sheet: place in it from 0 -> key of the column."""
    return {int(place) % _SHEET: key for place, key in given.items() if sheet_of(int(place)) == sheet}


def columns_found(book: RosterBook) -> list[FileColumn]:
    """The columns of all sheets with a header."""
    return [
        replace(column, position=column.position + sheet.index * _SHEET)
        for sheet in book.found
        for column in sheet.file_columns
    ]


def header_of(book: RosterBook) -> dict[str, Any]:
    """What a batch keeps of the sheets.

    ``sheet``, ``row``, ``fingerprint`` of the first that is read; ``columns``: keys of all that something goes to;
    ``problems``; ``others``: sheets left aside, and whether they have a roster's header; ``sheets``: all with a header.
    """
    first = book.sheets[0]
    keys = (key.partition("#")[0] for sheet in book.sheets for key in sheet.columns)
    return {
        "sheet": first.name,
        "row": first.header_row,
        "fingerprint": first.fingerprint,
        "columns": list(dict.fromkeys(key for key in keys if key != MEMBERS)),
        "problems": [problem.as_dict() for sheet in book.sheets for problem in sheet.problems],
        "others": book.aside,
        "sheets": [
            {
                "name": sheet.name,
                "row": sheet.header_row,
                "fingerprint": sheet.fingerprint,
                "members": sheet.members,
                "read": sheet.read,
            }
            for sheet in book.found
        ],
    }


def columns_of_sheet(sheet: Mapping[str, Any], columns: Sequence[Column]) -> tuple[Column, ...]:
    """What the columns of a sheet, as ``header["sheets"]`` has it, may go to."""
    members = sheet.get("members")
    return tuple(columns) if members is None else wide_columns(columns, members)


def of_sheet(found: Iterable[FileColumn], sheet: int) -> list[FileColumn]:
    return [column for column in found if sheet_of(column.position) == sheet]


def missing(
    found: Iterable[FileColumn], sheets: Sequence[Mapping[str, Any]], columns: Sequence[Column]
) -> list[Column]:
    """Required columns that nothing of some sheet which is read goes to."""
    lacking: dict[str, Column] = {}
    for index, sheet in enumerate(sheets):
        if sheet["read"]:
            taken = {column.target for column in of_sheet(found, index)}
            wanted = [column for column in columns_of_sheet(sheet, columns) if column.required]
            lacking |= {column.key: column for column in wanted if column.key not in taken}
    return list(lacking.values())
