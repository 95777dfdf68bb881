"""Which codes an area may have.

12 digits by the rules for statistical division codes (统计用区划代码编制规则): digits 7-9 are the town's, 10-12 the
village's, and a range of them tells the kind; three more number the villager groups of a village.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from xiangyue.db.scope import area_range
from xiangyue.db.uow import Uow
from xiangyue.features.areas.models import COUNTY, GROUP, TOWN, VILLAGE, Area
from xiangyue.tenancy.divisions import town_kind, village_kind

#: Unit of an area's own number in the 15 digits, by level.
UNIT = {COUNTY: 10**9, TOWN: 10**6, VILLAGE: 10**3, GROUP: 1}
BELOW = {COUNTY: TOWN, TOWN: VILLAGE, VILLAGE: GROUP}
#: First and last number of each kind.
RANGES = {
    "subdistrict": (1, 99),
    "town": (100, 199),
    "township": (200, 399),
    "community": (1, 199),
    "village_committee": (200, 399),
    "group": (1, 999),
    "hamlet": (1, 999),
}
OTHER = (400, 599)
GROUP_KINDS = ("group", "hamlet")


def level_of(code: int) -> str:
    """Level of a 15-digit code by its zeros."""
    return next(level for level, unit in UNIT.items() if code % unit == 0)


def parent_of(code: int) -> int:
    """15-digit code of the area above; 0 of a county."""
    units = list(UNIT.values())
    place = units.index(UNIT[level_of(code)])
    return code - code % units[place - 1] if place else 0


def number_of(code: int) -> int:
    """The area's own three digits (six of a county)."""
    unit = UNIT[level_of(code)]
    return code // unit % 1000


def kind_of(code: int) -> str | None:
    """The kind that the range of a code says; None outside the known ranges. Of a group: group."""
    level = level_of(code)
    if level == TOWN:
        return town_kind(number_of(code))
    if level == VILLAGE:
        return village_kind(number_of(code))
    return GROUP if level == GROUP else COUNTY


def known_codes(uow: Uow, parent: int) -> set[int]:
    """Codes of all areas that lie or ever lay directly below ``parent``, in the whole county."""
    unit = UNIT[level_of(parent)]
    own = unit // 1000
    with uow.tenant_wide("a code is used once in the county"):
        codes = uow.session.scalars(select(Area.area_code).where(Area.area_code.between(*area_range(parent))))
        return {code for code in codes if code != parent and code % own == 0}


def free_code(uow: Uow, parent: int, kind: str, *, taken: Iterable[int] = (), near: int = 0) -> int | None:
    """The next code of this kind below ``parent`` that was never used and is not in ``taken``: the number ``near``
    itself if that is free, else the one after the last; else any. None when there is none left."""
    unit = UNIT[level_of(parent)] // 1000
    first, last = RANGES.get(kind, OTHER)
    used = {
        code // unit % 1000 for code in (*known_codes(uow, parent), *taken) if code - code % (unit * 1000) == parent
    }
    if first <= near <= last and near not in used:
        return parent + near * unit
    highest = max((n for n in used if first <= n <= last), default=first - 1)
    numbers = (*range(highest + 1, last + 1), *range(first, highest + 1))
    return next((parent + n * unit for n in numbers if n not in used), None)
