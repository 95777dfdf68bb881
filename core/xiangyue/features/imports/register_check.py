"""Checking the rows of a declared register: each cell by its column's kind, and rows that name the same record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from xiangyue.features.imports import roster_values as judge
from xiangyue.features.imports.registers import speaking_column
from xiangyue.features.imports.roster_areas import AreaIndex, AreaMatch, parse_group
from xiangyue.features.imports.roster_check import SHOWN_LENGTH, CheckedRow, shown
from xiangyue.features.imports.roster_columns import Column
from xiangyue.features.imports.roster_messages import CellError
from xiangyue.features.imports.roster_places import row_text
from xiangyue.features.imports.roster_read import Cell, RosterRow
from xiangyue.features.imports.roster_values import CellProblem, as_problem
from xiangyue.i18n import TIMEZONE
from xiangyue.plugin.registers import REFERENCES, ImportRegister, RegisterColumn
from xiangyue.text import idnumber
from xiangyue.text.dates import parse_date
from xiangyue.text.folding import cell_text, without_spaces
from xiangyue.text.names import parse_name
from xiangyue.text.phone import parse_phone
from xiangyue.text.problems import TextProblem

_CODE_DIGITS = 12


class RegisterChecker:
    """Checks rows in the order of the sheet and remembers by what their records are known.

    ``values`` of a checked row: ``area_code`` and ``village_code`` of the place that it names, or None; ``record``: by
    the register's columns what the cells mean (of a household its code, of a person what it is found by; see
    `register_refs`); ``identity``: by what the record is known, or None.
    """

    def __init__(
        self,
        register: ImportRegister,
        columns: Sequence[Column],
        areas: AreaIndex,
        *,
        row_text: Callable[[int], int | str] = row_text,
    ) -> None:
        self._register, self._areas, self._row_text = register, areas, row_text
        today = datetime.now(TIMEZONE).date()
        known = {column.key: column for column in columns}
        self._plain: list[tuple[RegisterColumn, Callable[[Cell], Any]]] = [
            (column, parse_phone if column.kind == "phone" else judge.custom_judge(known[column.key], today))
            for column in register.columns
            if column.kind not in REFERENCES
        ]
        self._references = [column for column in register.columns if column.kind in REFERENCES]
        self._rows: dict[str, int] = {}
        self._cross: list[CellError] = []
        self.repaired: dict[str, int] = {}

    def check_row(self, row: RosterRow) -> CheckedRow:
        """Judge one row by itself, and remember it for `finish`."""
        errors: list[CellError] = []
        record: dict[str, Any] = {}
        place: dict[str, Any] = {"area_code": None, "village_code": None}
        if self._references:
            self._check_references(row, record, place, errors)
        for column, read in self._plain:
            value = self._take(row, column.key, read, errors, column.required)
            if value is not None:
                record[column.key] = value
        identity = self._identity(record)
        if identity is not None:
            first = self._rows.setdefault(identity, row.number)
            if first != row.number:
                self._cross.append(self._twice(row, first))
        return CheckedRow(row.number, {**place, "record": record, "identity": identity}, errors)

    def know_identity(self, identity: str, row_no: int) -> None:
        """A record that is named in a row which is not checked here."""
        self._rows[identity] = row_no

    def finish(self, elsewhere: Callable[[str, bool], bool] = lambda _label, _lost: False) -> list[CellError]:
        """Rows whose record stands in an earlier one, in the order of rows."""
        return sorted(self._cross, key=lambda error: error.row)

    def _twice(self, row: RosterRow, first: int) -> CellError:
        key = speaking_column(self._register)
        params = {"first_row": self._row_text(first)}
        return CellError(row.number, key, "record_twice", params, shown(key, row.cells.get(key)))

    def _identity(self, record: Mapping[str, Any]) -> str | None:
        parts = [record.get(key) for key in self._register.keys]
        if not parts or any(part is None for part in parts):
            return None
        texts = (str(sorted(part.items())) if isinstance(part, dict) else str(part) for part in parts)
        return "\x1f".join(texts)

    def _take(
        self, row: RosterRow, key: str, read: Callable[[Cell], Any], errors: list[CellError], required: bool = False
    ) -> Any:
        value = row.cells.get(key)
        if value is None:
            if required:
                errors.append(CellError(row.number, key, "required"))
            return None
        try:
            judge.refuse_error_value(value)
            return read(value)
        except (CellProblem, TextProblem) as problem:
            code, params, suggestion = as_problem(problem)
            errors.append(CellError(row.number, key, code, params, shown(key, value), suggestion))
            return None

    # -- places, households, persons --------------------------------------------------------------------------------

    def _check_references(
        self, row: RosterRow, record: dict[str, Any], place: dict[str, Any], errors: list[CellError]
    ) -> None:
        cells = row.cells
        by_kind = {column.kind: column for column in self._references}
        area = by_kind.get("area") or by_kind.get("village") or by_kind.get("place")
        household, person = by_kind.get("household"), by_kind.get("person")
        whole = without_spaces(cell_text(cells.get("household_no")))
        full = whole[:_CODE_DIGITS].isdigit() and len(whole) > _CODE_DIGITS
        needed = (area is not None and area.required) or (household is not None and bool(whole) and not full)
        needed = needed or (person is not None and "id_number" not in cells and "name" in cells)
        above = area is not None and area.kind == "place" and "village" not in cells and "group" not in cells
        village = None if above else self._place(row, needed, errors)
        code = self._above(row, needed, errors) if above else village
        if village is not None and area is not None and area.kind != "village" and "group" in cells:
            _number, name = parse_group(cells["group"])
            code = self._areas.find_group(village, name) if name else village
            if code is None:
                errors.append(CellError(row.number, "group", "group_absent", {}, name[:SHOWN_LENGTH]))
        place["village_code"], place["area_code"] = village, code
        if area is not None and code is not None:
            record[area.key] = code
        if household is not None:
            self._check_household(row, household, whole if full else "", village, record, errors)
        if person is not None:
            self._check_person(row, person, village, record, errors)

    def _above(self, row: RosterRow, needed: bool, errors: list[CellError]) -> int | None:
        """The town that a row names without a village, or the county."""
        text = cell_text(row.cells.get("town"))
        if not text or judge.is_error_value(text):
            if text or needed:
                errors.append(CellError(row.number, "town", "cell_error" if text else "required", {}, text))
            return None
        return self._found(row, self._areas.find_above(text), text, "", errors)

    def _place(self, row: RosterRow, needed: bool, errors: list[CellError]) -> int | None:
        """The village that a row names; none where it names no place and needs none."""
        town, village = (cell_text(row.cells.get(key)) for key in ("town", "village"))
        if not town and not village and not needed:
            return None
        sound = True
        for key, text in (("town", town), ("village", village)):
            if not text or judge.is_error_value(text):
                errors.append(CellError(row.number, key, "cell_error" if text else "required", {}, text))
                sound = False
        if not sound:
            return None
        return self._found(row, self._areas.find(town, village), town, village, errors)

    def _found(self, row: RosterRow, match: AreaMatch, town: str, village: str, errors: list[CellError]) -> int | None:
        if match.code is None:
            ambiguous = match.problem == "village_ambiguous"
            params = {"choices": match.suggestion} if ambiguous else {}
            if match.column == "village":
                params["town"] = town[:SHOWN_LENGTH]
            wrong = town if match.column == "town" else village
            suggestion = "" if ambiguous else match.suggestion
            errors.append(CellError(row.number, match.column, match.problem, params, wrong[:SHOWN_LENGTH], suggestion))
        elif match.former:
            self.repaired["former_name"] = self.repaired.get("former_name", 0) + 1
        return match.code

    def _check_household(
        self,
        row: RosterRow,
        column: RegisterColumn,
        full: str,
        village: int | None,
        record: dict[str, Any],
        errors: list[CellError],
    ) -> None:
        if full:
            record[column.key] = full
            return
        number = self._take(
            row, "household_no", lambda value: judge.household_no(value, village), errors, column.required
        )
        if number is not None and village is not None:
            record[column.key] = f"{village // 1000}{number}"

    def _check_person(
        self,
        row: RosterRow,
        column: RegisterColumn,
        village: int | None,
        record: dict[str, Any],
        errors: list[CellError],
    ) -> None:
        identity = self._take(row, "id_number", _read_identity, errors)
        name = self._take(row, "name", lambda value: parse_name(cell_text(value)), errors)
        born = self._take(row, "birth_date", parse_date, errors)
        if identity is not None:
            record[column.key] = {"id_number": identity}
        elif "id_number" in row.cells:
            return  # it is wrong, and told
        elif name is not None and born is not None and village is not None:
            record[column.key] = {"name": name, "birth_date": born.isoformat(), "village": village}
        elif name is not None and born is None and "birth_date" not in row.cells:
            errors.append(CellError(row.number, "birth_date", "required_without_id"))
        elif column.required and "name" not in row.cells:
            errors.append(CellError(row.number, "id_number", "required"))


def _read_identity(value: Cell) -> str:
    try:
        return idnumber.parse(value).value
    except TextProblem as problem:
        if problem.code != "id_old":
            raise
        return idnumber.from_old(value).value
