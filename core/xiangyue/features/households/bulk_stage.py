"""What stands in the temporary tables of a bulk write."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Required, TypedDict

from sqlalchemy.orm import Session

from xiangyue.access.crypto import TenantKeys, blind_index, column_context, sealer
from xiangyue.db.copying import CopyRows, copy_rows
from xiangyue.db.sql import analyze_columns, fill_stage, stage_rows
from xiangyue.features.households.derived import Named, words_of
from xiangyue.features.households.models import CustomField
from xiangyue.features.households.searchable import Found, piece_rows
from xiangyue.text.codes import HEAD
from xiangyue.text.decimals import hundredths
from xiangyue.text.pinyin import sort_key

Value = str | int | float | bool | date

#: How the keyed hashes of identifiers are named; one place, because a second spelling would find nobody.
ID_NUMBER, PHONE = "id_number", "phone"
TAIL_BYTES = 8


def tail_index(keys: TenantKeys, column: str, value: str) -> bytes | None:
    """Keyed hash of the last four characters of a citizen number or phone (without its extension); None for "".

    Eight bytes: there are only eleven thousand tails to tell apart, and the hash must not be the whole number's.
    """
    return blind_index(keys, f"{column}_tail", tail_of(value))[:TAIL_BYTES] if value else None


def tail_of(value: str) -> str:
    """The last four characters, of a phone without its extension."""
    return "-".join(value.split("-")[:2])[-4:] if "-" in value else value[-4:]


class PersonValues(TypedDict, total=False):
    """A person of a roster, normalised. Codes as in ``text.codes``; ``""`` and None keep what stands.

    ``marks``: keys of mark kinds. ``clear``: facts that are to say nothing any more: phone, nationality,
    ``custom.<key>``. ``custom``: values of the person's own fields by key (choice: its option's key).
    ``row_no``: the caller's row, named in conflicts.
    """

    name: Required[str]
    relation: str
    sex: int
    birth_date: date | None
    nationality: str
    id_number: str
    phone: str
    away: bool | None
    marks: Sequence[str]
    custom: Mapping[str, Value]
    clear: Sequence[str]
    row_no: int


@dataclass(frozen=True, slots=True)
class HouseholdRow:
    """A household of a roster, normalised. ``area_code``: 15 digits of the village or group; ``code``: 12-digit
    village code and number; ``income``: (year, whole yuan); ``clear``: facts that are to say nothing any more: address,
    ``income.<year>``, ``custom.<key>``."""

    area_code: int
    code: str
    address: str = ""
    persons: Sequence[PersonValues] = ()
    income: tuple[int, int] | None = None
    custom: Mapping[str, Value] = field(default_factory=dict)
    row_no: int = 0
    clear: Sequence[str] = ()


_C = 'text COLLATE "C"'
HOUSEHOLD = {
    "n": "int", "row_no": "int", "area_code": "bigint", "code": _C, "address": "text", "head_name": "text",
    "sort_key": _C, "income_year": "smallint", "income": "bigint", "new_id": "bigint", "persons": "int",
    "living": "int",
    "id": "bigint", "skip": "text", "fresh": "bool DEFAULT false", "differs": "bool DEFAULT false",
    "changed": "bool DEFAULT false",
}  # fmt: skip
PERSON = {
    "n": "int", "row_no": "int", "household_n": "int", "name": "text", "sort_key": _C, "relation": _C,
    "sex": "smallint", "birth_date": "date", "nationality": _C, "id_number_index": "bytea", "phone_index": "bytea",
    "id_number_tail": "bytea", "phone_tail": "bytea", "away": "bool", "new_id": "bigint", "id_number": "bytea",
    "phone": "bytea",
    "id": "bigint", "home": "bigint", "mine": "bool", "skip": "text", "fresh": "bool DEFAULT false",
    "differs": "bool DEFAULT false", "changed": "bool DEFAULT false",
}  # fmt: skip
#: What joins and conditions look at.
HOUSEHOLD_KEYS = ("n", "id", "code", "area_code", "skip", "fresh")
PERSON_KEYS = ("n", "household_n", "id", "home", "id_number_index", "name", "relation", "skip", "fresh")
#: What persons are found by.
FOUND_BY = ("n", "household_n", "id_number_index")
MARK = {"person_n": "int", "mark_key": _C, "known": "bool DEFAULT false"}
VALUE = {
    "entity": "text", "n": "int", "field_id": "bigint", "text_value": _C, "int_value": "bigint", "date_value": "date",
    "known": "bool DEFAULT false",
}  # fmt: skip

NO_ROWS = CopyRows(b"", 0, 0)
Problem = tuple[int, str, str]
#: Gives ids for so many new rows of a table.
Draw = Callable[[str, int], Sequence[int]]


@dataclass(slots=True)
class Prepared:
    """A chunk as it goes into the temporary tables. ``members``: the persons by their numbers; ``suffixes`` and
    ``pieces``: search rows, and ``made``: first and last id, of households and persons, if all of them are new."""

    size: int
    problems: list[Problem] = field(default_factory=list)
    groups: set[int] = field(default_factory=set)
    households: CopyRows = NO_ROWS
    persons: CopyRows = NO_ROWS
    marks: CopyRows = NO_ROWS
    values: list[tuple[Any, ...]] = field(default_factory=list)
    members: list[PersonValues] = field(default_factory=list)
    clears: list[tuple[str, int, str]] = field(default_factory=list)
    suffixes: CopyRows = NO_ROWS
    pieces: CopyRows = NO_ROWS
    made: dict[str, tuple[int, int]] = field(default_factory=dict)


class Stager:
    """Turns rows into temporary tables; remembers what an import has already named.

    ``draw``: where new ids come from; None when nothing will be written, so that what only the writing needs is left
    out.
    """

    def __init__(
        self,
        keys: TenantKeys,
        tenant_id: int,
        *,
        marks: set[str],
        forbidden: set[str],
        fields: Mapping[tuple[str, str], CustomField],
        draw: Draw | None,
    ) -> None:
        self.keys = keys
        self.draw, self.comparing = draw, draw is None
        self.contexts = [column_context(tenant_id, f"person.{column}") for column in (ID_NUMBER, PHONE)]
        self.marks, self.forbidden, self.fields = marks, forbidden, fields
        self.codes: set[str] = set()
        self.identities: set[bytes] = set()
        self.planned_groups: set[int] = set()
        #: Keyed hashes of tails: there are few, and an import has many.
        self._tails: dict[tuple[str, str], bytes | None] = {}

    def prepare(self, chunk: Sequence[HouseholdRow]) -> Prepared:
        """A chunk as rows of the temporary tables; chunks in their order. Only ``draw`` asks the database, so it may be
        done while that is busy with the chunk before."""
        made = Prepared(len(chunk))
        problems, members = made.problems, made.members
        homes_new, persons_new = self._drawn(chunk)
        words: list[Named] = []
        found: list[Found] = []
        seal_id, seal_phone = [sealer(self.keys, context) for context in self.contexts]
        homes: list[tuple[Any, ...]] = []
        persons: list[tuple[Any, ...]] = []
        marks: list[tuple[int, str]] = []
        for row in chunk:
            if row.code in self.codes:
                problems.append((row.row_no, "household_twice", row.code))
                continue
            self.codes.add(row.code)
            if row.area_code % 1000:
                made.groups.add(row.area_code)
            n = len(homes)
            present = [pair for pair in map(self._identified, row.persons) if self._first_time(*pair, problems)]
            heads = (member for member, _index in present if member.get("relation") == HEAD)
            head = next(heads, present[0][0] if present else None)
            year, income = row.income or (None, None)
            name = head["name"] if head else ""
            key = "" if self.comparing else sort_key(name)
            home = homes_new[n]
            living = sum(member.get("away") is not True for member, _index in present)
            facts = (n, row.row_no, row.area_code, row.code, row.address, name, key, year, income)
            homes.append((*facts, home, len(present), living))
            made.clears += [("household", n, fact) for fact in row.clear]
            if row.custom:
                made.values += self._values("household", n, row.custom, row.row_no, problems)
            for member, index in present:
                number = len(members)
                members.append(member)
                identity, phone = member.get("id_number"), member.get("phone")
                sealed: tuple[bytes | None, bytes | None] = (None, None)
                if home is not None:
                    sealed = seal_id(identity) if identity else None, seal_phone(phone) if phone else None
                    words.append((words_of(member["name"]), persons_new[number], home, row.area_code))
                persons.append((*self._person(number, n, member, index), persons_new[number], *sealed))
                made.clears += [("person", number, fact) for fact in member.get("clear", ())]
                if member.get("marks"):
                    marks += self._marks(number, member, problems)
                if custom := member.get("custom"):
                    made.values += self._values("person", number, custom, member.get("row_no", 0), problems)
            if home is not None:
                found.append((home, row.code, row.address, row.area_code))
        made.households, made.persons, made.marks = copy_rows(homes), copy_rows(persons), copy_rows(marks)
        made.suffixes, made.pieces = copy_rows(words), copy_rows(piece_rows(found))
        made.made = {
            noun: (drawn[0], drawn[count - 1])
            for noun, drawn, count in (("households", homes_new, len(homes)), ("persons", persons_new, len(members)))
            if count and not self.comparing
        }
        return made

    def _drawn(self, chunk: Sequence[HouseholdRow]) -> tuple[Sequence[Any], Sequence[Any]]:
        """Ids for the households and persons of a chunk, whether or not they turn out to be new; None each where
        nothing is written."""
        sizes = {"household": len(chunk), "person": sum(len(row.persons) for row in chunk)}
        homes, persons = (self.draw(table, n) if self.draw else [None] * n for table, n in sizes.items())
        return homes, persons

    def stage(self, session: Session, made: Prepared) -> None:
        """Fill the temporary tables with a chunk."""
        fill_stage(session, "stage_household", HOUSEHOLD, made.households)
        fill_stage(session, "stage_person", PERSON, made.persons)
        analyze_households(session)
        analyze_columns(session, "stage_person", ("household_n",))
        stage_rows(session, "stage_mark", MARK, made.marks)
        stage_rows(session, "stage_value", VALUE, made.values)

    def _identified(self, person: PersonValues) -> tuple[PersonValues, bytes | None]:
        id_number = person.get("id_number")
        return person, blind_index(self.keys, ID_NUMBER, id_number) if id_number else None

    def _first_time(self, person: PersonValues, index: bytes | None, problems: list[Problem]) -> bool:
        if index is None:
            return True
        if index in self.identities:
            problems.append((person.get("row_no", 0), "person_twice", ""))
            return False
        self.identities.add(index)
        return True

    def _person(self, n: int, household_n: int, person: PersonValues, index: bytes | None) -> tuple[Any, ...]:
        phone = person.get("phone")
        return (
            n,
            person.get("row_no", 0),
            household_n,
            person["name"],
            "" if self.comparing else sort_key(person["name"]),
            person.get("relation", ""),
            person.get("sex", 0),
            person.get("birth_date"),
            person.get("nationality", ""),
            index,
            blind_index(self.keys, PHONE, phone) if phone else None,
            self._tail(ID_NUMBER, person.get("id_number") or ""),
            self._tail(PHONE, phone or ""),
            person.get("away"),
        )

    def _tail(self, column: str, value: str) -> bytes | None:
        if self.comparing or not value:
            return None
        tail = column, tail_of(value)
        found = self._tails.get(tail)
        if found is None:
            found = self._tails[tail] = tail_index(self.keys, column, value)
        return found

    def _marks(self, n: int, person: PersonValues, problems: list[Problem]) -> Iterator[tuple[int, str]]:
        for key in dict.fromkeys(person.get("marks") or ()):
            if key in self.marks:
                yield n, key
            else:
                kind = "mark_forbidden" if key in self.forbidden else "mark_unknown"
                problems.append((person.get("row_no", 0), kind, key))

    def _values(
        self, entity: str, n: int, custom: Mapping[str, Value], row_no: int, problems: list[Problem]
    ) -> Iterator[tuple[Any, ...]]:
        for key, value in custom.items():
            if value is None or value == "":
                continue
            spec = self.fields.get((entity, key))
            if spec is None:
                problems.append((row_no, "field_unknown", key))
                continue
            yield (entity, n, spec.id, *typed_value(spec.type, value))


def analyze_households(session: Session) -> None:
    """Let the planner look at the households that are staged."""
    analyze_columns(session, "stage_household", HOUSEHOLD_KEYS)


def analyze_found_by(session: Session) -> None:
    """The same of what staged persons are looked for by."""
    analyze_columns(session, "stage_person", FOUND_BY)


def analyze_persons(session: Session) -> None:
    """The same of the persons, of whom there are more: not before some of a chunk stand already."""
    analyze_columns(session, "stage_person", PERSON_KEYS)


def typed_value(kind: str, value: Value | None) -> tuple[str | None, int | None, date | None]:
    """A custom value as the three columns of ``custom_value``: text or choice; integer, boolean or hundredths;
    date."""
    if value is None or value == "":
        return None, None, None
    if kind == "date":
        return None, None, value if isinstance(value, date) else date.fromisoformat(str(value))
    if kind == "decimal":
        return None, hundredths(value), None  # type: ignore[arg-type]
    if kind in ("integer", "boolean"):
        return None, int(value), None  # type: ignore[arg-type]
    return str(value), None, None


#: The other way round: a value ``v`` of the field ``f`` as text.
VALUE_TEXT = """coalesce(v.text_value, CAST(v.date_value AS text), CAST(
           CASE f.type WHEN 'decimal' THEN trim_scale(v.int_value / 100.0) ELSE v.int_value END AS text))"""
