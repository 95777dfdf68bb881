# data: zh
"""Which household goes where: named one by one, else by the first rule that fits, else with the area it lies in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from xiangyue.db.scope import Scope
from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.features.areas.changes.asked import Request
from xiangyue.features.areas.changes.plan import standing_below
from xiangyue.features.areas.changes.planned import Plan
from xiangyue.text.folding import squeeze

#: 三组12号, 12-1号附2: the first number before 号.
_HOUSE_NUMBER = re.compile(r"([0-9]{1,5})(?:[-－—之][0-9]{1,4})?\s*号")

_ROWS = """
SELECT h.id, h.code, h.area_code, h.address, h.head_name, h.person_count, h.state FROM household h
 WHERE {tenant:h} AND h.area_code = ANY(:codes) ORDER BY h.id
"""


@dataclass(frozen=True, slots=True)
class Row:
    """A household of an area that changes."""

    id: int
    code: str
    area_code: int
    address: str
    head_name: str
    persons: int
    state: str


@dataclass(frozen=True, slots=True)
class Move:
    """``to``: 0 where nobody said."""

    row: Row
    to: int
    #: sheet (named one by one), rule, area (goes along), stays.
    by: str


@dataclass(slots=True)
class Moves:
    """``without``: households whose area ends and that would be in none; ``strange``: numbers in the sheet that lie in
    no area of this change (any more); ``nowhere``: codes that are said and will not be."""

    moves: list[Move] = field(default_factory=list)
    without: list[Row] = field(default_factory=list)
    strange: list[int] = field(default_factory=list)
    nowhere: list[int] = field(default_factory=list)

    @property
    def moved(self) -> list[Move]:
        return [move for move in self.moves if move.to and move.to != move.row.area_code]

    @property
    def possible(self) -> bool:
        return not (self.without or self.strange or self.nowhere)


def house_number(address: str) -> int:
    """The number of the house in an address, 0 without one."""
    found = _HOUSE_NUMBER.search(squeeze(address))
    return int(found[1]) if found else 0


def rows_in(uow: Uow, codes: Iterable[int]) -> list[Row]:
    """All households of exactly these areas, closed ones too: they are of an area as well."""
    scope = Scope(uow.tenant_id)
    return [Row(*row) for row in scoped_rows(uow.session, _ROWS, {"codes": sorted(set(codes))}, scope=scope)]


def source_rows(uow: Uow, plan: Plan) -> list[Row]:
    """The households that the change may move."""
    return rows_in(uow, {*plan.moved, *standing_below(uow, plan.sources)})


def assign(uow: Uow, plan: Plan, request: Request, rows: list[Row] | None = None) -> Moves:
    """Where each household goes, and what is wrong with what was said."""
    rows = source_rows(uow, plan) if rows is None else rows
    said = {int(id): int(to) for id, to in request.get("households", {}).items()}
    rules = request.get("rules", ())
    places = plan.places
    found = Moves(strange=sorted(set(said) - {row.id for row in rows}))
    found.nowhere = sorted({to for to in (*said.values(), *(rule["to"] for rule in rules)) if to not in places})
    if found.nowhere:
        return found
    for row in rows:
        to, by = _where(row, said, rules, plan)
        found.moves.append(Move(row, to, by))
        if (to or row.area_code) in plan.retired:
            found.without.append(row)
    return found


def _where(row: Row, said: Mapping[int, int], rules: Iterable[Request], plan: Plan) -> tuple[int, str]:
    if row.id in said:
        return said[row.id], "sheet"
    for rule in rules:
        if _fits(row, rule):
            return int(rule["to"]), "rule"
    if row.area_code in plan.moved:
        return plan.moved[row.area_code], "area"
    return 0, "stays"


def _fits(row: Row, rule: Request) -> bool:
    groups = rule["groups"]
    if groups and not any(row.area_code == code or row.area_code - row.area_code % 1000 == code for code in groups):
        return False
    if not rule["first"] and not rule["last"]:
        return True
    number = house_number(row.address)
    return bool(number) and (rule["first"] or 1) <= number <= (rule["last"] or 99_999)
