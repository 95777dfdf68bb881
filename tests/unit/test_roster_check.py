"""Every rule of the roster's check: the wrong cell, its code, what is suggested, what is never shown."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from roster_samples import CUSTOM, HEAD, TODAY, WIFE, brief, check, checker, row

from xiangyue.features.imports.roster_columns import DEFAULT_MARK_KINDS, roster_columns
from xiangyue.features.imports.roster_messages import MESSAGES, CellError, describe
from xiangyue.i18n import in_locale
from xiangyue.text.idnumber import CHECK_DIGITS, check_digit

RIGHT = "61092119800101123" + check_digit("61092119800101123")


def test_a_full_row_as_it_is_understood() -> None:
    checked = checker().check_row(row(2, HEAD))
    assert checked.errors == []
    assert checked.values == {
        "area_code": 610921107224003,
        "village_code": 610921107224000,
        "group_no": 3,
        "group_name": "三组",
        "household_no": "0017",
        "relation": "02",
        "name": "王试一",
        "sex": 1,
        "id_number": "610921198001011234",
        "id_checksum_ok": False,
        "birth_date": date(1980, 1, 1),
        "nationality": "01",
        "phone": "15400000017",
        "address": "漩涡镇上七村三组17号",
        "marks": ["party_member", "veteran"],
        "away": False,
        "household_income": 32000,
        "income_year": 2024,
        "custom": {},
    }


def test_sex_and_birth_date_come_from_the_citizen_number() -> None:
    values = checker().check_row(row(3, WIFE)).values
    assert (values["sex"], values["birth_date"]) == (2, date(1982, 2, 2))
    assert (values["phone"], values["marks"], values["away"], values["nationality"]) == (None, [], None, "")


def test_check_digits() -> None:
    assert check(row(2, HEAD)) == []
    assert brief(check(row(2, HEAD), synthetic=False)) == [(2, "id_number", "id_checksum")]
    for synthetic in (True, False):
        assert check(row(2, HEAD, id_number=RIGHT), synthetic=synthetic) == []


def test_synthetic_people_need_everything_else_right() -> None:
    assert brief(check(row(2, HEAD, id_number="999921198001011234"))) == [(2, "id_number", "id_region")]
    assert brief(check(row(2, HEAD, id_number="610921198013011234"))) == [(2, "id_number", "id_date")]
    assert brief(check(row(2, HEAD, id_number="610921203001011234", birth_date=None))) == [(2, "id_number", "id_date")]


@pytest.mark.parametrize(
    ("changes", "column", "code", "suggestion"),
    [
        ({"town": "漩窝镇"}, "town", "town_unknown", "漩涡镇"),
        ({"village": "上漆村"}, "village", "village_unknown", "上七村"),
        ({"town": "蒲溪镇", "village": "蒲溪"}, "village", "village_ambiguous", ""),
        ({"town": None}, "town", "required", ""),
        ({"village": None}, "village", "required", ""),
        ({"group": "组" * 31}, "group", "group_long", ""),
        ({"household_no": "1/2"}, "household_no", "household_no_format", ""),
        ({"relation": "户土"}, "relation", "choice_unknown", "户主"),
        ({"name": None}, "name", "required", ""),
        ({"name": "王试一(已故)"}, "name", "name_format", ""),
        ({"name": "王" * 51}, "name", "name_long", ""),
        ({"sex": "南"}, "sex", "choice_unknown", ""),
        ({"sex": "女"}, "sex", "sex_mismatch", "男"),
        ({"birth_date": "1981-01-01"}, "birth_date", "birth_mismatch", "1980-01-01"),
        ({"birth_date": "80.1"}, "birth_date", "date_incomplete", ""),
        ({"birth_date": "1980-02-30"}, "birth_date", "date_impossible", ""),
        ({"birth_date": date(2025, 11, 23), "id_number": None}, "birth_date", "date_future", ""),
        ({"birth_date": "1899-12-31", "id_number": None}, "birth_date", "date_too_old", ""),
        ({"id_number": None, "sex": None}, "sex", "required_without_id", ""),
        ({"id_number": None, "birth_date": None}, "birth_date", "required_without_id", ""),
        ({"id_number": "6.10921E+17"}, "id_number", "id_truncated", ""),
        ({"id_number": 6.10921198001011e17}, "id_number", "id_truncated", ""),
        ({"id_number": "610921198001011"}, "id_number", "id_old", ""),
        ({"id_number": "6109211980010112"}, "id_number", "id_length", ""),
        ({"id_number": "61092119800101123A"}, "id_number", "id_format", ""),
        ({"birth_date": "29221"}, "birth_date", "date_format", "1980-01-01"),
        ({"household_no": "9602号"}, "household_no", "household_no_format", "9602"),
        ({"household_no": "第9603户"}, "household_no", "household_no_format", "9603"),
        ({"nationality": "汗族"}, "nationality", "choice_unknown", "汉族"),
        ({"phone": "1234"}, "phone", "phone_format", ""),
        ({"phone": "15400000017/15400000018"}, "phone", "phone_many", ""),
        ({"marks": "党员、留受老人"}, "marks", "mark_unknown", "留守老人"),
        ({"away": "也许"}, "away", "boolean_format", ""),
        ({"household_income": "很多"}, "household_income", "money_format", ""),
        ({"household_income": "100.5"}, "household_income", "money_format", "101"),
        ({"household_income": "-1"}, "household_income", "integer_range", ""),
        ({"income_year": None}, "income_year", "income_year_missing", ""),
        ({"income_year": "2026"}, "income_year", "year_format", ""),
        ({"income_year": "24"}, "income_year", "year_format", ""),
        ({"address": "长" * 201}, "address", "text_long", ""),
        ({"address": "#REF!"}, "address", "cell_error", ""),
    ],
)
def test_each_wrong_cell(changes: dict[str, Any], column: str, code: str, suggestion: str) -> None:
    errors = check(row(19, HEAD, **changes))
    assert brief(errors) == [(19, column, code)]
    assert errors[0].suggestion == suggestion


@pytest.mark.parametrize(
    ("changes", "key", "value"),
    [
        ({"town": "汉阴县漩涡镇", "village": "漩涡镇上七村委会"}, "village_code", 610921107224000),
        ({"group": 12.0}, "area_code", 610921107224012),
        ({"group": "上院子组"}, "area_code", 610921107224007),
        ({"group": "下院子"}, "area_code", 610921107224000),
        ({"group": "下院子"}, "group_name", "下院子"),
        ({"household_no": 17.0}, "household_no", "0017"),
        ({"household_no": "6109211072240017"}, "household_no", "0017"),
        ({"household_no": "a-3"}, "household_no", "A-3"),
        ({"name": "王　试 一"}, "name", "王试一"),
        ({"birth_date": 29221.0}, "birth_date", date(1980, 1, 1)),
        ({"birth_date": "1980年1月1日"}, "birth_date", date(1980, 1, 1)),
        ({"phone": 15400000017.0}, "phone", "15400000017"),
        ({"marks": "党员 残疾,党员;低保户"}, "marks", ["party_member", "disabled", "low_income"]),
        ({"marks": "Party member, Veteran"}, "marks", ["party_member", "veteran"]),
        ({"marks": "无"}, "marks", []),
        ({"away": "√"}, "away", True),
        ({"away": False}, "away", False),
        ({"household_income": "3.2万元"}, "household_income", 32000),
        ({"household_income": "32,000"}, "household_income", 32000),
        ({"income_year": "2024年"}, "income_year", 2024),
        ({"nationality": 1.0}, "nationality", "01"),
        ({"id_number": "６１０９２１１９８００１０１１２３４"}, "id_number", "610921198001011234"),
    ],
)
def test_ways_of_writing_that_are_understood(changes: dict[str, Any], key: str, value: object) -> None:
    checked = checker().check_row(row(2, HEAD, **changes))
    assert checked.errors == []
    assert checked.values[key] == value


def test_between_rows() -> None:
    assert check(row(2, HEAD), row(3, WIFE)) == []
    assert brief(check(row(3, WIFE))) == [(3, "relation", "no_head")]
    other = dict(HEAD, id_number="610921197001011231", birth_date=None, name="李试三")
    errors = check(row(2, HEAD), row(3, other, address=None))
    assert brief(errors) == [(3, "relation", "two_heads")]
    assert errors[0].params == {"household": "0017", "first_row": 2}
    errors = check(row(2, HEAD), row(9, WIFE, id_number=HEAD["id_number"]))
    assert brief(errors) == [(9, "id_number", "id_duplicate")]
    assert (errors[0].params, errors[0].shown_value) == ({"first_row": 2}, "610921********34")
    # A copied row of a head is that and no second head.
    assert brief(check(row(2, HEAD), row(9, HEAD))) == [(9, "id_number", "id_duplicate")]


def test_the_same_number_in_another_village_is_another_household() -> None:
    elsewhere = dict(HEAD, village="茨沟村", id_number="610921197001011231", birth_date=None, address="x")
    assert check(row(2, HEAD), row(3, elsewhere)) == []


@pytest.mark.parametrize("head_first", [True, False])
def test_household_cells_must_agree_with_the_head(head_first: bool) -> None:
    rows = [row(2, HEAD, household_income=None, income_year=None), row(3, WIFE, address="别处", group="四组")]
    rows.append(row(4, WIFE, id_number="610921200001011235", household_income=5.0, income_year=2024.0, group="3组"))
    errors = check(*(rows if head_first else reversed(rows)))
    assert brief(errors) == [
        (3, "address", "household_differs"),
        (3, "group", "household_differs"),
        (4, "household_income", "head_row_only"),
        (4, "income_year", "head_row_only"),
    ]
    assert errors[0].params == {"first_row": 2, "first_value": HEAD["address"]}
    assert errors[0].suggestion == HEAD["address"]


def test_an_unreadable_relation_does_not_also_miss_the_head() -> None:
    assert brief(check(row(2, HEAD, relation="户土"), row(3, WIFE))) == [(2, "relation", "choice_unknown")]


def test_a_village_not_found_still_keeps_its_household_together() -> None:
    lost = {"village": "上漆村"}
    assert brief(check(row(2, HEAD, **lost), row(3, WIFE, **lost))) == [
        (2, "village", "village_unknown"),
        (3, "village", "village_unknown"),
    ]


def test_one_lost_row_does_not_make_the_rest_of_its_household_wrong() -> None:
    lost = [(2, "village", "village_unknown")]
    assert brief(check(row(2, HEAD, village="上漆村"), row(3, WIFE))) == lost
    assert brief(check(row(2, WIFE, village="上漆村"), row(3, HEAD))) == lost


def test_custom_fields() -> None:
    columns = roster_columns(CUSTOM, DEFAULT_MARK_KINDS)
    judge = checker(columns=columns, custom=CUSTOM)
    head = {
        **HEAD,
        "household.courtyard": "李家院子",
        "household.housing": "自建房",
        "person.since": "2020.1.2",
        "person.insured": "是",
        "person.mu": 3.0,
        "person.room": "３２．７５",
    }
    checked = judge.check_row(row(2, head))
    assert checked.errors == []
    assert checked.values["custom"] == {
        "household.courtyard": "李家院子",
        "household.housing": "own",
        "person.since": date(2020, 1, 2),
        "person.insured": True,
        "person.mu": 3,
        "person.room": 32.75,
    }
    bad = {
        **WIFE,
        "household.housing": "租住",
        "person.since": "早",
        "person.insured": "?",
        "person.mu": "3.5",
        "person.room": "3.5平方米",
    }
    errors = judge.check_row(row(3, bad)).errors
    assert brief(errors) == [
        (3, "person.since", "date_format"),
        (3, "person.insured", "boolean_format"),
        (3, "person.mu", "integer_format"),
        (3, "person.room", "decimal_format"),
    ]
    assert brief(judge.finish()) == [(3, "household.housing", "household_differs")]
    with in_locale("en"):
        said = describe(errors[2], columns)
    assert said == "Row 3, Land (mu), “3.5”: Enter a whole number."
    judge = checker(columns=columns, custom=CUSTOM)
    assert brief(judge.check_row(row(2, HEAD)).errors) == [(2, "household.housing", "required")]
    assert judge.check_row(row(3, WIFE)).errors == []


def test_what_is_said_in_both_languages() -> None:
    (error,) = check(row(19, HEAD, id_number="6.10921E+17"))
    with in_locale("zh"):
        assert describe(error) == (
            "第 19 行，公民身份号码“610921????????????”：号码被表格当成数字截断，只有前 6 位可靠，"
            "显示为问号的数字已经丢失。请把这一列设为文本格式，照身份证填写全部 18 位。"
        )
    (error,) = check(row(18, HEAD, town="漩窝镇"))
    with in_locale("zh"):
        assert describe(error) == "第 18 行，镇“漩窝镇”：县里没有这个镇，请从下拉列表里选。像是“漩涡镇”。"
    (error,) = check(row(18, HEAD, sex="女"))
    with in_locale("en"):
        assert describe(error) == (
            "Row 18, Sex, “女”: Differs from the citizen number, which says male. Correct one of the two. "
            "Likely meant: “男”."
        )


def test_every_code_has_a_sentence_in_both_languages() -> None:
    params = {
        "length": 17, "region": "999921", "limit": 50, "kept": 15, "choices": "甲", "mark": "乙", "expected": 1,
        "low": 0, "high": 9, "first_row": 2, "household": "0017", "first_value": "丙", "request": "2026-000001",
    }  # fmt: skip
    for code in MESSAGES:
        said = []
        for locale in ("zh", "en"):
            with in_locale(locale):
                said.append(describe(CellError(7, "name", code, params)))
        assert said[0].startswith("第 7 行，姓名：")
        assert said[1].startswith("Row 7, Name: ")
        assert "%(" not in "".join(said)


@given(
    st.dictionaries(
        st.sampled_from(sorted(HEAD)),
        st.none() | st.text(max_size=30) | st.floats() | st.integers(-(10**19), 10**19) | st.booleans() | st.dates(),
    )
)
def test_no_cell_breaks_the_check_and_errors_are_json_without_the_number(changes: dict[str, Any]) -> None:
    judge = checker()
    checked = judge.check_row(row(2, HEAD, **changes))
    errors = checked.errors + judge.finish()
    for error in errors:
        assert CellError.from_dict(json.loads(json.dumps(error.as_dict()))) == error
        assert describe(error)
        assert HEAD["id_number"] not in json.dumps(error.as_dict())


@given(st.dates(date(1900, 1, 1), TODAY), st.integers(0, 998), st.integers(1, 10))
def test_any_wrong_check_digit_is_told_where_synthetic_people_are_not_allowed(
    born: date, sequence: int, offset: int
) -> None:
    body = f"610921{born:%Y%m%d}{sequence:03d}"
    wrong = CHECK_DIGITS[(CHECK_DIGITS.index(check_digit(body)) + offset) % 11]
    changes = {"id_number": body + wrong, "sex": None, "birth_date": None}
    codes = [error.code for error in check(row(2, HEAD, **changes), synthetic=False)]
    assert codes == ["id_truncated" if (body + wrong).endswith("000") else "id_checksum"]
