"""Reads of areas: names, paths, choices, the tree with its counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from sqlalchemy import select

from xiangyue.db.scope import Scope, area_range
from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.errors import NotFound
from xiangyue.features.areas.models import GROUP, VILLAGE, Area
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.text.pinyin import fold, suffixes

NO_AREA = _l("There is no such area, or it lies outside yours.")


@dataclass(slots=True)
class Counts:
    """Active households and their members in an area and everything below it; ``registered`` by the household register
    (户籍), ``living`` by where they live (常住)."""

    households: int = 0
    persons: int = 0
    registered: int = 0
    living: int = 0


class Placed(Protocol):
    """An area as it is, or as it was on a day."""

    @property
    def area_code(self) -> int: ...
    @property
    def parent_code(self) -> int: ...
    @property
    def position(self) -> int: ...


A = TypeVar("A", bound=Placed)


@dataclass(slots=True)
class AreaNode:
    """An area, as it is or was, with what lies below it."""

    area: Any
    counts: Counts = field(default_factory=Counts)
    children: list[AreaNode] = field(default_factory=list)


def parse_code(text: str) -> int:
    """A code of 6, 9, 12 or 15 digits as the 15-digit number. Raises NotFound for anything else."""
    digits = text.strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) in (6, 9, 12, 15)):
        raise NotFound(NO_AREA)
    return int(digits.ljust(15, "0"))


def code_text(code: int) -> str:
    """The shortest official form: 12 digits, 15 for a villager group."""
    return str(code) if code % 1000 else str(code // 1000)


def find_area(uow: Uow, code: int) -> Area:
    """The area with this 15-digit code inside the scope. Raises NotFound."""
    area = uow.session.scalars(select(Area).where(Area.area_code == code)).one_or_none()
    if area is None:
        raise NotFound(NO_AREA)
    return area


def names(uow: Uow, codes: Iterable[int]) -> dict[int, str]:
    """Names by 15-digit code, of the whole county: names of areas are no secret. Unknown codes are missing."""
    wanted = sorted(set(codes) - {0})
    if not wanted:
        return {}
    # Straight rows: this runs on every list.
    rows = scoped_rows(
        uow.session,
        "SELECT a.area_code, a.name FROM area a WHERE {tenant:a} AND a.area_code = ANY(:codes)",
        {"codes": wanted},
        scope=Scope(uow.tenant_id),
    )
    return dict(rows)


def places(uow: Uow, codes: Iterable[int]) -> dict[int, str]:
    """Where somebody lives, by 15-digit code: a villager group (组) with its village's name before it, as every
    village has a first group; any other area by its name. Unknown codes are missing."""
    wanted = {code: code - code % 1000 for code in codes if code}
    known = names(uow, {*wanted, *wanted.values()})
    found = {
        code: known.get(village, "") + (known.get(code, "") if code != village else "")
        for code, village in wanted.items()
    }
    return {code: name for code, name in found.items() if name}


def ancestor_codes(code: int) -> list[int]:
    """15-digit codes from the county down to ``code`` itself."""
    above = [code - code % unit for unit in (1_000_000_000, 1_000_000, 1_000)]
    return list(dict.fromkeys([*above, code]))


def paths(uow: Uow, codes: Iterable[int]) -> dict[int, list[tuple[int, str]]]:
    """(code, name) from the town down to each of ``codes``, in one statement; the county is left out unless it is
    the area itself."""
    wanted = set(codes) - {0}
    known = names(uow, {above for code in wanted for above in ancestor_codes(code)})
    found = {}
    for code in wanted:
        chain = ancestor_codes(code)
        chain = chain[1:] if len(chain) > 1 else chain
        found[code] = [(above, known[above]) for above in chain if above in known]
    return found


def breadcrumb(uow: Uow, code: int) -> list[tuple[int, str]]:
    """(code, name) from the county down to ``code``; those above my area are named too."""
    known = names(uow, ancestor_codes(code))
    return [(above, known[above]) for above in ancestor_codes(code) if above in known]


def area_choices(uow: Uow, level: str = VILLAGE, parent: int = 0) -> list[Area]:
    """Active areas of a level in the scope (below ``parent``), in the official order."""
    statement = select(Area).where(Area.level == level, Area.active.is_(True))
    if parent:
        statement = statement.where(Area.area_code.between(*area_range(parent)))
    return list(uow.session.scalars(statement.order_by(Area.parent_code, Area.position, Area.area_code)))


def has_villages(uow: Uow) -> bool:
    """Whether the county has any village at all: one that came aboard by its code alone gets them from the operator."""
    with uow.tenant_wide("whether the county has areas yet is no secret of any of them"):
        found = uow.session.scalars(select(Area.id).where(Area.level == VILLAGE, Area.active.is_(True)).limit(1))
        return found.first() is not None


def village_choices(uow: Uow) -> list[tuple[str, list[tuple[str, str]]]]:
    """The villages in the scope for a select: (town, [(15-digit code, village)])."""
    villages = area_choices(uow, VILLAGE)
    towns = names(uow, {v.parent_code for v in villages})
    groups: dict[int, list[tuple[str, str]]] = {}
    for village in villages:
        groups.setdefault(village.parent_code, []).append((str(village.area_code), village.name))
    return [(towns.get(code, str(code)), members) for code, members in groups.items()]


def group_choices(uow: Uow, village: int) -> list[tuple[str, str]]:
    """(15-digit code, name) of a village's groups for a select."""
    return [(str(a.area_code), a.name) for a in area_choices(uow, GROUP, village)]


def matches(area: Area, q: str) -> bool:
    """Whether a folded search word fits: any part of the name or a former one, pinyin or initials from a character on,
    or the code."""
    if q.isdigit():
        return code_text(area.area_code).startswith(q) or str(area.area_code).startswith(q)
    names = (area.name, *area.former_names)
    return any(s.startswith(q) for name in names for s in suffixes(name, person=False)) or q in fold(area.official_name)


def list_areas(
    uow: Uow, *, level: str = "", parent: int = 0, under: int = 0, q: str = "", retired: bool = False
) -> list[Area]:
    """Areas in the scope in the official order. ``parent``: only its direct children; ``under``: its
    whole subtree; ``q`` as in ``matches``."""
    statement = select(Area).order_by(Area.area_code)
    if level:
        statement = statement.where(Area.level == level)
    if parent:
        statement = statement.where(Area.parent_code == parent)
    if under:
        statement = statement.where(Area.area_code.between(*area_range(under)))
    if not retired:
        statement = statement.where(Area.active.is_(True))
    found = list(uow.session.scalars(statement))
    word = fold(q)
    return [a for a in found if matches(a, word)] if word else found


def counts_by_code(uow: Uow, under: int = 0) -> dict[int, Counts]:
    """Active households and persons by the exact area code they carry, in the scope (below ``under``)."""
    scope = uow.scope.narrowed(under) if under else uow.scope
    rows = scoped_rows(
        uow.session,
        "SELECT h.area_code, count(*), sum(h.person_count)::int, sum(h.registered_count)::int, sum(h.living_count)::int"
        " FROM household h"
        " WHERE {scope:h} AND h.state = 'active' GROUP BY h.area_code",
        scope=scope,
    )
    return {row[0]: Counts(*row[1:]) for row in rows}


def summed(counts: dict[int, Counts], codes: Iterable[int]) -> dict[int, Counts]:
    """For each of ``codes`` the sum over its subtree."""
    found = {code: Counts() for code in codes}
    for leaf, number in counts.items():
        for code in ancestor_codes(leaf):
            if code in found:
                found[code].households += number.households
                found[code].persons += number.persons
                found[code].registered += number.registered
                found[code].living += number.living
    return found


def tree(uow: Uow, areas: Sequence[A], counts: dict[int, Counts] | None = None) -> list[AreaNode]:
    """The given areas as a forest, each with the counts of its subtree in the scope (``counts``: of another day)."""
    totals = summed(counts_by_code(uow) if counts is None else counts, [a.area_code for a in areas])
    nodes = {a.area_code: AreaNode(a, totals[a.area_code]) for a in areas}
    roots: list[AreaNode] = []
    for area in sorted(areas, key=lambda a: (a.position, a.area_code)):
        above = nodes.get(area.parent_code)
        (above.children if above is not None else roots).append(nodes[area.area_code])
    return roots


def with_ancestors(areas: Sequence[A], found: Sequence[A]) -> list[A]:
    """``found`` and those of ``areas`` that lie above them, so that a filtered tree keeps its branches."""
    keep = {code for a in found for code in ancestor_codes(a.area_code)}
    return [a for a in areas if a.area_code in keep]


def top_code(uow: Uow) -> int:
    """The one area that holds the whole scope: the county, or the only range's own area; 0 when there are several."""
    ranges = uow.scope.ranges
    if ranges is None:
        return uow.actor.tenant_area
    if len(ranges) == 1 and area_range(ranges[0][0]) == ranges[0]:
        return ranges[0][0]
    return 0
