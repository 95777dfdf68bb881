"""What an uploaded file is, before anything reads it: only a sound .xlsx workbook of bearable size goes on.

The reader keeps each sheet as a full rectangle in memory, so a small file can ask for gigabytes in three
ways: a bomb in the archive, too many rows, or one stray cell far out. All three are found here by streaming
the archive once.
"""

from __future__ import annotations

import codecs
import io
import re
import zipfile
import zlib
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from xiangyue.errors import Invalid
from xiangyue.i18n import LazyText, gettext
from xiangyue.i18n import lazy_gettext as _l

#: Rows of one sheet, without header.
MAX_ROWS = 300_000
#: Cells of a sheet's rectangle; the reader needs about 30 bytes for each.
MAX_CELLS = 12_000_000
#: Bytes of the upload itself.
MAX_BYTES = 80 * 2**20
#: Bytes of all parts of the workbook, unpacked, and how many times its packed size they may be.
MAX_UNPACKED = 600 * 2**20
MAX_RATIO = 200
_RATIO_FROM = 20 * 2**20
_MAX_PARTS = 2_000

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_CHUNK = 4 * 2**20
# References of cells that reach beyond column Z or row 99,999; everything nearer is small in any case. The
# tail of the tag tells whether the cell is empty (formatting only), which costs the reader nothing.
_FAR_CELL = re.compile(rb"""\br\s*=\s*["']([A-Za-z]{2,3}[0-9]{1,7}|[A-Za-z][0-9]{6,7})["'][^>]{0,200}(>)""")
_NEAR_ROWS, _NEAR_COLUMNS = 99_999, 26

FILE_PROBLEMS: dict[str, LazyText] = {
    "empty_file": _l("The file is empty. Choose the workbook again."),
    "too_large": _l("The file is larger than %(limit)s MB. Split it, town by town."),
    "password_protected": _l("The workbook is protected by a password. Remove it in the spreadsheet and upload again."),
    "old_xls": _l("This is an old .xls workbook. Open it, save it as .xlsx and upload that."),
    "html_table": _l("This is a web page under a spreadsheet's name. Open it, save it as .xlsx and upload that."),
    "csv": _l("This is a text file, not a workbook. Open it in a spreadsheet, save it as .xlsx and upload that."),
    "not_xlsx": _l("This is no .xlsx workbook. Download the template, fill it in and upload that."),
    "corrupt": _l("The file is damaged. Open it in a spreadsheet, save it as .xlsx again and upload that."),
    "zip_bomb": _l("The workbook unpacks to far more than a roster needs. Copy the rows into a new template."),
    "too_many_rows": _l("A sheet has more than %(limit)s rows. Split it, town by town."),
    "too_many_cells": _l(
        "Cells are filled far outside the table, near %(cell)s. Delete those columns and rows and upload again."
    ),
    "no_rows": _l("The sheet has a header but no row of a person below it. Fill it in and upload again."),
    "check_broke": _l("The check broke off. Upload the file again; if it happens again, tell your administrator."),
    "no_header": _l(
        "No header row was found in the first %(rows)s rows. Keep the template's headers, such as %(headers)s."
    ),
}


class RosterFileError(Invalid):
    """A file that cannot be read as a roster at all. ``code`` is a key of `FILE_PROBLEMS`."""

    def __init__(self, code: str, **params: Any) -> None:
        message = _l(FILE_PROBLEMS[code].message, **params)
        super().__init__({"file": [message]}, message)
        self.code = code
        self.params = params


def describe_file_problem(code: str, params: dict[str, Any]) -> str:
    """The message of a stored file problem in the current language."""
    return gettext(FILE_PROBLEMS[code].message, **params)


def open_workbook(data: bytes) -> CalamineWorkbook:
    """A workbook that is safe to read.

    :raises RosterFileError: every key of `FILE_PROBLEMS` but ``no_header``.
    """
    _check_kind(data)
    _check_archive(data)
    try:
        return CalamineWorkbook.from_filelike(io.BytesIO(data))
    except (CalamineError, OSError, ValueError):
        raise RosterFileError("corrupt") from None


def _check_kind(data: bytes) -> None:
    if not data:
        raise RosterFileError("empty_file")
    if len(data) > MAX_BYTES:
        raise RosterFileError("too_large", limit=MAX_BYTES // 2**20)
    if data.startswith(_OLE):
        raise RosterFileError("password_protected" if _ENCRYPTED in data else "old_xls")
    if data.startswith(b"PK\x03\x04"):
        return
    start = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<html", b"<!doctype html", b"<table", b"<meta", b"<head")) or b"<table" in start:
        raise RosterFileError("html_table")
    if start.startswith((b"<?xml", b"<")):
        raise RosterFileError("html_table" if b"<html" in start else "not_xlsx")
    raise RosterFileError("csv" if _looks_like_text(data[:4096]) else "not_xlsx")


def _looks_like_text(start: bytes) -> bool:
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    if any(byte < 9 or 13 < byte < 32 for byte in start):
        return False
    for encoding in ("utf-8", "gb18030"):
        try:
            codecs.getincrementaldecoder(encoding)().decode(start)
        except UnicodeDecodeError:
            continue
        return True
    return False


def _check_archive(data: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            if any(part.flag_bits & 1 for part in parts):
                raise RosterFileError("password_protected")
            names = {part.filename for part in parts}
            if "[Content_Types].xml" not in names or "xl/workbook.xml" not in names:
                raise RosterFileError("not_xlsx")
            unpacked = sum(part.file_size for part in parts)
            heavy = unpacked > _RATIO_FROM and unpacked > MAX_RATIO * len(data)
            if len(parts) > _MAX_PARTS or len(names) != len(parts) or unpacked > MAX_UNPACKED or heavy:
                raise RosterFileError("zip_bomb")
            for part in parts:
                _check_part(archive, part)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, RuntimeError, ValueError):
        raise RosterFileError("corrupt") from None


def _check_part(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    """Unpack a part once: a wrong length or check sum shows, and far-out cells of a sheet are found."""
    is_sheet = part.filename.startswith("xl/worksheets/") and part.filename.endswith(".xml")
    rows, columns, where = _NEAR_ROWS, _NEAR_COLUMNS, ""
    tail = b""
    with archive.open(part) as stream:
        while chunk := stream.read(_CHUNK):
            if not is_sheet:
                continue
            block = tail + chunk
            cut = block.rfind(b"<")
            block, tail = (block[:cut], block[cut:]) if cut > 0 else (block, b"")
            for match in _FAR_CELL.finditer(block):
                if block[match.start(2) - 1 : match.start(2)] == b"/":
                    continue
                row, column = _position(match[1])
                if row > rows:
                    rows, where = row, match[1].decode()
                if column > columns:
                    columns, where = column, match[1].decode()
    if rows > MAX_ROWS + 1000:
        raise RosterFileError("too_many_rows", limit=MAX_ROWS)
    if where and rows * columns > MAX_CELLS:
        raise RosterFileError("too_many_cells", cell=where)


def _position(reference: bytes) -> tuple[int, int]:
    """(row, column) of ``AB12``, both from 1."""
    letters = reference.rstrip(b"0123456789").upper()
    column = 0
    for byte in letters:
        column = column * 26 + byte - 64
    return int(reference[len(letters) :]), column
