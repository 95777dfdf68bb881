"""A county full of people, fast: synthetic families over its real villages, by COPY as the owning role.

Families come from a pool made by the product's own generator and are dealt out at random, so names repeat as they do
in real counties. Citizen numbers carry a wrong check digit, are encrypted and indexed with the county's own keys.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg

from xiangyue.access.crypto import TenantKeys, blind_index, column_context, encrypt
from xiangyue.features.areas.groups import group_name
from xiangyue.features.households.bulk_stage import tail_index
from xiangyue.features.households.models import MarkKind
from xiangyue.features.imports import synth_data
from xiangyue.features.imports.synth_people import Member, NameMaker, make_family
from xiangyue.runtime import Runtime
from xiangyue.tenancy.directory import TenantInfo
from xiangyue.text.codes import RELATIONS
from xiangyue.text.idnumber import CHECK_DIGITS, check_digit
from xiangyue.text.pieces import pieces, tails
from xiangyue.text.pinyin import sort_key, suffixes

YEAR = 2025
GROUPS = 5
POOL = 6000

_SEARCH = ("name_suffix", "household_piece", "piece_suffix")
_OWNED = ("household", "person", "household_member", "person_mark", "household_income")


@dataclass(frozen=True, slots=True)
class Population:
    """What was written. ``town``: 15-digit code of the town with the most households."""

    households: int
    persons: int
    suffixes: int
    town: int
    town_households: int


@dataclass(frozen=True, slots=True)
class _Person:
    name: str
    sort_key: str
    relation: str
    sex: int
    born: date
    away: bool
    marks: tuple[str, ...]


def populate(runtime: Runtime, county: TenantInfo, households: int, seed: int) -> Population:
    """Fill an empty county. Ids go on from what other counties have, as the shared sequences would give them."""
    with runtime.uow(county.id) as uow:
        keys = runtime.tenant_keys(uow)
        marks = {kind.name: kind.key for kind in uow.session.query(MarkKind)}
    rng = random.Random(seed)
    with psycopg.connect(runtime.settings.migration_database_url) as connection:
        names: dict[int, str] = dict(
            connection.execute(
                "SELECT area_code, name FROM area WHERE tenant_id = %s AND level IN ('town', 'village')", [county.id]
            ).fetchall()
        )
        villages = sorted(code for code in names if code // 1000 % 1000)
        _groups(connection, county.id, villages)
        last = {name: _last_id(connection, name) for name in ("household", "person")}
        writer = _Writer(county, keys, _pool(rng, marks), rng, last, names)
        homes = sorted(rng.choice(villages) for _ in range(households))
        writer.fill(homes)
        for table, columns, rows in writer.tables():
            _copy(connection, table, columns, rows)
        written = _suffixes(connection, county.id, {person.name for family in writer.pool for person in family})
        _pieces(connection, county.id, writer.households)
        for table in _OWNED:
            connection.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT coalesce(max(id), 1) FROM {table}))"
            )
    town, count = Counter(code // 10**6 * 10**6 for code in homes).most_common(1)[0]
    return Population(households, len(writer.persons), written, town, count)


def settle(runtime: Runtime) -> None:
    """VACUUM and ANALYZE, so that plans and visibility are those of a database that has been up for a day."""
    with psycopg.connect(runtime.settings.migration_database_url, autocommit=True) as connection:
        for table in ("area", *_SEARCH, *_OWNED):
            connection.execute(f"VACUUM (ANALYZE) {table}")


def _pool(rng: random.Random, marks: dict[str, str]) -> list[list[_Person]]:
    maker = NameMaker(rng)
    families: list[list[_Person]] = []
    while len(families) < POOL:
        if len(families) % 40 == 0:
            maker = NameMaker(rng)
        family = make_family(rng, maker, YEAR)
        # The big ones left out, it comes to about two and a half persons each, as in the registers of the counties.
        if len(family) <= 4:
            families.append([_person(member, marks) for member in family])
    return families


def _person(member: Member, marks: dict[str, str]) -> _Person:
    return _Person(
        member.name,
        sort_key(member.name),
        RELATIONS.parse(member.relation) or "",
        1 if member.male else 2,
        member.born,
        member.away,
        tuple(marks[mark] for mark in dict.fromkeys(member.marks) if mark in marks),
    )


class _Writer:
    """Rows of one county, table by table."""

    def __init__(
        self,
        county: TenantInfo,
        keys: TenantKeys,
        pool: list[list[_Person]],
        rng: random.Random,
        last: dict[str, int],
        names: dict[int, str],
    ) -> None:
        self.tenant, self.keys, self.pool, self.rng = county.id, keys, pool, rng
        self.region = str(county.area_code)[:6]
        self.context = column_context(county.id, "person.id_number")
        self.last, self.names = last, names
        self.households: list[tuple[Any, ...]] = []
        self.persons: list[tuple[Any, ...]] = []
        self.members: list[tuple[Any, ...]] = []
        self.marks: list[tuple[Any, ...]] = []
        self.incomes: list[tuple[Any, ...]] = []
        self._born: Counter[date] = Counter()

    def fill(self, homes: Sequence[int]) -> None:
        numbers: Counter[int] = Counter()
        household_id, person_id = self.last["household"], self.last["person"]
        for village in homes:
            numbers[village] += 1
            household_id += 1
            number = numbers[village]
            area = village + number % GROUPS + 1
            family = self.rng.choice(self.pool)
            head = family[0]
            code, address = f"{village // 1000}{number:04d}", self._address(village, number)
            living = sum(not person.away for person in family)
            sizes = (len(family), len(family), living)
            self.households.append((self.tenant, household_id, area, code, head.name, head.sort_key, *sizes, address))
            self.incomes.append((self.tenant, area, household_id, YEAR, self.rng.randrange(8_000, 160_000)))
            for person in family:
                person_id += 1
                self._add_person(person_id, household_id, area, person)

    def _address(self, village: int, number: int) -> str:
        group = group_name(number % GROUPS + 1)
        town = self.names[village // 10**6 * 10**6]
        return synth_data.HOUSE_NO.format(town=town, village=self.names[village], group=group, n=number)

    def _add_person(self, id: int, household_id: int, area: int, person: _Person) -> None:
        number = self._id_number(person.born)
        sealed, index = encrypt(self.keys, number, self.context), blind_index(self.keys, "id_number", number)
        known = (person.name, person.sort_key, person.relation, person.sex, person.born, "01")
        tail = tail_index(self.keys, "id_number", number)
        self.persons.append((self.tenant, id, area, household_id, *known, sealed, index, tail, person.away))
        # Registered here; who works elsewhere lives in no household of the county.
        since = (person.relation, person.born)
        self.members.append((self.tenant, area, id, household_id, True, not person.away, *since))
        self.marks += [(self.tenant, area, id, household_id, key) for key in person.marks]

    def _id_number(self, born: date) -> str:
        self._born[born] += 1
        body = f"{self.region}{born:%Y%m%d}{self._born[born] % 1000:03d}"
        # A thousand births a day are not enough for a pool of few dates, so the region moves on as well.
        body = f"{int(self.region) + self._born[born] // 1000}{body[6:]}"
        return body + CHECK_DIGITS[(CHECK_DIGITS.index(check_digit(body)) + 3) % 11]

    def tables(self) -> Iterator[tuple[str, str, list[tuple[Any, ...]]]]:
        yield (
            "household",
            "tenant_id, id, area_code, code, head_name, sort_key, person_count, registered_count, living_count,"
            " address",
            self.households,
        )
        yield (
            "person",
            "tenant_id, id, area_code, household_id, name, sort_key, relation, sex, birth_date, nationality,"
            " id_number, id_number_index, id_number_tail, away",
            self.persons,
        )
        yield (
            "household_member",
            "tenant_id, area_code, person_id, household_id, registered, living, relation, valid_from",
            self.members,
        )
        yield "person_mark", "tenant_id, area_code, person_id, household_id, mark_key", self.marks
        yield "household_income", "tenant_id, area_code, household_id, year, amount", self.incomes


def _last_id(connection: psycopg.Connection[Any], table: str) -> int:
    found = connection.execute(f"SELECT coalesce(max(id), 0) FROM {table}").fetchone()
    assert found is not None
    return int(found[0])


def _groups(connection: psycopg.Connection[Any], tenant_id: int, villages: Iterable[int]) -> None:
    rows = [
        (tenant_id, village + n, village, "group", "group", group_name(n), group_name(n), f"{n:03d}", n)
        for village in villages
        for n in range(1, GROUPS + 1)
    ]
    columns = "tenant_id, area_code, parent_code, level, kind, name, official_name, sort_key, position"
    _copy(connection, "area", columns, rows)


def _copy(connection: psycopg.Connection[Any], table: str, columns: str, rows: Iterable[tuple[Any, ...]]) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _suffixes(connection: psycopg.Connection[Any], tenant_id: int, names: Iterable[str]) -> int:
    """Search rows in the order of their key, so that the index grows page by page."""
    connection.execute('CREATE TEMP TABLE pool (name text, suffix text COLLATE "C") ON COMMIT DROP')
    _copy(connection, "pool", "name, suffix", ((name, suffix) for name in names for suffix in suffixes(name)))
    connection.execute("ANALYZE pool")
    return connection.execute(
        "INSERT INTO name_suffix (tenant_id, area_code, suffix, id, household_id)"
        " SELECT p.tenant_id, p.area_code, s.suffix, p.id, p.household_id FROM person p JOIN pool s ON s.name = p.name"
        " WHERE p.tenant_id = %s ORDER BY s.suffix, p.id",
        [tenant_id],
    ).rowcount


def _pieces(connection: psycopg.Connection[Any], tenant_id: int, households: list[tuple[Any, ...]]) -> None:
    """Search rows of codes and addresses, likewise."""
    rows = sorted(
        (piece, area, id)
        for _tenant, id, area, code, _name, _key, _all, _registered, _living, address in households
        for piece in pieces(code, address)
    )
    _copy(
        connection,
        "household_piece",
        "tenant_id, piece, area_code, id",
        ((tenant_id, piece, area, id) for piece, area, id in rows),
    )
    known = sorted((suffix, piece) for piece in {row[0] for row in rows} for suffix in tails(piece))
    _copy(connection, "piece_suffix", "tenant_id, suffix, piece", ((tenant_id, *row) for row in known))


# The generator's relations are words of a roster; a misspelt one would leave every household without a head.
assert RELATIONS.parse(synth_data.HEAD)
