"""What a draft is drawn from: the households of a village as the register has them, and the county's size rule."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from xiangyue.db.base import Json
from xiangyue.db.scope import area_range
from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.features.grids.planning.problem import Home, SizeRule
from xiangyue.features.grids.rules import size_rules
from xiangyue.features.households.location import degrees

#: Who counts as needing care: ages in full years, of those who live here. It is no mark, so nothing sensitive is read.
OLD, YOUNG = 65, 14

_HOMES = """
SELECT h.id, h.area_code, h.code, h.head_name, h.registered_count, h.living_count, coalesce(c.care, 0), h.location
  FROM household h
  LEFT JOIN (SELECT p.household_id, count(*) AS care FROM person p
              WHERE {scope:p} AND p.area_code BETWEEN :lo AND :hi AND p.state = 'active' AND NOT p.away
                AND (p.birth_date <= CAST(:old AS date) OR p.birth_date > CAST(:young AS date))
              GROUP BY p.household_id) c ON c.household_id = h.id
 WHERE {scope:h} AND h.area_code BETWEEN :lo AND :hi AND h.state = 'active'
 ORDER BY h.code, h.id
"""


@dataclass(frozen=True, slots=True)
class Row:
    """A household on the register. ``number``: its place in house order; ``care``: old people and children here;
    ``at``: longitude and latitude in degrees, where they are known."""

    id: int
    group: int
    code: str
    head: str
    registered: int
    living: int
    care: int
    number: int
    at: tuple[float, float] | None = None

    def home(self, fixed: str | None = None) -> Home:
        return Home(self.id, self.group, self.number, self.registered, self.living, self.care, self.at, fixed)


def rows_of(uow: Uow, area: int, on: date) -> list[Row]:
    """All households of an area (village, town, county) that are on the register, in house order."""
    lo, hi = area_range(area)
    params = {"lo": lo, "hi": hi, "old": _years_before(on, OLD), "young": _years_before(on, YOUNG)}
    found = scoped_rows(uow.session, _HOMES, params, scope=uow.scope)
    return [
        Row(id, group, code, head, registered, living, care, number, degrees(location))
        for number, (id, group, code, head, registered, living, care, location) in enumerate(found, 1)
    ]


def _years_before(on: date, years: int) -> date:
    return on.replace(year=on.year - years, day=min(on.day, 28) if on.month == 2 else on.day)


def fingerprint(groups: Iterable[tuple[int, int]]) -> str:
    """Of (household, villager group), in any order."""
    text = ",".join(f"{id}:{group}" for id, group in sorted(groups))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def county_rule(uow: Uow) -> tuple[SizeRule, str]:
    """The rule of the smallest grids that has one (level 3, else 2), and the paper that says so."""
    rules = size_rules(uow)
    found = next((rules[level] for level in (3, 2) if level in rules and not rules[level].empty), rules[3])
    limits = {name: getattr(found, name) for name in ("min_households", "max_households", "min_persons", "max_persons")}
    return SizeRule(found.basis, **limits), found.source


def rule_json(rule: SizeRule, source: str, joining: str) -> Json:
    return {**asdict(rule), "source": source, "joining": joining}


def rule_of(kept: dict[str, Any]) -> SizeRule:
    """The rule that a draft keeps."""
    names = ("basis", "min_households", "max_households", "min_persons", "max_persons")
    return SizeRule(**{name: kept[name] for name in names if name in kept})
