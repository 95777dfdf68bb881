"""Names, dates, phones and national codes as people type them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xiangyue.i18n import in_locale
from xiangyue.text.codes import HEAD, NATIONALITIES, RELATIONS, SEX, CodeTable
from xiangyue.text.dates import parse_date
from xiangyue.text.folding import cell_text, half_width
from xiangyue.text.names import clean_name, mask_name, parse_name
from xiangyue.text.phone import mask_phone, parse_phone
from xiangyue.text.problems import TextProblem


def code_of(function: Callable[[str], object], value: object) -> str:
    with pytest.raises(TextProblem) as caught:
        function(value)  # type: ignore[arg-type]
    return caught.value.code


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("王德福", "王德福"),
        (" 刘　洋 ", "刘洋"),
        ("吴•木子", "吴·木子"),
        ("阿卜杜拉 ． 买买提", "阿卜杜拉·买买提"),
        ("阿卜杜拉.买买提", "阿卜杜拉·买买提"),
        ("𠮷田", "𠮷田"),
        ("Ｍａｒｙ  O'Neil", "Mary O'Neil"),
        ("欧阳明日", "欧阳明日"),
    ],
)
def test_names(typed: str, name: str) -> None:
    assert parse_name(typed) == name
    assert clean_name(name) == name


@pytest.mark.parametrize("typed", ["王德福(已故)", "王2", "", "123", "王德福/李四", "=1+1"])
def test_not_names(typed: str) -> None:
    assert code_of(parse_name, typed) == "name_format"


def test_long_name() -> None:
    assert code_of(parse_name, "王" * 51) == "name_long"


def test_mask_name_keeps_the_surname() -> None:
    assert [mask_name(n) for n in ("陈桂兰", "欧阳明", "王", "单于")] == ["陈**", "欧阳*", "王", "单*"]


@given(st.text("王李欧阳·. 　•ａＢ", max_size=12))
def test_cleaning_twice_changes_nothing(text: str) -> None:
    assert clean_name(clean_name(text)) == clean_name(text)


@pytest.mark.parametrize(
    "typed",
    [
        "1980-01-31",
        "1980.1.31",
        "1980/1/31",
        "19800131",
        "1980年1月31日",
        "1980年01月31号",
        " 1980 . 1 . 31 ",
        "１９８０－０１－３１",
        "1980-1-31 00:00:00",
        "1980-01-31T00:00:00",
        19800131,
        19800131.0,
        29251,
        29251.0,
        datetime(1980, 1, 31, 12),
        date(1980, 1, 31),
        "1980。1。31",
        "1980—1—31",
        "1980－1–31",
        "'1980-01-31",
        "'19800131",
        "1980.1.31出生",
    ],
)
def test_dates(typed: object) -> None:
    assert parse_date(typed) == date(1980, 1, 31)


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("80.1", "date_incomplete"),
        ("80.1.1", "date_incomplete"),
        ("1980", "date_incomplete"),
        (1980, "date_incomplete"),
        (1980.1, "date_incomplete"),
        (198001, "date_incomplete"),
        ("198001", "date_incomplete"),
        ("1980年1月", "date_incomplete"),
        ("1980-02-30", "date_impossible"),
        ("19801301", "date_impossible"),
        (19801301, "date_impossible"),
        ("不详", "date_format"),
        ("29251", "date_format"),
        (0, "date_format"),
        (-5, "date_format"),
        (99999, "date_format"),
        (True, "date_format"),
        ("1980-01-31-5", "date_format"),
    ],
)
def test_not_dates(typed: object, code: str) -> None:
    assert code_of(parse_date, typed) == code  # type: ignore[arg-type]


@given(st.dates(date(1920, 1, 1), date(2099, 12, 31)))
def test_every_way_of_writing_a_day_reads_the_same(day: date) -> None:
    serial = (day - date(1899, 12, 30)).days
    ways = [
        f"{day:%Y%m%d}",
        f"{day.year}.{day.month}.{day.day}",
        f"{day.year}年{day.month}月{day.day}日",
        serial,
    ]
    assert {parse_date(way) for way in ways} == {day}


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("13812342091", "13812342091"),
        (13812342091.0, "13812342091"),
        ("+86 138-1234-2091", "13812342091"),
        ("008613812342091", "13812342091"),
        ("138 1234 2091", "13812342091"),
        ("１３８１２３４２０９１", "13812342091"),
        ("0915-5212345", "0915-5212345"),
        ("(0915)5212345", "0915-5212345"),
        ("09155212345", "0915-5212345"),
        ("029-88881234-801", "029-88881234-801"),
        ("010 88881234", "010-88881234"),
        ("13812342091、", "13812342091"),
    ],
)
def test_phones(typed: object, number: str) -> None:
    assert parse_phone(typed) == number


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("1381234209", "phone_format"),
        ("12812342091", "phone_format"),
        ("5212345", "phone_format"),
        ("无", "phone_format"),
        ("13812342091/13812342092", "phone_many"),
        ("13812342091 13812342092", "phone_many"),
        ("13812342091、0915-5212345", "phone_many"),
    ],
)
def test_not_phones(typed: str, code: str) -> None:
    assert code_of(parse_phone, typed) == code


def test_mask_phone() -> None:
    assert mask_phone("13812342091") == "138****2091"
    assert mask_phone("0915-5212345") == "0915-****345"


def test_sizes_of_the_tables() -> None:
    assert len(SEX) == 4
    assert [entry.code for entry in NATIONALITIES][:56] == [f"{n:02d}" for n in range(1, 57)]
    assert [entry.code for entry in NATIONALITIES][56:] == ["97", "98"]
    assert len(RELATIONS) == 84
    assert RELATIONS.label(HEAD) == "户主"


@pytest.mark.parametrize("table", [SEX, NATIONALITIES, RELATIONS], ids=lambda t: t.key)
def test_every_code_label_and_synonym_reads_as_its_entry(table: CodeTable) -> None:
    for entry in table:
        assert entry.en
        assert [table.parse(word) for word in (entry.code, entry.zh, entry.en, *entry.synonyms)] == [entry.code] * (
            3 + len(entry.synonyms)
        )


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("户主", "02"),
        ("本人", "02"),
        ("妻", "12"),
        ("之妻", "12"),
        ("长子", "22"),
        ("之子", "20"),
        ("女", "30"),
        ("儿媳", "38"),
        ("孙子", "41"),
        ("孙女", "42"),
        ("父", "51"),
        ("母", "52"),
        (" 户 主 ", "02"),
        ("Spouse", "10"),
        (2.0, "02"),
        ("12", "12"),
    ],
)
def test_relations_as_people_write_them(word: object, code: str) -> None:
    assert RELATIONS.parse(word) == code


def test_what_cannot_be_read_gets_a_likely_suggestion() -> None:
    assert RELATIONS.parse("户土") is None
    words = ("户土", "二儿媳", "Q", "")
    assert [getattr(RELATIONS.suggest(w), "zh", None) for w in words] == ["户主", "儿媳", None, None]
    words = ("汗族", "土家簇")
    assert [getattr(NATIONALITIES.suggest(w), "zh", None) for w in words] == ["汉族", "土家族"]
    assert NATIONALITIES.parse("汉") == NATIONALITIES.parse("Han") == NATIONALITIES.parse(1) == "01"


def test_labels_follow_the_language() -> None:
    with in_locale("en"):
        assert (SEX.label("1"), SEX.zh("1"), RELATIONS.label("22"), SEX.label("7")) == (
            "male",
            "男",
            "eldest son",
            "7",
        )
    with in_locale("zh"):
        assert (SEX.label("1"), RELATIONS.label("22")) == ("男", "长子")


def test_folding() -> None:
    assert half_width("Ａ１（ 　\u200b") == "A1(  "
    assert [cell_text(v) for v in (None, 3.0, 3.5, " a ", 12, 1e17)] == ["", "3", "3.5", "a", "12", "1e+17"]
