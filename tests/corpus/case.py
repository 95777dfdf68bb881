"""One messy file: what is wrong in it, and exactly what becomes of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

#: Headings that a roster must have, and a head of household and his wife under them. Numbers are made up, their check
#: digits wrong on purpose.
HEADER = ["镇", "村", "户编号", "与户主关系", "姓名", "公民身份号码", "联系电话"]
HEAD = ["漩涡镇", "上七村", "0017", "户主", "王试一", "610921198001011234", "15400000017"]
WIFE = ["漩涡镇", "上七村", "0017", "妻", "陈试二", "610921198202021240", ""]
OTHER = ["漩涡镇", "茨沟村", "0021", "户主", "李试三", "610921197503031211", "15400000021"]
PLAIN = [HEADER, HEAD, WIFE, OTHER]


def changed(row: Sequence[Any], **cells: Any) -> list[Any]:
    """A row with cells changed, by heading's key."""
    keys = ("town", "village", "household_no", "relation", "name", "id_number", "phone")
    return [cells.get(key, value) for key, value in zip(keys, row, strict=True)]


@dataclass(frozen=True)
class Case:
    """``wrong``: what is wrong in the file. Expected: ``problem`` of the file as a whole, or ``taken``: the rows
    without errors, as people read their numbers (`row_text`), ``errors``: (row, column, kind, suggestion) of the
    others, ``skipped`` counts, ``headings``: (kind, heading) told of the header, ``others``: sheets left aside,
    ``values``: (row, key, value) that must have been understood, ``filled``: rows completed from those above."""

    name: str
    wrong: str
    data: Callable[[], bytes]
    problem: str = ""
    taken: Sequence[int | str] = (2, 3, 4)
    errors: Sequence[tuple[int | str, str, str, str]] = ()
    skipped: dict[str, int] = field(default_factory=dict)
    headings: Sequence[tuple[str, str]] = ()
    others: Sequence[tuple[str, bool]] = ()
    values: Sequence[tuple[int | str, str, Any]] = ()
    filled: int = 0
