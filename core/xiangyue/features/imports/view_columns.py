"""The page on which a person says where the columns of a file go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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


def missing(found: Sequence[FileColumn], columns: Sequence[Column]) -> list[Column]:
    """Required columns that nothing goes to."""
    taken = {column.target for column in found}
    return [column for column in columns if column.required and column.key not in taken]


def typed(form: Mapping[str, str]) -> dict[int, str]:
    """What the form says: position -> key."""
    return {
        int(name.removeprefix(FIELD)): key
        for name, key in form.items()
        if name.startswith(FIELD) and name.removeprefix(FIELD).isdigit()
    }
