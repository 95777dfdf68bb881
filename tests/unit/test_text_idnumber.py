"""Citizen numbers: GB 11643 reading, what spreadsheets do to them, masking."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric

from xiangyue.i18n import in_locale
from xiangyue.text.idnumber import CHECK_DIGITS, WEIGHTS, IdNumber, check_digit, known_region, mask, parse
from xiangyue.text.problems import PROBLEMS, TextProblem


def code_of(value: object) -> str:
    with pytest.raises(TextProblem) as caught:
        parse(value)
    return caught.value.code


def test_the_examples_of_the_standard() -> None:
    assert parse("11010519491231002X") == IdNumber("11010519491231002X", date(1949, 12, 31), 2, True)
    assert parse("440524188001010014") == IdNumber("440524188001010014", date(1880, 1, 1), 1, True)


def test_a_wrong_check_digit_is_told_not_refused() -> None:
    assert parse("610921198001011234") == IdNumber("610921198001011234", date(1980, 1, 1), 1, False)


@pytest.mark.parametrize(
    "typed",
    [
        "11010519491231002x",
        " 110105 19491231 002X ",
        "'11010519491231002X",
        "１１０１０５１９４９１２３１００２Ｘ",
        "110105-19491231-002x",
    ],
)
def test_ways_of_typing(typed: str) -> None:
    assert parse(typed).value == "11010519491231002X"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("6.10921E+17", "id_truncated"),
        ("6.10921198001011e+17", "id_truncated"),
        (610921198001011234, "id_truncated"),
        (6.10921198001011e17, "id_truncated"),
        ("610921198001011000", "id_truncated"),
        ("610921800101123", "id_old"),
        (610921800101123, "id_old"),
        (610921800101123.0, "id_old"),
        ("61092119800101123", "id_length"),
        ("", "id_length"),
        (12.5, "id_format"),
        (float("nan"), "id_format"),
        ("61092119800101123A", "id_format"),
        ("61092119800101124×", "id_last"),
        ("61092119800101124*", "id_last"),
        ("X10921198001011234", "id_format"),
        ("999921198001011234", "id_region"),
        ("610921198002301234", "id_date"),
        ("610921198013011234", "id_date"),
    ],
)
def test_refused_with_its_own_code(value: object, code: str) -> None:
    assert code_of(value) == code


def test_a_right_number_that_ends_in_three_zeros_is_taken() -> None:
    body = next(
        b for n in range(0, 1000, 10) for b in [f"61092119800101{n:03d}"] if n % 100 == 0 and check_digit(b) == "0"
    )
    assert parse(body + "0").checksum_ok


@given(st.text("0123456789", min_size=17, max_size=17))
def test_check_digit_agrees_with_the_weights_and_with_stdnum(body: str) -> None:
    by_weights = CHECK_DIGITS[sum(w * int(d) for w, d in zip(WEIGHTS, body, strict=True)) % 11]
    assert check_digit(body) == by_weights == ric.calc_check_digit(body + "0")


@given(st.dates(date(1900, 1, 1), date(2025, 12, 31)), st.integers(0, 999), st.integers(0, 10))
def test_parse_gives_back_what_was_put_in(born: date, sequence: int, offset: int) -> None:
    body = f"610921{born:%Y%m%d}{sequence:03d}"
    right = check_digit(body)
    last = CHECK_DIGITS[(CHECK_DIGITS.index(right) + offset) % 11]
    if (body + last).endswith("000") and offset:
        assert code_of(body + last) == "id_truncated"
    else:
        assert parse(body + last) == IdNumber(body + last, born, 1 if sequence % 2 else 2, offset == 0)


def test_abolished_counties_stay_known() -> None:
    assert known_region("110103")  # 崇文区, until 2010
    assert not known_region("610000")
    assert not known_region("000000")


def test_mask() -> None:
    assert mask("610921198001011234") == "610921********34"
    assert mask("11010519491231002X") == "110105********2X"
    assert mask("6109211980010112") == "610921********12"
    assert mask("6.10921E+17") == "610921????????????"
    assert mask("6.1092119800E+17") == "610921****????????"  # its last digit was rounded
    assert mask("6.10921198001011E+17") == mask(6.10921198001011e17) == "610921*********???"
    assert mask(610921198001011234) == mask("610921198001011000") == "610921*********???"
    assert mask("123") == "123"


def test_every_problem_says_what_to_do_in_both_languages() -> None:
    params = {"length": 17, "region": "999921", "limit": 50, "kept": 15}
    for code in PROBLEMS:
        problem = TextProblem(code, **params)
        with in_locale("en"):
            english = str(problem)
        with in_locale("zh"):
            chinese = str(problem)
        assert english.isascii()
        assert chinese != english
        assert "%(" not in english + chinese
