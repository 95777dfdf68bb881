"""An old .xls before it is read: a compound file ([MS-CFB]) with a stream of records ([MS-XLS]).

The records are walked once, their cells not decoded: how far they reach, which rows are hidden, which cells hold an
error value, and whether there is a password.
"""

from __future__ import annotations

import struct

from xiangyue.features.imports.book_sheet import Facts
from xiangyue.features.imports.roster_file import RosterFileError, check_extent

SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_STREAMS = ("Workbook", "Book")
_NO_SECTOR = 0xFFFFFFFA  # this and above are marks, not sectors
_ROWS, _COLUMNS = 65_536, 256

# Records: [MS-XLS] 2.4.
_BOF, _EOF, _FILEPASS, _SHEET, _DIMENSIONS = 0x0809, 0x000A, 0x002F, 0x0085, 0x0200
_ROW, _MULTIPLE, _FORMULA, _ERROR = 0x0208, 0x00BD, 0x0006, 0x0205
#: With a cell's row and column first: formula, number, label, error or boolean, shared text, packed number.
_CELLS = frozenset((_FORMULA, 0x0203, 0x0204, _ERROR, 0x00FD, 0x027E, 0x00D6))
_ERRORS = {0x00: "#NULL!", 0x07: "#DIV/0!", 0x0F: "#VALUE!", 0x17: "#REF!", 0x1D: "#NAME?", 0x24: "#NUM!", 0x2A: "#N/A"}


def scan(data: bytes) -> list[Facts]:
    """Facts of each sheet in the workbook's order.

    :raises RosterFileError: ``password_protected``, ``not_table`` (a compound file without a workbook),
        ``too_many_cells``, ``corrupt``.
    """
    if _ENCRYPTED in data:
        raise RosterFileError("password_protected")
    try:
        stream = _workbook(data)
        if stream is None:
            raise RosterFileError("not_table")
        return _walk(stream)
    except (struct.error, IndexError, UnicodeDecodeError):
        raise RosterFileError("corrupt") from None


def _workbook(data: bytes) -> bytes | None:
    """The stream of records."""
    shift, mini_shift = struct.unpack_from("<HH", data, 30)
    first_directory, cutoff, first_mini = struct.unpack_from("<I4xII", data, 48)
    if shift not in (9, 12) or mini_shift != 6:
        raise RosterFileError("corrupt")
    size = 1 << shift

    def sector(number: int) -> bytes:
        return data[(number + 1) * size : (number + 2) * size]

    allocation = _allocation(data, size)

    def chain(first: int) -> bytes:
        return b"".join(sector(number) for number in _chain(allocation, first))

    directory = chain(first_directory)
    root: tuple[int, int] | None = None
    found: dict[str, tuple[int, int]] = {}
    for place in range(0, len(directory) - 127, 128):
        length, kind = struct.unpack_from("<HB", directory, place + 64)
        first, length_of = struct.unpack_from("<II", directory, place + 116)
        name = directory[place : place + max(0, min(length, 64) - 2)].decode("utf-16-le")
        if kind == 5:
            root = (first, length_of)
        elif kind == 2:
            found[name] = (first, length_of)
    for name in _STREAMS:
        if name in found:
            first, length = found[name]
            if length >= cutoff or root is None:
                return chain(first)[:length]
            small, mini = chain(root[0]), chain(first_mini)
            numbers = _chain(struct.unpack(f"<{len(mini) // 4}I", mini), first)
            return b"".join(small[number * 64 : number * 64 + 64] for number in numbers)[:length]
    return None


def _allocation(data: bytes, size: int) -> tuple[int, ...]:
    """The table that says which sector follows which."""
    tables = list(struct.unpack_from("<109I", data, 76))
    following, count = struct.unpack_from("<II", data, 68)
    per_sector = size // 4
    for _ in range(min(count, len(data) // size)):
        if following >= _NO_SECTOR:
            break
        *more, following = struct.unpack_from(f"<{per_sector}I", data, (following + 1) * size)
        tables += more
    whole: list[int] = []
    for number in tables:
        if number < _NO_SECTOR:
            whole += struct.unpack_from(f"<{per_sector}I", data, (number + 1) * size)
    if len(whole) > 2 * len(data) // size + 2 * per_sector:
        raise RosterFileError("corrupt")
    return tuple(whole)


def _chain(allocation: tuple[int, ...], first: int) -> list[int]:
    numbers: list[int] = []
    while first < _NO_SECTOR:
        numbers.append(first)
        if len(numbers) > len(allocation):
            raise RosterFileError("corrupt")  # a ring
        first = allocation[first]
    return numbers


def _walk(stream: bytes) -> list[Facts]:
    starts: list[int] = []
    by_start: dict[int, Facts] = {}
    facts = Facts()
    rows = columns = 0
    depth = place = 0
    end = len(stream) - 3
    header = struct.Struct("<HH").unpack_from
    while place < end:
        kind, length = header(stream, place)
        body = place + 4
        if kind in _CELLS or kind == _MULTIPLE:
            row, column = header(stream, body)
            if kind == _MULTIPLE:
                column = struct.unpack_from("<H", stream, body + length - 2)[0]
            if row >= rows:
                rows = row + 1
            if column >= columns:
                columns = column + 1
            if kind == _ERROR and stream[body + 7]:
                facts.note_error(row + 1, column + 1, _ERRORS.get(stream[body + 6], "#N/A"))
            elif kind == _FORMULA and stream[body + 6] == 2 and stream[body + 12 : body + 14] == b"\xff\xff":
                facts.note_error(row + 1, column + 1, _ERRORS.get(stream[body + 8], "#N/A"))
        elif kind == _ROW:
            if stream[body + 12] & 0x20:
                facts.hidden.add(header(stream, body)[0] + 1)
        elif kind == _BOF:
            depth += 1
            if depth == 1:
                check_extent(rows, columns)
                facts, rows, columns = by_start.setdefault(place, Facts()), 0, 0
        elif kind == _EOF:
            depth = max(0, depth - 1)
        elif kind == _SHEET:
            starts.append(struct.unpack_from("<I", stream, body)[0])
        elif kind == _FILEPASS:
            raise RosterFileError("password_protected")
        elif kind == _DIMENSIONS and length >= 14:
            # The reader makes room for as many cells as this says.
            last_row, last_column = struct.unpack_from("<4xI2xH", stream, body)
            if last_row > _ROWS or last_column > _COLUMNS:
                raise RosterFileError("corrupt")
        place = body + length
    check_extent(rows, columns)
    return [by_start.get(start, Facts()) for start in starts]
