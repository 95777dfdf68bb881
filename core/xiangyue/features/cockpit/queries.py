"""Counts of households and persons by area, in a handful of statements whatever the size."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import func, select

from xiangyue.db.scope import Range, Scope
from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.errors import NotFound
from xiangyue.features.areas.models import COUNTY, GROUP, TOWN, VILLAGE, Area
from xiangyue.features.areas.queries import names
from xiangyue.features.households.models import HouseholdIncome, MarkKind
from xiangyue.features.households.person_input import today
from xiangyue.features.households.policy import SENSITIVE_VIEW
from xiangyue.i18n import lazy_gettext as _l

#: Width of an area code's range at each level: the code of a household's town is its code without the rest.
WIDTHS = {COUNTY: 1_000_000_000, TOWN: 1_000_000, VILLAGE: 1_000, GROUP: 1}
BELOW = {COUNTY: TOWN, TOWN: VILLAGE, VILLAGE: GROUP}


@dataclass(slots=True)
class Totals:
    """Numbers of one area. Households and persons that are there now, persons also as ``registered`` by the household
    register (户籍) and ``living`` by where they live (常住); ``income`` and ``income_before`` are households
    with income data of the newest year and of the year before."""

    households: int = 0
    households_new: int = 0
    persons: int = 0
    registered: int = 0
    living: int = 0
    away: int = 0
    marked: int = 0
    income: int = 0
    income_before: int = 0

    def add(self, other: Totals) -> None:
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))


@dataclass(frozen=True, slots=True)
class Line:
    """One area of the table. ``below``: there is a level under it to go down to."""

    code: int
    name: str
    below: bool
    totals: Totals


@dataclass(frozen=True, slots=True)
class MarkCount:
    """A kind of mark: persons who bear it now, and households they live in."""

    key: str
    name: str
    name_en: str
    sensitive: bool
    persons: int
    households: int


def narrowed(uow: Uow, code: int) -> Scope:
    """The scope cut down to an area of the tenant. Raises NotFound for an area outside it or unknown."""
    scope = uow.scope.narrowed(code)
    with uow.tenant_wide("whether an area exists; the scope decides what is seen of it"):
        known = uow.session.scalars(select(Area.id).where(Area.area_code == code)).first() is not None
    if not known or scope.ranges == ():
        raise NotFound(_l("There is no such area, or it lies outside yours."))
    return scope


def level_below(scope: Scope) -> str:
    """The level at which a scope is told apart: villages inside one town, groups inside one village, else towns."""
    if not scope.ranges:
        return TOWN
    low, high = scope.ranges[0][0], scope.ranges[-1][1]
    if low // WIDTHS[VILLAGE] == high // WIDTHS[VILLAGE]:
        return GROUP
    return VILLAGE if low // WIDTHS[TOWN] == high // WIDTHS[TOWN] else TOWN


_HOUSEHOLDS = """
SELECT h.area_code - h.area_code % :width, count(*), count(*) FILTER (WHERE h.created_at > now() - interval '30 days'),
       sum(h.registered_count)::int, sum(h.living_count)::int
  FROM household h WHERE {scope:h} AND h.state = 'active' GROUP BY 1
"""
_PERSONS = """
SELECT p.area_code - p.area_code % :width, count(*), count(*) FILTER (WHERE p.away)
  FROM person p WHERE {scope:p} AND p.state = 'active' GROUP BY 1
"""
_MARKED = """
SELECT m.area_code - m.area_code % :width, count(DISTINCT m.household_id)
  FROM person_mark m
  JOIN person p ON p.tenant_id = m.tenant_id AND p.id = m.person_id
  JOIN household h ON h.tenant_id = m.tenant_id AND h.id = m.household_id
 WHERE {scope:m} AND {tenant:p} AND {tenant:h} AND p.state = 'active' AND h.state = 'active'
   AND m.valid_to IS NULL AND m.mark_key = ANY(:kinds)
 GROUP BY 1
"""
_KINDS = """
SELECT m.mark_key, count(DISTINCT m.person_id), count(DISTINCT m.household_id)
  FROM person_mark m
  JOIN person p ON p.tenant_id = m.tenant_id AND p.id = m.person_id
  JOIN household h ON h.tenant_id = m.tenant_id AND h.id = m.household_id
 WHERE {scope:m} AND {tenant:p} AND {tenant:h} AND p.state = 'active' AND h.state = 'active'
   AND m.valid_to IS NULL AND m.mark_key = ANY(:kinds)
 GROUP BY 1
"""
_INCOME = """
SELECT i.area_code - i.area_code % :width, count(*) FILTER (WHERE i.year = :year),
       count(*) FILTER (WHERE i.year = :year - 1)
  FROM household_income i JOIN household h ON h.tenant_id = i.tenant_id AND h.id = i.household_id
 WHERE {scope:i} AND {tenant:h} AND h.state = 'active' AND i.year IN (:year, :year - 1) GROUP BY 1
"""


def income_year(uow: Uow) -> int:
    """The newest year that has income data in the scope; last year when there is none."""
    found = uow.session.scalars(select(func.max(HouseholdIncome.year))).one()
    return int(found) if found else today().year - 1


def visible_kinds(uow: Uow) -> list[MarkKind]:
    """Kinds of marks in use; sensitive ones only where the actor has the right all over the scope."""
    kinds = list(uow.session.scalars(select(MarkKind).where(MarkKind.active).order_by(MarkKind.position, MarkKind.id)))
    if covers(uow.actor.ranges(SENSITIVE_VIEW), uow.scope.ranges):
        return kinds
    return [kind for kind in kinds if kind.sensitivity != "sensitive"]


def covers(outer: Sequence[Range] | None, inner: Sequence[Range] | None) -> bool:
    """Whether every area of ``inner`` lies in ``outer``; None is the whole tenant."""
    if outer is None:
        return True
    return inner is not None and all(any(a <= lo and hi <= b for a, b in outer) for lo, hi in inner)


def totals_by(uow: Uow, level: str, *, year: int, kinds: Iterable[MarkKind]) -> dict[int, Totals]:
    """Numbers by area code at a level, inside the scope. A household counts as marked by kinds that follow to it."""
    following = [kind.key for kind in kinds if kind.follows_to_household]
    params: dict[str, Any] = {"width": WIDTHS[level], "year": year, "kinds": following}
    found: dict[int, Totals] = {}
    plans = (
        (_HOUSEHOLDS, ("households", "households_new", "registered", "living")),
        (_PERSONS, ("persons", "away")),
        (_MARKED, ("marked",)),
        (_INCOME, ("income", "income_before")),
    )
    for sql, columns in plans:
        used = {k: v for k, v in params.items() if f":{k}" in sql}
        for row in scoped_rows(uow.session, sql, used):
            totals = found.setdefault(int(row[0]), Totals())
            for name, value in zip(columns, row[1:], strict=True):
                setattr(totals, name, value)
    return found


def summed(parts: Iterable[Totals]) -> Totals:
    whole = Totals()
    for part in parts:
        whole.add(part)
    return whole


def lines(uow: Uow, level: str, numbers: dict[int, Totals]) -> list[Line]:
    """The areas of a level in the county's own order: all of the scope, with or without numbers."""
    wanted = select(Area.area_code).where(Area.level == level, Area.active)
    codes = set(uow.session.scalars(wanted)) | set(numbers)
    named = (
        select(Area.area_code, Area.name, Area.level)
        .where(Area.area_code.in_(codes))
        .order_by(Area.position, Area.area_code)
    )
    with uow.tenant_wide("names of areas whose numbers are inside the scope"):
        rows = uow.session.execute(named).all()
    known = [Line(code, name, lev in BELOW, numbers.get(code, Totals())) for code, name, lev in rows]
    lost = sorted(codes - {line.code for line in known})
    return known + [Line(code, str(code), False, numbers[code]) for code in lost]


def mark_counts(uow: Uow, kinds: Sequence[MarkKind]) -> list[MarkCount]:
    """Persons and households by kind of mark, in the county's order of kinds."""
    params = {"kinds": [kind.key for kind in kinds]}
    found = {row[0]: (row[1], row[2]) for row in scoped_rows(uow.session, _KINDS, params)}
    return [MarkCount(k.key, k.name, k.name_en, k.sensitivity == "sensitive", *found.get(k.key, (0, 0))) for k in kinds]


def village_count(uow: Uow) -> int:
    """Villages and communities in the scope."""
    statement = select(func.count()).select_from(Area).where(Area.level == VILLAGE, Area.active)
    return uow.session.execute(statement).scalar_one()


def scope_names(uow: Uow) -> list[str]:
    """What the scope is called: the names of its areas; empty for the whole tenant."""
    lows = [low for low, _high in uow.scope.ranges or ()]
    known = names(uow, lows)
    return [known[low] for low in lows if low in known]
