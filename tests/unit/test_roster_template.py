"""The template reads back as an empty roster, and offers the county's own lists."""

from __future__ import annotations

import io
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from roster_samples import AREAS, CUSTOM, HEAD, checker

from xiangyue.features.imports.roster_columns import DEFAULT_MARK_KINDS, CustomFieldSpec, roster_columns
from xiangyue.features.imports.roster_read import SKIPPED, read_rows
from xiangyue.features.imports.roster_template import FIRST_ROW, HEADER_ROW, write_template

COLUMNS = roster_columns(CUSTOM, DEFAULT_MARK_KINDS)


def template(locale: str = "zh") -> bytes:
    stream = io.BytesIO()
    write_template(stream, COLUMNS, AREAS, locale)
    return stream.getvalue()


def filled(data: bytes, *people: dict[str, Any]) -> bytes:
    """What somebody makes of the template in a spreadsheet."""
    book = openpyxl.load_workbook(io.BytesIO(data))
    sheet = book.worksheets[0]
    for number, person in enumerate(people, FIRST_ROW):
        for position, column in enumerate(COLUMNS, 1):
            if column.key in person:
                sheet.cell(number, position).value = person[column.key]
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_the_empty_template_reads_as_a_roster_without_rows(locale: str) -> None:
    sheet = read_rows(template(locale), COLUMNS)
    assert sheet.header_row == HEADER_ROW
    assert list(sheet.columns) == [column.key for column in COLUMNS]
    assert sheet.problems == []
    assert list(sheet.rows) == []
    assert sheet.skipped == {**dict.fromkeys(SKIPPED, 0), "note": 1}


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_a_filled_template_passes_the_check(locale: str) -> None:
    person = {**HEAD, "household.housing": "自建房", "person.insured": "是"}
    (found,) = read_rows(filled(template(locale), person), COLUMNS).rows
    assert found.number == FIRST_ROW
    judge = checker(columns=COLUMNS, custom=CUSTOM)
    checked = judge.check_row(found)
    assert checked.errors == []
    assert judge.finish() == []
    assert checked.values["custom"]["household.housing"] == "own"


def test_formats_lists_and_help() -> None:
    book = openpyxl.load_workbook(io.BytesIO(template()))
    sheet = book.worksheets[0]
    assert book.sheetnames == ["花名册", "填写说明", "lists"]
    assert book["lists"].sheet_state == "hidden"
    assert sheet.freeze_panes == "A3"
    letters = {column.key: sheet.cell(1, i).column_letter for i, column in enumerate(COLUMNS, 1)}
    for key in ("id_number", "phone", "household_no"):
        assert sheet.column_dimensions[letters[key]].number_format == "@"
    rules = {
        str(rule.sqref).partition(str(FIRST_ROW))[0]: rule.formula1 for rule in sheet.data_validations.dataValidation
    }
    offered = {key for key, letter in letters.items() if letter in rules}
    assert offered == {
        "town", "village", "relation", "sex", "nationality", "away", "household.housing", "person.insured",
    }  # fmt: skip
    lists = book["lists"]

    def of(formula: str) -> list[Any]:
        return [cell.value for (cell,) in lists[formula.removeprefix("lists!").replace("$", "")]]

    assert of(rules[letters["town"]]) == ["城关镇", "蒲溪镇", "漩涡镇"]
    assert of(rules[letters["sex"]])[:2] == ["男", "女"]
    assert of(rules[letters["household.housing"]]) == ["自建房", "租住"]
    # The villages of the chosen town: a stretch of the village column, found by the town beside it.
    village = rules[letters["village"]]
    towns = village.partition("MATCH($A4,")[2].partition(",0)")[0]
    villages = village.partition("OFFSET(")[2].partition("$1,")[0] + "$1"
    assert of(towns) == ["城关镇"] * 2 + ["蒲溪镇"] * 2 + ["漩涡镇"] * 2
    first = villages.removeprefix("lists!").replace("$", "")
    assert [lists.cell(i, lists[first].column).value for i in range(1, 7)] == [
        "南街社区", "东南村", "蒲溪社区", "蒲溪村", "茨沟村", "上七村",
    ]  # fmt: skip
    comment = sheet[f"{letters['id_number']}{HEADER_ROW}"].comment
    assert comment is not None
    assert comment.text == "18 位。这一列要设为文本格式，否则表格会把它截断到 15 位。"


def test_the_english_template_has_english_words_only_but_for_the_areas() -> None:
    stream = io.BytesIO()
    write_template(stream, roster_columns((), DEFAULT_MARK_KINDS), AREAS[:1], "en")
    book = openpyxl.load_workbook(io.BytesIO(stream.getvalue()))
    sheet = book.worksheets[0]
    texts = [str(cell.value) for r in sheet.iter_rows(min_row=1, max_row=2) for cell in r if cell.value]
    texts += [str(cell.value) for r in book["Notes"].iter_rows() for cell in r if cell.value]
    assert [text for text in texts if any("\u4e00" <= ch <= "\u9fff" for ch in text)] == []
    assert sheet["A3"].value == "Example: 漩涡镇"


def test_the_same_county_gives_the_same_bytes() -> None:
    assert template() == template()


LABELS = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=3, max_size=8)
TYPES = st.sampled_from(["text", "integer", "decimal", "date", "boolean"])


@settings(max_examples=20, deadline=None)
@given(st.dictionaries(LABELS, TYPES, max_size=5))
def test_whatever_fields_a_county_has_its_template_reads_back(fields: dict[str, str]) -> None:
    specs = [CustomFieldSpec("person", f"f{i}", kind, name) for i, (name, kind) in enumerate(fields.items())]
    columns = roster_columns(specs, DEFAULT_MARK_KINDS)
    stream = io.BytesIO()
    write_template(stream, columns, AREAS, "zh")
    sheet = read_rows(stream.getvalue(), columns)
    assert list(sheet.columns) == [column.key for column in columns]
    assert (sheet.problems, list(sheet.rows)) == ([], [])
