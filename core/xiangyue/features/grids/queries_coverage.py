"""Coverage (网格覆盖): what is owed for grids and organisations, by area, on a day, in one statement for each kind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from sqlalchemy import select

from xiangyue.db.scope import Scope
from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.features.areas.models import COUNTY, TOWN, VILLAGE, Area
from xiangyue.features.areas.queries import names
from xiangyue.features.grids import conditions as owed
from xiangyue.features.grids.policy import TO_DIVIDE, SizeRule
from xiangyue.features.grids.queries_households import households_by
from xiangyue.features.grids.rules import size_rules
from xiangyue.features.organisations import policy as organisations
from xiangyue.features.organisations.queries_owed import OWED, owed_by

# ruff: noqa: S608 - statements are put together from constants; values are always parameters

#: Width of an area code's range: the code of a household's town is its code without the rest.
WIDTHS = {COUNTY: 1_000_000_000, TOWN: 1_000_000, VILLAGE: 1_000}

_GRIDS = f"""
SELECT v.area_code - v.area_code %% :width, count(*), count(*) FILTER (WHERE v.leaf),
       count(*) FILTER (WHERE v.leaf AND v.level = 2), count(*) FILTER (WHERE NOT coalesce(l.led, false)),
       count(*) FILTER (WHERE l.led AND NOT l.answers), count(*) FILTER (WHERE l.over), count(*) FILTER (WHERE l.soon),
       count(*) FILTER (WHERE l.gone), count(*) FILTER (WHERE %(out)s AND e.grid_id IS NULL),
       count(*) FILTER (WHERE %(out)s AND e.grid_id IS NOT NULL), count(*) FILTER (WHERE %(divide)s)
  FROM grid_version v LEFT JOIN ({owed.LEADS}) l ON l.grid_id = v.grid_id
  LEFT JOIN (SELECT DISTINCT x.grid_id FROM ({owed.EXPLAINED_ON}) x) e ON e.grid_id = v.grid_id
  LEFT JOIN grid_size s ON %(kept)s
 WHERE {{scope:v}} AND {owed.COVERS.format(a="v")}
 GROUP BY 1
"""


@dataclass(slots=True)
class Owed:
    """Numbers of one area on a day.

    ``waiting``: households in no grid, the longest since ``since``; ``twice``: in several. ``unexplained`` and
    ``explained``: leaves outside the size rule without and with a reason. ``leaves2``: leaves of level 2, of which
    ``to_divide`` have more than a grid of level 3 may have. ``leaderless``, ``no_principal``, ``term_over``,
    ``term_soon``, ``leader_gone``: grids by their leaders. The last ones: organisations, None for those who may not see
    them.
    """

    households: int = 0
    waiting: int = 0
    since: date | None = None
    twice: int = 0
    grids: int = 0
    leaves: int = 0
    leaves2: int = 0
    to_divide: int = 0
    unexplained: int = 0
    explained: int = 0
    leaderless: int = 0
    no_principal: int = 0
    term_over: int = 0
    term_soon: int = 0
    leader_gone: int = 0
    org_late: int | None = None
    org_soon: int | None = None
    org_vacant: int | None = None
    org_gone: int | None = None

    def add(self, other: Owed) -> None:
        for field in fields(self):
            mine, more = getattr(self, field.name), getattr(other, field.name)
            if field.name == "since":
                both = [day for day in (mine, more) if day is not None]
                self.since = min(both) if both else None
            elif more is not None:
                setattr(self, field.name, (mine or 0) + more)

    @property
    def anything(self) -> int:
        """How many things are owed that somebody should see to."""
        return (
            self.waiting + self.twice + self.unexplained + self.leaderless + self.no_principal + self.term_over
            + self.leader_gone
        )  # fmt: skip

    def plain(self) -> dict[str, Any]:
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return {**found, "since": self.since.isoformat() if self.since else None}


@dataclass(frozen=True, slots=True)
class Line:
    """An area one step below; ``level``: town or village."""

    code: int
    name: str
    level: str
    owed: Owed


def level_below(scope: Scope) -> str:
    """By what a scope is told apart: the villages of one town, else towns."""
    if not scope.ranges:
        return TOWN
    low, high = scope.ranges[0][0], scope.ranges[-1][1]
    return VILLAGE if low // WIDTHS[TOWN] == high // WIDTHS[TOWN] else TOWN


def coverage(uow: Uow, area: int, on: date, days: int = owed.SOON_DAYS) -> list[Line]:
    """What is owed on a day, by town, or inside one town by village; all areas of the scope in the county's order, also
    those where nothing is. ``days``: how far ahead a leader's term is looked at. What belongs to no area below (an
    organisation of the county) stands in a line of its own."""
    scope = uow.scope.narrowed(area) if area else uow.scope
    level = level_below(scope)
    numbers = _by_area(uow, WIDTHS[level], area, on, days)
    with uow.scoped(scope):
        known = set(uow.session.scalars(select(Area.area_code).where(Area.level == level, Area.active.is_(True))))
    codes = known | set(numbers)
    order = {}
    with uow.tenant_wide("names of areas whose numbers are inside the scope"):
        rows = uow.session.execute(
            select(Area.area_code, Area.level, Area.position).where(Area.area_code.in_(codes))
        ).all()
        order = {code: (position, code, level) for code, level, position in rows}
    called = names(uow, codes)
    lines = [
        Line(code, called.get(code, str(code)), order[code][2] if code in order else level, numbers.get(code, Owed()))
        for code in codes
    ]
    return sorted(lines, key=lambda line: order.get(line.code, (10**9, line.code, ""))[:2])


def _by_area(uow: Uow, width: int, area: int, on: date, days: int) -> dict[int, Owed]:
    scope = uow.scope.narrowed(area) if area else uow.scope
    found: dict[int, Owed] = {}

    def at(code: int) -> Owed:
        return found.setdefault(int(code), Owed())

    for code, (all_of, none, two, since) in households_by(uow, width, area, on).items():
        line = at(code)
        line.households, line.waiting, line.twice, line.since = all_of, none, two, since
    for code, values in _grids(uow, width, on, days, scope):
        line = at(code)
        for name, value in values.items():
            setattr(line, name, value)
    rules = size_rules(uow)
    leaves = owed.leaves_outside(uow, area, on, rules)
    told = owed.explained(uow, on) if leaves else set()
    for id, level, code, size in leaves:
        line = at(code - code % width)
        if size.breaches(rules.get(level, SizeRule())):
            name = "explained" if id in told else "unexplained"
            setattr(line, name, getattr(line, name) + 1)
        line.to_divide += owed.to_divide(level, size, rules)
    several = _organisations(uow, width, area, on)
    if several is not None:
        for code in {*found, *several}:
            for key in OWED:
                setattr(at(code), f"org_{key}", several.get(code, {}).get(key, 0))
    return found


def _grids(uow: Uow, width: int, on: date, days: int, scope: Scope) -> Iterator[tuple[int, dict[str, int]]]:
    """What of grids PostgreSQL counts, by area code; those of today's sizes of which nothing is kept are not in it."""
    rules = size_rules(uow)
    condition, changed = owed.kept(uow, on)
    sql = _GRIDS % {
        "kept": condition, "out": owed.outside_today(rules), "divide": owed.outside_today(rules, TO_DIVIDE),
    }  # fmt: skip
    params = {"on": on, "width": width, "soon": owed.soon(on, days), "changed": changed}
    for code, *values in scoped_rows(uow.session, sql, params, scope=scope):
        yield code, dict(zip(_COUNTED, values, strict=True))


#: How far ahead a leader's term is looked at unless one asks for another number of days.
SOON_DAYS = owed.SOON_DAYS
_COUNTED = ("grids", "leaves", "leaves2", "leaderless", "no_principal", "term_over", "term_soon", "leader_gone",
            "unexplained", "explained", "to_divide")  # fmt: skip


def leaders_owed(uow: Uow, on: date) -> Owed:
    """Grids of the scope by their leaders alone, which is quick."""
    found = Owed()
    for _code, values in _grids(uow, 10**15, on, SOON_DAYS, uow.scope):
        for name, value in values.items():
            setattr(found, name, getattr(found, name) + value)
    return found


def _organisations(uow: Uow, width: int, area: int, on: date) -> dict[int, dict[str, int]] | None:
    """Where the actor may see organisations; None for whoever may nowhere."""
    if uow.actor.kind == "system":
        return owed_by(uow, width, area, on)
    if not uow.actor.can(organisations.VIEW):
        return None
    with uow.scoped(uow.scope.within(uow.actor.scope(organisations.VIEW))):
        return owed_by(uow, width, area, on)


def summed(lines: Iterable[Line]) -> Owed:
    whole = Owed()
    for line in lines:
        whole.add(line.owed)
    return whole
