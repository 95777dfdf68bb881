"""Checking the rows of a roster, one after the other, and then what only the whole file can tell."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from xiangyue.features.imports import roster_values as judge
from xiangyue.features.imports.roster_areas import AreaIndex, AreaMatch, parse_group
from xiangyue.features.imports.roster_between import BetweenRows, Noted, nowhere
from xiangyue.features.imports.roster_columns import Column, CustomFieldLike, MarkKindLike, mark_table
from xiangyue.features.imports.roster_messages import CellError
from xiangyue.features.imports.roster_places import row_text
from xiangyue.features.imports.roster_read import Cell, RosterRow
from xiangyue.features.imports.roster_values import CellProblem, as_problem
from xiangyue.features.imports.roster_words import NO_NAMES
from xiangyue.i18n import TIMEZONE
from xiangyue.text import idnumber
from xiangyue.text.codes import HEAD, NATIONALITIES, RELATIONS, SEX
from xiangyue.text.folding import cell_text
from xiangyue.text.names import parse_name
from xiangyue.text.phone import mask_phone, parse_phone
from xiangyue.text.problems import TextProblem

#: Longest value that an error shows.
SHOWN_LENGTH = 60

_NOWHERE = AreaMatch(None)

#: Texts of a column whose meaning is remembered.
_MEANINGS = 2000


@dataclass(frozen=True, slots=True)
class CheckedRow:
    """A row as it was understood.

    ``values``: area_code and village_code (15 digits), group_no, group_name, household_no, relation (GB/T 4761),
    name, sex (GB/T 2261.1 as int), id_number, id_checksum_ok, birth_date, nationality (GB/T 3304 or ""), phone,
    address, marks (keys), away, household_income (yuan), income_year, custom {column key: value}. What is empty or
    wrong is None (marks: []). Only a row without errors may be written.
    """

    row_no: int
    values: dict[str, Any]
    errors: list[CellError]


class RosterChecker:
    """Checks rows in the order of the sheet; keeps of each person the citizen number's row, of each household its head.

    ``columns``: of the county (`roster_columns`); ``areas``: see `roster_areas`; ``allow_synthetic``: citizen numbers
    with a wrong check digit are taken if all else of them is right; ``mark_kinds`` and ``custom_fields``: the
    county's; ``today``: the day that dates may not pass (default: now in China); ``row_text``: a row's number as errors
    that name another row say it; ``completed``: rows hold what the register has besides what the file says
    (`roster_update`).
    """

    def __init__(
        self,
        columns: Sequence[Column],
        areas: AreaIndex,
        allow_synthetic: bool,
        mark_kinds: Iterable[MarkKindLike],
        custom_fields: Iterable[CustomFieldLike] = (),
        *,
        today: date | None = None,
        row_text: Callable[[int], int | str] = row_text,
        completed: bool = False,
    ) -> None:
        self.columns = tuple(columns)
        self._completed = completed
        self._areas = areas
        self._allow_synthetic = allow_synthetic
        self._today = today or datetime.now(TIMEZONE).date()
        self._marks = mark_table(mark_kinds)
        named = {(spec.entity, spec.key) for spec in custom_fields}
        known: list[tuple[Column, Callable[[Cell], Any]]] = [
            (column, judge.custom_judge(column, self._today))
            for column in columns
            if column.offered or (column.custom and (column.entity, column.custom) in named)
        ]
        #: Own fields and plugins' columns: key, how it is read, whether each row must have it, whether each head.
        self._custom = [
            (column.key, read, column.required and column.entity != "household", column.required)
            for column, read in known
        ]
        self._shared = [column.key for column in columns if column.entity == "household" and column.kind != "area"]
        self._shared.remove("household_no")
        #: Columns of few different values -> what a text in them means.
        self._meanings: dict[str, dict[str, Any]] = {
            key: {} for key in ("relation", "sex", "nationality", "marks", "away", "income_year")
        }
        self._meanings |= {column.key: {} for column, _read in known if column.kind in ("choice", "boolean")}
        #: Cells of town and village -> the village that they mean.
        self._places: dict[tuple[Cell, Cell], AreaMatch] = {}
        self._between = BetweenRows(row_text, shown)
        #: How many cells were mended without asking, by kind.
        self.repaired: dict[str, int] = {}

    def check_row(self, row: RosterRow) -> CheckedRow:
        """Judge one row by itself, and remember it for `finish`."""
        checked = self.judge_row(row)
        self.remember(self.noted(row, checked.values))
        return checked

    def judge_row(self, row: RosterRow) -> CheckedRow:
        """Judge one row by itself; in any order, and in any process."""
        checked = self._judged(row)
        if not checked.errors or self._completed:
            return checked
        # Words for "no value" are as an empty cell; where one must not be empty, the word is told.
        empty = {error.column for error in checked.errors if judge.is_no_value(row.cells.get(error.column))}
        if not empty:
            return checked
        cells = {key: value for key, value in row.cells.items() if key not in empty}
        repaired, self.repaired = self.repaired, {}  # counted already
        checked = self._judged(RosterRow(row.number, cells))
        self.repaired = repaired
        for place, error in enumerate(checked.errors):
            if error.column in empty and error.code in ("required", "required_without_id"):
                word = shown(error.column, row.cells[error.column])
                checked.errors[place] = CellError(row.number, error.column, "no_value", {}, word)
        return checked

    def _judged(self, row: RosterRow) -> CheckedRow:
        errors: list[CellError] = []
        cells = row.cells
        values: dict[str, Any] = {}
        self._check_area(row, values, errors)
        self._check_person(row, values, errors)
        take = self._take
        values["address"] = take(row, "address", judge.address, errors) if "address" in cells else None
        values["marks"] = (take(row, "marks", self._read_marks, errors) if "marks" in cells else None) or []
        values["away"] = take(row, "away", judge.boolean, errors) if "away" in cells else None
        income = take(row, "household_income", judge.money, errors) if "household_income" in cells else None
        values["household_income"] = income
        values["income_year"] = take(row, "income_year", self._read_year, errors) if "income_year" in cells else None
        if income is not None and "income_year" not in cells:
            errors.append(CellError(row.number, "income_year", "income_year_missing"))
        custom: dict[str, Any] = {}
        head = values["relation"] == HEAD
        for key, read, always, of_heads in self._custom:
            custom[key] = take(row, key, read, errors) if key in cells else None
            if key not in cells and (always or (of_heads and head)):
                errors.append(CellError(row.number, key, "required"))
        values["custom"] = custom
        return CheckedRow(row.number, values, errors)

    def know_identity(self, identity: str, row_no: int) -> None:
        """A citizen number that stands in a row which is not checked here."""
        self._between.know_identity(identity, row_no)

    def remember(self, noted: Noted) -> None:
        """Take in what `finish` compares; rows in the order of the sheet."""
        self._between.remember(noted)

    def finish(self, elsewhere: Callable[[str, bool], bool] = nowhere) -> list[CellError]:
        """Errors between rows (`BetweenRows.finish`). To be called once, after the last row."""
        return self._between.finish(elsewhere)

    # -- one row ----------------------------------------------------------------------------------------------------

    def _take(
        self, row: RosterRow, key: str, read: Callable[[Cell], Any], errors: list[CellError], required: bool = False
    ) -> Any:
        """The value of a cell, or None with an error noted (an empty cell is one only if required)."""
        value = row.cells.get(key)
        if value is None:
            if required:
                errors.append(CellError(row.number, key, "required"))
            return None
        meanings = self._meanings.get(key)
        if meanings is not None and value.__class__ is str and value in meanings:
            return meanings[value]
        try:
            if isinstance(value, str) and value[:1] == "#":
                judge.refuse_error_value(value)
            found = read(value)
            if meanings is not None and value.__class__ is str and len(meanings) < _MEANINGS:
                meanings[value] = found
            return found
        except (CellProblem, TextProblem) as problem:
            code, params, suggestion = as_problem(problem)
            errors.append(CellError(row.number, key, code, params, shown(key, value), suggestion))
            return None

    def _check_area(self, row: RosterRow, values: dict[str, Any], errors: list[CellError]) -> None:
        cells = row.cells
        place = cells.get("town"), cells.get("village")
        # The rows of a village follow one another.
        known = self._places.get(place)
        if known is None:
            known = self._find_area(row, errors)
            if known.code is not None and place[0].__class__ is str and place[1].__class__ is str:
                self._places[place] = known
        code = known.code
        if known.former:
            self.repaired["former_name"] = self.repaired.get("former_name", 0) + 1
        number, name = parse_group(cells["group"]) if "group" in cells else (None, "")
        if judge.is_error_value(name):
            errors.append(CellError(row.number, "group", "cell_error", {}, name))
            name = ""
        if len(name) > judge.GROUP_LIMIT:
            limit = {"limit": judge.GROUP_LIMIT}
            errors.append(CellError(row.number, "group", "group_long", limit, name[:SHOWN_LENGTH]))
            name = ""
        values["village_code"] = code
        values["group_no"], values["group_name"] = number, name or None
        area = code
        if code is not None and name:
            area = self._areas.find_group(code, name) or (code + number if number else code)
        values["area_code"] = area
        label = cells.get("household_no")
        if isinstance(label, str) and len(label) == 4 and label.isdecimal() and label.isascii():
            values["household_no"] = label  # as most of them are written
            return
        values["household_no"] = self._take(
            row, "household_no", lambda value: judge.household_no(value, code), errors, required=True
        )

    def _find_area(self, row: RosterRow, errors: list[CellError]) -> AreaMatch:
        """What the words for town and village mean; without a code where they mean nothing, which is an error noted."""
        town, village = cell_text(row.cells.get("town")), cell_text(row.cells.get("village"))
        sound = True
        for key, text in (("town", town), ("village", village)):
            if not text or judge.is_error_value(text):
                errors.append(CellError(row.number, key, "cell_error" if text else "required", {}, text))
                sound = False
        if not sound:
            return _NOWHERE
        match = self._areas.find(town, village)
        if match.code is None:
            ambiguous = match.problem == "village_ambiguous"
            params = {"choices": match.suggestion} if ambiguous else {}
            if match.column == "village":
                params["town"] = town[:SHOWN_LENGTH]  # the same words mean another village in another town
            suggestion = "" if ambiguous else match.suggestion
            wrong = town if match.column == "town" else village
            errors.append(CellError(row.number, match.column, match.problem, params, wrong[:SHOWN_LENGTH], suggestion))
        return match

    def _check_person(self, row: RosterRow, values: dict[str, Any], errors: list[CellError]) -> None:
        take, cells, number = self._take, row.cells, row.number
        values["relation"] = take(row, "relation", self._read_relation, errors, required=True)
        values["name"] = take(row, "name", _read_name, errors, required=True)
        sex = take(row, "sex", self._read_sex, errors)
        born = take(row, "birth_date", self._read_past, errors)
        identity: idnumber.IdNumber | None = take(row, "id_number", self._read_id, errors)
        values["id_number"] = identity.value if identity else None
        values["id_checksum_ok"] = identity.checksum_ok if identity else None
        if identity:
            if sex is None and "sex" not in cells:
                sex = identity.sex
            elif sex is not None and sex != identity.sex:
                params: dict[str, Any] = {"expected": identity.sex}
                suggestion = SEX.zh(str(identity.sex))
                text = shown("sex", cells["sex"])
                errors.append(CellError(number, "sex", "sex_mismatch", params, text, suggestion))
            if born is None and "birth_date" not in cells:
                born = identity.birth_date
            elif born is not None and born != identity.birth_date:
                expected = identity.birth_date.isoformat()
                params = {"expected": expected}
                errors.append(CellError(number, "birth_date", "birth_mismatch", params, born.isoformat(), expected))
        elif "id_number" not in cells:
            for key in ("sex", "birth_date"):
                if key not in cells:
                    errors.append(CellError(number, key, "required_without_id"))
        values["sex"], values["birth_date"] = sex, born
        values["nationality"] = take(row, "nationality", self._read_nationality, errors) or ""
        values["phone"] = take(row, "phone", parse_phone, errors)

    def _read_id(self, value: Cell) -> idnumber.IdNumber:
        try:
            identity = idnumber.parse(value)
        except TextProblem as problem:
            if problem.code != "id_old":
                raise
            identity = idnumber.from_old(value)
            self.repaired["id_old"] = self.repaired.get("id_old", 0) + 1
        if not identity.checksum_ok and not self._allow_synthetic:
            raise CellProblem("id_checksum")
        if identity.birth_date > self._today or identity.birth_date.year < 1900:
            raise CellProblem("id_date")
        return identity

    def _read_relation(self, value: Cell) -> str:
        return judge.choice(value, RELATIONS)

    def _read_sex(self, value: Cell) -> int:
        return int(judge.choice(value, SEX))

    def _read_nationality(self, value: Cell) -> str:
        return judge.choice(value, NATIONALITIES)

    def _read_past(self, value: Cell) -> date:
        return judge.past_date(value, self._today)

    def _read_year(self, value: Cell) -> int:
        return judge.year(value, self._today)

    def _read_marks(self, value: Cell) -> list[str]:
        return judge.marks(value, self._marks)

    # -- between rows -----------------------------------------------------------------------------------------------

    def noted(self, row: RosterRow, values: Mapping[str, Any]) -> Noted:
        """What is to be remembered of a row that was judged."""
        household_no = values["household_no"]
        if household_no is None:
            return row.number, values["id_number"], None, 0, values["relation"], None, (), None
        cells, custom = row.cells, values["custom"]
        found: list[tuple[str, Any, Cell]] = [
            (key, values[key], cells.get(key))
            for key in ("address", "household_income", "income_year")
            if values[key] is not None
        ]
        if custom:
            shared = self._shared
            found += [
                (key, value, cells.get(key)) for key, value in custom.items() if value is not None and key in shared
            ]
        if values["group_name"] is not None:
            found.append(("group", values["group_name"], cells.get("group")))
        relation, place = values["relation"], values["village_code"] or place_of(row, values)
        identity, who = values["id_number"], None
        if (
            identity is None
            and not self._completed
            and values["name"]
            and values["birth_date"]
            and "id_number" not in cells
        ):
            who = (values["name"], values["birth_date"])
        return row.number, identity, household_no, place, relation, cells.get("relation"), found, who


def place_of(row: RosterRow, values: Mapping[str, Any]) -> int | str:
    """What keeps the rows of a place together: the village's code, or what stands there for one that was not found."""
    code: int | None = values["village_code"]
    return code or f"{cell_text(row.cells.get('town'))}|{cell_text(row.cells.get('village'))}"


def _read_name(value: Cell) -> str:
    name = parse_name(cell_text(value))
    if name in NO_NAMES:
        raise CellProblem("name_word")
    return name


def is_masked(key: str) -> bool:
    """Whether the cells of a column are masked wherever a row is listed: citizen numbers and phones."""
    return key in ("id_number", "phone") or key.endswith("_phone")


def shown(key: str, value: Cell) -> str:
    """A cell's content as an error may show it: identifiers and phones masked, long text cut."""
    if key == "id_number":
        large = isinstance(value, float | int) and abs(value) >= 1e15
        return idnumber.mask(value if large else cell_text(value))[:SHOWN_LENGTH]
    if is_masked(key):
        return mask_phone(cell_text(value))[:SHOWN_LENGTH]
    if isinstance(value, datetime):
        return value.date().isoformat()
    return cell_text(value)[:SHOWN_LENGTH]
