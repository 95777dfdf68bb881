# data: zh
"""The empty roster to fill in: drop-down lists of the county's own towns and villages, an example row, notes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any

import xlsxwriter

from xiangyue.features.imports.roster_areas import TOWN, VILLAGE, AreaRow
from xiangyue.features.imports.roster_columns import EXAMPLE_PREFIX, Column
from xiangyue.i18n import gettext as _
from xiangyue.i18n import in_locale
from xiangyue.i18n import lazy_gettext as _l

SHEET_NAMES = {"zh": "花名册", "en": "Roster"}
_LIST_SHEET = "lists"
#: Rows (from 1) of the roster sheet: title, header, example; people start in the fourth.
TITLE_ROW, HEADER_ROW, EXAMPLE_ROW, FIRST_ROW = 1, 2, 3, 4
#: Lists are offered down to this row; rows below take any text and are checked at the import all the same.
_LIST_ROWS = 20_000
_TEXT_KINDS = ("id", "phone", "text", "area", "date", "name")


@dataclass(frozen=True, slots=True)
class TemplateWords:
    """What a template says of itself: its title, the name of its sheet, the line above the headers, remarks."""

    title: Any
    sheet: Any
    line: Any
    remarks: Sequence[Any] = ()


_ROSTER = TemplateWords(
    _l("Household roster"),
    SHEET_NAMES,
    _l("One row for each person; red headers must be filled in; see the sheet “Notes”."),
    (_l("Rows of one household have the same village and household number; exactly one of them is the head."),),
)
_NO_SHEET_NAME = re.compile(r"[\[\]:*?/\\']")


def table_words(label: Any, help: Any) -> TemplateWords:
    """The words of the template of a declared register."""
    remarks = (help,) if str(help) else ()
    return TemplateWords(label, label, _l("Red headers must be filled in; see the sheet “Notes”."), remarks)


def write_template(
    stream: IO[bytes],
    columns: Sequence[Column],
    areas: Sequence[AreaRow],
    locale: str,
    words: TemplateWords = _ROSTER,
) -> None:
    """Write the .xlsx template of a county.

    ``columns``: of the county (`roster_columns`); ``areas``: those the user may fill in for; ``locale``: zh or en, of
    headers and notes (the reader knows both). The example row begins with a word that makes the reader pass it over.
    """
    with in_locale(locale):
        book = xlsxwriter.Workbook(stream, {"in_memory": True, "strings_to_urls": False, "strings_to_formulas": False})
        book.set_properties({"created": datetime(2024, 1, 1), "title": str(words.title)})
        _Template(book, columns, areas, locale, words).write()
        book.close()


class _Template:
    def __init__(
        self, book: Any, columns: Sequence[Column], areas: Sequence[AreaRow], locale: str, words: TemplateWords
    ) -> None:
        self.book, self.columns, self.locale, self.words = book, columns, locale, words
        towns = {area.code: area.name for area in areas if area.level == TOWN}
        # Villages of a town stand together: the dependent list is a stretch of one column.
        self.villages = [
            (towns[area.code // 10**6 * 10**6], area.name)
            for area in sorted(areas, key=lambda area: area.code)
            if area.level == VILLAGE and area.code // 10**6 * 10**6 in towns
        ]
        self.towns = list(dict.fromkeys(town for town, _name in self.villages))
        name = words.sheet[locale] if isinstance(words.sheet, dict) else str(words.sheet)
        self.sheet = book.add_worksheet(_NO_SHEET_NAME.sub(" ", name)[:31])
        self.notes = book.add_worksheet(_("Notes"))
        self.lists = book.add_worksheet(_LIST_SHEET)
        self.lists.hide()
        self.list_columns = 0

    def write(self) -> None:
        book, sheet = self.book, self.sheet
        head = book.add_format(
            {
                "bold": True,
                "bg_color": "#E8F1EC",
                "border": 1,
                "text_wrap": True,
                "valign": "vcenter",
                "num_format": "@",
            }
        )
        required = book.add_format(
            {
                "bold": True,
                "bg_color": "#F6E3DC",
                "border": 1,
                "text_wrap": True,
                "valign": "vcenter",
                "num_format": "@",
            }
        )
        example = book.add_format({"italic": True, "font_color": "#6B7280", "num_format": "@"})
        text = book.add_format({"num_format": "@"})
        title = book.add_format({"bold": True, "font_size": 13})
        sheet.write_string(TITLE_ROW - 1, 0, str(self.words.line), title)
        sheet.set_row(HEADER_ROW - 1, 32)
        for position, column in enumerate(self.columns):
            sheet.set_column(position, position, column.width, text if column.kind in _TEXT_KINDS else None)
            sheet.write_string(HEADER_ROW - 1, position, column.label, required if column.required else head)
            sample = column.example_text
            if position == 0:
                sample = EXAMPLE_PREFIX[self.locale == "en"] + sample
            sheet.write_string(EXAMPLE_ROW - 1, position, sample, example)
            if column.help_text:
                sheet.write_comment(HEADER_ROW - 1, position, column.help_text, {"x_scale": 1.6, "author": ""})
        sheet.freeze_panes(HEADER_ROW, 0)
        self._write_notes()
        self._write_lists()
        sheet.activate()

    def _write_notes(self) -> None:
        bold = self.book.add_format({"bold": True, "bg_color": "#E8F1EC", "border": 1})
        wrap = self.book.add_format({"text_wrap": True, "valign": "top"})
        notes = self.notes
        notes.set_column(0, 0, 24)
        notes.set_column(1, 1, 10)
        notes.set_column(2, 2, 80)
        # Headings as words of a list, not as the columns' labels side by side: nobody takes this for a roster.
        for position, heading in enumerate((_("Column"), _("Required"), _("How to fill it in"))):
            notes.write_string(0, position, heading, bold)
        line = 0
        for line, column in enumerate(self.columns, 1):
            notes.write_string(line, 0, column.label, wrap)
            notes.write_string(line, 1, _("yes") if column.required else "", wrap)
            notes.write_string(line, 2, column.help_text, wrap)
        for remark in (
            *map(str, self.words.remarks),
            _("The example row and rows that begin with “Note:” are passed over at the import."),
            _("Do not change the headers. Columns may be moved, and those not required may be left out."),
        ):
            line += 1
            notes.write_string(line + 1, 0, remark)

    def _write_lists(self) -> None:
        by_key = {column.key: position for position, column in enumerate(self.columns)}
        for position, column in enumerate(self.columns):
            if column.choices is not None and column.kind in ("choice", "boolean"):
                labels = [entry.label for entry in column.choices]
                self._offer(position, f"={self._list(labels)}")
        if not self.towns or "town" not in by_key or "village" not in by_key:
            return
        self._offer(by_key["town"], f"={self._list(self.towns)}")
        first = self.list_columns
        self._list([town for town, _name in self.villages])
        self._list([name for _town, name in self.villages])
        town_column, village_column = _letters(first), _letters(first + 1)
        last = len(self.villages)
        town_cell = f"${_letters(by_key['town'])}{FIRST_ROW}"
        town_list = f"{_LIST_SHEET}!${town_column}$1:${town_column}${last}"
        formula = (
            f"=OFFSET({_LIST_SHEET}!${village_column}$1,MATCH({town_cell},{town_list},0)-1,0,"
            f"COUNTIF({town_list},{town_cell}),1)"
        )
        self._offer(by_key["village"], formula)

    def _list(self, values: Sequence[str]) -> str:
        """Write a column of the hidden sheet and give its range."""
        position = self.list_columns
        self.list_columns += 1
        for row, value in enumerate(values):
            self.lists.write_string(row, position, value)
        letter = _letters(position)
        return f"{_LIST_SHEET}!${letter}$1:${letter}${max(len(values), 1)}"

    def _offer(self, position: int, source: str) -> None:
        # A warning, not a stop: synonyms and short names read as well.
        self.sheet.data_validation(
            FIRST_ROW - 1,
            position,
            FIRST_ROW + _LIST_ROWS - 2,
            position,
            {"validate": "list", "source": source, "error_type": "warning", "ignore_blank": True},
        )


def _letters(position: int) -> str:
    from xlsxwriter.utility import xl_col_to_name

    name: str = xl_col_to_name(position)
    return name
