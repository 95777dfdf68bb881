# data: zh
"""Judging single cells of a roster: each function gives the normalised value or raises `CellProblem`."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from xiangyue.features.imports.roster_columns import MARK_BLANKS, MARK_SEPARATORS, YES_NO, Column
from xiangyue.features.imports.roster_read import Cell
from xiangyue.features.imports.roster_words import NO_VALUE
from xiangyue.text.codes import CodeTable
from xiangyue.text.dates import of_serial, parse_date
from xiangyue.text.decimals import parse_decimal
from xiangyue.text.folding import cell_text, half_width, squeeze, without_spaces
from xiangyue.text.problems import TextProblem

#: Longest text of a cell that is taken (addresses reach 80).
TEXT_LIMIT = 200
HOUSEHOLD_NO_LIMIT = 20
GROUP_LIMIT = 30
MONEY_MAX = 1_000_000_000
FIRST_INCOME_YEAR = 2000
_INTEGER = (-(2**53), 2**53)
_HOUSEHOLD_NO = re.compile(rf"[0-9A-Za-z-]{{1,{HOUSEHOLD_NO_LIMIT}}}")
_NUMBER_SAID = re.compile(r"(?:第|NO[.:]?|编号[:]?|户号[:]?|#)?([0-9A-Z-]+)(?:号户|户号|号|户|#)?")
_ERROR_VALUE = re.compile(r"#(?:N/A|REF!|NAME\?|VALUE!|DIV/0!|NUM!|NULL!|GETTING_DATA)")
_MONEY = re.compile(r"(-?[0-9]+(?:\.[0-9]+)?)(万)?元?")


class CellProblem(ValueError):
    """A cell that cannot be taken: code, params of its message, and what may be put in its place."""

    def __init__(self, code: str, params: dict[str, Any] | None = None, suggestion: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.params = params or {}
        self.suggestion = suggestion


def text_value(value: Cell) -> str:
    """Plain text, at most `TEXT_LIMIT` characters."""
    text = squeeze(cell_text(value))
    if len(text) > TEXT_LIMIT:
        raise CellProblem("text_long", {"limit": TEXT_LIMIT})
    return text


def is_no_value(value: Cell) -> bool:
    """Whether a cell says in words, or by a stroke, that there is nothing to say."""
    return isinstance(value, str) and without_spaces(value).rstrip("。.、,;") in NO_VALUE


def address(value: Cell) -> str:
    text = text_value(value)
    if text in NO_VALUE:
        raise CellProblem("no_value")
    return text


def is_error_value(value: Cell) -> bool:
    """Whether a cell holds what a formula that failed shows, such as ``#REF!``."""
    return isinstance(value, str) and value[:1] == "#" and _ERROR_VALUE.fullmatch(value.strip()) is not None


def refuse_error_value(value: Cell) -> None:
    if is_error_value(value):
        raise CellProblem("cell_error")


def household_no(value: Cell, village_code: int | None) -> str:
    """Number of a household in its village. Digits alone are filled up to four (17 -> 0017), so that a number which
    the spreadsheet made of a text still fits; a full code that begins with the village's loses that part."""
    text = without_spaces(cell_text(value)).upper()
    if village_code is not None and len(text) > 12:
        text = text.removeprefix(str(village_code // 1000))
    if _HOUSEHOLD_NO.fullmatch(text) is None:
        within = _NUMBER_SAID.fullmatch(text)
        likely = within[1] if within and len(within[1]) <= HOUSEHOLD_NO_LIMIT else ""
        raise CellProblem("household_no_format", {"limit": HOUSEHOLD_NO_LIMIT}, likely)
    return text.zfill(4) if text.isdigit() else text


def choice(value: Cell, table: CodeTable) -> str:
    """Code of a label, synonym or code."""
    code = table.parse(value)
    if code is None:
        likely = table.suggest(value)
        raise CellProblem("choice_unknown", suggestion=likely.zh if likely else "")
    return code


def marks(value: Cell, table: CodeTable) -> list[str]:
    """Keys of the marks in a cell, each once, in its order."""
    text = half_width(cell_text(value))
    if not text.strip("-—/、 ") or text.strip("-—/、,;。 ") in _NO_MARKS:
        return []
    whole = table.parse(text)
    if whole is not None:
        return [whole]
    found: list[str] = []
    for piece in MARK_SEPARATORS.split(text):
        # Blanks separate too, but only where the piece is no name with a blank of its own.
        words = [piece] if not piece.strip() or table.parse(piece) is not None else MARK_BLANKS.split(piece)
        for word in words:
            if not word.strip():
                continue
            key = table.parse(word)
            keys = table.sequence(word) if key is None else [key]
            if not keys:
                likely = table.suggest(word)
                # One mark in place of several would lose the others.
                sure = likely is not None and table.named_in(word) <= {likely.code}
                raise CellProblem("mark_unknown", {"mark": word.strip()}, likely.zh if likely and sure else "")
            found += [one for one in keys if one not in found]
    return found


_NO_MARKS = frozenset((*NO_VALUE, "否", "群众", "一般户", "一般农户"))


def boolean(value: Cell) -> bool:
    if isinstance(value, bool):
        return value
    code = YES_NO.parse(value)
    if code is None:
        raise CellProblem("boolean_format")
    return code == "1"


def integer(value: Cell) -> int:
    text = without_spaces(cell_text(value)).replace(",", "")
    try:
        number = int(text)
    except ValueError:
        raise CellProblem("integer_format") from None
    if not _INTEGER[0] <= number <= _INTEGER[1]:
        raise CellProblem("integer_range", {"low": _INTEGER[0], "high": _INTEGER[1]})
    return number


def money(value: Cell) -> int:
    """Whole yuan: 32000, 32,000, 32000元, 3.2万. A part of a yuan is not rounded silently but suggested rounded."""
    if isinstance(value, float) and value.is_integer():
        amount = Decimal(int(value)) if abs(value) < 1e15 else Decimal("Infinity")
    else:
        match = _MONEY.fullmatch(without_spaces(cell_text(value)).replace(",", ""))
        if match is None:
            raise CellProblem("money_format")
        try:
            amount = Decimal(match[1]) * (10_000 if match[2] else 1)
        except InvalidOperation:
            raise CellProblem("money_format") from None
    if not 0 <= amount <= MONEY_MAX:
        raise CellProblem("integer_range", {"low": 0, "high": MONEY_MAX})
    if amount != amount.to_integral_value():
        raise CellProblem("money_format", suggestion=str(amount.to_integral_value(ROUND_HALF_UP)))
    return int(amount)


def year(value: Cell, today: date) -> int:
    text = without_spaces(cell_text(value)).removesuffix("年度").removesuffix("年")
    if not (len(text) == 4 and text.isdigit() and FIRST_INCOME_YEAR <= int(text) <= today.year):
        raise CellProblem("year_format", {"low": FIRST_INCOME_YEAR, "high": today.year})
    return int(text)


def past_date(value: Cell, today: date) -> date:
    """A day from 1900 to today."""
    try:
        day = parse_date(value)
    except TextProblem as problem:
        likely = of_serial(value)
        if likely is None or not 1900 <= likely.year <= today.year:
            raise
        raise CellProblem(problem.code, problem.params, likely.isoformat()) from None
    if day > today:
        raise CellProblem("date_future")
    if day.year < 1900:
        raise CellProblem("date_too_old")
    return day


def custom_judge(column: Column, today: date) -> Callable[[Cell], Any]:
    """The function that reads the cells of a custom field or of a plugin's column."""
    if column.kind == "integer":
        return integer
    if column.kind == "decimal":
        return parse_decimal
    if column.kind == "money":
        return money
    if column.kind == "year":
        return lambda value: year(value, today)
    if column.kind == "date":
        return parse_date
    if column.kind == "boolean":
        return boolean
    if column.kind == "choice":
        table = column.choices
        assert table is not None
        return lambda value: choice(value, table)
    return text_value


def as_problem(error: CellProblem | TextProblem) -> tuple[str, dict[str, Any], str]:
    """(code, params, suggestion)."""
    return error.code, error.params, error.suggestion if isinstance(error, CellProblem) else ""
