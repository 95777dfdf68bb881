# data: zh
"""Phone numbers of mainland China: checking and masking."""

from __future__ import annotations

import re

from xiangyue.text.folding import cell_text, half_width
from xiangyue.text.problems import TextProblem

_MOBILE = re.compile(r"1[3-9][0-9]{9}")
# Area code 010, 02x or 0xxx, then 7 or 8 digits; an extension may follow.
_LANDLINE = re.compile(r"(0(?:10|2[0-9]|[3-9][0-9]{2}))-?([2-9][0-9]{6,7})(?:-([0-9]{1,6}))?")
_COUNTRY = re.compile(r"^(?:(?:\+|00)86-?|86(?=-?1[3-9][0-9]{9}$))")
_SEVERAL = re.compile(r"[、,;/|]|\u6216")
_WORDS = ("电话", "手机")


def parse_phone(value: object) -> str:
    """Read one phone number: 11 digits of a mobile, or ``0915-5212345`` with an optional ``-extension``.

    :raises TextProblem: ``phone_format``, ``phone_many``.
    """
    text = cell_text(value)
    if _MOBILE.fullmatch(text):
        return text
    text = half_width(text).removesuffix(".0")
    if _SEVERAL.search(text.strip(" ,;、/")):
        raise TextProblem("phone_many")
    text = re.sub(r"[\s(.]+", "", re.sub(r"[)\u2010-\u2015]", "-", text))
    text = re.sub(r"-+", "-", _COUNTRY.sub("", text)).strip("-,;、/")
    digits = text.replace("-", "")
    if _MOBILE.fullmatch(digits):
        return digits
    match = _LANDLINE.fullmatch(text)
    if match is None:
        both = len(digits) in (22, 23) and digits.isdigit()
        raise TextProblem("phone_many" if both else "phone_format")
    number = f"{match[1]}-{match[2]}"
    return f"{number}-{match[3]}" if match[3] else number


def mask_phone(value: object) -> str:
    """``13812342091`` -> ``138****2091``; ``0915-5212345`` -> ``0915-****345``."""
    text = str(value)
    if "-" in text:
        area, _, rest = text.partition("-")
        return f"{area}-****{rest[-3:]}"
    return f"{text[:3]}****{text[-4:]}" if len(text) >= 8 else text


def names_phone(words: str) -> bool:
    """Whether plain words for a kind of data mean a phone."""
    return any(word in words for word in _WORDS)
