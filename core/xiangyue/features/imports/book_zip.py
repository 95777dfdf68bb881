"""Archives: bounded before anything unpacks them."""

from __future__ import annotations

import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from xiangyue.features.imports.roster_file import RosterFileError

#: Bytes of all parts of the workbook, unpacked, and how many times its packed size they may be.
MAX_UNPACKED = 600 * 2**20
MAX_RATIO = 200
_RATIO_FROM = 20 * 2**20
_MAX_PARTS = 2_000
_CHUNK = 4 * 2**20

_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
    OverflowError,
    IndexError,
)


@contextmanager
def checked_archive(data: bytes) -> Iterator[zipfile.ZipFile]:
    """The archive, if it unpacks to a bearable size. Every part read within is held to its stated size and check sum.

    :raises RosterFileError: ``corrupt``, ``password_protected``, ``zip_bomb``.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            if any(part.flag_bits & 1 for part in parts):
                raise RosterFileError("password_protected")
            unpacked = sum(part.file_size for part in parts)
            heavy = unpacked > _RATIO_FROM and unpacked > MAX_RATIO * len(data)
            twice = len({part.filename for part in parts}) != len(parts)
            if len(parts) > _MAX_PARTS or twice or unpacked > MAX_UNPACKED or heavy:
                raise RosterFileError("zip_bomb")
            yield archive
    except RosterFileError:
        raise
    except _BROKEN:
        raise RosterFileError("corrupt") from None


def blocks(archive: zipfile.ZipFile, part: str, cut: bytes) -> Iterator[bytes]:
    """A part unpacked once, in blocks that end before ``cut`` where one holds it, else before a tag."""
    tail = b""
    with archive.open(part) as stream:
        while chunk := stream.read(_CHUNK):
            block = tail + chunk
            place = block.rfind(cut)
            if place <= 0:
                place = block.rfind(b"<")
            block, tail = (block[:place], block[place:]) if place > 0 else (block, b"")
            yield block
    if tail:
        yield tail


def unpack(archive: zipfile.ZipFile, part: str) -> None:
    """Unpack a part into nothing: a wrong length or check sum shows."""
    with archive.open(part) as stream:
        while stream.read(_CHUNK):
            pass
