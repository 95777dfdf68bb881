"""Addresses and numbers in pieces, for a search by any part of them.

A county's addresses share most of their text (town, village, group) and differ in the house number. Cut in front of
every run of digits, a hundred thousand addresses come down to some thousand different pieces, so the search rows are
two or three for a household and the suffixes are kept once for each piece.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from xiangyue.text.folding import half_width
from xiangyue.text.pinyin import fold

_CUT = re.compile(r"[0-9]+[^0-9]*|[^0-9]+", re.ASCII)
_VILLAGE = 12


def plain(text: str) -> str:
    """What is compared: half width, lower case, without blanks, line ends and middle dots."""
    return fold("".join(half_width(text).split()))


def cut(plain_text: str) -> list[str]:
    """``…三组12号附1`` -> ``…三组``, ``12号附``, ``1``. Joined they are the text again."""
    return _CUT.findall(plain_text)


def pieces(code: str, address: str) -> list[str]:
    """What a household is found by besides names: its number in the village and the pieces of its address, no piece
    twice. ``code``: 12-digit village code and number; the village's part is known from the areas."""
    return list(dict.fromkeys([code[_VILLAGE:] or code, *cut(plain(address))]))


def tails(piece: str) -> Iterator[str]:
    """Every suffix of a piece: ``12号`` -> ``12号``, ``2号``, ``号``."""
    return (piece[i:] for i in range(len(piece)))
