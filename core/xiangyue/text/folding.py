"""One way to bring typed text to its plain form."""

from __future__ import annotations

import re

# Full-width forms U+FF01–FF5E lie at a fixed distance from ASCII. NFKC would do more than wanted (it also
# rewrites
# compatibility ideographs, which occur in names).
_HALF_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_HALF_WIDTH[0x3000] = 0x20
_HALF_WIDTH[0xA0] = 0x20
_INVISIBLE = dict.fromkeys((0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x2060, 0xFEFF, 0xAD))
_TABLE: dict[int, int | None] = {**_HALF_WIDTH, **_INVISIBLE}
_SPACES = re.compile(r"\s+")


def half_width(text: str) -> str:
    """Full-width letters, digits and marks as ASCII, other kinds of blank as a space, invisible marks
    dropped.
    """
    return text if text.isascii() else text.translate(_TABLE)


def squeeze(text: str) -> str:
    """Half width, without spaces at the ends and with single ones inside."""
    return _SPACES.sub(" ", half_width(text)).strip()


def without_spaces(text: str) -> str:
    return _SPACES.sub("", half_width(text))


def cell_text(value: object) -> str:
    """A spreadsheet cell as text: a whole float loses its ``.0``; nothing, and blanks, are ``""``."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)
