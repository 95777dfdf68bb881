"""Whole numbers as somebody typed them, or as an address was tampered with."""

from __future__ import annotations

#: What a 64-bit column takes whatever the digits; Python itself refuses to read numbers of some thousand digits.
_MOST_DIGITS = 18


def whole_number(text: object) -> int | None:
    """The number that 1 to 18 ASCII digits say; None for anything else."""
    given = str(text).strip()
    return int(given) if given.isascii() and given.isdigit() and len(given) <= _MOST_DIGITS else None
