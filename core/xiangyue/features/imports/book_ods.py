"""An OpenDocument spreadsheet before it is read: its repeated rows and cells are what can ask for gigabytes."""

from __future__ import annotations

import re
import zipfile

from xiangyue.features.imports.book_sheet import Facts
from xiangyue.features.imports.book_zip import blocks, unpack
from xiangyue.features.imports.roster_file import RosterFileError, check_extent

_TYPE = b"application/vnd.oasis.opendocument.spreadsheet"
_CONTENT = "content.xml"
# A table's start, a row's start, or a cell of it; the last group is the slash of a tag without content.
_TAG = re.compile(rb"<table:(table|table-row)(?=[\s>/])([^>]*?)(/?)>")
_CELL = re.compile(rb"<table:(?:covered-)?table-cell\b([^>]*?)(/?)>")
_REPEATED = re.compile(rb"""number-(?:rows|columns)-repeated=["']([0-9]{1,9})["']""")
_HIDDEN = re.compile(rb"""table:visibility=["'](?:collapse|filter)["']""")


def is_ods(archive: zipfile.ZipFile) -> bool:
    if not {"mimetype", _CONTENT} <= set(archive.namelist()):
        return False
    with archive.open("mimetype") as stream:
        return stream.read(100).strip() == _TYPE


def scan(archive: zipfile.ZipFile) -> list[Facts]:
    """Facts of each sheet in their order; every part is unpacked once.

    :raises RosterFileError: ``password_protected``, ``too_many_rows``, ``too_many_cells``, ``corrupt``.
    """
    if "META-INF/manifest.xml" in archive.namelist():
        with archive.open("META-INF/manifest.xml") as stream:
            if b"encryption-data" in stream.read(2**20):
                raise RosterFileError("password_protected")
    for part in archive.namelist():
        if part != _CONTENT:
            unpack(archive, part)
    scanner = _Scanner()
    for block in blocks(archive, _CONTENT, b"<table:table-row"):
        scanner.read(block)
    scanner.close()
    return scanner.sheets


class _Scanner:
    def __init__(self) -> None:
        self.sheets: list[Facts] = []
        self.row = self.last_row = self.last_column = 0

    def close(self) -> None:
        check_extent(self.last_row, self.last_column)
        self.row = self.last_row = self.last_column = 0

    def read(self, block: bytes) -> None:
        tags = list(_TAG.finditer(block))
        for index, tag in enumerate(tags):
            if tag[1] == b"table":
                self.close()
                self.sheets.append(Facts())
                continue
            first = self.row + 1
            self.row += _repeated(tag[2])
            inside = b"" if tag[3] else block[tag.end() : tags[index + 1].start() if index + 1 < len(tags) else None]
            width = _width(inside)
            if not width:
                continue
            self.last_row, self.last_column = self.row, max(self.last_column, width)
            check_extent(self.last_row, self.last_column)
            if self.sheets and b"visibility" in tag[2] and _HIDDEN.search(tag[2]):
                self.sheets[-1].hidden.update(range(first, self.row + 1))


def _repeated(attributes: bytes) -> int:
    match = _REPEATED.search(attributes) if b"repeated" in attributes else None
    return int(match[1]) if match else 1


def _width(row: bytes) -> int:
    """Column, from 1, of the last filled cell of a row."""
    if b"repeated" not in row and b"/>" not in row:
        return row.count(b"<table:table-cell") + row.count(b"<table:covered-table-cell")
    column = last = 0
    for cell in _CELL.finditer(row):
        column += _repeated(cell[1])
        if not cell[2] or b"value-type" in cell[1]:
            last = column
    return last
