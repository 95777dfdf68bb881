"""Numbers with up to two places after the point."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xiangyue.features.households.bulk_stage import typed_value
from xiangyue.features.households.custom import parse_value
from xiangyue.i18n import in_locale
from xiangyue.text.decimals import hundredths, of_hundredths, parse_decimal
from xiangyue.text.problems import TextProblem

MOST = 10**15 - 1


@pytest.mark.parametrize(
    ("given", "number", "shown"),
    [
        ("3.5", 350, "3.5"),
        ("3.50", 350, "3.5"),
        ("3.500", 350, "3.5"),
        (" 32.75 ", 3275, "32.75"),
        ("３．５０", 350, "3.5"),
        ("-0.25", -25, "-0.25"),
        ("4.00", 400, "4"),
        ("007", 700, "7"),
        ("-0.00", 0, "0"),
        ("1,234.5", 123450, "1234.5"),
        ("1,000,000,000,000", 10**14, "1000000000000"),
        (3, 300, "3"),
        (3.5, 350, "3.5"),
        (0.1 + 0.2, 30, "0.3"),
        ("9999999999999.99", MOST, "9999999999999.99"),
        ("-9999999999999.99", -MOST, "-9999999999999.99"),
    ],
)
def test_one_number_has_one_form(given: object, number: int, shown: str) -> None:
    found = parse_decimal(given)
    assert (hundredths(found), str(found)) == (number, shown)
    assert typed_value("decimal", parse_value("decimal", [], given)) == (None, number, None)


@pytest.mark.parametrize(
    "given",
    [
        "3.555", 3.555, "3.5亩", "3.", ".5", "3,5", "12,34.5", "3.5.1", "1e3", 1e20, float("nan"), "--1", "+1", "²",
        "10000000000000", "10,000,000,000,000", "9" * 5000, True, "多",
    ],
)  # fmt: skip
def test_nothing_else_is_and_nothing_is_rounded(given: object) -> None:
    with pytest.raises(TextProblem) as problem:
        parse_decimal(given)
    assert problem.value.code == "decimal_format"
    with in_locale("zh"), pytest.raises(ValueError, match="小数点后最多两位"):
        parse_value("decimal", [], given)


@given(st.integers(-MOST, MOST))
def test_what_is_kept_comes_back_as_it_was_by_every_way(number: int) -> None:
    value = of_hundredths(number)
    assert hundredths(value) == number
    for way in (str(value), float(value), json.loads(json.dumps(value)), float(f"{value:.16G}")):
        assert hundredths(parse_decimal(way)) == number, way
        assert parse_decimal(way) == value
