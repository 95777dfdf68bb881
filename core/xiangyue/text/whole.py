"""Whole numbers as somebody typed them, or as an address was tampered with."""

from __future__ import annotations

from collections.abc import Iterable

#: What a 64-bit column takes whatever the digits; Python itself refuses to read numbers of some thousand digits.
_MOST_DIGITS = 18


def whole_number(text: object) -> int | None:
    """The number that 1 to 18 ASCII digits say; None for anything else."""
    given = str(text).strip()
    return int(given) if given.isascii() and given.isdigit() and len(given) <= _MOST_DIGITS else None


def whole_numbers(texts: Iterable[object]) -> list[int]:
    """Those of them that are one, in their order: ids that a form sends."""
    return [number for text in texts if (number := whole_number(text)) is not None]
