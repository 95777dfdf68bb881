"""The search box: households and persons by name, pinyin, number, address or identifiers, best first."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from xiangyue.access.crypto import TenantKeys
from xiangyue.db.scope import area_range
from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.features.households.filters import HouseholdFilter, PersonFilter
from xiangyue.features.households.identifiers import ID_NUMBER, PHONE, number_index, tail_index, tail_of
from xiangyue.features.households.list_persons import PERSON_DEFAULT, list_persons
from xiangyue.features.households.list_query import HOUSEHOLD_DEFAULT, list_households
from xiangyue.features.households.listing import LAST, identity_ranges, set_area_names, within
from xiangyue.features.households.queries_pieces import households_at, households_numbered
from xiangyue.text.codes import HEAD
from xiangyue.text.pieces import plain
from xiangyue.text.pinyin import fold, initials

# ruff: noqa: S608 - statements are put together from constants; values are always parameters

#: Matches looked at: they come shortest first, so what is left out of a one-letter search is its tail.
CANDIDATES = 1000
KINDS = ("persons", "households")
_PERSON_COLUMNS = (*PERSON_DEFAULT, "household_code", "head_name", "address", "area_name")
_HOUSEHOLD_COLUMNS = (*HOUSEHOLD_DEFAULT, "area_name")
_PERSONS = """
SELECT p.id, p.household_id, p.name, p.sex, p.birth_date, p.relation, p.nationality, p.away, p.state, p.area_code,
       p.version, p.updated_at, h.code, h.head_name, h.address, p.sort_key, h.area_code, h.person_count, h.state,
       h.version, h.updated_at
  FROM ({hits}) hit
  JOIN person p ON p.id = hit.id JOIN household h ON h.id = p.household_id
 WHERE {{scope:p}} AND {{tenant:h}}
"""
_BY_NAME = _PERSONS.format(
    hits="SELECT DISTINCT c.id FROM (SELECT n.id FROM name_suffix n WHERE {scope:n} AND n.suffix >= :q"
    " AND n.suffix < :q_end ORDER BY n.suffix LIMIT :candidates) c"
)
_BY_TAIL = _PERSONS.format(
    hits="(SELECT coalesce(i.merged_into_id, i.id) AS id FROM person i"
    " WHERE {scope:i} AND i.id_number_tail = :id_tail AND {place} LIMIT :candidates)"
    " UNION (SELECT coalesce(t.merged_into_id, t.id) FROM person t"
    " WHERE {scope:t} AND t.phone_tail = :phone_tail LIMIT :candidates)"
)
_HOUSEHOLDS = f"""
SELECT {", ".join(f"h.{name}" for name in HOUSEHOLD_DEFAULT)}, h.sort_key
  FROM household h WHERE {{scope:h}} AND h.id IN (
       SELECT coalesce(o.merged_into_id, o.id) FROM household o WHERE {{tenant:o}} AND o.id = ANY(:ids))
"""


@dataclass(slots=True)
class SearchResult:
    """Rows like those of the lists, with ``area_name``; persons also with household_code, head_name and address."""

    households: list[dict[str, Any]] = field(default_factory=list)
    persons: list[dict[str, Any]] = field(default_factory=list)


def search(
    uow: Uow,
    q: str,
    limit: int = 20,
    *,
    keys: TenantKeys | None = None,
    kinds: Collection[str] = KINDS,
    near: int = 0,
) -> SearchResult:
    """At most ``limit`` of each of ``kinds``: what is meant exactly, what begins with the word, what holds it, then
    pinyin; among equals those in the area ``near`` (15 digits, 0 for none) first, then by name.

    A person is found by name; by a whole citizen number (needs ``keys``) or its seal and by its last four characters
    where the actor may look one up (``identity_ranges``: to edit, or to see it in full); by the last four digits of
    the phone, which everybody sees there. A household is found by the name of its head and by any part, of two
    characters or more, of its code or address. Persons who left are found by numbers, not by name.
    """
    word = plain(q)
    if not word:
        return SearchResult()
    if number_index(keys, q) is not None:
        return _by_number(uow, q, limit, keys, kinds)
    found = SearchResult()
    tail = tail_of(q)
    digits = word.isascii() and word.isdigit()
    named = [] if digits or tail else _named(uow, word)
    if "persons" in kinds:
        rows = named
        if tail and keys is not None:
            rows = _with_tail(uow, tail, keys)
        rows.sort(key=lambda row: (row[8] != "active", rank(row[2], word), far(row[9], near), row[15], row[0]))
        found.persons = [_person(row) for row in rows[:limit]]
    if "households" in kinds:
        heads = {row[1]: row for row in named if row[5] == HEAD and row[2] == row[13]}
        others = households_at(uow, word) | (households_numbered(uow, word) if digits else set())
        found.households = _ranked_households(uow, word, heads, others.difference(heads), near)[:limit]
    for items in (found.households, found.persons):
        set_area_names(uow, items, [item["area_code"] for item in items])
    return found


def _by_number(uow: Uow, q: str, limit: int, keys: TenantKeys | None, kinds: Collection[str]) -> SearchResult:
    found = SearchResult()
    if "persons" in kinds:
        persons = PersonFilter(q=q, state="all")
        found.persons = list_persons(uow, persons, limit=limit, fields=_PERSON_COLUMNS, keys=keys).items
    if "households" in kinds:
        households = HouseholdFilter(q=q, state="all")
        found.households = list_households(uow, households, limit=limit, fields=_HOUSEHOLD_COLUMNS, keys=keys).items
    return found


def _named(uow: Uow, word: str) -> list[tuple[Any, ...]]:
    return scoped_rows(uow.session, _BY_NAME, {"q": word, "q_end": word + LAST, "candidates": CANDIDATES})


def _with_tail(uow: Uow, tail: str, keys: TenantKeys) -> list[tuple[Any, ...]]:
    params: dict[str, Any] = {
        "id_tail": tail_index(keys, ID_NUMBER, tail),
        "phone_tail": tail_index(keys, PHONE, tail),
        "candidates": CANDIDATES,
    }
    place = within("i", identity_ranges(uow), "identity", params)
    return scoped_rows(uow.session, _BY_TAIL.replace("{place}", place), params)


def _ranked_households(
    uow: Uow, word: str, heads: dict[int, tuple[Any, ...]], others: Iterable[int], near: int
) -> list[dict[str, Any]]:
    """Exact code first, then heads as their names rank, then numbers and addresses."""
    found = [(rank(row[2], word) + 1, row[15], _household(row)) for row in heads.values()]
    ids = list(others)
    for row in scoped_rows(uow.session, _HOUSEHOLDS, {"ids": ids}) if ids else ():
        item = dict(zip(HOUSEHOLD_DEFAULT, row, strict=False))
        found.append((place_rank(item["code"], item["address"], word), row[-1], item))
    found.sort(key=lambda one: (one[0], far(one[2]["area_code"], near), one[1], one[2]["code"]))
    return [item for _rank, _key, item in found]


def rank(name: str, word: str) -> int:
    """0 the name itself, 1 begins with it, 2 holds it, 3 its initials, 4 other pinyin."""
    folded = fold(name)
    if folded == word:
        return 0
    if folded.startswith(word):
        return 1
    if word in folded:
        return 2
    return 3 if initials(name) == word else 4


def place_rank(code: str, address: str, word: str) -> int:
    """0 the code itself, 1 the number in the village, 2 the code begins with it, 3 the address is it or begins with
    it, 4 a part of the code, 5 a part of the address."""
    number = code[12:]
    if code == word:
        return 0
    if number and word.isdigit() and number.lstrip("0") == word.lstrip("0"):
        return 1
    if code.startswith(word):
        return 2
    if plain(address).startswith(word):
        return 3
    return 4 if word in code else 5


def far(area_code: int, near: int) -> bool:
    """Whether it lies outside the area that is looked at; nothing is far when none is."""
    low, high = area_range(near) if near else (0, area_code)
    return not low <= area_code <= high


def _person(row: Sequence[Any]) -> dict[str, Any]:
    names = (*PERSON_DEFAULT, "household_code", "head_name", "address")
    return dict(zip(names, row, strict=False))


def _household(row: Sequence[Any]) -> dict[str, Any]:
    values = (row[1], row[12], row[16], row[13], row[17], row[14], row[18], row[19], row[20])
    return dict(zip(HOUSEHOLD_DEFAULT, values, strict=True))
