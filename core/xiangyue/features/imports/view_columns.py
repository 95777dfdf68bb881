"""The page on which a person says where the columns of a file go."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from xiangyue.features.imports import roster_book
from xiangyue.features.imports.roster_book import columns_of_sheet, of_sheet
from xiangyue.features.imports.roster_columns import Column
from xiangyue.features.imports.roster_match import FileColumn
from xiangyue.i18n import current_locale
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.text.chinese import has_han

#: How a target was found, as a badge: (words, kind).
HOW: dict[str, tuple[Any, str]] = {
    "known": (_l("Known heading"), "ok"),
    "chosen": (_l("As chosen before"), "ok"),
    "likely": (_l("Likely, please look"), "soon"),
    "values": (_l("By its values, please look"), "soon"),
    "": (_l("Left out"), "neutral"),
}
FIELD = "column_"


@dataclass(frozen=True, slots=True)
class Target:
    """A choice: key and label; ``chinese``: the label is data in Chinese on an English page."""

    key: str
    label: str
    required: bool
    chinese: bool


def targets(columns: Sequence[Column]) -> list[Target]:
    foreign = current_locale() != "zh"
    return [Target(column.key, column.label, column.required, foreign and has_han(column.label)) for column in columns]


@dataclass(frozen=True, slots=True)
class SheetColumns:
    """A sheet with a header: its columns, what they may go to, whether it is read and how many members its rows name
    (None: a row is one person)."""

    name: str
    read: bool
    members: int | None
    columns: list[FileColumn]
    targets: list[Target]


def sheets(
    header: Mapping[str, Any],
    found: Sequence[FileColumn],
    columns: Sequence[Column],
    read: Collection[str] | None = None,
) -> list[SheetColumns]:
    """The sheets of a batch's file, those in ``read`` chosen (None: as the check read them)."""
    return [
        SheetColumns(
            sheet["name"],
            sheet["read"] if read is None else sheet["name"] in read,
            sheet["members"],
            of_sheet(found, index),
            targets(columns_of_sheet(sheet, columns)),
        )
        for index, sheet in enumerate(header.get("sheets") or ())
    ]


def missing(shown: Sequence[SheetColumns], found: Sequence[FileColumn], columns: Sequence[Column]) -> list[Column]:
    """Required columns that nothing of some sheet which is read goes to."""
    return roster_book.missing(found, [{"read": sheet.read, "members": sheet.members} for sheet in shown], columns)


def typed(form: Mapping[str, str]) -> dict[int, str]:
    """What the form says: position -> key."""
    return {
        int(name.removeprefix(FIELD)): key
        for name, key in form.items()
        if name.startswith(FIELD) and name.removeprefix(FIELD).isdigit()
    }
