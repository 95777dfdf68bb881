"""Dates as people and spreadsheets write them."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

from xiangyue.text.folding import without_spaces
from xiangyue.text.problems import TextProblem

# Day 0 of a spreadsheet's serial numbers (1900 system), shifted for the 29 February 1900 that never was.
_SERIAL_ZERO = date(1899, 12, 30)
_SERIAL_MAX = (date(2100, 1, 1) - _SERIAL_ZERO).days
_ISO = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
# Year, month and day with any of . / - (or a dash) or the characters for year, month, day between them; a time may
# follow. An apostrophe made the cell a text.
_PARTS = re.compile(
    r"['\u2018\u2019`]?([0-9]{4})[-./\\\u5e74\u3001\u3002\uff0e,\u2010-\u2015][-\u2010-\u2015]?([0-9]{1,2})"
    r"[-./\\\u6708\u3001\u3002\uff0e,\u2010-\u2015][-\u2010-\u2015]?([0-9]{1,2})[\u65e5\u53f7]?(?:\u51fa?\u751f)?"
    r"(?:T?[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.0+)?)?)?"
)
# Blanks where others have dots.
_SPACED = re.compile(r"([0-9]{4})\s+([0-9]{1,2})\s+([0-9]{1,2})")
_COMPACT = re.compile(r"['\u2018\u2019`]?([0-9]{4})([0-9]{2})([0-9]{2})")
_HALF_DATE = re.compile(r"[0-9]{2,4}(?:[-./\u5e74][0-9]{1,2}){0,2}[\u5e74\u6708\u65e5]?|[0-9]{4}[01][0-9]")


def parse_date(value: object) -> date:
    """Read a date: 1980.1.1, 1980/1/1, 19800101, 1980年1月1日, ISO, datetime, or a spreadsheet's serial
    number.

    A bare serial is taken from numeric cells only; two-digit years and missing parts are never guessed.

    :raises TextProblem: ``date_format``, ``date_incomplete`` (1980.1, 80.1.1, 1980), ``date_impossible``
    (30 February).
    """
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _from_number(value)
    text = str(value)
    match = _ISO.fullmatch(text)
    if match is None:
        spaced = _SPACED.fullmatch(text.strip())
        text = "-".join(spaced.groups()) if spaced else without_spaces(text)
        match = _PARTS.fullmatch(text) or _COMPACT.fullmatch(text)
    if match is None:
        raise TextProblem("date_incomplete" if _HALF_DATE.fullmatch(text) else "date_format")
    try:
        return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        raise TextProblem("date_impossible") from None


def of_serial(value: object) -> date | None:
    """The day that five digits of a text are if they are a spreadsheet's serial number; nobody can be sure of that."""
    text = without_spaces(str(value))
    if len(text) == 5 and text.isascii() and text.isdigit() and int(text) <= _SERIAL_MAX:
        return _SERIAL_ZERO + timedelta(days=int(text))
    return None


def _from_number(value: int | float) -> date:
    if value != value or not 0 < value < 1e9:
        raise TextProblem("date_format")
    if value >= 10_000_000 and value == int(value):
        return parse_date(str(int(value)))
    if value != int(value) and value < 2101:
        # 1980.1 typed into a numeric cell: a month, or the tenth one, or a serial. Nobody can tell.
        raise TextProblem("date_incomplete")
    if 1900 <= value <= 2100 or 190_001 <= value <= 210_012:
        raise TextProblem("date_incomplete")
    if value > _SERIAL_MAX:
        raise TextProblem("date_format")
    return _SERIAL_ZERO + timedelta(days=int(value))
