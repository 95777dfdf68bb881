"""How large grids are on a day, on both bases, and whether that is what the county's rule says."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from xiangyue.access.audit import audit
from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid
from xiangyue.features.grids.division import Division
from xiangyue.features.grids.kept_sizes import not_counted
from xiangyue.features.grids.models import Grid, GridChange, GridSizeNote
from xiangyue.features.grids.policy import REGISTERED, SizeRule
from xiangyue.features.households.person_input import today
from xiangyue.i18n import lazy_gettext as _l

REASON_LENGTH = 500

_KEPT = """
SELECT s.grid_id, s.households, s.registered, s.living FROM grid_size s
 WHERE {tenant:s} AND s.grid_id = ANY(:grids) AND (s.until IS NULL OR s.until > CAST(:on AS date))
"""
#: Today's, by the numbers that stand with each household: no register act is of a day to come.
_SIZES_NOW = """
SELECT g.grid_id, count(*), coalesce(sum(h.registered_count), 0)::int, coalesce(sum(h.living_count), 0)::int
  FROM grid_household g JOIN household h ON {tenant:h} AND h.id = g.household_id
 WHERE {tenant:g} AND g.grid_id = ANY(:grids)
   AND g.valid_from <= CAST(:on AS date) AND (g.valid_to IS NULL OR g.valid_to > CAST(:on AS date))
 GROUP BY g.grid_id
"""
#: Of the households of each leaf on another day; a person belongs to one household at most on each basis.
_SIZES = """
SELECT g.grid_id, count(*), coalesce(sum(m.registered), 0)::int, coalesce(sum(m.living), 0)::int
  FROM grid_household g
 CROSS JOIN LATERAL (
       SELECT count(*) FILTER (WHERE k.registered) AS registered, count(*) FILTER (WHERE k.living) AS living
         FROM household_member k
        WHERE {tenant:k} AND k.household_id = g.household_id AND k.valid_from <= CAST(:on AS date)
          AND (k.valid_to IS NULL OR k.valid_to > CAST(:on AS date))) m
 WHERE {tenant:g} AND g.grid_id = ANY(:grids)
   AND g.valid_from <= CAST(:on AS date) AND (g.valid_to IS NULL OR g.valid_to > CAST(:on AS date))
 GROUP BY g.grid_id
"""
_MEMBERS = """
SELECT k.household_id, count(*) FILTER (WHERE k.registered), count(*) FILTER (WHERE k.living)
  FROM household_member k
 WHERE {tenant:k} AND k.household_id = ANY(:households) AND k.valid_from <= CAST(:on AS date)
   AND (k.valid_to IS NULL OR k.valid_to > CAST(:on AS date))
 GROUP BY k.household_id
"""


@dataclass(frozen=True, slots=True)
class Size:
    households: int = 0
    registered: int = 0
    living: int = 0

    def persons(self, rule: SizeRule) -> int:
        return self.registered if rule.basis == REGISTERED else self.living

    def breaches(self, rule: SizeRule) -> tuple[str, ...]:
        return rule.breaches(self.households, self.persons(rule))


@dataclass(frozen=True, slots=True)
class Breach:
    """A leaf grid outside its rule. ``what``: as in `SizeRule.breaches`."""

    grid_id: int
    name: str
    size: Size
    rule: SizeRule
    what: tuple[str, ...]

    def plain(self) -> dict[str, Any]:
        return {
            "grid_id": self.grid_id, "name": self.name, "households": self.size.households,
            "persons": self.size.persons(self.rule), "what": list(self.what), "rule": self.rule.plain(),
        }  # fmt: skip


class ReasonNeeded(Invalid):
    """A change makes a grid larger or smaller than the rule: it takes a reason, then it is done. The field is
    ``size_reason``; ``breaches`` in ``details`` say which grids."""

    code = "reason_needed"
    told = ("breaches",)


def sizes(uow: Uow, grid_ids: Collection[int], on: date) -> dict[int, Size]:
    """Of leaf grids on a day, whatever the actor's area; empty ones are missing. A day to come counts those who belong
    there as far as is known."""
    if not grid_ids:
        return {}
    if on != today():
        return _counted(uow, _SIZES, grid_ids, on)
    due = not_counted(uow)
    kept = _counted(uow, _KEPT, set(grid_ids) - set(due), on) if due is not None else {}
    left = set(grid_ids) - set(kept)
    return kept | _counted(uow, _SIZES_NOW, left, on) if left else kept


def _counted(uow: Uow, sql: str, grid_ids: Collection[int], on: date) -> dict[int, Size]:
    with uow.tenant_wide("a grid's size is that of the whole grid"):
        rows = scoped_rows(uow.session, sql, {"grids": list(grid_ids), "on": on})
    return {id: Size(*numbers) for id, *numbers in rows}


def division_sizes(uow: Uow, division: Division, on: date, only: Collection[int]) -> dict[int, Size]:
    """Of these grids of a division that is not written yet."""
    inside = {h: id for h, id in division.homes.items() if id in only}
    rows = scoped_rows(uow.session, _MEMBERS, {"households": list(inside), "on": on})
    members = {id: (registered, living) for id, registered, living in rows}
    found = {}
    for id in only:
        homes = [members.get(h, (0, 0)) for h, at in inside.items() if at == id]
        found[id] = Size(len(homes), sum(r for r, _l in homes), sum(living for _r, living in homes))
    return found


def new_breaches(uow: Uow, before: Division, after: Division, on: date, rules: Mapping[int, SizeRule]) -> list[Breach]:
    """Leaves that are outside the rule afterwards and are new or were not so large (small) before."""
    changed = {
        id for id in after.leaves()
        if id not in before.cells or set(before.households(id)) != set(after.households(id))
        or before.cells[id].level != after.cells[id].level
    }  # fmt: skip
    then = division_sizes(uow, before, on, [id for id in changed if id in before.cells])
    found = []
    for id, size in division_sizes(uow, after, on, changed).items():
        rule = rules.get(after.cells[id].level, SizeRule())
        what = size.breaches(rule)
        was = then.get(id)
        if what and not (was is not None and set(what) <= set(was.breaches(rule)) and not _worse(was, size, rule)):
            found.append(Breach(id, after.cells[id].name, size, rule, what))
    return found


def _worse(was: Size, now: Size, rule: SizeRule) -> bool:
    """Further away from the rule than before, in households or persons."""

    def away(number: int, low: int | None, high: int | None) -> int:
        return max((low or 0) - number, number - high if high is not None else 0, 0)

    pairs = (
        (was.households, now.households, rule.min_households, rule.max_households),
        (was.persons(rule), now.persons(rule), rule.min_persons, rule.max_persons),
    )
    return any(away(new, low, high) > away(old, low, high) for old, new, low, high in pairs)


def need_reason(breaches: Collection[Breach], size_reason: str) -> str:
    """The reason, if one is needed. Raises ReasonNeeded, Invalid for one that is too long."""
    reason = size_reason.strip()
    if len(reason) > REASON_LENGTH:
        raise Invalid({"size_reason": [_l("At most %(n)d characters.", n=REASON_LENGTH)]})
    if breaches and not reason:
        first = min(breaches, key=lambda b: b.name)
        raise ReasonNeeded(
            {
                "size_reason": [
                    _l(
                        "%(name)s would have %(households)d households and %(persons)d persons, outside the rule"
                        " (%(rule)s); %(n)d grids in all. Say why, and it is done.",
                        name=first.name,
                        households=first.size.households,
                        persons=first.size.persons(first.rule),
                        rule=rule_text(first.rule),
                        n=len(breaches),
                    )
                ]
            },
            breaches=[breach.plain() for breach in breaches],
        )
    return reason


def rule_text(rule: SizeRule) -> Any:
    """20–30 households, 70–120 persons."""

    def span(low: int | None, high: int | None) -> str:
        if low is not None and high is not None:
            return f"{low}–{high}"
        return f"≥ {low}" if low is not None else f"≤ {high}"

    households = span(rule.min_households, rule.max_households) if rule.min_households or rule.max_households else ""
    persons = span(rule.min_persons, rule.max_persons) if rule.min_persons or rule.max_persons else ""
    if households and persons:
        return _l("%(households)s households, %(persons)s persons", households=households, persons=persons)
    if households:
        return _l("%(households)s households", households=households)
    return _l("%(persons)s persons", persons=persons) if persons else _l("no limit")


def keep_reason(
    uow: Uow, breach: Breach, grid_id: int, area_code: int, reason: str, change: GridChange | None, on: date
) -> None:
    """Write down why a grid is outside its rule, with its size and the rule of that day."""
    uow.session.add(
        GridSizeNote(
            grid_id=grid_id, area_code=area_code, on_date=on, households=breach.size.households,
            persons=breach.size.persons(breach.rule), rule=breach.rule.plain(), reason=reason,
            change_id=change.id if change is not None else None, account_id=uow.actor.account_id,
            by_name=uow.actor.name or uow.actor.login,
        )
    )  # fmt: skip


def audit_reason(uow: Uow, grid: Grid, breach: Breach, reason: str) -> None:
    audit(
        uow,
        action="grid.explain",
        obj=grid,
        label=breach.name,
        after={"households": breach.size.households, "persons": breach.size.persons(breach.rule), "reason": reason},
    )
