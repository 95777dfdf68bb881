# data: zh
"""Files that change some columns of records that stand already, found by citizen number or household number.

Each row is completed with what the register has, to the row that a roster would have had: so it is checked, tried out,
mended, written and undone as a roster's. An empty cell changes nothing, 清空 (or clear) empties what may be empty, and
nobody is moved.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from xiangyue.access.crypto import TenantKeys
from xiangyue.db.scope import Scope
from xiangyue.db.sql import analyze_columns, fill_stage, scoped_rows, scoped_sql
from xiangyue.db.uow import Uow
from xiangyue.features.households.bulk_stage import ID_NUMBER
from xiangyue.features.households.identifiers import in_full, sealed
from xiangyue.features.imports import roster_values
from xiangyue.features.imports.roster_areas import AreaRow, ListAreaIndex
from xiangyue.features.imports.roster_columns import Column
from xiangyue.features.imports.roster_header import HeaderProblem
from xiangyue.features.imports.roster_messages import CellError
from xiangyue.features.imports.roster_places import number_of, place_of_number
from xiangyue.features.imports.roster_read import RosterRow, RosterSheet
from xiangyue.features.imports.staging import open_row, payload_context, seal_row
from xiangyue.text import idnumber
from xiangyue.text.codes import HEAD, RELATIONS, SEX
from xiangyue.text.folding import cell_text, without_spaces
from xiangyue.text.problems import TextProblem

#: Columns that find a record or say where it stands: never changed this way.
_PLACE = frozenset(("town", "village", "group", "household_no", "relation"))
_CODE_DIGITS = 12
#: Stands among the cells of a row that the register completed.
FOUND = "#found"
#: What a cell says that is to empty the value.
CLEAR_WORD = "清空"
CLEAR_WORDS = frozenset((CLEAR_WORD, "clear"))
#: Rows of a file that are looked up at a time.
_PART = 2000
_UPDATE = {"row_no": "int", "home": "bigint", "person": "bigint", "payload": "bytea"}
_GATHER = """
INSERT INTO stage_update (row_no, home, person, payload)
SELECT u.row_no, u.home, u.person, u.payload FROM stage_update_part u WHERE {tenant:u}
"""
_LOST = """
SELECT u.row_no, u.payload FROM stage_update u
 WHERE {tenant:u} AND u.home IS NULL AND u.row_no > :after ORDER BY u.row_no LIMIT :limit
"""
_HOMES = """
SELECT DISTINCT u.home FROM stage_update u WHERE {tenant:u} AND u.home > :after ORDER BY u.home LIMIT :limit
"""
_OF_HOMES = """
SELECT u.home, u.person, u.row_no, u.payload FROM stage_update u
 WHERE {tenant:u} AND u.home = ANY(:homes) ORDER BY u.row_no
"""
#: What is wrong with a row whose record was not found.
_OWN = frozenset(("record_key", "record_unknown"))


def update_columns(columns: Iterable[Column]) -> tuple[Column, ...]:
    """The columns of such a file: those of the roster, none of which must be there."""
    return tuple(replace(column, required=False) for column in columns)


def is_clear(value: Any) -> bool:
    """Whether a cell says that the value is to be emptied."""
    return isinstance(value, str) and value.strip().lower() in CLEAR_WORDS


def without_numbers(
    rows: Iterable[tuple[RosterRow, Sequence[CellError]]],
) -> Iterator[tuple[RosterRow, Sequence[CellError]]]:
    """Rows as they leave the house: citizen numbers that the register filled in are masked, for whoever may import need
    not be allowed to see them. Those that were not found are the file's own."""
    for row, errors in rows:
        if ID_NUMBER in row.cells and not any(error.code in _OWN for error in errors):
            row = RosterRow(row.number, {**row.cells, ID_NUMBER: idnumber.mask(cell_text(row.cells[ID_NUMBER]))})
        yield row, errors


def key_problems(sheet: RosterSheet) -> list[HeaderProblem]:
    """What keeps a sheet from being such a file: no column to find records by, or none to change."""
    found = set(sheet.columns)
    problems = []
    if not found & {"id_number", "household_no"}:
        problems.append(HeaderProblem("header_key_missing", ""))
    if not found - _PLACE - {"id_number"}:
        problems.append(HeaderProblem("header_nothing_to_change", ""))
    return problems


@dataclass(slots=True)
class _Person:
    id: int
    home: int
    cells: dict[str, Any]
    head: bool


class Completer:
    """Completes rows from the register, of what lies where the uploader may import: to everybody else, other records
    are not there. The job's own reach is the whole county."""

    def __init__(
        self, uow: Uow, keys: TenantKeys, scope: Scope, columns: Iterable[Column], areas: Sequence[AreaRow]
    ) -> None:
        self._uow, self._keys, self._scope = uow, keys, scope
        self._index = ListAreaIndex(areas)
        self._names = {area.code: area.name for area in areas}
        self._household = {column.key for column in columns if column.entity == "household"} - _PLACE

    def complete(self, rows: Iterable[RosterRow]) -> Iterator[tuple[RosterRow, CellError | None]]:
        """The rows by household, its head first (a row of its own where the file does not name the head), and what is
        wrong with one whose record was not found. All of them at once: for a few."""
        found: dict[int, list[tuple[RosterRow, int | None]]] = {}
        for row, home, person in self._located(list(rows)):
            if home is None:
                yield row, self.lost(row)
            else:
                found.setdefault(home, []).append((row, person))
        yield from ((row, None) for row in self._by_household(found))

    def parts(self, rows: Iterable[RosterRow]) -> Iterator[list[tuple[RosterRow, CellError | None]]]:
        """The same for a whole file, some at a time, in memory that does not grow with it: the rows wait in a temporary
        table, encrypted, until all of a household are there. Between two parts the connection may be used."""
        session, context = self._uow.session, payload_context(self._uow.tenant_id)
        fill_stage(session, "stage_update", _UPDATE, ())
        source = iter(rows)
        while chunk := list(islice(source, _PART)):
            located = (
                (row.number, home, person, seal_row(self._keys, context, row, {}))
                for row, home, person in self._located(chunk)
            )
            fill_stage(session, "stage_update_part", _UPDATE, located)
            scoped_sql(session, _GATHER)
        analyze_columns(session, "stage_update", ("row_no", "home"))

        def opened(row_no: int, payload: bytes) -> RosterRow:
            return RosterRow(row_no, open_row(self._keys, context, payload)["cells"])

        after = 0
        while lost := scoped_rows(session, _LOST, {"after": after, "limit": _PART}):
            after = lost[-1][0]
            faulty = [opened(*row) for row in lost]
            yield [(row, self.lost(row)) for row in faulty]
        after = 0
        while homes := scoped_rows(session, _HOMES, {"after": after, "limit": _PART}):
            after = homes[-1][0]
            found: dict[int, list[tuple[RosterRow, int | None]]] = {home: [] for (home,) in homes}
            for home, person, row_no, payload in scoped_rows(session, _OF_HOMES, {"homes": list(found)}):
                found[home].append((opened(row_no, payload), person))
            yield [(row, None) for row in self._by_household(found)]

    def lost(self, row: RosterRow) -> CellError:
        """What is wrong with a row whose record was not found."""
        column = "id_number" if "id_number" in row.cells else "household_no"
        number, code = self._keys_of(row)
        return CellError(row.number, column, "record_key" if number is None and not code else "record_unknown")

    def _located(self, rows: Sequence[RosterRow]) -> list[tuple[RosterRow, int | None, int | None]]:
        """(row, its household, its person where it names one); None for those that were not found."""
        wanted = [(row, *self._keys_of(row)) for row in rows]
        persons = self._persons_by(sorted({number for _row, number, _code in wanted if number is not None}))
        homes = self._homes_by(sorted({code for _row, number, code in wanted if number is None and code}))
        found: list[tuple[RosterRow, int | None, int | None]] = []
        for row, number, code in wanted:
            person, home = persons.get(number, (None, None)) if number is not None else (None, homes.get(code))
            found.append((row, home, person))
        return found

    def _keys_of(self, row: RosterRow) -> tuple[bytes | None, str]:
        """(keyed hash of the citizen number, or None; code of the household, or "")."""
        cells = row.cells
        if "id_number" in cells:
            try:
                return sealed(self._keys, self._uow.tenant_id, ID_NUMBER, idnumber.parse(cells["id_number"]).value)[
                    1
                ], ""
            except TextProblem:
                return None, ""
        text = without_spaces(cell_text(cells.get("household_no")))
        if len(text) > _CODE_DIGITS and text[:_CODE_DIGITS].isdigit():
            return None, text
        village = self._index.find(cell_text(cells.get("town")), cell_text(cells.get("village"))).code
        if village is None:
            return None, ""
        try:
            return None, f"{village // 1000}{roster_values.household_no(text, village)}"
        except roster_values.CellProblem:
            return None, ""

    def _persons_by(self, numbers: list[bytes]) -> dict[bytes | None, tuple[int, int]]:
        rows = scoped_rows(
            self._uow.session,
            "SELECT p.id_number_index, p.id, p.household_id FROM person p"
            " WHERE {scope:p} AND p.state = 'active' AND p.id_number_index = ANY(:numbers)",
            {"numbers": numbers},
            scope=self._scope,
        )
        return {bytes(number): (id, home) for number, id, home in rows}

    def _homes_by(self, codes: list[str]) -> dict[str, int]:
        rows = scoped_rows(
            self._uow.session,
            "SELECT h.code, h.id FROM household h WHERE {scope:h} AND h.state = 'active' AND h.code = ANY(:codes)",
            {"codes": codes},
            scope=self._scope,
        )
        return dict(rows)

    def _by_household(self, found: dict[int, list[tuple[RosterRow, int | None]]]) -> Iterator[RosterRow]:
        ids = sorted(found)
        places = {
            id: self._place(code, area)
            for id, code, area in scoped_rows(
                self._uow.session,
                "SELECT h.id, h.code, h.area_code FROM household h WHERE {scope:h} AND h.id = ANY(:ids)",
                {"ids": ids},
                scope=self._scope,
            )
        }
        people = self._people(ids, sorted({id for rows in found.values() for _row, id in rows if id is not None}))
        heads = {person.home: person for person in people.values() if person.head}
        for home, rows in found.items():
            head = heads.get(home)
            own: list[tuple[RosterRow, _Person]] = []
            for row, id in rows:
                person = head if id is None else people.get(id)
                if person is not None:
                    own.append((row, person))
            own.sort(key=lambda pair: not pair[1].head)
            # What the rows say of the household stands in the head's.
            shared: dict[str, Any] = {}
            for row, _id in rows:
                for key in self._household & row.cells.keys():
                    shared.setdefault(key, row.cells[key])
            if head is not None and not (own and own[0][1].head):
                place = place_of_number(rows[0][0].number)
                number = number_of(place.sheet, place.row, 0)
                yield RosterRow(number, {FOUND: "1", **places[home], **head.cells, **shared})
            for row, person in own:
                told = {key: value for key, value in row.cells.items() if key not in _PLACE}
                if person.head:
                    told = {**shared, **told}
                else:
                    told = {key: value for key, value in told.items() if shared.get(key) != value}
                yield RosterRow(row.number, {FOUND: "1", **places[home], **person.cells, **told})

    def _place(self, code: str, area: int) -> dict[str, Any]:
        cells = {
            "town": self._names.get(area // 10**6 * 10**6, ""),
            "village": str(area // 1000),
            "household_no": code.removeprefix(str(area // 1000)),
        }
        return {**cells, "group": self._names[area]} if area % 1000 and area in self._names else cells

    def _people(self, homes: list[int], persons: list[int]) -> dict[int, _Person]:
        rows = scoped_rows(
            self._uow.session,
            "SELECT p.id, p.household_id, p.name, p.relation, p.sex, p.birth_date, p.id_number FROM person p"
            " WHERE {scope:p} AND p.state = 'active'"
            " AND (p.id = ANY(:persons) OR (p.household_id = ANY(:homes) AND p.relation = :head))",
            {"persons": persons, "homes": homes, "head": HEAD},
            scope=self._scope,
        )
        found = {}
        for id, home, name, relation, sex, born, number in rows:
            cells: dict[str, Any] = {"name": name, "relation": RELATIONS.zh(relation)}
            if number is not None:
                cells["id_number"] = in_full(self._keys, self._uow.tenant_id, ID_NUMBER, number)
            if sex:
                cells["sex"] = SEX.zh(str(sex))
            if born is not None:
                cells["birth_date"] = born.isoformat()
            found[id] = _Person(id, home, cells, relation == HEAD)
        return found
