"""Reads of changes, and areas as they were on a day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, or_, select

from xiangyue.db.scope import Scope, area_range
from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.features.areas.models import Area, AreaChange, AreaChangePart, AreaVersion
from xiangyue.features.areas.queries import Counts

KNOWN = "what areas are and were called is known to everybody in the county"
#: Longer no chain of one area after another is followed.
_LONGEST = 50


@dataclass(frozen=True, slots=True)
class AreaThen:
    """An area as it was on a day."""

    area_code: int
    parent_code: int
    level: str
    kind: str
    name: str
    official_name: str
    position: int
    #: It is no more, or is another by now.
    gone: bool = False


def successor(uow: Uow, code: int) -> int:
    """What took the place of an area that ended, and of that, to one that stands; 0 when nothing did. An area that
    stands leads to itself."""
    with uow.tenant_wide(KNOWN):
        for _step in range(_LONGEST):
            found = uow.session.execute(
                select(Area.active, Area.succeeded_by).where(Area.area_code == code)
            ).one_or_none()
            if found is None or found.active:
                return code if found is not None else 0
            code = found.succeeded_by
            if not code:
                return 0
    return 0


def list_changes(
    uow: Uow, *, state: str = "", kind: str = "", under: int = 0, before: int = 0, limit: int = 50
) -> list[AreaChange]:
    """Changes in the scope, the latest first; ``before``: id of the last one of the page before."""
    statement = select(AreaChange).order_by(AreaChange.id.desc()).limit(limit)
    if state:
        statement = statement.where(AreaChange.state == state)
    if kind:
        statement = statement.where(AreaChange.kind == kind)
    if under:
        statement = statement.where(AreaChange.area_code.between(*area_range(under)))
    if before:
        statement = statement.where(AreaChange.id < before)
    return list(uow.session.scalars(statement))


def count_changes(uow: Uow, *, state: str = "", kind: str = "") -> int:
    """How many `list_changes` would list."""
    statement = select(func.count()).select_from(AreaChange)
    if state:
        statement = statement.where(AreaChange.state == state)
    if kind:
        statement = statement.where(AreaChange.kind == kind)
    return uow.session.scalars(statement).one()


def history(uow: Uow, code: int) -> list[AreaChange]:
    """Changes in force that touched an area, the latest first."""
    with uow.tenant_wide(KNOWN):
        ids = select(AreaChangePart.id).where(AreaChangePart.area_code == code)
        statement = select(AreaChange).where(AreaChange.id.in_(ids), AreaChange.state.in_(("done", "undoing")))
        return list(uow.session.scalars(statement.order_by(AreaChange.on_date.desc(), AreaChange.id.desc())))


def ahead(uow: Uow, code: int) -> list[AreaChange]:
    """Changes arranged for a day to come that touch an area or begin with one below or above it, the next first."""
    above = [code, code - code % 1000, code - code % 10**6]
    touching = or_(AreaChange.basis.has_key(str(code)), AreaChange.area_code.in_(above),
                   AreaChange.area_code.between(*area_range(code)))  # fmt: skip
    with uow.tenant_wide(KNOWN):
        statement = select(AreaChange).where(AreaChange.state == "arranged", touching)
        return list(uow.session.scalars(statement.order_by(AreaChange.on_date, AreaChange.id)))


def former_codes(uow: Uow, codes: Sequence[int]) -> dict[int, list[int]]:
    """Codes of which each of ``codes`` took the place, the latest first."""
    found: dict[int, list[int]] = {}
    for code in codes:
        ahead = [code]
        with uow.tenant_wide(KNOWN):
            while ahead and len(found.get(code, ())) < _LONGEST:
                below = uow.session.scalars(
                    select(Area.area_code).where(Area.succeeded_by.in_(ahead)).order_by(Area.valid_to.desc())
                )
                ahead = [old for old in below if old not in found.get(code, ())]
                found.setdefault(code, []).extend(ahead)
    return found


def areas_on(uow: Uow, on: date, *, under: int = 0) -> list[AreaThen]:
    """Areas in the scope as they were on a day, by code."""
    statement = select(Area).where(
        or_(Area.valid_from.is_(None), Area.valid_from <= on),
        or_(Area.valid_to > on, Area.active.is_(True)),
    )
    names = select(AreaVersion).where(AreaVersion.until > on).order_by(AreaVersion.until, AreaVersion.id)
    if under:
        statement = statement.where(Area.area_code.between(*area_range(under)))
    then: dict[int, AreaVersion] = {}
    for version in uow.session.scalars(names):
        then.setdefault(version.area_code, version)
    found = []
    for area in uow.session.scalars(statement.order_by(Area.area_code)):
        was = then.get(area.area_code)
        name, official, kind = (
            (was.name, was.official_name, was.kind) if was else (area.name, area.official_name, area.kind)
        )
        found.append(
            AreaThen(area.area_code, area.parent_code, area.level, kind, name, official, area.position, not area.active)
        )
    return found


def not_yet(uow: Uow, on: date) -> dict[int, int]:
    """Areas that were not there yet on a day -> the one they were part of then (0: none)."""
    with uow.tenant_wide(KNOWN):
        rows = uow.session.execute(
            select(Area.area_code, Area.origin_code, Area.parent_code, Area.valid_from).where(Area.valid_from > on)
        ).all()
    above = {row.area_code: row.origin_code or row.parent_code for row in rows}
    found = {}
    for code in above:
        was = code
        for _step in range(_LONGEST):
            if was not in above:
                break
            was = above[was]
        found[code] = was
    return found


#: Where a household was on :on, an expression of ``h``: before its first move after that day, else where it is.
AREA_THEN = (
    "coalesce((SELECT m.from_code FROM area_move m WHERE {tenant:m} AND m.household_id = h.id AND m.on_date > :on"
    " ORDER BY m.on_date, m.id LIMIT 1), h.area_code)"
)


def area_codes_on(uow: Uow, on: date, household_ids: Iterable[int]) -> dict[int, int]:
    """In which area each household was on a day."""
    rows = scoped_rows(
        uow.session,
        f"SELECT h.id, {AREA_THEN} FROM household h WHERE {{scope:h}} AND h.id = ANY(:ids)",  # noqa: S608 - a constant
        {"on": on, "ids": list(household_ids)},
    )
    earlier = not_yet(uow, on)
    return {id: earlier.get(code, code) for id, code in rows}


_COUNTS_THEN = f"""
SELECT t.area_code, count(DISTINCT t.household_id), count(DISTINCT t.person_id),
       count(DISTINCT t.person_id) FILTER (WHERE t.registered), count(DISTINCT t.person_id) FILTER (WHERE t.living)
  FROM (SELECT {AREA_THEN} AS area_code, k.household_id, k.person_id, k.registered, k.living
          FROM household_member k JOIN household h ON h.id = k.household_id
         WHERE {{tenant:k}} AND {{scope:h}} AND k.valid_from <= :on AND (k.valid_to IS NULL OR k.valid_to > :on)) t
 GROUP BY 1
"""  # noqa: S608 - a constant


def counts_on(uow: Uow, on: date, *, scope: Scope | None = None) -> dict[int, Counts]:
    """Households with members, and their persons, on a day, by the area in which they were then."""
    earlier = not_yet(uow, on)
    found: dict[int, Counts] = {}
    for code, *numbers in scoped_rows(uow.session, _COUNTS_THEN, {"on": on}, scope=scope or uow.scope):
        total = found.setdefault(earlier.get(code, code), Counts())
        total.households += numbers[0]
        total.persons += numbers[1]
        total.registered += numbers[2]
        total.living += numbers[3]
    return found
