"""What stands in the temporary tables of a bulk write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Required, TypedDict

from sqlalchemy.orm import Session

from xiangyue.access.crypto import TenantKeys, blind_index, column_context, encrypt
from xiangyue.db.sql import stage_rows
from xiangyue.features.households.models import CustomField
from xiangyue.text.codes import HEAD
from xiangyue.text.pinyin import sort_key

Value = str | int | bool | date

#: How the keyed hashes of identifiers are named; one place, because a second spelling would find nobody.
ID_NUMBER, PHONE = "id_number", "phone"
TAIL_BYTES = 8


def tail_index(keys: TenantKeys, column: str, value: str) -> bytes | None:
    """Keyed hash of the last four characters of a citizen number or phone (without its extension); None for "".

    Eight bytes: there are only eleven thousand tails to tell apart, and the hash must not be the whole number's.
    """
    main = "-".join(value.split("-")[:2])
    return blind_index(keys, f"{column}_tail", main[-4:])[:TAIL_BYTES] if value else None


class PersonValues(TypedDict, total=False):
    """A person of a roster, normalised. Codes as in ``text.codes``; ``""`` and None keep what stands.

    ``marks``: keys of mark kinds. ``custom``: values of the person's own fields by key (choice: its option's key).
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
    row_no: int


@dataclass(frozen=True, slots=True)
class HouseholdRow:
    """A household of a roster, normalised. ``area_code``: 15 digits of the village or group; ``code``: 12-digit
    village code and number; ``income``: (year, whole yuan)."""

    area_code: int
    code: str
    address: str = ""
    persons: Sequence[PersonValues] = ()
    income: tuple[int, int] | None = None
    custom: Mapping[str, Value] = field(default_factory=dict)
    row_no: int = 0


_C = 'text COLLATE "C"'
HOUSEHOLD = {
    "n": "int", "row_no": "int", "area_code": "bigint", "code": _C, "address": "text", "head_name": "text",
    "sort_key": _C, "income_year": "smallint", "income": "bigint",
    "id": "bigint", "skip": "text", "fresh": "bool DEFAULT false", "differs": "bool DEFAULT false",
    "changed": "bool DEFAULT false",
}  # fmt: skip
PERSON = {
    "n": "int", "row_no": "int", "household_n": "int", "name": "text", "sort_key": _C, "relation": _C,
    "sex": "smallint", "birth_date": "date", "nationality": _C, "id_number_index": "bytea", "phone_index": "bytea",
    "id_number_tail": "bytea", "phone_tail": "bytea", "away": "bool",
    "id": "bigint", "home": "bigint", "mine": "bool", "skip": "text", "fresh": "bool DEFAULT false",
    "differs": "bool DEFAULT false", "changed": "bool DEFAULT false",
}  # fmt: skip
MARK = {"person_n": "int", "mark_key": _C, "known": "bool DEFAULT false"}
VALUE = {
    "entity": "text", "n": "int", "field_id": "bigint", "text_value": _C, "int_value": "bigint", "date_value": "date",
    "known": "bool DEFAULT false",
}  # fmt: skip
CIPHER = {"n": "int", "id_number": "bytea", "phone": "bytea"}

Problem = tuple[int, str, str]


class Stager:
    """Turns rows into temporary tables; remembers what an import has already named."""

    def __init__(
        self,
        keys: TenantKeys,
        tenant_id: int,
        *,
        marks: set[str],
        forbidden: set[str],
        fields: Mapping[tuple[str, str], CustomField],
    ) -> None:
        self.keys = keys
        self.contexts = [column_context(tenant_id, f"person.{column}") for column in (ID_NUMBER, PHONE)]
        self.marks, self.forbidden, self.fields = marks, forbidden, fields
        self.codes: set[str] = set()
        self.identities: set[bytes] = set()
        self.planned_groups: set[int] = set()
        self.persons: list[PersonValues] = []

    def stage(self, session: Session, chunk: Sequence[HouseholdRow]) -> list[Problem]:
        """Fill the temporary tables with a chunk; returns (row_no, kind, detail) of what was left out."""
        self.persons = []
        problems: list[Problem] = []
        households: list[tuple[Any, ...]] = []
        persons: list[tuple[Any, ...]] = []
        marks: list[tuple[int, str]] = []
        values: list[tuple[Any, ...]] = []
        for row in chunk:
            if row.code in self.codes:
                problems.append((row.row_no, "household_twice", row.code))
                continue
            self.codes.add(row.code)
            n = len(households)
            members = [m for m in row.persons if self._first_time(m, problems)]
            head = next((m for m in members if m.get("relation") == HEAD), members[0] if members else None)
            year, income = row.income or (None, None)
            name = head["name"] if head else ""
            households.append((n, row.row_no, row.area_code, row.code, row.address, name, sort_key(name), year, income))
            values += self._values("household", n, row.custom, row.row_no, problems)
            for member in members:
                number = len(self.persons)
                self.persons.append(member)
                persons.append(self._person(number, n, member))
                marks += self._marks(number, member, problems)
                values += self._values("person", number, member.get("custom") or {}, member.get("row_no", 0), problems)
        stage_rows(session, "stage_household", HOUSEHOLD, households)
        stage_rows(session, "stage_person", PERSON, persons)
        stage_rows(session, "stage_mark", MARK, marks)
        stage_rows(session, "stage_value", VALUE, values)
        return problems

    def seal(self, session: Session, numbers: Iterable[int]) -> None:
        """Stage the encrypted identifiers of the persons that are going to be written."""
        stage_rows(session, "stage_cipher", CIPHER, self._ciphers(numbers))

    def _ciphers(self, numbers: Iterable[int]) -> Iterator[tuple[int, bytes | None, bytes | None]]:
        id_context, phone_context = self.contexts
        for n in numbers:
            person = self.persons[n]
            id_number, phone = person.get("id_number"), person.get("phone")
            if id_number or phone:
                yield (
                    n,
                    encrypt(self.keys, id_number, id_context) if id_number else None,
                    encrypt(self.keys, phone, phone_context) if phone else None,
                )

    def _first_time(self, person: PersonValues, problems: list[Problem]) -> bool:
        id_number = person.get("id_number")
        if not id_number:
            return True
        index = blind_index(self.keys, ID_NUMBER, id_number)
        if index in self.identities:
            problems.append((person.get("row_no", 0), "person_twice", ""))
            return False
        self.identities.add(index)
        return True

    def _person(self, n: int, household_n: int, person: PersonValues) -> tuple[Any, ...]:
        id_number, phone = person.get("id_number"), person.get("phone")
        return (
            n,
            person.get("row_no", 0),
            household_n,
            person["name"],
            sort_key(person["name"]),
            person.get("relation", ""),
            person.get("sex", 0),
            person.get("birth_date"),
            person.get("nationality", ""),
            blind_index(self.keys, ID_NUMBER, id_number) if id_number else None,
            blind_index(self.keys, PHONE, phone) if phone else None,
            tail_index(self.keys, ID_NUMBER, id_number or ""),
            tail_index(self.keys, PHONE, phone or ""),
            person.get("away"),
        )

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


def typed_value(kind: str, value: Value | None) -> tuple[str | None, int | None, date | None]:
    """A custom value as the three columns of ``custom_value``: text or choice, integer or boolean, date."""
    if value is None or value == "":
        return None, None, None
    if kind == "date":
        return None, None, value if isinstance(value, date) else date.fromisoformat(str(value))
    if kind in ("integer", "boolean"):
        return None, int(value), None  # type: ignore[arg-type]
    return str(value), None, None
