"""Lists as files: typed cells, text that stays text, and memory that does not grow."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from xiangyue.files.workbook import FORMATS, Watermark, write_table

ROW = ["王", "=1+1", 3, 2.5, None, True, date(2026, 1, 31), datetime(2026, 1, 31, 16, 5, tzinfo=UTC), 10**15]


def test_xlsx_has_typed_cells_and_no_formula() -> None:
    written = write_table("a/b:c", ["x"] * len(ROW), [ROW])
    assert (written.rows, written.extension) == (1, "xlsx")
    data = b"".join(written.pieces())
    assert written.stream.closed
    assert len(data) == written.size
    book = CalamineWorkbook.from_filelike(io.BytesIO(data))
    assert book.sheet_names == ["a-b-c"]
    shown = book.get_sheet_by_index(0).to_python()[1]
    assert shown == ["王", "'=1+1", 3, 2.5, "", "True", date(2026, 1, 31), datetime(2026, 2, 1, 0, 5), str(10**15)]


def test_csv_has_a_byte_order_mark_and_keeps_long_numbers() -> None:
    written = write_table(
        "x", ["甲", "乙"], [["a,b", 5], ["6109211002000001", date(2026, 1, 2)], ["line\nend", None]], format="csv"
    )
    text = b"".join(written.pieces())
    assert text.startswith(b"\xef\xbb\xbf")
    assert text.decode("utf-8-sig") == '甲,乙\r\n"a,b",5\r\n\t6109211002000001,2026-01-02\r\n"line\nend",\r\n'
    assert written.rows == 3


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_nothing_that_was_typed_becomes_a_formula(format: str, start: str) -> None:
    typed = f"{start}HYPERLINK(1)"
    mark = Watermark(typed, "K7Q2-9XFA")
    data = b"".join(write_table("x", [typed], [[typed], ["plain"]], format=format, watermark=mark).pieces())
    if format == "csv":
        shown: list[Any] = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
        assert [row[0] for row in shown] == [f"'{typed}", f"'{typed}", "plain", f"'{typed}"]
    else:
        with zipfile.ZipFile(io.BytesIO(data)) as book:
            assert "<f>" not in book.read("xl/worksheets/sheet1.xml").decode()
        shown = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0).to_python()
        assert [row[0][:1] for row in shown[:3]] == ["'"] * 3, shown
        assert shown[3] == ["plain"]


@pytest.mark.parametrize("format", FORMATS)
def test_what_the_rows_raise_goes_on(format: str) -> None:
    def rows() -> Iterator[list[Any]]:
        yield ["one"]
        raise LookupError("gone")

    with pytest.raises(LookupError):
        write_table("x", ["a"], rows(), format=format)


@pytest.mark.parametrize("format", FORMATS)
def test_an_empty_list_is_its_headings(format: str) -> None:
    written = write_table("x", ["a"], [], format=format)
    assert written.rows == 0
    assert written.size > 0
    written.stream.close()
