"""Looking through the register for pairs: each rule is one statement over the actor's area, none compares all with all.

Groups larger than ``MOST_ALIKE`` (a name and the first of January, say) are left out: they are placeholders.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from xiangyue.access.crypto import TenantKeys, blind_index
from xiangyue.db.sql import scoped_rows, stage_rows
from xiangyue.db.uow import Uow
from xiangyue.features.duplicates import pairs, policy
from xiangyue.features.households.identifiers import ID_NUMBER, in_full
from xiangyue.text.idnumber import check_digit, one_off

# ruff: noqa: S608 - statements are put together from constants of this module only

MOST_ALIKE = 12
BATCH = 5000
#: Blanks and marks that addresses differ in without meaning anything.
_NOISE = " \\t\u3000,\uff0c.\u3002\u3001-\uff0d\u2014#()\uff08\uff09"


def place_of(alias: str) -> str:
    """SQL of a household's address, as it is compared."""
    return f"translate(lower({alias}.address), E'{_NOISE}', '')"


_GROUPED = """
WITH k AS ({rows}), few AS (SELECT k.* FROM k WHERE k.alike BETWEEN 2 AND :most)
SELECT x.id, y.id FROM few x JOIN few y ON {same} AND x.id < y.id AND (x.present OR y.present)
"""
_PRESENT = "p.id, p.state = 'active' AS present"
PERSON_RULES = {
    "name_birth": _GROUPED.format(
        rows=f"SELECT {_PRESENT}, p.name, p.birth_date, count(*) OVER (PARTITION BY p.name, p.birth_date) AS alike"
        " FROM person p WHERE {scope:p} AND p.state <> 'merged' AND p.birth_date IS NOT NULL",
        same="x.name = y.name AND x.birth_date = y.birth_date",
    ),
    "phone_name": _GROUPED.format(
        rows=f"SELECT {_PRESENT}, p.name, p.phone_index, count(*) OVER (PARTITION BY p.name, p.phone_index) AS alike"
        " FROM person p WHERE {scope:p} AND p.state <> 'merged' AND p.phone_index IS NOT NULL",
        same="x.name = y.name AND x.phone_index = y.phone_index",
    ),
    "name_address": _GROUPED.format(
        rows="SELECT k.*, count(*) OVER (PARTITION BY k.name, k.relation, k.village, k.place) AS alike FROM ("
        f"SELECT {_PRESENT}, p.name, p.relation, h.area_code / 1000 AS village, {place_of('h')} AS place"
        " FROM person p JOIN household h ON {tenant:h} AND h.id = p.household_id"
        " WHERE {scope:p} AND p.state <> 'merged' AND p.relation <> '' AND h.address <> '') k",
        same="x.name = y.name AND x.relation = y.relation AND x.village = y.village AND x.place = y.place",
    ),
}
HOUSEHOLD_RULES = {
    "head_address": _GROUPED.format(
        rows="SELECT k.*, true AS present, count(*) OVER (PARTITION BY k.head_name, k.village, k.place) AS alike FROM ("
        f"SELECT h.id, h.head_name, h.area_code / 1000 AS village, {place_of('h')} AS place FROM household h"
        " WHERE {scope:h} AND h.state = 'active' AND h.head_name <> '' AND h.address <> '') k",
        same="x.head_name = y.head_name AND x.village = y.village AND x.place = y.place",
    ),
    "heads": """
SELECT DISTINCT least(a.household_id, b.household_id), greatest(a.household_id, b.household_id)
  FROM duplicate_pair d JOIN person a ON a.id = d.first_id JOIN person b ON b.id = d.second_id
 WHERE {tenant:d} AND {scope:a} AND {scope:b} AND d.kind = 'person' AND d.state = 'open' AND d.score >= 50
   AND a.relation = '02' AND b.relation = '02' AND a.household_id <> b.household_id
   AND a.state = 'active' AND b.state = 'active' AND CAST(:most AS int) > 0
""",
}
_NUMBERS = """
SELECT p.id, p.id_number FROM person p
 WHERE {scope:p} AND p.id > :after AND p.id_number IS NOT NULL AND p.state <> 'merged' ORDER BY p.id LIMIT :limit
"""
_ONE_OFF = """
SELECT DISTINCT least(s.id, p.id), greatest(s.id, p.id)
  FROM stage_candidate s JOIN person p ON p.id_number_index = s.number_index AND p.id <> s.id
 WHERE {tenant:s} AND {scope:p} AND p.state <> 'merged'
"""
_PERSON_FACTS = """
SELECT s.first_id, s.second_id, a.id_number_index <> b.id_number_index, a.birth_date <> b.birth_date,
       a.sex <> 0 AND b.sex <> 0 AND a.sex <> b.sex
  FROM stage_duplicate s JOIN person a ON a.id = s.first_id JOIN person b ON b.id = s.second_id
 WHERE {tenant:s} AND {scope:a} AND {scope:b}
"""
_HOUSEHOLD_FACTS = """
SELECT s.first_id, s.second_id, a.person_count > 1 AND b.person_count > 1,
       (SELECT count(DISTINCT p.name) FROM person p JOIN person q ON {tenant:q} AND q.name = p.name
         WHERE {tenant:p} AND p.household_id = s.first_id AND q.household_id = s.second_id AND p.state = 'active'
           AND q.state = 'active' AND p.name <> a.head_name)
  FROM stage_duplicate s JOIN household a ON a.id = s.first_id JOIN household b ON b.id = s.second_id
 WHERE {tenant:s} AND {scope:a} AND {scope:b}
"""

Pair = tuple[int, int]
Reasons = dict[Pair, set[str]]


def collect(uow: Uow, rules: dict[str, str], into: Reasons, step: Callable[[], None] = lambda: None) -> None:
    """Run each rule; ``step`` is called before each and may raise to stop."""
    for reason, statement in rules.items():
        step()
        for first, second in scoped_rows(uow.session, statement, {"most": MOST_ALIKE}):
            into.setdefault((first, second), set()).add(reason)


def wrong_numbers(uow: Uow, keys: TenantKeys, after: int, limit: int = BATCH) -> tuple[int, list[tuple[int, bytes]]]:
    """(last id looked at, 0 at the end; keyed hashes of numbers that a wrong one may have been meant for, by person).

    Only a number with a wrong check digit can be a slip, for GB 11643 tells every single wrong character.
    """
    rows = scoped_rows(uow.session, _NUMBERS, {"after": after, "limit": limit})
    found = []
    for id, value in rows:
        number = in_full(keys, uow.tenant_id, ID_NUMBER, value)
        if check_digit(number[:17]) != number[17]:
            found += [(id, blind_index(keys, ID_NUMBER, meant)) for meant in one_off(number)]
    return (rows[-1][0] if len(rows) == limit else 0), found


def meant_by(uow: Uow, candidates: Iterable[tuple[int, bytes]], into: Reasons) -> None:
    """Persons who have one of the numbers that another's wrong one may have been meant for."""
    if stage_rows(uow.session, "stage_candidate", {"id": "bigint", "number_index": "bytea"}, candidates):
        for first, second in scoped_rows(uow.session, _ONE_OFF):
            into.setdefault((first, second), set()).add("id_number")


def score_persons(uow: Uow, found: Reasons) -> dict[Pair, tuple[int, Iterable[str]]]:
    """Those that are likely enough, with score and reasons."""
    pairs.stage_pairs(uow, {pair: (0, reasons) for pair, reasons in found.items()})
    scored = {}
    for first, second, number, birth, sex in scoped_rows(uow.session, _PERSON_FACTS):
        reasons = found[first, second]
        score = policy.person_score(reasons, other_number=bool(number), other_birth=bool(birth), other_sex=bool(sex))
        if score >= policy.LEAST[policy.PERSON]:
            scored[first, second] = (score, reasons)
    return dict(scored)


def score_households(uow: Uow, found: Reasons) -> dict[Pair, tuple[int, Iterable[str]]]:
    """The same for households."""
    pairs.stage_pairs(uow, {pair: (0, reasons) for pair, reasons in found.items()})
    return dict(_scored_households(uow, found))


def _scored_households(uow: Uow, found: Reasons) -> Iterator[tuple[Pair, tuple[int, Iterable[str]]]]:
    for first, second, several, shared in scoped_rows(uow.session, _HOUSEHOLD_FACTS):
        reasons = {*found[first, second], *(["members"] if shared else [])}
        score = policy.household_score(reasons, shared=shared, both_several=several)
        if score >= policy.LEAST[policy.HOUSEHOLD]:
            yield (first, second), (score, reasons)
