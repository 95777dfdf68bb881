"""Matching the columns of a file with those of the roster: what is suggested, and by what a kind of file is known."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from xiangyue.features.imports.roster_columns import fold_header
from xiangyue.features.imports.roster_file import cell_name
from xiangyue.features.imports.roster_header import HEADING_LENGTH, HeaderFinder
from xiangyue.text import idnumber
from xiangyue.text.codes import NATIONALITIES, RELATIONS, SEX
from xiangyue.text.folding import cell_text, without_spaces
from xiangyue.text.phone import mask_phone

#: Values shown of each column, and rows in which they are looked for.
SAMPLES = 3
SAMPLE_ROWS = 200
_SAMPLE_LENGTH = 24
#: Values that must agree before they tell the column.
_ENOUGH = 2
_LONG_NUMBER = re.compile(r"[0-9][0-9 -]{9,}[0-9Xx]")
_MOBILE = re.compile(r"1[3-9][0-9]{9}")


@dataclass(slots=True)
class FileColumn:
    """A column of the file: ``position`` from 0, ``cell`` of its heading, up to three values with long numbers masked,
    and the ``target`` it goes to, or "". ``how`` it was found: known, chosen (by a person, now or for an earlier file
    of the kind), likely (the heading is like another), values, or ""."""

    position: int
    cell: str
    heading: str
    samples: list[str] = field(default_factory=list)
    target: str = ""
    how: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


def fingerprint(header: Sequence[Any]) -> str:
    """What files of one kind have in common: a hash of their headings in order, blanks and case aside."""
    folded = "\x1f".join(fold_header(cell_text(value)) for value in header).rstrip("\x1f")
    return hashlib.sha256(folded.encode()).hexdigest()


def file_columns(
    finder: HeaderFinder,
    header: Sequence[Any],
    row: int,
    rows: Iterable[Sequence[Any]],
    chosen: Mapping[int, str] | None = None,
) -> list[FileColumn]:
    """The file's columns that have a heading or values, each with the target suggested; no target stands twice.

    ``row``: of the header, from 1; ``rows``: some below it; ``chosen``: position -> key, where a person decided.
    """
    values: list[list[Any]] = [[] for _ in header]
    for cells in rows:
        for position, value in enumerate(cells[: len(values)]):
            if len(values[position]) < 20 and value != "":
                values[position].append(value)
    found = [
        FileColumn(place, cell_name(row, place + 1), cell_text(text)[:HEADING_LENGTH], _shown(values[place]))
        for place, text in enumerate(header)
        if cell_text(text) or values[place]
    ]
    if chosen is not None:
        for column in found:
            column.target = chosen.get(column.position, "")
            column.how = "chosen"
        return found
    taken: set[str] = set()
    for column in found:
        key = finder.key_of(column.heading) if column.heading else None
        if key is not None and key not in taken:
            column.target, column.how = key, "known"
            taken.add(key)
    for column in found:
        key = finder.decided(column.heading) if not column.target else None
        if key and key not in taken:
            column.target, column.how = key, "chosen"
            taken.add(key)
    for column in found:
        if column.target or fold_header(column.heading) in finder.ignored or finder.decided(column.heading) == "":
            continue
        how, key = "values", _by_values(values[column.position])
        if not key or key in taken:
            how, key = "likely", finder.likely(column.heading, taken)
        if key:
            column.target, column.how = key, how
            taken.add(key)
    return found


def _by_values(values: Sequence[Any]) -> str:
    """The column that values tell by themselves: citizen numbers, mobiles, sex, relation to the head, nationality."""
    texts = [without_spaces(cell_text(value)) for value in values]
    if len(texts) < _ENOUGH:
        return ""
    if all(idnumber.tells_number(text) for text in texts):
        return "id_number"
    if all(_MOBILE.fullmatch(text) for text in texts):
        return "phone"
    words = [text for text in texts if not text.isdigit()]
    if len(words) == len(texts):
        for key, table in (("sex", SEX), ("relation", RELATIONS), ("nationality", NATIONALITIES)):
            if all(table.parse(text) for text in words):
                return key
    return ""


def _shown(values: Sequence[Any]) -> list[str]:
    """The first different values as text; long numbers are masked, as in errors."""
    texts: list[str] = []
    for value in values:
        text = cell_text(value)
        text = _LONG_NUMBER.sub(lambda m: mask_phone(m[0]) if len(m[0]) < 15 else idnumber.mask(m[0]), text)
        text = text[:_SAMPLE_LENGTH]
        if text and text not in texts:
            texts.append(text)
        if len(texts) == SAMPLES:
            break
    return texts
