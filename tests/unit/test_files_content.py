"""Uploads are judged by their content; every refusal says how to mend it."""

from __future__ import annotations

import io
import struct
import zipfile
from contextlib import suppress
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import xiangyue.files
from xiangyue.errors import Invalid, TooLarge
from xiangyue.files.content import KINDS, Upload, check_upload, check_zip, sniff, text_encoding
from xiangyue.i18n import add_catalogue, in_locale

add_catalogue(Path(xiangyue.files.__file__).parent / "translations")

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
JPEG = b"\xff\xd8\xff\xe0" + bytes(40)
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"


def packed(*entries: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return target.getvalue()


def workbook(rows: int = 50) -> bytes:
    book = openpyxl.Workbook()
    for row in range(rows):
        book.active.append([f"户{row}", row, "汉阴县城关镇"])
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


XLSX = workbook()
MACROS = packed(("[Content_Types].xml", b"<x/>"), ("xl/workbook.xml", b"<x/>"), ("xl/vbaProject.bin", b"\x00"))
ENCRYPTED = OLE + "EncryptedPackage".encode("utf-16-le") + bytes(100)


def refusal(content: bytes, name: str, *accept: str, locale: str = "en") -> str:
    with in_locale(locale), pytest.raises(Invalid) as caught:
        check_upload(io.BytesIO(content), name, accept=accept or ("xlsx",), max_bytes=10_000_000)
    assert list(caught.value.fields) == ["file"]
    with in_locale(locale):
        return str(caught.value.fields["file"][0])


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [
        (XLSX, "花名册.xlsx", "xlsx"),
        (XLSX, "ROSTER.XLSX", "xlsx"),
        (PNG, "photo.png", "png"),
        (JPEG, "photo.JPG", "jpeg"),
        (JPEG, "photo.jpeg", "jpeg"),
        (PDF, "文件.pdf", "pdf"),
        ("姓名,户号\r\n".encode("gb18030"), "名单.csv", "csv"),
        ("\ufeff姓名,户号\n".encode(), "名单.csv", "csv"),
        (packed(("a.txt", b"a")), "a.zip", "zip"),
        (packed(("[Content_Types].xml", b"<x/>"), ("word/document.xml", b"<x/>")), "a.docx", "docx"),
    ],
)
def test_what_fits_is_accepted(content: bytes, name: str, kind: str) -> None:
    stream = io.BytesIO(content)
    upload = check_upload(stream, name, accept=[kind], max_bytes=10_000_000)
    assert upload == Upload(name, kind, KINDS[kind].media_type, len(content))
    assert stream.tell() == 0


@pytest.mark.parametrize(
    ("content", "name", "part"),
    [
        (b"", "a.xlsx", "is empty"),
        (ENCRYPTED, "a.xlsx", "protected by a password"),
        (OLE, "a.xls", "old Excel file"),
        (OLE, "a.xlsx", "old Excel file"),
        (MACROS, "a.xlsm", "contains macros"),
        (MACROS, "a.xlsx", "contains macros"),
        (PNG, "a.xlsx", "this is not a .xlsx file"),
        (b"<html><table><tr><td>1</td></tr></table>", "a.xlsx", "this is not a .xlsx file"),
        (b"\xef\xbb\xbf  <!DOCTYPE html>", "a.xlsx", "this is not a .xlsx file"),
        (PDF, "a.pdf", "Accepted: .xlsx"),
        (b"\x00\x01\x02\x03" * 100, "a.bin", "Accepted: .xlsx"),
        (XLSX, "a.txt", "content is that of a .xlsx file"),
        (XLSX[:-200], "a.xlsx", "is damaged"),
        (XLSX[:500] + b"\x00" * 20 + XLSX[520:], "a.xlsx", "is damaged"),
        (b"PK\x03\x04 and then nothing", "a.xlsx", "is damaged"),
        (packed(("[Content_Types].xml", b"<x/>"), ("xl/../../etc/passwd", b"x")), "a.xlsx", "is damaged"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_reason(content: bytes, name: str, part: str) -> None:
    assert part in refusal(content, name)
    chinese = refusal(content, name, locale="zh")
    assert chinese != refusal(content, name)
    assert any("\u4e00" <= letter <= "\u9fff" for letter in chinese)


def test_a_script_in_a_picture_or_csv_is_not_one() -> None:
    assert "not a .png file" in refusal(b"<svg onload='x()'/>", "a.png", "png", "jpeg")
    assert "not a .csv file" in refusal(b"<script>x()</script>", "a.csv", "csv")


def test_over_the_limit_is_too_large_before_anything_is_read() -> None:
    with pytest.raises(TooLarge) as caught, in_locale("en"):
        check_upload(io.BytesIO(bytes(3 * 1024 * 1024)), "a.xlsx", accept=["xlsx"], max_bytes=2 * 1024 * 1024)
    with in_locale("en"):
        assert str(caught.value) == "The file is larger than 2 MB. Split it or leave out pictures."


def test_a_bomb_is_refused_by_what_comes_out_of_it() -> None:
    bomb = packed(("[Content_Types].xml", b"<x/>"), ("xl/worksheets/sheet1.xml", bytes(40_000_000)))
    assert len(bomb) < 100_000
    assert "far too large" in refusal(bomb, "a.xlsx")
    with in_locale("en"):
        assert "over 10 MB" in str(
            check_zip(io.BytesIO(packed(("a", bytes(11_000_000)))), max_unpacked=10 * 1024 * 1024)
        )


def test_entries_that_share_their_bytes_are_refused() -> None:
    """The overlapping bomb: many directory entries point at one compressed block."""
    one = packed(("a.bin", bytes(1000)), method=zipfile.ZIP_STORED)
    end = one.rindex(b"PK\x05\x06")
    start = struct.unpack("<I", one[end + 16 : end + 20])[0]
    entry = one[start:end]
    many = entry * 50
    tail = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 50, 50, len(many), start, 0)
    assert check_zip(io.BytesIO(one[:start] + many + tail)) is not None


def test_thousands_of_entries_are_refused_before_the_directory_is_read() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for number in range(10_001):
            archive.writestr(f"{number}", b"")
    assert check_zip(target) is not None


def test_an_encrypted_archive_is_told_apart() -> None:
    content = bytearray(packed(("a", b"a")))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    with in_locale("en"):
        assert "protected by a password" in str(check_zip(io.BytesIO(bytes(content))))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_mutilated_workbook_never_crashes_the_check(data: st.DataObject) -> None:
    content = bytearray(XLSX)
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content)))
    stream = io.BytesIO(bytes(content[:cut]) + bytes(content[cut + data.draw(st.integers(0, 50)) :]))
    with suppress(Invalid):
        assert check_upload(stream, "a.xlsx", accept=["xlsx"], max_bytes=10_000_000).kind == "xlsx"


@given(st.binary(max_size=2000))
def test_any_bytes_have_a_kind(content: bytes) -> None:
    assert sniff(io.BytesIO(content)) in KINDS


@given(st.text(alphabet=st.characters(min_codepoint=32, exclude_categories=["Cs"]), min_size=1))
def test_text_is_recognised_in_utf_8_wherever_it_is_cut(text: str) -> None:
    assert text_encoding(text.encode()) == ("utf-8-sig" if text.startswith("\ufeff") else "utf-8")


def test_encodings_of_chinese_csv_files() -> None:
    text = "姓名,户号\r\n李四,12\r\n" * 20
    assert text_encoding(text.encode("gb18030")) == "gb18030"
    assert text_encoding(text.encode("gb18030")[:-3]) == "gb18030"
    assert text_encoding(text.encode()[:100]) == "utf-8"
    assert text_encoding(text.encode("utf-8-sig")) == "utf-8-sig"
    assert text_encoding(text.encode("utf-16")) == "utf-16"
    assert text_encoding(PNG) is None
