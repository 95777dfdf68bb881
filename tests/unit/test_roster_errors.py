"""The error workbook: original values, wrong cells marked, safe to open, good to upload again."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import openpyxl
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.worksheet.worksheet import Worksheet
from roster_samples import COLUMNS, HEAD, WIFE, brief, checker, row

from xiangyue.features.imports.roster_errors import write_error_workbook
from xiangyue.features.imports.roster_messages import CellError
from xiangyue.features.imports.roster_read import RosterRow, read_rows
from xiangyue.i18n import in_locale

RED = "FFFBE4DF"


def judged(*rows: RosterRow) -> list[tuple[RosterRow, list[CellError]]]:
    judge = checker()
    errors = [error for r in rows for error in judge.check_row(r).errors] + judge.finish()
    return [(r, [error for error in errors if error.row == r.number]) for r in rows]


def written(pairs: Sequence[tuple[RosterRow, Sequence[CellError]]]) -> bytes:
    stream = io.BytesIO()
    assert write_error_workbook(stream, COLUMNS, pairs) == len(pairs)
    return stream.getvalue()


def opened(data: bytes) -> Worksheet:
    sheet = openpyxl.load_workbook(io.BytesIO(data)).active
    assert isinstance(sheet, Worksheet)
    return sheet


LETTER = {column.key: chr(65 + i) for i, column in enumerate(COLUMNS)}


def test_wrong_cells_are_coloured_and_explained() -> None:
    bad = row(19, HEAD, town="漩窝镇", id_number=6.10921198001011e17)
    sheet = opened(written(judged(bad, row(20, WIFE))))
    head = [cell.value for cell in sheet[1]]
    assert head[:2] == ["镇", "村"]
    assert head[-2:] == ["错误说明", "行号"]
    assert [sheet.cell(line, len(COLUMNS) + 2).value for line in (2, 3)] == ["19", "20"]
    wrong = [cell.coordinate for r in sheet.iter_rows() for cell in r if cell.fill.fgColor.rgb == RED]
    assert wrong == ["A2", f"{LETTER['id_number']}2"]
    comment = sheet["A2"].comment
    assert comment is not None
    assert comment.text == "县里没有这个镇，请从下拉列表里选。像是“漩涡镇”。"
    assert sheet["A2"].value == "漩窝镇"
    assert sheet[f"{LETTER['id_number']}2"].value == "6.10921198001011e+17"
    note = sheet.cell(2, len(COLUMNS) + 1).value
    assert isinstance(note, str)
    assert note.startswith("原表第 19 行。 镇:县里没有这个镇")
    assert "公民身份号码:号码被表格当成数字截断" in note
    assert sheet.cell(3, len(COLUMNS) + 1).value is None


def test_formulas_are_text() -> None:
    evil = ['=HYPERLINK("http://x","y")', "+1+1", "-1", "@SUM(A1)", "\t=1", "=cmd|' /C calc'!A0"]
    keys = ["name", "address", "marks", "phone", "nationality", "village"]
    data = written(judged(row(2, HEAD, **dict(zip(keys, evil, strict=True)))))
    sheet = opened(data)
    for key, text in zip(keys, evil, strict=True):
        cell = sheet[f"{LETTER[key]}2"]
        assert (cell.value, cell.data_type) == (text.strip(), "s")
        assert cell.quotePrefix
    assert [cell.coordinate for r in sheet.iter_rows() for cell in r if cell.data_type == "f"] == []


def test_in_english() -> None:
    with in_locale("en"):
        sheet = opened(written(judged(row(2, HEAD, name=None))))
    assert sheet.title == "Roster"
    assert sheet.cell(1, len(COLUMNS) + 1).value == "What to mend"
    assert sheet.cell(2, len(COLUMNS) + 1).value == "Row 2 of the file. Name: Must not be empty. Fill it in."


def test_corrected_and_uploaded_again() -> None:
    data = written(judged(row(18, HEAD, town="漩窝镇"), row(19, WIFE)))
    book = openpyxl.load_workbook(io.BytesIO(data))
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet["A2"].value = "漩涡镇"
    stream = io.BytesIO()
    book.save(stream)
    again = read_rows(stream.getvalue(), COLUMNS)
    assert again.problems == []
    rows = list(again.rows)
    assert [r.number for r in rows] == [2, 3]
    assert [pair[1] for pair in judged(*rows)] == [[], []]


VALUES = {
    "town": st.sampled_from(["漩窝镇", "蒲溪镇"]),
    "household_no": st.sampled_from([17.0, "0017", "a/b"]),
    "birth_date": st.sampled_from([date(1980, 1, 1), datetime(1980, 1, 1), 29221.0, 1980.0, "80.1", "1980年1月1日"]),
    "id_number": st.sampled_from(["610921198001011234", 610921800101123.0, 6.10921198001011e17, "6109"]),
    "household_income": st.sampled_from([32000.0, 100.5, "3.2万", "x"]),
    "phone": st.sampled_from([15400000017.0, "15400000017", "123"]),
    "away": st.sampled_from([True, False, "是", "?"]),
    "marks": st.sampled_from(["党员", "=1+1", "留受"]),
}


@settings(max_examples=60, deadline=None)
@given(st.fixed_dictionaries({}, optional=VALUES))
def test_uploaded_again_uncorrected_it_has_the_same_errors(changes: dict[str, Any]) -> None:
    before = judged(row(2, HEAD, **changes), row(3, WIFE))
    after = judged(*read_rows(written(before), COLUMNS).rows)
    assert [brief(errors) for _, errors in after] == [brief(errors) for _, errors in before]
