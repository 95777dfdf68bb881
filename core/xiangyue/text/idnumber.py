"""Citizen identity numbers (公民身份号码, GB 11643-1999): reading, checking and masking.

The check digit and the register of county codes come from python-stdnum. A wrong check digit is a property
of the result, not a failure: synthetic people carry wrong ones on purpose, and whether that is allowed is
for the caller.
"""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from xiangyue.text.folding import half_width
from xiangyue.text.problems import TextProblem

MALE, FEMALE = 1, 2
#: Weights of the 17 body digits (GB 11643-1999 §4.2); the sum modulo 11 picks from `CHECK_DIGITS`.
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK_DIGITS = "10X98765432"

_SHAPE = re.compile(r"[0-9]{17}[0-9X]", re.ASCII)
#: From 17 digits on it is told: the last one can be worked out.
_TOLD = re.compile(r"[0-9]{17}[0-9X]?", re.ASCII)
_EXPONENT = re.compile(r"([0-9])(?:\.([0-9]+))?E\+?([0-9]{1,2})", re.IGNORECASE)
_NOISE = re.compile(r"[\s'’‘`\-]+")
#: What is typed in place of the last X: signs of multiplication, stars, letters of other alphabets.
_LIKE_X = "\u00d7\u2715\u2716\u2a09*\u2217\u03a7\u0425\u2169"
# A double holds 15 decimal digits for certain; a spreadsheet writes zeros for the rest.
_EXACT_DIGITS = 15
_EXACT_LIMIT = 10**_EXACT_DIGITS


class IdNumber(NamedTuple):
    """``value``: 18 characters, X in capitals; ``sex``: GB/T 2261.1 (1 male, 2 female)."""

    value: str
    birth_date: date
    sex: int
    checksum_ok: bool


def tells_number(text: str) -> bool:
    """Whether a text (a search word, a value in an address) is a citizen number, whole or but for its check digit."""
    return _TOLD.fullmatch(plain(text)) is not None


def plain(text: str) -> str:
    """Half width, X in capitals, without blanks; checks nothing."""
    return "".join(half_width(text).split()).upper()


def parse(value: object) -> IdNumber:
    """Read a citizen number as typed or as a spreadsheet cell (text or number).

    :raises TextProblem: ``id_format``, ``id_last`` (another sign for the last X), ``id_length``, ``id_old`` (15
        digits), ``id_truncated`` (cut to 15 digits by a spreadsheet), ``id_region`` (first six digits), ``id_date``
        (digits 7–14).
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        text = _from_number(value)
    else:
        text = str(value)
    if _SHAPE.fullmatch(text) is None:
        text = _NOISE.sub("", half_width(text)).upper()
        _refuse_other_shapes(text)
    region = text[:6]
    if not known_region(region):
        raise TextProblem("id_region", region=region)
    try:
        born = date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        raise TextProblem("id_date") from None
    checksum_ok = check_digit(text[:17]) == text[17]
    if not checksum_ok and text.endswith("000"):
        # A cell that once was a number, saved as text afterwards.
        raise TextProblem("id_truncated", kept=_EXACT_DIGITS)
    return IdNumber(text, born, MALE if int(text[16]) % 2 else FEMALE, checksum_ok)


def from_old(value: object) -> IdNumber:
    """An old number of 15 digits as the 18 that replaced it: the century and the check digit are added (GB 11643-1999).

    One that may just as well be a number of 18 digits cut to 15 is not completed: its digits 7 and 8 are 19 or 20, so
    its holder would be over a hundred years old.

    :raises TextProblem: ``id_old`` for anything else, and the codes of `parse`.
    """
    text = _NOISE.sub("", half_width(_from_number(value) if isinstance(value, int | float) else str(value)))
    if re.fullmatch(r"[0-9]{15}", text, re.ASCII) is None or text[6:8] in ("19", "20"):
        raise TextProblem("id_old")
    body = f"{text[:6]}19{text[6:]}"
    return parse(body + check_digit(body))


def _from_number(value: int | float) -> str:
    if value != value or value in (float("inf"), float("-inf")) or value < 0 or value != int(value):
        raise TextProblem("id_format")
    if value >= _EXACT_LIMIT:
        raise TextProblem("id_truncated", kept=_EXACT_DIGITS)
    return str(int(value))


def _refuse_other_shapes(text: str) -> None:
    if _SHAPE.fullmatch(text):
        return
    if (cut := _of_exponent(text)) is not None:
        raise TextProblem("id_truncated", kept=len(cut[0]))
    if len(text) == 15 and text.isascii() and text.isdigit():
        raise TextProblem("id_old")
    if len(text) != 18:
        raise TextProblem("id_length", length=len(text))
    like_x = text[17] in _LIKE_X and text[:17].isascii() and text[:17].isdigit()
    raise TextProblem("id_last" if like_x else "id_format")


def check_digit(body: str) -> str:
    """The right check digit of 17 digits."""
    # The standard's weights are the powers of 2 modulo 11, so the sum is one number read in base 13; the same
    # shortcut as stdnum.cn.ric.calc_check_digit, without importing its tables first.
    rest = (1 - 2 * int(body, 13)) % 11
    return "X" if rest == 10 else str(rest)


def one_off(number: str) -> list[str]:
    """Numbers with a right check digit that differ from this one (18 characters) in one character."""
    body, last = number[:17], number[17]
    found = [body + check_digit(body)] if check_digit(body) != last else []
    for i, digit in enumerate(body):
        others = (f"{body[:i]}{other}{body[i + 1 :]}" for other in "0123456789" if other != digit)
        found += [other + last for other in others if check_digit(other) == last]
    return found


@lru_cache(maxsize=8192)
def known_region(code: str) -> bool:
    """Whether six digits are, or ever were, a county's code (GB/T 2260); abolished ones live on in people's
    numbers.
    """
    from stdnum import numdb

    return code[2:] != "0000" and any("county" in facts for _, facts in numdb.get("cn/loc").info(code))


def _of_exponent(text: str) -> tuple[str, int] | None:
    """(digits that are certain, digits of the whole number) of a number as a spreadsheet shows large ones."""
    match = _EXPONENT.fullmatch(text)
    if match is None:
        return None
    digits, length = match[1] + (match[2] or ""), int(match[3]) + 1
    if len(digits) not in (6, _EXACT_DIGITS):
        # The last one was rounded, unless the first of a century (1 or 2), or nothing, came behind it.
        digits = digits[:-1]
    return digits[:_EXACT_DIGITS], length


def mask(value: object) -> str:
    """``610921198001011234`` -> ``610921********34``; of a number that a spreadsheet cut, ``?`` for each digit that is
    lost: ``6.10921198001011E+17`` -> ``610921*********???``. Text too short to be such a number is left as it is."""
    if isinstance(value, int | float) and not isinstance(value, bool) and _EXACT_LIMIT <= value < 10**25:
        text = str(int(value))
        return _masked_cut(text[:_EXACT_DIGITS], len(text))
    text = half_width(str(value)).strip()
    if (cut := _of_exponent(text)) is not None:
        return _masked_cut(*cut)
    if len(text) <= 8:
        return text
    if len(text) == 18 and text.endswith("000") and text.isascii() and text.isdigit() and check_digit(text[:17]) != "0":
        return _masked_cut(text[:_EXACT_DIGITS], 18)
    return f"{text[:6]}********{text[-2:]}"


def _masked_cut(certain: str, length: int) -> str:
    return certain[:6] + "*" * len(certain[6:]) + "?" * (length - len(certain))
