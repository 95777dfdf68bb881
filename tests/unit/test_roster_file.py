"""Uploads that are no sound workbook: each is told apart and says what to do."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from collections.abc import Callable

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st
from roster_samples import workbook

from xiangyue.errors import Invalid, http_status
from xiangyue.features.imports import book_xlsx, roster_file
from xiangyue.features.imports.book import open_book
from xiangyue.features.imports.roster_file import FILE_PROBLEMS, RosterFileError, describe_file_problem
from xiangyue.features.imports.roster_read import read_rows
from xiangyue.i18n import in_locale

GOOD = workbook([["镇", "村", "姓名"], ["漩涡镇", "上七村", "王试一"]])


def code_of(data: bytes) -> str:
    with pytest.raises(RosterFileError) as caught:
        read_rows(data)
    return caught.value.code


def repacked(change: Callable[[str, bytes], bytes | None], data: bytes = GOOD) -> bytes:
    """The workbook with parts changed, or left out when ``change`` answers None."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            content = change(part.filename, old.read(part))
            if content is not None:
                new.writestr(part.filename, content)
    return stream.getvalue()


def in_sheet(xml: bytes) -> bytes:
    """The workbook with more rows in its sheet."""

    def change(name: str, content: bytes) -> bytes:
        return content.replace(b"</sheetData>", xml + b"</sheetData>") if "worksheets" in name else content

    return repacked(change)


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_file"),
        (OLE + "EncryptedPackage".encode("utf-16-le") + bytes(100), "password_protected"),
        (OLE + "Workbook".encode("utf-16-le") + bytes(100), "corrupt"),
        (b"<html><body><table><tr><td>1</td></tr></table></body></html>", "html_table"),
        (b"\xef\xbb\xbf\r\n<!DOCTYPE html><html></html>", "html_table"),
        (b'<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook/>', "xml_table"),
        ("镇,村\n".encode("gb18030") + b"\xff\xff,", "encoding"),
        (b"a,b,c\x01", "not_table"),
        (b"%PDF-1.7\x00\x01\x02", "not_table"),
        (GOOD[: len(GOOD) // 2], "corrupt"),
        (GOOD[:200] + bytes(50) + GOOD[250:], "corrupt"),
        (repacked(lambda name, content: None if name == "xl/workbook.xml" else content), "not_table"),
        (repacked(lambda name, content: b"no xml at all" if "worksheets" in name else content), "corrupt"),
        (repacked(lambda name, content: b"<broken" if name == "xl/workbook.xml" else content), "corrupt"),
        (workbook([["a", "b", "c"], [1, 2, 3]]), "no_header"),
        (workbook([]), "no_header"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_kind_of_wrong_file_has_its_own_code(data: bytes, code: str) -> None:
    assert code_of(data) == code


def test_the_sound_one_opens() -> None:
    assert [sheet.name for sheet in open_book(GOOD)] == ["Sheet1"]


def test_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roster_file, "MAX_BYTES", len(GOOD) - 1)
    assert code_of(GOOD) == "too_large"


def test_a_list_of_more_strings_than_a_roster_has_is_a_bomb(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True})
    book.add_worksheet().write_row(0, 0, ["镇", "村", "姓名"])
    book.close()
    data = stream.getvalue()
    for name, enough, too_few in (("MAX_STRINGS", 3, 2), ("MAX_STRINGS_SIZE", 1000, 100)):
        with monkeypatch.context() as patched:
            patched.setattr(book_xlsx, name, enough)
            assert len(open_book(data)) == 1
            patched.setattr(book_xlsx, name, too_few)
            assert code_of(data) == "zip_bomb"


def test_a_zip_bomb_is_refused_before_it_unpacks() -> None:
    bomb = repacked(lambda name, content: content + bytes(200 * 2**20) if "styles" in name else content)
    assert len(bomb) < 400_000
    tracemalloc.start()
    assert code_of(bomb) == "zip_bomb"
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5 * 2**20


def test_a_bomb_that_lies_about_its_size_is_found() -> None:
    honest = repacked(lambda name, content: content + b" " * 1_000_000 if "styles" in name else content)
    with zipfile.ZipFile(io.BytesIO(honest)) as archive:
        real = archive.getinfo("xl/styles.xml").file_size
    lying = honest.replace(real.to_bytes(4, "little"), (100).to_bytes(4, "little"))
    assert lying != honest
    assert code_of(lying) == "corrupt"


@pytest.mark.parametrize(
    "xml",
    [
        b'<row r="200000"><c r="XFD200000" t="inlineStr"><is><t>x</t></is></c></row>',
        b'<row r="9"><c s="0" r = \'XFD9\'><v>1</v></c></row><row r="90000"><c r="A90000"><v>1</v></c></row>',
    ],
)
def test_a_stray_cell_far_out_does_not_take_the_memory(xml: bytes) -> None:
    assert code_of(in_sheet(xml)) == "too_many_cells"


def test_a_stray_cell_in_the_last_row_is_too_many_rows() -> None:
    assert code_of(in_sheet(b'<row r="1048576"><c r="A1048576"><v>1</v></c></row>')) == "too_many_rows"


def test_formatting_far_out_is_harmless() -> None:
    data = in_sheet(b'<row r="1048576"><c r="A1048576" s="0"/><c r="XFD1048576" s="0"/></row>')
    assert open_book(data)[0].end == (1, 2)


def test_too_many_rows() -> None:
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"constant_memory": True})
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["镇", "村", "姓名"])
    for number in range(1, roster_file.MAX_ROWS + 2):
        sheet.write_number(number, 0, 1)
    book.close()
    assert code_of(stream.getvalue()) == "too_many_rows"


SOME_BYTES = st.binary(max_size=300)


@given(SOME_BYTES | st.tuples(st.sampled_from([b"PK\x03\x04", GOOD[:900]]), SOME_BYTES).map(b"".join))
def test_no_bytes_at_all_break_the_reader(data: bytes) -> None:
    assert code_of(data) in FILE_PROBLEMS


def test_the_error_is_an_ordinary_invalid_input_with_a_message_in_both_languages() -> None:
    with pytest.raises(Invalid) as caught:
        read_rows(OLE)
    error = caught.value
    assert http_status(error) == 422
    with in_locale("en"):
        assert str(error.fields["file"][0]) == str(FILE_PROBLEMS["corrupt"])
    params = {"limit": 1, "cell": "XFD1", "rows": 20, "headers": "镇", "plugin": "示例", "register": "站点"}
    for code in FILE_PROBLEMS:
        texts = []
        for locale in ("zh", "en"):
            with in_locale(locale):
                texts.append(describe_file_problem(code, params))
        assert texts[0] != texts[1]
