"""Whether an upload may be a roster at all, told at once; the check in the background looks into it."""

from __future__ import annotations

from typing import BinaryIO

from xiangyue.features.imports.roster_file import RosterFileError
from xiangyue.files.content import KINDS, Upload, check_upload, sniff, text_encoding

#: Kinds of `files.content` that are read; "ole" are .xls and .et.
ACCEPTED = ("xlsx", "ole", "ods", "csv", "text")
_REFUSED = {
    "empty": "empty_file",
    "encrypted": "password_protected",
    "html": "html_table",
    "xml": "xml_table",
    "zip": "not_table",
    "docx": "not_table",
    "pptx": "not_table",
    "pdf": "not_table",
    "png": "not_table",
    "jpeg": "not_table",
    "unknown": "not_table",
}
_HEAD = 64 * 1024
_XML_WORKBOOK = "office:spreadsheet"


def check_roster(stream: BinaryIO, name: str, *, max_bytes: int) -> Upload:
    """An upload that may be read as a table. The name follows the content: systems give text the ending .xls.

    The stream must be seekable and is left at its start. Raises TooLarge, or Invalid (`RosterFileError` where the kind
    of file is the reason) on the field ``file``.
    """
    kind = sniff(stream, name)
    stream.seek(0)
    text = _text(stream.read(_HEAD)) if kind in ("csv", "text", "xml") else ""
    stream.seek(0)
    refused = _REFUSED.get(kind)
    if kind == "ole" and not _holds_workbook(stream):
        refused = "not_table"
    if kind == "xml" and _XML_WORKBOOK not in text:
        refused = "html_table" if "<html" in text.lower() else "not_table"
    elif kind in ("csv", "text") and not any(separator in text for separator in ",;\t"):
        refused = "not_table"
    if refused is not None:
        raise RosterFileError(refused)
    if kind in ACCEPTED and not name.lower().endswith(KINDS[kind].endings):
        name = (name.rpartition(".")[0] or name or "roster") + KINDS[kind].endings[0]
    return check_upload(stream, name, accept=ACCEPTED, max_bytes=max_bytes)


def _holds_workbook(stream: BinaryIO) -> bool:
    data = stream.read()
    stream.seek(0)
    return any(name.encode("utf-16-le") in data for name in ("Workbook", "Book\0"))


def _text(head: bytes) -> str:
    encoding = text_encoding(head)
    return head.decode(encoding, "ignore") if encoding else ""
