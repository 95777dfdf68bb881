"""The lines of ledgers, household by household in the order of their numbers, as of a day."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from xiangyue.access.crypto import TenantKeys
from xiangyue.db.scope import Range
from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.features.areas import queries as areas
from xiangyue.features.households.identifiers import ID_NUMBER, PHONE, in_full, masked
from xiangyue.features.households.listing import MarkRights, mark_rights
from xiangyue.features.households.policy import IDENTIFIER_REVEAL
from xiangyue.features.households.queries_persons import age_on
from xiangyue.features.privacy.access_log import Ids
from xiangyue.i18n import gettext as _
from xiangyue.i18n import join_words
from xiangyue.text.codes import HEAD

# ruff: noqa: S608 - statements are put together from constants; values are always parameters

#: Households read at a time.
CHUNK = 500


@dataclass(slots=True)
class PersonLine:
    """A person in a household; ``elsewhere``: where else the person belongs; ``kinds``: marks the reader may see."""

    code: str
    head: str
    head_phone: str
    address: str
    income: int | None
    members: int
    name: str
    relation: str
    sex: int
    nationality: str
    born: date | None
    age: int | None
    id_number: str
    phone: str
    elsewhere: str
    kinds: str
    note: str


@dataclass(slots=True)
class HouseholdLine:
    """A household; ``registered`` and ``living``: how many belong to it, ``away``: registered and living elsewhere."""

    code: str
    head: str
    head_phone: str
    address: str
    income: int | None
    registered: int
    living: int
    away: int
    kinds: str
    note: str


@dataclass(frozen=True, slots=True)
class Reading:
    """How a ledger is read. ``area``: 15 digits or 0; ``on``: the day it is as of; ``marks``: names of kinds by key;
    ``full``: numbers in full where the reader may see them; ``seen`` gets the ids of everybody in it."""

    area: int
    on: date
    marks: dict[str, str]
    keys: TenantKeys
    full: bool = False
    seen: Ids = field(default_factory=Ids)


_STANDS = "m.valid_from <= :on AND (m.valid_to IS NULL OR m.valid_to > :on)"
_HOUSEHOLDS = """
SELECT h.id, h.code, h.head_name, h.address, h.note, h.area_code,
       (SELECT i.amount FROM household_income i WHERE {tenant:i} AND i.household_id = h.id AND i.year <= :year
         ORDER BY i.year DESC LIMIT 1)
  FROM household h
 WHERE {scope:h} AND h.code > :after
   AND EXISTS (SELECT 1 FROM household_member m WHERE {tenant:m} AND m.household_id = h.id AND """
_HOUSEHOLDS += f"{_STANDS}) ORDER BY h.code LIMIT {CHUNK}"
_MEMBERS = f"""
SELECT m.household_id, m.registered, m.living, m.relation, p.id, p.name, p.sex, p.nationality, p.birth_date,
       p.id_number, p.phone, p.note, p.area_code
  FROM household_member m JOIN person p ON p.tenant_id = m.tenant_id AND p.id = m.person_id
 WHERE {{tenant:m}} AND m.household_id = ANY(:ids) AND {_STANDS}
   AND (p.merged_into_id IS NULL OR NOT EXISTS (
       SELECT 1 FROM household_member x
        WHERE {{tenant:x}} AND x.person_id = p.merged_into_id
          AND x.valid_from <= :on AND (x.valid_to IS NULL OR x.valid_to > :on)))
 ORDER BY m.household_id, m.relation <> '{HEAD}', p.id
"""
_MARKS = """
SELECT k.person_id, k.mark_key FROM person_mark k
 WHERE {tenant:k} AND k.person_id = ANY(:ids) AND (k.valid_from IS NULL OR k.valid_from <= :on)
   AND (k.valid_to IS NULL OR k.valid_to > :on) AND """


@dataclass(slots=True)
class _Member:
    """One of a household, with what the line needs."""

    registered: bool
    living: bool
    relation: str
    id: int
    name: str
    sex: int
    nationality: str
    born: date | None
    id_number: bytes | None
    phone: bytes | None
    note: str
    area_code: int


@dataclass(slots=True)
class _Home:
    id: int
    code: str
    head: str
    address: str
    note: str
    area_code: int
    income: int | None
    members: list[_Member] = field(default_factory=list)


def each_person_line(
    uow: Uow, reading: Reading, *, basis: str, marks: Sequence[str] = (), least_age: int = 0
) -> Iterator[PersonLine]:
    """Who belongs to the households of the area on that day, by ``basis`` registered or living, heads first; only those
    with one of ``marks`` that the reader may see, or of ``least_age`` full years. Sensitive marks that are not looked
    for are not told: a ledger lies on desks."""
    rights = mark_rights(uow)
    show = _shower(uow, reading)
    for homes in _each_chunk(uow, reading):
        told = _marks(uow, reading, rights, [member.id for home in homes for member in home.members])
        for home in homes:
            here = [member for member in home.members if getattr(member, basis)]
            lives = sum(member.living for member in home.members)
            phone = _head_phone(home, show)
            for member in here:
                kinds = [key for key in told.get(member.id, ()) if key in (marks or rights.normal)]
                age = age_on(member.born, reading.on)
                if (marks and not kinds) or (least_age and (age is None or age < least_age)):
                    continue
                reading.seen.add(member.id)
                other = member.living if basis == "registered" else member.registered
                yield PersonLine(
                    home.code,
                    home.head,
                    phone,
                    home.address,
                    home.income,
                    lives,
                    member.name,
                    member.relation,
                    member.sex,
                    member.nationality,
                    member.born,
                    age,
                    show(ID_NUMBER, member.id_number, home.area_code),
                    show(PHONE, member.phone, home.area_code),
                    _("here") if other else _("elsewhere"),
                    join_words(reading.marks.get(key, key) for key in kinds),
                    member.note,
                )


def each_household_line(uow: Uow, reading: Reading) -> Iterator[HouseholdLine]:
    """The households to which somebody belonged on that day."""
    rights = mark_rights(uow, follows_only=True)
    show = _shower(uow, reading)
    for homes in _each_chunk(uow, reading):
        told = _marks(uow, reading, rights, [member.id for home in homes for member in home.members])
        for home in homes:
            for member in home.members:
                reading.seen.add(member.id)
            keys = {key: 1 for member in home.members for key in told.get(member.id, ()) if key in rights.normal}
            yield HouseholdLine(
                home.code,
                home.head,
                _head_phone(home, show),
                home.address,
                home.income,
                sum(member.registered for member in home.members),
                sum(member.living for member in home.members),
                sum(member.registered and not member.living for member in home.members),
                join_words(reading.marks.get(key, key) for key in keys),
                home.note,
            )


def _each_chunk(uow: Uow, reading: Reading) -> Iterator[list[_Home]]:
    """Households in the order of their numbers with their members on that day; the area in words before an address
    that does not say it."""
    scope = uow.scope.narrowed(reading.area) if reading.area else uow.scope
    after = ""
    while True:
        params = {"after": after, "on": reading.on, "year": reading.on.year}
        rows = scoped_rows(uow.session, _HOUSEHOLDS, params, scope=scope)
        if not rows:
            return
        homes = {row[0]: _Home(*row) for row in rows}
        members = scoped_rows(uow.session, _MEMBERS, {"ids": list(homes), "on": reading.on}, scope=scope)
        for household_id, *rest in members:
            homes[household_id].members.append(_Member(*rest))
        _place(uow, homes.values())
        yield list(homes.values())
        after = rows[-1][1]


def _place(uow: Uow, homes: Any) -> None:
    places = areas.places(uow, {home.area_code for home in homes if not home.address})
    for home in homes:
        home.address = home.address or places.get(home.area_code, "")


def _marks(uow: Uow, reading: Reading, rights: MarkRights, ids: list[int]) -> dict[int, list[str]]:
    params: dict[str, Any] = {"ids": ids, "on": reading.on}
    statement = _MARKS + rights.visible("k", params)
    found: dict[int, list[str]] = {}
    for person_id, key in scoped_rows(uow.session, statement, params):
        found.setdefault(person_id, []).append(key)
    return {id: list(dict.fromkeys(sorted(keys))) for id, keys in found.items()}


Show = Callable[[str, bytes | None, int], str]


def _head_phone(home: _Home, show: Show) -> str:
    head = next((member for member in home.members if member.relation == HEAD), None)
    return show(PHONE, head.phone, home.area_code) if head is not None else ""


def _shower(uow: Uow, reading: Reading) -> Show:
    """Citizen numbers and phones: in full where that was asked for and the reader may, otherwise masked."""
    ranges: tuple[Range, ...] | None = uow.actor.ranges(IDENTIFIER_REVEAL) if reading.full else ()

    def show(column: str, value: bytes | None, area_code: int) -> str:
        open_here = ranges is None or any(lo <= area_code <= hi for lo, hi in ranges)
        return (in_full if open_here else masked)(reading.keys, uow.tenant_id, column, value)

    return show
