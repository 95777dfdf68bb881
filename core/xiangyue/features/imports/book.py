"""Opening an uploaded file as sheets of cells, whatever its format: .xlsx, .xls, .ods, or text with separators.

The content decides, never the name. A workbook's reader keeps each sheet as a full rectangle in memory, so a small file
can ask for gigabytes in three ways: a bomb in the archive, too many rows, or one stray cell far out. All three are
found before it reads anything, by streaming the file once; what the reader does not tell (hidden rows, error values of
formulas) is gathered on the way.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from xiangyue.features.imports import book_ods, book_text, book_xls, book_xlsx, roster_file
from xiangyue.features.imports.book_sheet import Facts, Sheet
from xiangyue.features.imports.book_zip import checked_archive
from xiangyue.features.imports.roster_file import RosterFileError

_HTML = (b"<html", b"<!doctype html", b"<table", b"<meta", b"<head", b"<style", b"<body")


def open_book(data: bytes) -> list[Sheet]:
    """The visible sheets of a file that is safe to read, in their order.

    :raises RosterFileError: every key of `roster_file.FILE_PROBLEMS` but ``no_header`` and those of an empty sheet.
    """
    if not data:
        raise RosterFileError("empty_file")
    if len(data) > roster_file.MAX_BYTES:
        raise RosterFileError("too_large", limit=roster_file.MAX_BYTES // 2**20)
    if data.startswith(book_xls.SIGNATURE):
        return _workbook(data, book_xls.scan(data))
    if data.startswith(b"PK"):
        with checked_archive(data) as archive:
            names = set(archive.namelist())
            if "[Content_Types].xml" in names and "xl/workbook.xml" in names:
                facts = book_xlsx.scan(archive)
            elif "xl/workbook.bin" in names:
                raise RosterFileError("xlsb")
            elif book_ods.is_ods(archive):
                facts = book_ods.scan(archive)
            else:
                raise RosterFileError("not_table")
        return _workbook(data, facts)
    start = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(_HTML) or b"<table" in start or (start.startswith(b"<") and b"<html" in start):
        raise RosterFileError("html_table")
    if b"office:spreadsheet" in start or b"<workbook" in start:
        raise RosterFileError("xml_table")
    if start.startswith((b"<?xml", b"{", b"%pdf")):
        raise RosterFileError("not_table")
    return book_text.sheets(data)


def _workbook(data: bytes, facts: list[Facts]) -> list[Sheet]:
    """Sheets of a scanned workbook. ``facts`` stand in the order of all its sheets."""
    book = _guarded(lambda: CalamineWorkbook.from_filelike(io.BytesIO(data)))
    known = book.sheets_metadata
    together = len(known) == len(facts)
    sheets = []
    for index, info in enumerate(known):
        if info.typ == SheetTypeEnum.WorkSheet and info.visible == SheetVisibleEnum.Visible:
            load = _loader(book, index)
            sheets.append(Sheet(info.name, load, facts[index] if together else Facts()))
    return sheets


def _loader(book: CalamineWorkbook, index: int) -> Callable[[], Any]:
    return lambda: _guarded(lambda: book.get_sheet_by_index(index))


def _guarded(read: Callable[[], Any]) -> Any:
    try:
        return read()
    except PasswordError:
        raise RosterFileError("password_protected") from None
    except (CalamineError, ValueError, OSError):
        raise RosterFileError("corrupt") from None
    except BaseException as error:
        # A panic of the Rust reader over bytes it did not expect is no Exception.
        if type(error).__name__ == "PanicException":
            raise RosterFileError("corrupt") from None
        raise
