"""What was built on a change of groups, and what followed from it."""

from __future__ import annotations

from sqlalchemy import or_, select

from xiangyue.db.uow import Uow
from xiangyue.features.household_groups.models import HouseholdGroupChange
from xiangyue.features.household_groups.policy import CHANGES
from xiangyue.features.household_groups.writing import KEYS
from xiangyue.i18n import lazy_gettext as _l


def followed(uow: Uow, change: HouseholdGroupChange) -> list[HouseholdGroupChange]:
    """What followed from how grids lie, and from no change of theirs: goes back with the change, the last first, and
    follows anew from what stands then."""
    later = select(HouseholdGroupChange).where(
        HouseholdGroupChange.id > change.id, HouseholdGroupChange.state == "done",
        HouseholdGroupChange.kind == "follow", HouseholdGroupChange.grid_change_id.is_(None),
        HouseholdGroupChange.area_code == change.area_code,
    )  # fmt: skip
    found = uow.session.scalars(later.order_by(HouseholdGroupChange.id.desc()))
    return [one for one in found if _meet(one, change)]


def _meet(one: HouseholdGroupChange, other: HouseholdGroupChange) -> bool:
    return any(set(one.rows[key]) & set(other.rows[key]) for key in ("groups", "households"))


def built_on(uow: Uow, change: HouseholdGroupChange, *, alone: bool = True) -> list[str]:
    """What was built on a done change, in words; empty: it can be taken back. ``alone``: False where all that was
    written in the same transaction, as by an import, goes back with it. The caller is inside ``tenant_wide``."""
    later = select(HouseholdGroupChange).where(
        HouseholdGroupChange.id > change.id, HouseholdGroupChange.state == "done",
        HouseholdGroupChange.kind != "explain", HouseholdGroupChange.area_code == change.area_code,
        or_(HouseholdGroupChange.kind != "follow", HouseholdGroupChange.grid_change_id.is_not(None)),
    )  # fmt: skip
    if not alone:
        later = later.where(HouseholdGroupChange.created_at != change.created_at)
    found = [
        str(_l("%(change)s on %(day)s (no. %(id)s)", change=CHANGES[one.kind], day=one.on_date.isoformat(), id=one.id))
        for one in uow.session.scalars(later.order_by(HouseholdGroupChange.id))
        if _meet(one, change)
    ]
    following = followed(uow, change)
    for key, model in KEYS:
        # What followed may have taken rows of this change away again; those come back first.
        opened = set(change.rows[key]["opened"]) - {row["id"] for one in following for row in one.rows[key]["removed"]}
        there = select(model.id).where(model.id.in_(opened))
        if not found and len(uow.session.scalars(there).all()) < len(opened):
            found.append(str(_l("households that were taken out of the register, or moved, since")))
    return found
