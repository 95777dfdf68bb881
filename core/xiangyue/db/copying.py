"""Rows as COPY takes them in text, made before the database is asked for: by a thread that has time, not by the one
that waits for PostgreSQL and keeps it waiting."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from types import NoneType
from typing import Any

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\b": "\\b", "\f": "\\f", "\v": "\\v"})


@dataclass(frozen=True, slots=True)
class CopyRows:
    """``count`` rows of ``width`` columns each, as UTF-8."""

    data: bytes
    count: int
    width: int


def copy_rows(rows: Iterable[Sequence[Any]]) -> CopyRows:
    """The rows, which hold None, text, whole numbers, booleans, bytes and dates. Raises KeyError for anything else."""
    kinds = _KINDS
    lines = []
    width = 0
    for row in rows:
        width = len(row)
        lines.append("\t".join([kinds[value.__class__](value) for value in row]))
    if not lines:
        return CopyRows(b"", 0, 0)
    lines.append("")
    return CopyRows("\n".join(lines).encode(), len(lines) - 1, width)


def _text(value: str) -> str:
    # Most texts hold nothing that has a meaning in COPY.
    return value if value.isprintable() and "\\" not in value else value.translate(_ESCAPES)


_KINDS: dict[type, Callable[[Any], str]] = {
    NoneType: lambda _value: "\\N",
    str: _text,
    int: str,
    bool: lambda value: "t" if value else "f",
    bytes: lambda value: f"\\\\x{value.hex()}",
    date: date.isoformat,
}
