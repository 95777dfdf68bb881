"""Finding the header, naming the columns, passing over what is no person."""

from __future__ import annotations

import io
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from roster_samples import COLUMNS, CUSTOM, HEAD, workbook

from xiangyue import tenancy
from xiangyue.features.imports.roster_columns import (
    DEFAULT_MARK_KINDS,
    STANDARD_COLUMNS,
    CustomFieldSpec,
    roster_columns,
)
from xiangyue.features.imports.roster_file import RosterFileError
from xiangyue.features.imports.roster_header import HeaderProblem, describe_header
from xiangyue.features.imports.roster_read import SKIPPED, read_rows
from xiangyue.i18n import in_locale

NOTHING = dict.fromkeys(SKIPPED, 0)
REQUIRED = ["镇", "村", "户编号", "与户主关系", "姓名"]
KEYS = ["town", "village", "household_no", "relation", "name"]
PERSON = ["漩涡镇", "上七村", "0017", "户主", "王试一"]


def test_header_anywhere_in_the_first_rows_and_the_sheets_own_row_numbers() -> None:
    sheet = read_rows(workbook([["汉阴县花名册"], [], REQUIRED, [], PERSON, [], [None, "  "], PERSON]))
    assert (sheet.header_row, sheet.row_count) == (3, 5)
    assert sheet.columns == dict(zip(KEYS, range(5), strict=True))
    rows = list(sheet.rows)
    assert [r.number for r in rows] == [5, 8]
    assert rows[0].cells == dict(zip(KEYS, PERSON, strict=True))
    assert sheet.skipped == {**NOTHING, "blank": 3}
    assert sheet.problems == []


def test_header_in_the_twenty_first_row_is_too_late() -> None:
    assert read_rows(workbook([[f"第{n}行"] for n in range(19)] + [REQUIRED])).header_row == 20
    with pytest.raises(RosterFileError) as caught:
        read_rows(workbook([[f"第{n}行"] for n in range(20)] + [REQUIRED]))
    assert caught.value.code == "no_header"


@pytest.mark.parametrize(
    "first",
    [
        "示例:漩涡镇",
        "示例：漩涡镇",
        "Example: 漩涡镇",
        "说明:一人一行",
        "注：以上",
        "填表人:张某",
        "Note: x",
    ],
)
def test_notes_are_passed_over(first: str) -> None:
    sheet = read_rows(workbook([REQUIRED, [first, *PERSON[1:]], PERSON]))
    assert [r.number for r in sheet.rows] == [3]
    assert sheet.skipped == {**NOTHING, "note": 1}


@pytest.mark.parametrize("first", ["合计", "总计:", "合 计：25人", "本页小计", "Total"])
def test_totals_are_passed_over(first: str) -> None:
    sheet = read_rows(workbook([REQUIRED, PERSON, [None, first, 25, "", ""]]))
    assert [r.number for r in sheet.rows] == [2]
    assert sheet.skipped == {**NOTHING, "total": 1}


def test_names_that_only_look_like_notes_stay() -> None:
    sheet = read_rows(workbook([REQUIRED, ["说明镇", *PERSON[1:]], ["例外村", *PERSON[1:]]]))
    assert [r.number for r in sheet.rows] == [2, 3]


def test_other_headings_stars_blanks_and_brackets() -> None:
    heads = [
        "*乡镇",
        "行政村（社区）",
        "户 号",
        "与户主的关系\n",
        "成员姓名",
        "身份证号码",
        "家庭年收入（元/年）",
        "Date of Birth",
    ]
    sheet = read_rows(workbook([heads]))
    assert list(sheet.columns) == [*KEYS, "id_number", "household_income", "birth_date"]
    assert sheet.problems == []


def test_english_headers() -> None:
    with in_locale("en"):
        heads = [column.label for column in COLUMNS]
    assert heads[:3] == ["Town", "Village", "Group"]
    assert list(read_rows(workbook([heads])).columns) == [column.key for column in COLUMNS]


def test_wrong_headers_are_reported_with_a_suggestion() -> None:
    heads = ["镇", "村", "户编号", "与户主关糸", "姓名", "姓名", "备注", "错误说明", "序号", "联系电活"]
    sheet = read_rows(workbook([heads]))
    assert sheet.problems == [
        HeaderProblem("header_duplicate", "姓名", "F1", "姓名"),
        HeaderProblem("header_unknown", "与户主关糸", "D1", "与户主关系"),
        HeaderProblem("header_ignored", "备注", "G1", "", False),
        HeaderProblem("header_unknown", "联系电活", "J1", "联系电话"),
        HeaderProblem("header_missing", "与户主关系"),
    ]
    assert [p.header for p in sheet.blocking] == ["姓名", "与户主关糸", "联系电活", "与户主关系"]
    assert [HeaderProblem.from_dict(p.as_dict()) for p in sheet.problems] == sheet.problems
    with in_locale("en"):
        said = "Column “与户主关糸” in D1 is not known. Did you mean “与户主关系”?"
        assert describe_header(sheet.problems[1]) == said
    with in_locale("zh"):
        assert describe_header(sheet.problems[4]) == "缺“与户主关系”列，请在表头里补上。"


def test_the_visible_sheet_with_most_headings_is_taken() -> None:
    book = openpyxl.Workbook()
    first = book.active
    assert first is not None
    first.append(["镇", "村", "姓名"])
    hidden = book.create_sheet("旧")
    hidden.append([column.zh for column in STANDARD_COLUMNS])
    hidden.sheet_state = "hidden"
    book.create_sheet("花名册").append(REQUIRED)
    stream = io.BytesIO()
    book.save(stream)
    assert read_rows(stream.getvalue()).name == "花名册"


def test_cells_come_as_the_workbook_holds_them() -> None:
    heads = [*REQUIRED, "出生日期", "公民身份号码", "户年收入（元）", "外出"]
    values: list[Any] = [*PERSON, date(1980, 1, 1), 610921198001011234, 32000, True]
    (found,) = read_rows(workbook([heads, values])).rows
    assert found.cells["birth_date"] == date(1980, 1, 1)
    assert found.cells["id_number"] == float(610921198001011234)
    assert found.cells["household_income"] == 32000.0
    assert found.cells["away"] is True


def test_custom_fields_become_columns() -> None:
    columns = roster_columns(CUSTOM, DEFAULT_MARK_KINDS)
    assert [c.key for c in columns[16:]] == [
        "household.courtyard",
        "household.housing",
        "person.since",
        "person.insured",
        "person.mu",
        "person.room",
    ]
    sheet = read_rows(workbook([[*REQUIRED, "所在院落", "Land (mu)"]]), columns)
    assert sheet.columns["household.courtyard"] == 5
    assert sheet.columns["person.mu"] == 6
    assert [p.header for p in sheet.problems] == ["住房来源"]
    with in_locale("en"):
        assert columns[17].label == "Housing"


def test_the_default_marks_are_those_of_a_new_county() -> None:
    with (Path(tenancy.__file__).parent / "data" / "defaults.toml").open("rb") as stream:
        marks = tomllib.load(stream)["marks"]
    assert [(k.key, k.name, k.name_en) for k in DEFAULT_MARK_KINDS] == [
        (m["key"], m["name_zh"], m["name_en"]) for m in marks
    ]


def test_a_custom_field_named_like_a_standard_column_stays_apart() -> None:
    columns = roster_columns([CustomFieldSpec("household", "x", "text", "联系电话")])
    assert columns[-1].zh == "联系电话(户)"


@settings(max_examples=30, deadline=None)
@given(st.permutations(range(len(STANDARD_COLUMNS))), st.integers(0, 18))
def test_columns_in_any_order_below_any_title_read_the_same(order: list[int], above: int) -> None:
    columns = [STANDARD_COLUMNS[i] for i in order]
    data = workbook([["县花名册"]] * above + [[c.zh for c in columns], [HEAD[c.key] for c in columns]])
    sheet = read_rows(data)
    (found,) = sheet.rows
    assert found.number == above + 2
    assert found.cells == HEAD
    assert sheet.problems == []
