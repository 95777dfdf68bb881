"""Writers of the formats that counties have, by other libraries than the application's, or by hand."""

from __future__ import annotations

import csv
import io
import struct
import zipfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

import openpyxl
from openpyxl.worksheet.worksheet import Worksheet

Rows = Sequence[Sequence[Any]]


def xlsx(rows: Rows, change: Callable[[Worksheet], object] | None = None, **more: Rows) -> bytes:
    """A workbook; ``change`` may touch the first sheet up; ``more``: further sheets by name."""
    book = openpyxl.Workbook()
    first = book.active
    assert first is not None
    for values in rows:
        first.append(list(values))
    if change is not None:
        change(first)
    for name, others in more.items():
        sheet = book.create_sheet(name)
        for values in others:
            sheet.append(list(values))
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def text(rows: Rows, *, encoding: str = "utf-8", separator: str = ",", end: str = "\r\n") -> bytes:
    stream = io.StringIO()
    csv.writer(stream, delimiter=separator, lineterminator=end).writerows(rows)
    return stream.getvalue().encode(encoding)


def html(rows: Rows) -> bytes:
    cells = ("".join(f"<td>{value}</td>" for value in values) for values in rows)
    return ("<html><body><table>" + "".join(f"<tr>{row}</tr>" for row in cells) + "</table></body></html>").encode()


def ods(rows: Rows, *, hidden: Sequence[int] = (), tail: str = "", encrypted: bool = False) -> bytes:
    """An OpenDocument spreadsheet; ``hidden``: rows from 1; ``tail``: XML after the last row."""
    body = []
    for number, values in enumerate(rows, 1):
        state = ' table:visibility="filter"' if number in hidden else ""
        body.append(f"<table:table-row{state}>{''.join(_ods_cell(value) for value in values)}</table:table-row>")
    names = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
    )
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {names}><office:body><office:spreadsheet>'
        f'<table:table table:name="Sheet1"><table:table-column/>{"".join(body)}{tail}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    secret = "<manifest:encryption-data/>" if encrypted else ""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet", zipfile.ZIP_STORED)
        archive.writestr("content.xml", content)
        archive.writestr(
            "META-INF/manifest.xml",
            '<?xml version="1.0"?>'
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
            f'<manifest:file-entry manifest:full-path="content.xml">{secret}</manifest:file-entry></manifest:manifest>',
        )
    return stream.getvalue()


def _ods_cell(value: Any) -> str:
    if value is None or value == "":
        return "<table:table-cell/>"
    if isinstance(value, int | float):
        return (
            f'<table:table-cell office:value-type="float" office:value="{value}">'
            f"<text:p>{value}</text:p></table:table-cell>"
        )
    return f'<table:table-cell office:value-type="string"><text:p>{escape(str(value))}</text:p></table:table-cell>'


def xls(
    rows: Rows,
    *,
    hidden: Sequence[int] = (),
    errors: Mapping[tuple[int, int], int] | None = None,
    password: bool = False,
    name: str = "Sheet1",
) -> bytes:
    """A workbook of Excel 97 ([MS-XLS]). ``hidden``: rows from 1; ``errors``: (row, column) from 1 -> code."""
    start = _record(0x0809, struct.pack("<HHHHII", 0x0600, 5, 0, 0, 0, 0))
    start += _record(0x002F, bytes(6)) if password else b""
    start += _record(0x0042, struct.pack("<H", 1200))
    label = name.encode("utf-16-le")
    place = len(start) + 4 + 8 + len(label) + 4
    start += _record(0x0085, struct.pack("<IBBBB", place, 0, 0, len(name), 1) + label) + _record(0x000A, b"")
    width = max((len(values) for values in rows), default=0)
    sheet = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x10, 0, 0, 0, 0))
    sheet += _record(0x0200, struct.pack("<IIHHH", 0, len(rows), 0, width, 0))
    for row, values in enumerate(rows):
        flags = 0x0120 if row + 1 in hidden else 0x0100
        sheet += _record(0x0208, struct.pack("<HHHHHHHH", row, 0, width, 255, 0, 0, flags, 15))
        for column, value in enumerate(values):
            sheet += _xls_cell(row, column, value)
    for (row, column), code in (errors or {}).items():
        sheet += _record(0x0205, struct.pack("<HHHBB", row - 1, column - 1, 15, code, 1))
    return compound("Workbook", start + sheet + _record(0x000A, b""))


def _record(kind: int, body: bytes) -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


def _xls_cell(row: int, column: int, value: Any) -> bytes:
    if value is None or value == "":
        return _record(0x0201, struct.pack("<HHH", row, column, 15))
    if isinstance(value, int | float):
        return _record(0x0203, struct.pack("<HHHd", row, column, 15, value))
    plain = str(value).encode("utf-16-le")
    return _record(0x0204, struct.pack("<HHHHB", row, column, 15, len(plain) // 2, 1) + plain)


def compound(name: str, content: bytes) -> bytes:
    """A compound file ([MS-CFB]) with one stream, filled up so that it needs no short sectors."""
    content = content.ljust(max(4096, -(-len(content) // 512) * 512), b"\0")
    sectors = len(content) // 512
    tables = -(-(sectors + 2) // 127)
    follows = [*range(1, sectors), 0xFFFFFFFE, 0xFFFFFFFE, *([0xFFFFFFFD] * tables)]
    follows += [0xFFFFFFFF] * (tables * 128 - len(follows))
    none = 0xFFFFFFFE
    header = struct.pack("<8s16xHHHHH6x", _OLE, 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<IIIIIIIII", 0, tables, sectors, 0, 4096, none, 0, none, 0)
    places = [sectors + 1 + n for n in range(tables)]
    header += struct.pack("<109I", *(places + [0xFFFFFFFF] * (109 - tables)))
    folder = _entry("Root Entry", 5, 0xFFFFFFFE, 0, child=1) + _entry(name, 2, 0, len(content)) + bytes(256)
    return header + content + folder + struct.pack(f"<{tables * 128}I", *follows)


_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def _entry(name: str, kind: int, first: int, size: int, child: int = 0xFFFFFFFF) -> bytes:
    plain = (name + "\0").encode("utf-16-le")
    return struct.pack(
        "<64sHBBIII16xI8x8xIQ", plain, len(plain), kind, 1, 0xFFFFFFFF, 0xFFFFFFFF, child, 0, first, size
    )
