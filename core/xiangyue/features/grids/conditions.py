"""What is owed for grids, as conditions: the list is filtered by them and the coverage page counts by them, so that a
number and the list behind it cannot differ."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from xiangyue.db.scope import Scope
from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.features.grids.kept_sizes import not_counted
from xiangyue.features.grids.policy import EXPLAINED, FITS, OUT, REGISTERED, TO_DIVIDE, UNEXPLAINED, SizeRule
from xiangyue.features.grids.rules import size_rules
from xiangyue.features.grids.sizes import Size, sizes
from xiangyue.features.households.person_input import today

# ruff: noqa: S608 - statements are put together from constants; values are always parameters

COVERS = "{a}.valid_from <= CAST(:on AS date) AND ({a}.valid_to IS NULL OR {a}.valid_to > CAST(:on AS date))"
_V, _G, _K, _T = (COVERS.format(a=alias) for alias in ("v", "gh", "k", "t"))

#: How far ahead a leader's term is looked at, in days, unless one asks for another number.
SOON_DAYS = 90

#: Whoever leads a grid on the day, of a post ``t``; from outside the register, or neither dead nor moved away.
_LEADER = f"{{tenant:t}} AND t.role = 'leader' AND {_T}"
_HERE = (
    "(t.person_id IS NULL OR coalesce((SELECT p.state FROM person p WHERE {tenant:p} AND p.id = t.person_id), 'active')"
    " = 'active')"
)
#: Of grids with leaders on the day: ``led`` somebody who is here, ``answers`` the principal one, ``over`` and ``soon``
#: by the last day of a term, ``gone`` somebody who has died or moved away.
LEADS = f"""
SELECT d.grid_id, bool_or(d.here) AS led, bool_or(d.principal AND d.here) AS answers,
       coalesce(bool_or(d.term_until < CAST(:on AS date)), false) AS over,
       coalesce(bool_or(d.term_until BETWEEN CAST(:on AS date) AND CAST(:soon AS date)), false) AS soon,
       bool_or(NOT d.here) AS gone
  FROM (SELECT t.grid_id, t.principal, t.term_until, {_HERE} AS here FROM grid_post t WHERE {_LEADER} OFFSET 0) d
 GROUP BY d.grid_id"""
_WITH = f"EXISTS (SELECT 1 FROM grid_post t WHERE {_LEADER} AND t.grid_id = v.grid_id AND %s)"
#: What the list may ask of leaders -> condition on a version ``v`` of a grid.
LEADERS = {
    "none": f"NOT {_WITH % _HERE}",
    "no_principal": f"v.grid_id IN (SELECT t.grid_id FROM grid_post t WHERE {_LEADER} AND {_HERE} GROUP BY t.grid_id"
    " HAVING NOT bool_or(t.principal))",
    "over": _WITH % "t.term_until < CAST(:on AS date)",
    "soon": _WITH % "t.term_until BETWEEN CAST(:on AS date) AND CAST(:soon AS date)",
    "gone": _WITH % f"NOT {_HERE}",
}

_LEAF = f"{{scope:v}} AND {_V} AND v.leaf AND v.level > 0"
_KEPT = "{tenant:s} AND s.grid_id = v.grid_id AND (s.until IS NULL OR s.until > CAST(:on AS date))"
_DUE = "SELECT s.grid_id FROM grid_size s WHERE {tenant:s} AND s.until <= CAST(:on AS date)"
_LEAVES = f"SELECT v.grid_id, v.level, v.area_code FROM grid_version v WHERE {_LEAF}"
#: Leaves on another day. A household's persons are counted before the grids', which takes one pass over the members
#: however many grids there are.
_LEAVES_THEN = f"""
WITH leaf AS MATERIALIZED (
     {_LEAVES}),
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
#: Grids of which somebody said by that day why they are larger or smaller than the rule.
EXPLAINED_ON = """
SELECT n.grid_id FROM grid_size_note n LEFT JOIN grid_change c ON {tenant:c} AND c.id = n.change_id
 WHERE {tenant:n} AND (c.id IS NULL OR c.state = 'done') AND n.on_date <= CAST(:on AS date)
"""
#: (grid, level, area code, size) of a leaf.
Leaf = tuple[int, int, int, Size]


def leaves_outside(uow: Uow, area: int, on: date, rules: Mapping[int, SizeRule]) -> list[Leaf]:
    """Leaf grids of ``area`` (15 digits, 0: the scope) that are outside their rule on a day, or `to_divide`. Of today
    only those of which nothing is kept that counts: something came or went by what was arranged, or in this
    transaction; the others PostgreSQL picks out (`outside_today`)."""
    if all(rule.empty for rule in rules.values()):
        return []
    scope = uow.scope.narrowed(area) if area else uow.scope
    if on == today():
        leaves = _due_today(uow, scope, on)
    else:
        leaves = [_leaf(row) for row in scoped_rows(uow.session, _LEAVES_THEN, {"on": on}, scope=scope)]
    none = SizeRule()
    return [one for one in leaves if one[3].breaches(rules.get(one[1], none)) or to_divide(one[1], one[3], rules)]


def _due_today(uow: Uow, scope: Scope, on: date) -> list[Leaf]:
    changed = not_counted(uow)
    due = sorted({*(changed or ()), *(id for (id,) in scoped_rows(uow.session, _DUE, {"on": on}))})
    if changed == [] and not due:
        return []
    these = "" if changed is None else " AND v.grid_id = ANY(:due)"
    rows = scoped_rows(uow.session, _LEAVES + these, {"on": on, "due": due}, scope=scope)
    counted = sizes(uow, [row[0] for row in rows], on)
    return [(id, level, code, counted.get(id, Size())) for id, level, code in rows]


def outside_today(rules: Mapping[int, SizeRule], wanted: str = OUT) -> str:
    """Condition on a version ``v`` with its kept size ``s``: outside the rule, or ``to_divide``."""
    parts = []
    for level, rule in {2: rules[3]}.items() if wanted == TO_DIVIDE else rules.items():
        persons = f"s.{'registered' if rule.basis == REGISTERED else 'living'}"
        limits = [("s.households >", rule.max_households), (f"{persons} >", rule.max_persons)]
        if wanted != TO_DIVIDE:
            limits += [("s.households <", rule.min_households), (f"{persons} <", rule.min_persons)]
        passed = [f"{what} {int(limit)}" for what, limit in limits if limit is not None]
        parts += [f"(v.level = {int(level)} AND ({' OR '.join(passed)}))"] if passed else []
    return f"(v.leaf AND ({' OR '.join(parts)}))" if parts else "false"


def kept(uow: Uow, on: date) -> tuple[str, list[int]]:
    """Condition on ``grid_size s``: it says how large version ``v`` is on the day; with ``changed`` for it."""
    changed = not_counted(uow) if on == today() else None
    if changed is None:
        return "{tenant:s} AND false", []
    return f"{_KEPT} AND NOT (s.grid_id = ANY(:changed))" if changed else _KEPT, changed


def _leaf(row: tuple[Any, ...]) -> Leaf:
    id, level, code, *numbers = row
    return id, level, code, Size(*numbers)


def explained(uow: Uow, on: date) -> set[int]:
    """Grids of which somebody said by that day why they are larger or smaller than the rule."""
    return {id for (id,) in scoped_rows(uow.session, EXPLAINED_ON, {"on": on})}


def to_divide(level: int, size: Size, rules: Mapping[int, SizeRule]) -> bool:
    """Whether a leaf of level 2 has more than a grid of level 3 may have: then grids of level 3 belong below it."""
    what = size.breaches(rules[3]) if level == 2 else ()
    return "households_above" in what or "persons_above" in what


def sized(uow: Uow, wanted: str, area: int, on: date) -> tuple[str, dict[str, Any]]:
    """Condition on a version ``v`` of a grid of the list, with its parameters; ``wanted`` is one of
    ``policy.SIZE_CONDITIONS``."""
    rules, none = size_rules(uow), SizeRule()
    leaves = leaves_outside(uow, area, on, rules)
    if wanted == TO_DIVIDE:
        found = [id for id, level, _code, size in leaves if to_divide(level, size, rules)]
    else:
        found = [id for id, level, _code, size in leaves if size.breaches(rules.get(level, none))]
    condition, changed = kept(uow, on)
    params = {"sized": found, "changed": changed}
    # Most often it is this alone, and PostgreSQL joins better without an OR.
    outside = f"EXISTS (SELECT 1 FROM grid_size s WHERE {condition} AND {outside_today(rules, wanted)})"
    if found or on != today():
        outside = f"({outside} OR v.grid_id = ANY(:sized))" if on == today() else "v.grid_id = ANY(:sized)"
    if wanted in (UNEXPLAINED, EXPLAINED):
        return f"{outside} AND v.grid_id {'IN' if wanted == EXPLAINED else 'NOT IN'} ({EXPLAINED_ON})", params
    return f"NOT {outside}" if wanted == FITS else outside, params


def soon(on: date, days: int = SOON_DAYS) -> date:
    """The last day that is looked at, however far ahead one asks."""
    return on + timedelta(days=min(days, (date.max - on).days))
