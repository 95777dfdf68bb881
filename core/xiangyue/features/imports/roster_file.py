"""What is wrong with an uploaded file as a whole, and how large one may be; `book` opens it."""

from __future__ import annotations

from typing import Any

from xiangyue.errors import Invalid
from xiangyue.i18n import LazyText, gettext
from xiangyue.i18n import lazy_gettext as _l

#: Rows of one sheet, without header.
MAX_ROWS = 300_000
#: Cells of a sheet's rectangle; the reader needs about 30 bytes for each.
MAX_CELLS = 12_000_000
#: Bytes of the upload itself.
MAX_BYTES = 80 * 2**20

FILE_PROBLEMS: dict[str, LazyText] = {
    "empty_file": _l("The file is empty. Choose the workbook again."),
    "too_large": _l("The file is larger than %(limit)s MB. Split it, town by town."),
    "password_protected": _l("The workbook is protected by a password. Remove it in the spreadsheet and upload again."),
    "html_table": _l(
        "This is a web page under a spreadsheet's name, as some systems export it. Open it in Excel or WPS, choose "
        "“Save as”, type “Excel workbook (.xlsx)”, and upload that."
    ),
    "xml_table": _l(
        "This is an XML table of an old Excel. Open it in Excel or WPS, choose “Save as”, type “Excel workbook "
        "(.xlsx)”, and upload that."
    ),
    "xlsb": _l("This is a binary workbook (.xlsb). Open it, save it as .xlsx and upload that."),
    "not_table": _l(
        "This is no table. Upload a workbook (.xlsx, .xls, .ods) or a text table (.csv, .txt); the template is one."
    ),
    "encoding": _l(
        "The characters of this text file cannot be read: it is neither UTF-8 nor GB18030. Open it in a spreadsheet, "
        "save it as .xlsx and upload that."
    ),
    "corrupt": _l("The file is damaged. Open it in a spreadsheet, save it as .xlsx again and upload that."),
    "zip_bomb": _l("The workbook unpacks to far more than a roster needs. Copy the rows into a new template."),
    "too_many_rows": _l("A sheet has more than %(limit)s rows. Split it, town by town."),
    "too_many_cells": _l(
        "Cells are filled far outside the table, near %(cell)s. Delete those columns and rows and upload again."
    ),
    "no_rows": _l("The sheet has a header but no row of a person below it. Fill it in and upload again."),
    "check_broke": _l("The check broke off. Upload the file again; if it happens again, tell your administrator."),
    "register_broke": _l(
        "The plugin “%(plugin)s” failed at the rows of “%(register)s”. Nothing was written. Somebody who may manage "
        "plugins sees there what went wrong."
    ),
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
    if code == "register_broke":
        params = {name: gettext(str(word)) for name, word in params.items()}
    return gettext(FILE_PROBLEMS[code].message, **params)


def check_extent(rows: int, columns: int) -> None:
    """Refuse a sheet whose filled cells reach farther than can be held, by its last filled row and column (from 1).

    :raises RosterFileError: ``too_many_rows``, ``too_many_cells``.
    """
    if rows > MAX_ROWS + 1000:
        raise RosterFileError("too_many_rows", limit=MAX_ROWS)
    if rows * columns > MAX_CELLS:
        raise RosterFileError("too_many_cells", cell=cell_name(rows, columns))


def cell_name(row: int, column: int) -> str:
    """``AB12`` of a row and a column, both from 1."""
    text = ""
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return f"{text}{row}"
