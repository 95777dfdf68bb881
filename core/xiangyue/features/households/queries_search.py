"""The search box: households and persons by name, pinyin, code or citizen number, best first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from xiangyue.access.crypto import TenantKeys
from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.features.households.filters import HouseholdFilter, PersonFilter
from xiangyue.features.households.identifiers import number_index
from xiangyue.features.households.list_persons import PERSON_DEFAULT, list_persons
from xiangyue.features.households.list_query import HOUSEHOLD_DEFAULT, list_households
from xiangyue.features.households.listing import LAST, set_area_names
from xiangyue.text.codes import HEAD
from xiangyue.text.folding import half_width
from xiangyue.text.pinyin import fold, initials

#: Matches looked at: they come shortest first, so what is left out of a one-letter search is its tail.
CANDIDATES = 1000
_PERSON_COLUMNS = (*PERSON_DEFAULT, "household_code", "head_name", "address", "area_name")
_HOUSEHOLD_COLUMNS = (*HOUSEHOLD_DEFAULT, "area_name")
_HITS = """
SELECT p.id, p.household_id, p.name, p.sex, p.birth_date, p.relation, p.nationality, p.away, p.state, p.area_code,
       p.version, p.updated_at, h.code, h.head_name, h.address, p.sort_key, h.area_code, h.person_count, h.state,
       h.version, h.updated_at
  FROM (SELECT DISTINCT c.id FROM (
        SELECT n.id FROM name_suffix n WHERE {scope:n} AND n.suffix >= :q AND n.suffix < :q_end
         ORDER BY n.suffix LIMIT :candidates) c) hit
  JOIN person p ON p.id = hit.id JOIN household h ON h.id = p.household_id
 WHERE {scope:p} AND {tenant:h}
"""


@dataclass(slots=True)
class SearchResult:
    """Rows like those of the lists, with ``area_name``; persons also with household_code, head_name and address."""

    households: list[dict[str, Any]] = field(default_factory=list)
    persons: list[dict[str, Any]] = field(default_factory=list)


def search(uow: Uow, q: str, limit: int = 20, *, keys: TenantKeys | None = None) -> SearchResult:
    """At most ``limit`` of each: the name itself, names beginning with it, names holding it, then pinyin.

    A number is the beginning of a household's code, or a whole citizen number (needs ``keys``) or its seal for those
    who may look one up. Households found by name are those whose head it is.
    """
    word = fold(half_width(q))
    if not word:
        return SearchResult()
    if number_index(keys, q) is not None:
        persons = list_persons(uow, PersonFilter(q=q, state="all"), limit=limit, fields=_PERSON_COLUMNS, keys=keys)
        households = list_households(
            uow, HouseholdFilter(q=q, state="all"), limit=limit, fields=_HOUSEHOLD_COLUMNS, keys=keys
        )
        return SearchResult(households.items, persons.items)
    if word.isascii() and word.isdigit():
        found = list_households(
            uow, HouseholdFilter(q=word, state="all"), sort="code", limit=limit, fields=_HOUSEHOLD_COLUMNS
        )
        return SearchResult(found.items)
    return _by_name(uow, word, limit)


def _by_name(uow: Uow, word: str, limit: int) -> SearchResult:
    rows = scoped_rows(uow.session, _HITS, {"q": word, "q_end": word + LAST, "candidates": CANDIDATES})
    rows.sort(key=lambda row: (rank(row[2], word), row[15], row[0]))
    heads = [row for row in rows if row[5] == HEAD and row[2] == row[13]]
    households = [_household(row) for row in heads[:limit]]
    persons = [_person(row) for row in rows[:limit]]
    for items in (households, persons):
        set_area_names(uow, items, [item["area_code"] for item in items])
    return SearchResult(households, persons)


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


def _person(row: Sequence[Any]) -> dict[str, Any]:
    names = (*PERSON_DEFAULT, "household_code", "head_name", "address")
    return dict(zip(names, row, strict=False))


def _household(row: Sequence[Any]) -> dict[str, Any]:
    values = (row[1], row[12], row[16], row[13], row[17], row[14], row[18], row[19], row[20])
    return dict(zip(HOUSEHOLD_DEFAULT, values, strict=True))
