# data: zh
"""Names of people: cleaning, checking, masking."""

from __future__ import annotations

import re

from xiangyue.text.folding import squeeze
from xiangyue.text.pinyin import COMPOUND_SURNAMES
from xiangyue.text.problems import TextProblem

#: Longest name taken. Names of the western nationalities written out with dots reach about 30.
MAX_LENGTH = 50
MIDDLE_DOT = "·"

_HAN = "\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
# Everything that stands for the middle dot of a transcribed name: U+2022, U+2027, U+30FB, U+FF65, U+22C5,
# U+2219 …
_DOTS = re.compile(
    rf"\s*[\u00b7\u0387\u2022\u2027\u22c5\u2219\u30fb\uff65\u25cf\u2024]\s*|(?<=[{_HAN}])\s*\.\s*(?=[{_HAN}])"
)
_BETWEEN_HAN = re.compile(rf"(?<=[{_HAN}]) +(?=[{_HAN}])")
_NAME = re.compile(rf"[{_HAN}]+(?:·[{_HAN}]+)*|[^\W\d_]+(?:[ .'·-]+[^\W\d_]+)*\.?")


def clean_name(value: str) -> str:
    """A name in its plain form: no blanks between characters (刘 洋), one sort of middle dot, half-width
    letters.
    """
    if value.isalpha() and not value.isascii() and max(value) < "\uf900":
        # The common case, a few ideographs; full-width letters are alphabetic too and go the long way.
        return value
    text = _BETWEEN_HAN.sub("", squeeze(value))
    return _DOTS.sub(MIDDLE_DOT, text)


def parse_name(value: str) -> str:
    """A cleaned name.

    :raises TextProblem: ``name_format`` (digits, brackets, remarks in the cell), ``name_long``.
    """
    name = clean_name(value)
    if len(name) > MAX_LENGTH:
        raise TextProblem("name_long", limit=MAX_LENGTH)
    if _NAME.fullmatch(name) is None:
        raise TextProblem("name_format")
    return name


def mask_name(name: str) -> str:
    """Keeps the surname: 陈桂兰 -> 陈**, 欧阳明 -> 欧阳*, 王 -> 王."""
    keep = 2 if len(name) > 2 and name[:2] in COMPOUND_SURNAMES else 1
    return name[:keep] + "*" * (len(name) - keep)
