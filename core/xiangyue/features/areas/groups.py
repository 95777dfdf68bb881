# data: zh
"""Villager groups (村民小组): numbered inside their village, made when somebody first needs them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit
from xiangyue.db.references import tables_with
from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.features.areas import policy
from xiangyue.features.areas.models import GROUP, VILLAGE, Area
from xiangyue.text.pinyin import sort_key

#: Last three digits of a 15-digit code; 000 is the village itself.
LAST_NUMBER = 999

_USED = "SELECT DISTINCT x.area_code FROM {table} x WHERE {{tenant:x}} AND x.area_code = ANY(:codes)"


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
    if made:
        whose = {"tenant_id": uow.tenant_id}
        rows = [{**whose, **_group_values(code, group_name(code % 1000))} for code in made]
        uow.session.execute(insert(Area), rows)
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


@acts(None)
def drop_groups(uow: Uow, *, made_at: datetime) -> int:
    """Take away the groups that one transaction (by its time) made, if nobody has changed them since and nothing lies
    in them any more; returns how many. The caller has checked the right to undo what made them."""
    with uow.tenant_wide("a group may be in use by somebody whose area the actor does not see"):
        found = select(Area.area_code).where(Area.level == GROUP, Area.created_at == made_at, Area.version == 1)
        codes = set(uow.session.scalars(found))
        # What hangs on a household or person lies where that lies.
        for table in tables_with(uow.session, "area_code", without=["household_id", "person_id", "owner_id"]):
            if table.table not in ("area", "household_piece"):
                rows = scoped_rows(uow.session, _USED.format(table=table.name), {"codes": list(codes)})
                codes -= {code for (code,) in rows}
        if not codes:
            return 0
        uow.session.execute(
            delete(Area).where(Area.area_code.in_(codes)), execution_options={"synchronize_session": False}
        )
    audit(
        uow,
        action="area.drop_groups",
        object_type="area",
        area_code=common_area(sorted(codes)),
        after={"count": len(codes), "groups": sorted(codes)},
    )
    return len(codes)


def common_area(codes: Sequence[int]) -> int:
    """The village or town that all of ``codes`` lie in; 0, the county as a whole, when there is none."""
    for step in (1000, 10**6):
        above = {code - code % step for code in codes}
        if len(above) == 1:
            return above.pop()
    return 0


def new_group(code: int, name: str) -> Area:
    """A group's row, not yet added to a session."""
    return Area(**_group_values(code, name))


def _group_values(code: int, name: str) -> dict[str, Any]:
    return {
        "area_code": code,
        "parent_code": code - code % 1000,
        "level": GROUP,
        "kind": GROUP,
        "name": name,
        "official_name": name,
        "sort_key": sort_key(name, person=False),
        "position": code % 1000,
    }
