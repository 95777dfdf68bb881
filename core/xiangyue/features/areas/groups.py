# data: zh
"""Villager groups (村民小组): numbered inside their village, made when somebody first needs them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import select

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit
from xiangyue.db.uow import Uow
from xiangyue.features.areas import policy
from xiangyue.features.areas.models import GROUP, VILLAGE, Area
from xiangyue.text.pinyin import sort_key

#: Last three digits of a 15-digit code; 000 is the village itself.
LAST_NUMBER = 999


def group_name(number: int) -> str:
    """3 -> 3组: what a group is called until somebody names it."""
    return f"{number}组"


@acts(policy.AREA_EDIT)
def ensure_groups(uow: Uow, codes: Iterable[int]) -> list[int]:
    """Make the groups among ``codes`` (15 digits) that do not exist yet although their village does; returns their
    codes. Codes of unknown villages, of retired ones and outside the actor's area are passed over.

    The caller puts them into the audit trail (``note_groups``), once for all it makes: an import makes a thousand.
    """
    wanted = sorted({code for code in codes if code % 1000})
    if not wanted:
        return []
    known = set(uow.session.scalars(select(Area.area_code).where(Area.area_code.in_(wanted))))
    missing = [code for code in wanted if code not in known and uow.scope.contains(code)]
    parents = {code - code % 1000 for code in missing}
    with uow.tenant_wide("the village of a group may lie above the actor's area"):
        villages = set(
            uow.session.scalars(
                select(Area.area_code).where(Area.area_code.in_(parents), Area.level == VILLAGE, Area.active.is_(True))
            )
        )
    made = [code for code in missing if code - code % 1000 in villages]
    for code in made:
        uow.session.add(new_group(code, group_name(code % 1000)))
    uow.session.flush()
    return made


@acts(policy.AREA_EDIT)
def note_groups(uow: Uow, codes: Sequence[int], *, purpose: str = "") -> None:
    """One audit entry for the groups that one act made, in the smallest area they all lie in."""
    if codes:
        audit(
            uow,
            action="area.add_groups",
            object_type="area",
            area_code=common_area(codes),
            after={"count": len(codes), "groups": sorted(codes)},
            purpose=purpose,
        )


def common_area(codes: Sequence[int]) -> int:
    """The village or town that all of ``codes`` lie in; 0, the county as a whole, when there is none."""
    for step in (1000, 10**6):
        above = {code - code % step for code in codes}
        if len(above) == 1:
            return above.pop()
    return 0


def new_group(code: int, name: str) -> Area:
    """A group's row, not yet added to a session."""
    return Area(
        area_code=code,
        parent_code=code - code % 1000,
        level=GROUP,
        kind=GROUP,
        name=name,
        official_name=name,
        sort_key=sort_key(name, person=False),
        position=code % 1000,
    )
