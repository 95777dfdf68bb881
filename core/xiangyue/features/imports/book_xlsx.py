"""An .xlsx before it is read: far-out cells, hidden rows, and error values of formulas, in one pass."""

from __future__ import annotations

import html
import re
import zipfile
from dataclasses import dataclass

from xiangyue.features.imports.book_sheet import Facts
from xiangyue.features.imports.book_zip import blocks, unpack
from xiangyue.features.imports.roster_file import MAX_CELLS, MAX_ROWS, RosterFileError

# What a block holds of far-out cells, all letters made A, all digits 0 and all quotes alike: looking for it takes a
# tenth of the time.
_SHAPE = bytes(
    65 if chr(b).isascii() and chr(b).isalpha() else 48 if 48 <= b <= 57 else 34 if b == 39 else b for b in range(256)
)
_FAR_SHAPES = (b'"AA0', b'"AAA0', b'"A000000')
# Cells beyond column Z, or beyond row 299,999: what is nearer is at most 8 million cells and no harm. The tail of the
# tag tells whether the cell is empty (formatting only), which costs the reader nothing.
_FAR_CELL = re.compile(
    rb"""\br\s*=\s*["']([A-Za-z]{2,3}[0-9]{1,7}|[A-Za-z](?:[3-9][0-9]{5}|[0-9]{7}))["'][^>]{0,200}(>)"""
)
_DEEP_CELL = re.compile(rb"""\br\s*=\s*["']([A-Za-z]{1,3}[0-9]{5,7})["'][^>]{0,200}(>)""")
_NEAR_ROWS, _NEAR_COLUMNS, _SHALLOW = 299_999, 26, 9_999
_HIDDEN_ROW = re.compile(
    rb"""<(?:\w+:)?row\b(?=[^>]*\shidden\s*=\s*["'](?:1|true)["'])[^>]*?\sr\s*=\s*["']([0-9]{1,7})"""
)
_ERROR_CELL = re.compile(
    rb"""<(?:\w+:)?c\b(?=[^>]*\st\s*=\s*["']e["'])[^>]*?\sr\s*=\s*["']([A-Za-z]{1,3}[0-9]{1,7})["'][^>]*>"""
    rb"(?:(?!</(?:\w+:)?c>).){0,2000}?<(?:\w+:)?v>([^<]{0,20})",
    re.DOTALL,
)
_SHEET = re.compile(r"<(?:\w+:)?sheet\b([^>]*)>")
_LINK = re.compile(r"<(?:\w+:)?Relationship\b([^>]*)>")
_ATTRIBUTE = re.compile(r"""([\w:]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_STRING = re.compile(rb"<(?:\w+:)?si(?=[\s/>])")
#: Entries of the list of strings, and its bytes unpacked: eight texts of their own in each of 300,000 rows.
MAX_STRINGS = 2_500_000
MAX_STRINGS_SIZE = 256 * 2**20
#: Both are lists of sheets and hardly more.
_MAX_LIST = 4 * 2**20


def scan(archive: zipfile.ZipFile) -> list[Facts]:
    """Facts of each sheet in the workbook's order; every part is unpacked once.

    :raises RosterFileError: ``too_many_rows``, ``too_many_cells``, ``corrupt``.
    """
    by_part: dict[str, Facts] = {}
    for part in archive.infolist():
        if part.filename.startswith("xl/worksheets/") and part.filename.endswith(".xml"):
            by_part[part.filename] = _scan_sheet(archive, part.filename)
        elif part.filename.lower().endswith("sharedstrings.xml"):
            _check_strings(archive, part)
        else:
            unpack(archive, part.filename)
    return [by_part.get(part, Facts()) for part in _parts(archive)]


def _check_strings(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    """The reader keeps every string of the list, used or not: a few bytes of the file are a hundred of memory."""
    if part.file_size > MAX_STRINGS_SIZE:
        raise RosterFileError("zip_bomb")
    count = 0
    for block in blocks(archive, part.filename, b"<si"):
        count += sum(1 for _match in _STRING.finditer(block))
        if count > MAX_STRINGS:
            raise RosterFileError("zip_bomb")


def _scan_sheet(archive: zipfile.ZipFile, part: str) -> Facts:
    facts = Facts()
    far = _Extent(_NEAR_ROWS, _NEAR_COLUMNS)
    for block in blocks(archive, part, b"<row"):
        shape = block.translate(_SHAPE)
        if any(far_out in shape for far_out in _FAR_SHAPES):
            far.widen(_FAR_CELL, block)
        if b"hidden=" in block:
            facts.hidden.update(int(match[1]) for match in _HIDDEN_ROW.finditer(block))
        if b't="e"' in block or b"t='e'" in block:
            for match in _ERROR_CELL.finditer(block):
                facts.note_error(*_position(match[1]), match[2].decode("ascii", "replace").strip())
    if far.rows == _NEAR_ROWS and far.columns * _NEAR_ROWS > MAX_CELLS:
        # A wide sheet: now it matters how deep it really is.
        exact = _Extent(_SHALLOW, far.columns)
        for block in blocks(archive, part, b"<row"):
            exact.widen(_DEEP_CELL, block)
        far.rows, far.where = exact.rows, exact.where or far.where
    if far.rows > MAX_ROWS + 1000:
        raise RosterFileError("too_many_rows", limit=MAX_ROWS)
    if far.where and far.rows * far.columns > MAX_CELLS:
        raise RosterFileError("too_many_cells", cell=far.where)
    return facts


@dataclass(slots=True)
class _Extent:
    """Last filled row and column, from 1, and a cell that reaches so far."""

    rows: int
    columns: int
    where: str = ""

    def widen(self, pattern: re.Pattern[bytes], block: bytes) -> None:
        for match in pattern.finditer(block):
            if block[match.start(2) - 1 : match.start(2)] == b"/":
                continue
            row, column = _position(match[1])
            if row > self.rows or column > self.columns:
                self.rows, self.columns = max(row, self.rows), max(column, self.columns)
                self.where = match[1].decode()


def _parts(archive: zipfile.ZipFile) -> list[str]:
    """The parts of the sheets, in the workbook's order."""
    links = {}
    for found in _LINK.findall(_text(archive, "xl/_rels/workbook.xml.rels")):
        link = _attributes(found)
        target = link.get("Target", "")
        links[link.get("Id", "")] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    sheets = [_attributes(found) for found in _SHEET.findall(_text(archive, "xl/workbook.xml"))]
    wanted = [next((value for key, value in sheet.items() if key.endswith(":id")), "") for sheet in sheets]
    return [links.get(one, "") for one in wanted]


def _text(archive: zipfile.ZipFile, part: str) -> str:
    if part not in archive.namelist():
        return ""
    with archive.open(part) as stream:
        return stream.read(_MAX_LIST).decode("utf-8", "replace")


def _attributes(tag: str) -> dict[str, str]:
    return {name: html.unescape(double or single) for name, double, single in _ATTRIBUTE.findall(tag)}


def _position(reference: bytes) -> tuple[int, int]:
    """(row, column) of ``AB12``, both from 1."""
    letters = reference.rstrip(b"0123456789").upper()
    column = 0
    for byte in letters:
        column = column * 26 + byte - 64
    return int(reference[len(letters) :]), column
