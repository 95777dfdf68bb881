"""Divisions from ``divisions.csv`` and ``groups.csv``: the official codes, checked line by line.

The structure of the 12 digits is that of the statistical division codes: 1-2 province, 3-4 prefecture, 5-6
county, 7-9 town, 10-12 village. A range tells the kind: towns 001-099 subdistrict, 100-199 town, 200-399
township, 400-599 alike to a town; villages 001-199 residents' committee, 200-399 villagers' committee,
400-599 alike to one.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from xiangyue.i18n import _
from xiangyue.tenancy.division_names import county_short, town_short, village_display
from xiangyue.tenancy.profile_problems import ProfileProblem, did_you_mean
from xiangyue.tenancy.profile_toml import read_text, text_of
from xiangyue.tenancy.profile_types import GROUP_FACTOR, DivisionRow, county_code15

COLUMNS = ("code", "level", "name", "parent_code")
UPLOAD_COLUMNS = ("code", "name")
GROUP_COLUMNS = ("code", "name")
#: A column that may be missing: names separated by 、 ; or |.
FORMER_COLUMN = "former_names"
_BETWEEN_NAMES = re.compile(r"[、;；|]")
MOST_NAME = 60
# Significant digits of a code by level, province to village.
_DIGITS = {1: 2, 2: 4, 3: 6, 4: 9, 5: 12}

Report = Callable[[int, str, str, str], None]  # line, column, message, suggestion
CsvRow = tuple[int, dict[str, str]]


def town_kind(number: int) -> str | None:
    """Kind of a town by digits 7-9 of its code, None outside the known ranges."""
    for last, kind in ((0, None), (99, "subdistrict"), (199, "town"), (399, "township"), (599, "other")):
        if number <= last:
            return kind
    return None


def village_kind(number: int) -> str | None:
    """Kind of a village by digits 10-12 of its code, None outside the known ranges."""
    for last, kind in ((0, None), (199, "community"), (399, "village_committee"), (599, "other")):
        if number <= last:
            return kind
    return None


def county_row(area_code: str, name: str) -> DivisionRow:
    return DivisionRow(county_code15(area_code), "county", "county", name, name, county_short(name), None)


def read_divisions(file: Path, shown: str, area_code: str | None) -> tuple[list[DivisionRow], list[ProfileProblem]]:
    """Rows of county, towns and villages by code, and all that is wrong with them.

    ``area_code`` None (itself faulty) leaves out the checks that need it. Raises ProfileErrors when the file
    cannot be read as text at all.
    """
    problems, report = _reporter(shown)
    reader = _Divisions(area_code, report)
    for line, row in _csv_rows(read_text(file, shown), COLUMNS, report):
        reader.take(line, row)
    reader.finish()
    return sorted(reader.rows.values(), key=lambda row: row.code15), problems


def read_upload(raw: bytes, shown: str, area_code: str) -> tuple[list[DivisionRow], list[ProfileProblem]]:
    """Rows of towns and villages of a county that is aboard, from a file with ``code`` and ``name``.

    Columns and rows that follow from the codes may be missing: level, parent, and what lies above the towns. Raises
    ProfileErrors when the bytes are no text.
    """
    problems, report = _reporter(shown)
    reader = _Divisions(area_code, report)
    for line, row in _csv_rows(text_of(raw, shown), UPLOAD_COLUMNS, report):
        level = level_of(row["code"])
        if "level" not in row:
            row["level"] = str(level)
        if "parent_code" not in row:
            row["parent_code"] = row["code"][: _DIGITS[level - 1]].ljust(12, "0") if level > 1 else ""
        reader.take(line, row)
    reader.finish(above="town")
    return sorted((row for row in reader.rows.values() if row.level != "county"), key=lambda r: r.code15), problems


def level_of(code: str) -> int:
    """Level 1 to 5 of a code by its zeros."""
    return next(level for level, digits in _DIGITS.items() if level == 5 or not code[digits:].strip("0"))


def read_groups(
    file: Path, shown: str, villages: Sequence[DivisionRow]
) -> tuple[list[DivisionRow], list[ProfileProblem]]:
    """Villager groups (15-digit code, name) under known villages, and all that is wrong with them."""
    problems, report = _reporter(shown)
    known = {village.code15 for village in villages}
    rows: dict[int, DivisionRow] = {}
    first_line: dict[int, int] = {}
    for line, row in _csv_rows(read_text(file, shown), GROUP_COLUMNS, report):
        name = _name(line, row, report)
        text = row["code"]
        if not re.fullmatch(r"[1-9][0-9]{14}", text):
            report(line, "code", _("'%(code)s' is not a code of 15 digits", code=text), _digits_hint(text, 15))
            continue
        code = int(text)
        parent = code - code % GROUP_FACTOR
        if code == parent:
            report(line, "code", _("'%(code)s' ends in 000, which is the village itself", code=text), "")
        elif code in first_line:
            report(line, "code", _twice(text, first_line[code]), "")
        elif parent not in known:
            message = _("no village %(code)s in divisions.csv", code=text[:12])
            near = did_you_mean(text[:12], (str(other // GROUP_FACTOR) for other in known))
            report(line, "code", message, near)
        else:
            first_line[code] = line
            rows[code] = DivisionRow(code, "group", "villager_group", name, name, name, parent)
    return sorted(rows.values(), key=lambda row: row.code15), problems


class _Divisions:
    """Takes rows one by one; ``rows`` are the good ones."""

    def __init__(self, area_code: str | None, report: Report) -> None:
        self.area_code = area_code
        self.report = report
        self.rows: dict[int, DivisionRow] = {}
        self.first_line: dict[str, int] = {}
        self.parents: list[tuple[int, str, str]] = []  # line, parent's code, own code
        self.county_lines: list[int] = []

    def take(self, line: int, row: dict[str, str]) -> None:
        code, level = row["code"], self._level(line, row["level"])
        name = _name(line, row, self.report)
        if not re.fullmatch(r"[1-9][0-9]{11}", code):
            message = _("'%(code)s' is not a code of 12 digits", code=code)
            self.report(line, "code", message, _digits_hint(code, 12))
            return
        if code in self.first_line:
            self.report(line, "code", _twice(code, self.first_line[code]), "")
            return
        self.first_line[code] = line
        if level is None:
            return
        if level == 3:
            self.county_lines.append(line)
        if not self._fits(line, code, level):
            return
        parent = code[: _DIGITS[level - 1]].ljust(12, "0") if level > 1 else ""
        self._check_parent(line, row["parent_code"], parent, code)
        if level >= 3:
            self._keep(code, level, name, parent, _former(line, row, self.report))

    def finish(self, above: str = "") -> None:
        """``above`` "town": the county and what it lies in are known, so only parents of villages must be here."""
        for line, parent, code in self.parents:
            if parent not in self.first_line and (not above or level_of(code) == 5):
                message = _("no row for %(parent)s, the parent of %(code)s", parent=parent, code=code)
                self.report(line, "parent_code", message, "")
        if not self.county_lines and self.first_line and not above:
            self.report(0, "level", _("no row of level 3, the county itself"), "")

    def _level(self, line: int, text: str) -> int | None:
        if re.fullmatch(r"[1-5]", text):
            return int(text)
        message = _("'%(level)s' is not a level", level=text)
        self.report(line, "level", message, _("1 province, 2 prefecture, 3 county, 4 town, 5 village"))
        return None

    def _fits(self, line: int, code: str, level: int) -> bool:
        """Whether zeros, ranges and county of a code agree with its level."""
        rest, own = code[_DIGITS[level] :], code[_DIGITS.get(level - 1, 0) : _DIGITS[level]]
        if rest.strip("0") or not own.strip("0"):
            actual = next(lv for lv, n in _DIGITS.items() if not code[n:].strip("0"))
            message = _("%(code)s is not a code of level %(level)d", code=code, level=level)
            self.report(line, "level", message, _("by its zeros it is level %(level)d", level=actual))
            return False
        message = ""
        if level == 4 and town_kind(int(own)) is None:
            message = _("%(code)s: no kind of town has the number %(own)s", code=code, own=own)
        elif level == 5 and village_kind(int(own)) is None:
            message = _("%(code)s: no kind of village has the number %(own)s", code=code, own=own)
        if message:
            self.report(line, "code", message, _("numbers go from 001 to 599"))
            return False
        if self.area_code is None:
            return True
        width = min(_DIGITS[level], 6)
        if code[:width] != self.area_code[:width]:
            message = _("%(code)s does not belong to the county %(area)s", code=code, area=self.area_code)
            self.report(line, "code", message, "")
            return False
        return True

    def _check_parent(self, line: int, given: str, parent: str, code: str) -> None:
        if given == parent:
            if parent:
                self.parents.append((line, parent, code))
            return
        if not parent:
            self.report(line, "parent_code", _("a province has no parent here"), _("leave it empty"))
            return
        message = _("'%(given)s' cannot be the parent of %(code)s", given=given, code=code)
        self.report(line, "parent_code", message, _("its code says %(parent)s", parent=parent))

    def _keep(self, code: str, level: int, name: str, parent: str, former: tuple[str, ...]) -> None:
        code15, parent15 = int(code) * GROUP_FACTOR, int(parent) * GROUP_FACTOR
        if level == 3:
            self.rows[code15] = replace(county_row(code[:6], name), former_names=former)
        elif level == 4:
            kind = town_kind(int(code[6:9])) or "other"
            self.rows[code15] = DivisionRow(code15, "town", kind, name, name, town_short(name), parent15, former)
        else:
            number = int(code[9:])
            kind = village_kind(number) or "other"
            # 400-499 are alike to residents' committees.
            shown = village_display(name, community=number < 200 or 400 <= number < 500)
            self.rows[code15] = DivisionRow(code15, "village", kind, name, shown, shown, parent15, former)


def _reporter(shown: str) -> tuple[list[ProfileProblem], Report]:
    problems: list[ProfileProblem] = []

    def report(line: int, column: str, message: str, suggestion: str) -> None:
        problems.append(ProfileProblem(shown, line, column, message, suggestion))

    return problems, report


def _csv_rows(text: str, columns: Sequence[str], report: Report) -> Iterator[CsvRow]:
    """The rows, stripped, each with the line it begins on; blank lines are left out."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] | None = None
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            report(line, "", _("not valid CSV: %(detail)s", detail=error), "")
            return
        cells = [cell.strip() for cell in cells]
        if not any(cells):
            continue
        if header is None:
            header = cells
            missing = [column for column in columns if column not in header]
            for column in missing:
                suggestion = did_you_mean(column, [name for name in header if name not in columns])
                report(line, column, _("the column is missing"), suggestion)
            if missing:
                return
        elif len(cells) != len(header):
            message = _("%(n)d cells, but %(columns)d columns", n=len(cells), columns=len(header))
            report(line, "", message, "")
        else:
            yield line, dict(zip(header, cells, strict=True))
    if header is None:
        report(
            0,
            "",
            _("the file is empty"),
            _("the first line names the columns: %(names)s", names=",".join(columns)),
        )


def _name(line: int, row: dict[str, str], report: Report) -> str:
    name = row["name"]
    if not name:
        report(line, "name", _("is missing"), "")
    elif not name.isprintable() or len(name) > MOST_NAME:
        report(line, "name", _("must be one line of at most %(most)d characters", most=MOST_NAME), "")
    return name


def _former(line: int, row: dict[str, str], report: Report) -> tuple[str, ...]:
    names = [name.strip() for name in _BETWEEN_NAMES.split(row.get(FORMER_COLUMN, ""))]
    for name in names:
        if not name.isprintable() or len(name) > MOST_NAME:
            report(line, FORMER_COLUMN, _("must be names of at most %(most)d characters", most=MOST_NAME), "")
    return tuple(dict.fromkeys(name for name in names if name))


def _twice(code: str, line: int) -> str:
    return _("%(code)s stands already on line %(line)d", code=code, line=line)


def _digits_hint(code: str, width: int) -> str:
    if re.fullmatch(r"[0-9.]+[eE]\+?[0-9]+", code):
        return _("a spreadsheet has rounded it: format the column as text and copy the codes again")
    if width == 12 and re.fullmatch(r"[1-9](?:[0-9]{5}|[0-9]{8})", code):
        return _("did you mean '%(word)s'?", word=code.ljust(12, "0"))
    return ""
