"""The search box: households and persons by name, pinyin, number, address or identifiers, best first."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from heapq import nsmallest
from typing import Any, NamedTuple

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
#: Of how many suffixes of one name a word may be the beginning.
SUFFIXES_OF_ONE = 12
KINDS = ("persons", "households")
_PERSON_COLUMNS = (*PERSON_DEFAULT, "household_code", "head_name", "address", "area_name")
_HOUSEHOLD_COLUMNS = (*HOUSEHOLD_DEFAULT, "area_name")
# What ranks a person; the rest is read of those alone who are shown.
_HIT_PERSONS = """
SELECT p.id, p.household_id, p.name, p.relation, p.state, p.area_code, p.sort_key
  FROM ({hits}) hit JOIN person p ON p.id = hit.id WHERE {{scope:p}}
"""
_BY_NAME = _HIT_PERSONS.format(
    hits="SELECT DISTINCT c.id FROM (SELECT n.id FROM name_suffix n WHERE {scope:n} AND n.suffix >= :q"
    " AND n.suffix < :q_end ORDER BY n.suffix LIMIT :candidates) c"
)
_BY_TAIL = _HIT_PERSONS.format(
    hits="(SELECT coalesce(i.merged_into_id, i.id) AS id FROM person i"
    " WHERE {scope:i} AND i.id_number_tail = :id_tail AND {place} LIMIT :candidates)"
    " UNION (SELECT coalesce(t.merged_into_id, t.id) FROM person t"
    " WHERE {scope:t} AND t.phone_tail = :phone_tail LIMIT :candidates)"
)
_PERSONS = f"""
SELECT {", ".join(f"p.{name}" for name in PERSON_DEFAULT)}, h.code, h.head_name, h.address
  FROM person p JOIN household h ON h.id = p.household_id
 WHERE {{scope:p}} AND {{tenant:h}} AND p.id = ANY(:ids)
"""
# Grouped, not IN: a semi-join on what is worked out is planned as a hash over all households of the county.
_HOUSEHOLDS = f"""
SELECT {", ".join(f"h.{name}" for name in HOUSEHOLD_DEFAULT)}, h.sort_key, hit.by_place
  FROM (SELECT coalesce(o.merged_into_id, o.id) AS id, bool_or(o.id = ANY(:others)) AS by_place FROM household o
         WHERE {{tenant:o}} AND o.id = ANY(:ids) GROUP BY 1) hit
  JOIN household h ON h.id = hit.id WHERE {{scope:h}}
"""


class _Hit(NamedTuple):
    """Somebody found, with what ranks people."""

    id: int
    household_id: int
    name: str
    relation: str
    state: str
    area_code: int
    sort_key: str


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
    pinyin; among equals those in the area ``near`` (15 digits, 0 for none) first, then by name. Of a word that
    thousands are found by only so many are looked at (``CANDIDATES``), and as many again in the area ``near``.

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
    named = [] if digits or tail else _named(uow, word, near)
    # Of one name there may be hundreds; each is ranked once. No number says anything of a name.
    ranks = {hit.name: rank(hit.name, word) for hit in named}
    if "persons" in kinds:
        hits = _with_tail(uow, tail, keys, near) if tail and keys is not None else named

        def order(hit: _Hit) -> tuple[Any, ...]:
            return hit.state != "active", ranks.get(hit.name, 0), far(hit.area_code, near), hit.sort_key, hit.id

        found.persons = _persons(uow, [hit.id for hit in nsmallest(limit, hits, order)])
    if "households" in kinds:
        others = households_at(uow, word, near) | (households_numbered(uow, word) if digits else set())
        heads = [hit for hit in named if hit.relation == HEAD]
        found.households = _ranked_households(uow, word, heads, ranks, others, near, limit)
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


def _named(uow: Uow, word: str, near: int) -> list[_Hit]:
    return _hits(uow, _BY_NAME, {"q": word, "q_end": word + LAST}, near)


def _with_tail(uow: Uow, tail: str, keys: TenantKeys, near: int) -> list[_Hit]:
    params: dict[str, Any] = {
        "id_tail": tail_index(keys, ID_NUMBER, tail),
        "phone_tail": tail_index(keys, PHONE, tail),
    }
    place = within("i", identity_ranges(uow), "identity", params)
    return _hits(uow, _BY_TAIL.replace("{place}", place), params, near)


def _hits(uow: Uow, statement: str, params: dict[str, Any], near: int) -> list[_Hit]:
    bound = {**params, "candidates": CANDIDATES}
    rows = scoped_rows(uow.session, statement, bound)
    if near and len(rows) * SUFFIXES_OF_ONE >= CANDIDATES:
        # Perhaps cut off: those nearest to the reader come first and may be behind the cut.
        rows = [*{*rows, *scoped_rows(uow.session, statement, bound, scope=uow.scope.narrowed(near))}]
    return [_Hit(*row) for row in rows]


def _persons(uow: Uow, ids: list[int]) -> list[dict[str, Any]]:
    """In full, in this order."""
    names = (*PERSON_DEFAULT, "household_code", "head_name", "address")
    rows = scoped_rows(uow.session, _PERSONS, {"ids": ids}) if ids else []
    known = {row[0]: dict(zip(names, row, strict=True)) for row in rows}
    return [known[id] for id in ids if id in known]


def _ranked_households(
    uow: Uow, word: str, heads: list[_Hit], ranks: Mapping[str, int], others: set[int], near: int, limit: int
) -> list[dict[str, Any]]:
    """Exact code first, then heads as their names rank, then numbers and addresses; the better of both counts."""

    def order(hit: _Hit) -> tuple[Any, ...]:
        return ranks[hit.name], far(hit.area_code, near), hit.sort_key

    # Those level with the last one too: their households' numbers decide.
    first = nsmallest(limit, heads, order)
    if len(first) < len(heads):
        first = [hit for hit in heads if order(hit) <= order(first[-1])]
    found = _at_heads(uow, word, first, ranks, others, near)
    if len(found) < limit and len(first) < len(heads):
        # Some who are heads by their relation are not those by whom their household is called.
        found = _at_heads(uow, word, heads, ranks, others, near)
    return [item for *_order, item in nsmallest(limit, found, lambda one: one[:-1])]


def _at_heads(
    uow: Uow, word: str, heads: list[_Hit], ranks: Mapping[str, int], others: set[int], near: int
) -> list[tuple[Any, ...]]:
    """(rank, whether it is far, sort key, code, row) of each household that was found."""
    names: dict[int, set[str]] = {}
    for hit in heads:
        names.setdefault(hit.household_id, set()).add(hit.name)
    params = {"ids": sorted(others.union(names)), "others": sorted(others)}
    found: list[tuple[Any, ...]] = []
    for *row, key, by_place in scoped_rows(uow.session, _HOUSEHOLDS, params) if params["ids"] else ():
        item = dict(zip(HOUSEHOLD_DEFAULT, row, strict=True))
        places = [place_rank(item["code"], item["address"], word)] if by_place else []
        if item["head_name"] in names.get(item["id"], ()):
            places.append(ranks[item["head_name"]] + 1)
        if places:
            found.append((min(places), far(item["area_code"], near), key, item["code"], item))
    return found


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
