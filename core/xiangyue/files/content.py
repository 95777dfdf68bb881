"""What an uploaded file really is, whatever its name says, and whether it can be opened without harm."""

from __future__ import annotations

import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from typing import BinaryIO

from xiangyue.errors import Invalid
from xiangyue.files.names import safe_name
from xiangyue.files.storage import too_large
from xiangyue.i18n import LazyText
from xiangyue.i18n import lazy_gettext as _l

_CHUNK = 1024 * 1024
_HEAD = 64 * 1024

MAX_UNPACKED = 512 * 1024 * 1024
MAX_ENTRIES = 10_000
#: Spreadsheets shrink to a tenth or a fiftieth; only bombs go beyond this.
MAX_RATIO = 200
_RATIO_FROM = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file: its name here, the endings it may have, its media type."""

    name: str
    endings: tuple[str, ...]
    media_type: str


_OOXML = "application/vnd.openxmlformats-officedocument."
ODS = "application/vnd.oasis.opendocument.spreadsheet"
KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("xlsx", (".xlsx",), _OOXML + "spreadsheetml.sheet"),
        Kind("xlsm", (".xlsm",), "application/vnd.ms-excel.sheet.macroEnabled.12"),
        Kind("docx", (".docx",), _OOXML + "wordprocessingml.document"),
        Kind("pptx", (".pptx",), _OOXML + "presentationml.presentation"),
        Kind("ods", (".ods",), ODS),
        Kind("zip", (".zip",), "application/zip"),
        Kind("ole", (".xls", ".doc", ".ppt", ".et", ".wps"), "application/x-ole-storage"),
        Kind("encrypted", (".xlsx", ".docx", ".pptx"), "application/x-ole-storage"),
        Kind("pdf", (".pdf",), "application/pdf"),
        Kind("png", (".png",), "image/png"),
        Kind("jpeg", (".jpg", ".jpeg"), "image/jpeg"),
        Kind("csv", (".csv",), "text/csv"),
        Kind("text", (".txt",), "text/plain"),
        Kind("html", (".html", ".htm"), "text/html"),
        Kind("xml", (".xml", ".svg"), "application/xml"),
        Kind("empty", (), "application/x-empty"),
        Kind("unknown", (), "application/octet-stream"),
    )
}
_PACKED = {"xlsx", "xlsm", "docx", "pptx", "ods", "zip"}


@dataclass(frozen=True, slots=True)
class Upload:
    """An accepted upload. ``name`` is safe to show and store; ``size`` in bytes."""

    name: str
    kind: str
    media_type: str
    size: int


def check_upload(stream: BinaryIO, name: str, *, accept: Collection[str], max_bytes: int) -> Upload:
    """Accept an upload of a kind in ``accept`` (names of KINDS), or say what is wrong and how to mend it.

    The stream must be seekable and is left at its start. Raises TooLarge, or Invalid on the field ``file``.
    """
    size = stream.seek(0, io.SEEK_END)
    if size > max_bytes:
        raise too_large(max_bytes)
    name = safe_name(name)
    kind = sniff(stream, name)
    problem = _problem(stream, size, kind, name, accept)
    stream.seek(0)
    if problem is not None:
        raise Invalid({"file": [problem]})
    return Upload(name, kind, KINDS[kind].media_type, size)


def sniff(stream: BinaryIO, name: str = "") -> str:
    """The content's kind (a name of KINDS), by the content; the name only tells csv from other text."""
    stream.seek(0)
    head = stream.read(_HEAD)
    if not head:
        return "empty"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _sniff_zip(stream)
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return "encrypted" if _contains(stream, "EncryptedPackage".encode("utf-16-le")) else "ole"
    if b"%PDF-" in head[:1024]:
        return "pdf"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    return _sniff_text(head, name)


def text_encoding(head: bytes) -> str | None:
    """Python's name for the encoding of text (UTF-8, UTF-16 with a mark, GB 18030), None for binary data."""
    if head.startswith(b"\xef\xbb\xbf"):
        candidates = ["utf-8-sig"]
    elif head.startswith((b"\xff\xfe", b"\xfe\xff")):
        candidates = ["utf-16"]
    else:
        candidates = ["utf-8", "gb18030"]
    for encoding in candidates:
        # A character may be cut in two at the end of what was read.
        for cut in range(4):
            try:
                text = head[: len(head) - cut].decode(encoding)
            except UnicodeDecodeError:
                continue
            if any(character < " " and character not in "\t\r\n\f" for character in text):
                return None
            return encoding
    return None


def check_zip(stream: BinaryIO, *, max_unpacked: int = MAX_UNPACKED) -> LazyText | None:
    """Unpack everything once, into nothing, within limits. Returns what is wrong, or None.

    The sizes that an archive states may lie, so only the bytes that come out count; checksums are verified by
    the way. Overlapping entries (one compressed block counted thousands of times) are refused.
    """
    size = stream.seek(0, io.SEEK_END)
    if _count(stream, b"PK\x01\x02") > MAX_ENTRIES:
        return _bomb(max_unpacked)
    stream.seek(0)
    try:
        with zipfile.ZipFile(stream) as archive:
            entries = archive.infolist()
            if any(entry.flag_bits & 1 for entry in entries):
                return _protected()
            if sum(entry.compress_size for entry in entries) > size:
                return _bomb(max_unpacked)
            limit = min(max_unpacked, max(_RATIO_FROM, size * MAX_RATIO))
            unpacked = 0
            for entry in entries:
                if entry.filename.startswith("/") or ".." in entry.filename.split("/"):
                    return _damaged()
                with archive.open(entry) as member:
                    while chunk := member.read(_CHUNK):
                        unpacked += len(chunk)
                        if unpacked > limit:
                            return _bomb(max_unpacked)
    except _UNPACKING_ERRORS:
        return _damaged()
    return None


# zipfile lets the errors of what it uses through: struct, the decompressors, odd time stamps and encodings.
_UNPACKING_ERRORS = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OverflowError,
    IndexError,
)


def _problem(stream: BinaryIO, size: int, kind: str, name: str, accept: Collection[str]) -> LazyText | None:
    if kind == "empty":
        return _l("The file is empty. Choose another one.")
    if kind == "encrypted":
        return _protected()
    if kind in _PACKED:
        problem = check_zip(stream)
        if problem is not None:
            return problem
    wanted = ", ".join(KINDS[one].endings[0] for one in sorted(accept))
    if kind not in accept:
        if kind == "xlsm" and "xlsx" in accept:
            return _l("The workbook contains macros. Save it as .xlsx without macros and upload that.")
        if kind == "ole" and "xlsx" in accept:
            return _l("This is an old Excel file (.xls). Save it as .xlsx in Excel or WPS and upload that.")
        if any(name.lower().endswith(ending) for one in accept for ending in KINDS[one].endings):
            return _l("The content does not fit the name: this is not a %(wanted)s file.", wanted=_ending(name))
        return _l("This kind of file is not accepted here. Accepted: %(wanted)s.", wanted=wanted)
    if not name.lower().endswith(KINDS[kind].endings):
        return _l(
            "The content is that of a %(found)s file, but the name says otherwise. Correct the name.",
            found=KINDS[kind].endings[0],
        )
    return None


def _sniff_zip(stream: BinaryIO) -> str:
    stream.seek(0)
    if _count(stream, b"PK\x01\x02") > MAX_ENTRIES:
        return "zip"
    stream.seek(0)
    try:
        with zipfile.ZipFile(stream) as archive:
            names = set(archive.namelist())
            if "mimetype" in names and "content.xml" in names:
                with archive.open("mimetype") as member:
                    return "ods" if member.read(100).strip() == ODS.encode() else "zip"
    except _UNPACKING_ERRORS:
        return "zip"
    if "[Content_Types].xml" not in names:
        return "zip"
    if any(one.startswith("xl/") for one in names):
        return "xlsm" if "xl/vbaProject.bin" in names else "xlsx"
    if any(one.startswith("word/") for one in names):
        return "docx"
    return "pptx" if any(one.startswith("ppt/") for one in names) else "zip"


def _sniff_text(head: bytes, name: str) -> str:
    encoding = text_encoding(head)
    if encoding is None:
        return "unknown"
    start = head.decode(encoding, "ignore").lstrip()[:512].lower()
    if start.startswith(("<!doctype html", "<html", "<head", "<body", "<script", "<table", "<!--", "<meta")):
        return "html"
    if start.startswith("<?xml") or start.startswith("<svg"):
        return "xml"
    return "csv" if name.lower().endswith(".csv") else "text"


def _ending(name: str) -> str:
    return "." + name.rpartition(".")[2].lower()


def _count(stream: BinaryIO, needle: bytes) -> int:
    stream.seek(0)
    total, tail = 0, b""
    while chunk := stream.read(_CHUNK):
        total += (tail + chunk).count(needle)
        tail = (tail + chunk)[-(len(needle) - 1) :]
    return total


def _contains(stream: BinaryIO, needle: bytes) -> bool:
    return _count(stream, needle) > 0


def _protected() -> LazyText:
    return _l("The file is protected by a password. Remove it in Excel or WPS and upload the file again.")


def _damaged() -> LazyText:
    return _l("The file is damaged. Open it in Excel or WPS, save it under a new name and upload that.")


def _bomb(max_unpacked: int) -> LazyText:
    return _l(
        "Unpacked, the file would be far too large (over %(limit)s MB, or oddly compressed). Split it.",
        limit=f"{max_unpacked / 1024 / 1024:.4g}",
    )
