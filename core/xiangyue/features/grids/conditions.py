"""What is owed for grids, as conditions: the list is filtered by them and the coverage page counts by them, so that a
number and the list behind it cannot differ."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.features.grids.policy import EXPLAINED, FITS, REGISTERED, TO_DIVIDE, UNEXPLAINED, SizeRule
from xiangyue.features.grids.rules import size_rules
from xiangyue.features.grids.sizes import Size
from xiangyue.features.households.person_input import today

# ruff: noqa: S608 - statements are put together from constants; values are always parameters

COVERS = "{a}.valid_from <= CAST(:on AS date) AND ({a}.valid_to IS NULL OR {a}.valid_to > CAST(:on AS date))"
_V, _G, _K, _T = (COVERS.format(a=alias) for alias in ("v", "gh", "k", "t"))

#: How far ahead a leader's term is looked at, in days, unless one asks for another number.
SOON_DAYS = 90

#: Of grids with leaders on the day: ``led`` somebody who is here, ``answers`` the principal one, ``over`` and ``soon``
#: by the last day of a term, ``gone`` somebody who has died or moved away.
LEADS = f"""
SELECT t.grid_id, bool_or(s.here) AS led, bool_or(t.principal AND s.here) AS answers,
       coalesce(bool_or(t.term_until < CAST(:on AS date)), false) AS over,
       coalesce(bool_or(t.term_until BETWEEN CAST(:on AS date) AND CAST(:soon AS date)), false) AS soon,
       bool_or(NOT s.here) AS gone
  FROM grid_post t
 CROSS JOIN LATERAL (
       SELECT coalesce((SELECT p.state FROM person p WHERE {{tenant:p}} AND p.id = t.person_id), 'active') = 'active'
           AS here OFFSET 0) s
 WHERE {{tenant:t}} AND t.role = 'leader' AND {_T}
 GROUP BY t.grid_id"""
#: What the list may ask of leaders -> condition on a grid ``g``.
LEADERS = {
    "none": f"g.id NOT IN (SELECT l.grid_id FROM ({LEADS}) l WHERE l.led)",
    "no_principal": f"g.id IN (SELECT l.grid_id FROM ({LEADS}) l WHERE l.led AND NOT l.answers)",
    "over": f"g.id IN (SELECT l.grid_id FROM ({LEADS}) l WHERE l.over)",
    "soon": f"g.id IN (SELECT l.grid_id FROM ({LEADS}) l WHERE l.soon)",
    "gone": f"g.id IN (SELECT l.grid_id FROM ({LEADS}) l WHERE l.gone)",
}

#: Leaves with what lies in them today, by the numbers that stand with each household: no register act is of a day to
#: come, so that they are today's.
_LEAVES_NOW = f"""
SELECT v.grid_id, v.level, v.area_code, count(h.id), coalesce(sum(h.registered_count), 0)::int,
       coalesce(sum(h.living_count), 0)::int
  FROM grid_version v
  LEFT JOIN grid_household gh ON {{tenant:gh}} AND gh.grid_id = v.grid_id AND {_G}
  LEFT JOIN household h ON {{tenant:h}} AND h.id = gh.household_id
 WHERE {{scope:v}} AND {_V} AND v.leaf AND v.level > 0
 GROUP BY v.grid_id, v.level, v.area_code
"""
#: Leaves on another day. A household's persons are counted before the grids', which takes one pass over the members
#: however many grids there are.
_LEAVES_THEN = f"""
WITH leaf AS MATERIALIZED (
     SELECT v.grid_id, v.level, v.area_code FROM grid_version v WHERE {{scope:v}} AND {_V} AND v.leaf AND v.level > 0),
 home AS MATERIALIZED (
     SELECT gh.grid_id, gh.household_id FROM grid_household gh
      WHERE {{tenant:gh}} AND {_G} AND gh.grid_id IN (SELECT leaf.grid_id FROM leaf)),
 member AS (
     SELECT k.household_id, count(*) FILTER (WHERE k.registered) AS registered,
            count(*) FILTER (WHERE k.living) AS living
       FROM household_member k
      WHERE {{tenant:k}} AND {_K} AND k.household_id IN (SELECT home.household_id FROM home) GROUP BY k.household_id)
SELECT leaf.grid_id, leaf.level, leaf.area_code, count(home.household_id), coalesce(sum(member.registered), 0)::int,
       coalesce(sum(member.living), 0)::int
  FROM leaf LEFT JOIN home ON home.grid_id = leaf.grid_id LEFT JOIN member ON member.household_id = home.household_id
 GROUP BY leaf.grid_id, leaf.level, leaf.area_code
"""
_EXPLAINED = """
SELECT DISTINCT n.grid_id FROM grid_size_note n LEFT JOIN grid_change c ON {tenant:c} AND c.id = n.change_id
 WHERE {tenant:n} AND (c.id IS NULL OR c.state = 'done') AND n.on_date <= CAST(:on AS date)
"""


def leaf_sizes(uow: Uow, area: int, on: date) -> list[tuple[int, int, int, Size]]:
    """(grid, level, area code, size) of all leaf grids of ``area`` (15 digits, 0: the scope) on a day."""
    scope = uow.scope.narrowed(area) if area else uow.scope
    rows = scoped_rows(uow.session, _LEAVES_NOW if on == today() else _LEAVES_THEN, {"on": on}, scope=scope)
    return [(id, level, code, Size(*numbers)) for id, level, code, *numbers in rows]


def explained(uow: Uow, on: date) -> set[int]:
    """Grids of which somebody said by that day why they are larger or smaller than the rule."""
    return {id for (id,) in scoped_rows(uow.session, _EXPLAINED, {"on": on})}


def to_divide(level: int, size: Size, rules: dict[int, SizeRule]) -> bool:
    """Whether a leaf of level 2 has more than a grid of level 3 may have: then grids of level 3 belong below it."""
    what = size.breaches(rules[3]) if level == 2 else ()
    return "households_above" in what or "persons_above" in what


def _outside(uow: Uow, area: int, on: date, rules: dict[int, SizeRule], wanted: str) -> list[int]:
    """Leaves outside the rule, or (``to_divide``) those of level 2 with more than level 3 allows. Of today PostgreSQL
    picks them out, since most grids of a county are within."""
    if on != today():
        leaves = leaf_sizes(uow, area, on)
        if wanted == TO_DIVIDE:
            return [id for id, level, _code, size in leaves if to_divide(level, size, rules)]
        return [id for id, level, _code, size in leaves if size.breaches(rules.get(level, SizeRule()))]
    picked = []
    for level, rule in {2: rules[3]}.items() if wanted == TO_DIVIDE else rules.items():
        persons = f"coalesce(sum(h.{'registered' if rule.basis == REGISTERED else 'living'}_count), 0)"
        limits = [("count(h.id) >", rule.max_households), (f"{persons} >", rule.max_persons)]
        if wanted != TO_DIVIDE:
            limits += [("count(h.id) <", rule.min_households), (f"{persons} <", rule.min_persons)]
        parts = [f"{what} {int(limit)}" for what, limit in limits if limit is not None]
        if parts:
            picked.append(f"(v.level = {int(level)} AND ({' OR '.join(parts)}))")
    if not picked:
        return []
    scope = uow.scope.narrowed(area) if area else uow.scope
    rows = scoped_rows(uow.session, f"{_LEAVES_NOW} HAVING {' OR '.join(picked)}", {"on": on}, scope=scope)
    return [row[0] for row in rows]


def sized(uow: Uow, wanted: str, area: int, on: date) -> tuple[str, dict[str, Any]]:
    """Condition on a grid ``g`` of the list, with its parameters; ``wanted`` is one of
    ``policy.SIZE_CONDITIONS``."""
    rules = size_rules(uow)
    found = _outside(uow, area, on, rules, wanted) if any(not rule.empty for rule in rules.values()) else []
    if wanted in (UNEXPLAINED, EXPLAINED):
        told = explained(uow, on)
        found = [id for id in found if (id in told) == (wanted == EXPLAINED)]
    return "NOT (g.id = ANY(:sized))" if wanted == FITS else "g.id = ANY(:sized)", {"sized": found}


def soon(on: date, days: int = SOON_DAYS) -> date:
    """The last day that is looked at, however far ahead one asks."""
    return on + timedelta(days=min(days, (date.max - on).days))
