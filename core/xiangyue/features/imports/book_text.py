"""A table as text: comma, semicolon or tab between the cells; UTF-8 with or without a mark, GB 18030, UTF-16 with one.

The encoding is certain or refused: what is valid UTF-8 all through is UTF-8, else what is valid GB 18030 all through
and without control characters is that.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from itertools import islice

from xiangyue.features.imports.book_sheet import Facts, Sheet
from xiangyue.features.imports.roster_file import RosterFileError, check_extent

SEPARATORS = ",;\t"
_CHUNK = 2**20
_LOOKED_AT = 30
# What no text holds; U+001A ends the files of old programs.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x19\x1b-\x1f\x7f]")
# ="610921…" keeps a spreadsheet from making a number of it.
_KEPT_TEXT = re.compile(r'="([^"]*)"')


def sheets(data: bytes) -> list[Sheet]:
    """The one sheet of a text table.

    :raises RosterFileError: ``not_table``, ``encoding``, ``corrupt``, ``too_many_rows``, ``too_many_cells``.
    """
    table = _Table(data, _encoding(data))
    return [Sheet("", lambda: table, Facts())]


def _encoding(data: bytes) -> str:
    if data.startswith(codecs.BOM_UTF8):
        candidates = ["utf-8-sig"]
    elif data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        candidates = ["utf-16"]
    else:
        candidates = ["utf-8", "gb18030"]
    for encoding in candidates:
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            for start in range(0, len(data), _CHUNK):
                text = decoder.decode(data[start : start + _CHUNK], start + _CHUNK >= len(data))
                if _CONTROL.search(text):
                    raise RosterFileError("not_table")
        except UnicodeDecodeError:
            continue
        return encoding
    raise RosterFileError("not_table" if b"\0" in data[:4096] else "encoding")


class _Table:
    """Rows of the text, all of one width, read anew each time."""

    def __init__(self, data: bytes, encoding: str) -> None:
        self.data, self.encoding = data, encoding
        self.separator = max(SEPARATORS, key=self._cells)
        rows = width = 0
        for number, cells in enumerate(self._read(self.separator), 1):
            if any(cells):
                rows, width = number, max(width, len(cells))
                check_extent(rows, width)
        self.end = (rows - 1, width - 1) if rows else None

    def _cells(self, separator: str) -> int:
        """Separators in the first rows: the one that stands there most often is the table's."""
        return sum(len(row) - 1 for row in islice(self._read(separator), _LOOKED_AT))

    def _read(self, separator: str) -> Iterator[list[str]]:
        stream = io.TextIOWrapper(io.BytesIO(self.data), self.encoding, newline="")
        try:
            yield from csv.reader(stream, delimiter=separator)
        except csv.Error:
            raise RosterFileError("corrupt") from None

    def iter_rows(self) -> Iterator[list[str]]:
        """As the workbooks' reader gives them: up to the last filled row, blanks filled up to the full width."""
        if self.end is None:
            return
        width = self.end[1] + 1
        for cells in islice(self._read(self.separator), self.end[0] + 1):
            plain = [_plain(cell) for cell in cells]
            yield plain[:width] + [""] * (width - len(plain))


def _plain(cell: str) -> str:
    cell = cell.strip(" \t\x1a")
    if cell.startswith("=") and (match := _KEPT_TEXT.fullmatch(cell)):
        return match[1]
    return cell
