"""Writes on villager groups; towns and villages come from the operator."""

from __future__ import annotations

from sqlalchemy import func, select

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Invalid, NotFound, Stale
from xiangyue.features.areas import policy, queries
from xiangyue.features.areas.groups import LAST_NUMBER, group_name, new_group
from xiangyue.features.areas.models import GROUP, VILLAGE, Area
from xiangyue.features.households.models import Household
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.text.folding import squeeze
from xiangyue.text.pinyin import sort_key

NAME_LENGTH = 30


@acts(policy.AREA_EDIT)
def add_group(uow: Uow, *, village: int, number: int | None, name: str = "") -> Area:
    """A villager group of a village (15-digit code). ``number`` 1–999; its name is the number's unless one is given.

    Sent twice, it is the same group. Raises Invalid (number, name), NotFound for a village outside my area.
    """
    area = queries.find_area(uow, village)
    if area.level != VILLAGE:
        raise NotFound(queries.NO_AREA)
    if number is None or not 1 <= number <= LAST_NUMBER:
        raise Invalid({"number": [_l("Enter a number from 1 to 999.")]})
    label = _name(name) if name.strip() else group_name(number)
    code = village + number
    standing = uow.session.scalars(select(Area).where(Area.area_code == code)).one_or_none()
    if standing is not None:
        if standing.name == label and standing.active:
            return standing
        raise Invalid(
            {"number": [_l("The village has a group %(number)s already: %(name)s.", number=number, name=standing.name)]}
        )
    _check_free(uow, village, label, code)
    group = new_group(code, label)
    uow.session.add(group)
    audit(uow, action="area.add", obj=group, label=label, after={"name": label, "code": code})
    return group


@acts(policy.AREA_EDIT)
def rename_group(uow: Uow, *, code: int, name: str, version: int) -> Area:
    """Another name for a group. Raises Invalid (name), Stale when somebody changed it since."""
    group = _group(uow, code, version)
    label = _name(name)
    if label == group.name:
        return group
    _check_free(uow, group.parent_code, label, code)
    audit(uow, action="area.edit", obj=group, label=label, before={"name": group.name}, after={"name": label})
    group.name = group.official_name = label
    group.sort_key = sort_key(label, person=False)
    group.version += 1
    uow.session.flush()
    return group


@acts(policy.AREA_EDIT)
def retire_group(uow: Uow, *, code: int, reason: str, version: int) -> Area:
    """Take a group without households out of use. Raises Invalid (reason), Conflict while households are in it."""
    group = _group(uow, code, version)
    if not group.active:
        return group
    if not reason.strip():
        raise Invalid({"reason": [_l("Say why, for those who look at it later.")]})
    in_it = uow.session.scalar(select(func.count()).select_from(Household).where(Household.area_code == code)) or 0
    if in_it:
        raise Conflict(
            _l(
                "%(name)s still has %(n)s households, closed ones included. Move them to another group first.",
                name=group.name,
                n=in_it,
            )
        )
    return _set_active(uow, group, False, reason.strip())


@acts(policy.AREA_EDIT)
def restore_group(uow: Uow, *, code: int, version: int) -> Area:
    """A retired group in use again."""
    group = _group(uow, code, version)
    return group if group.active else _set_active(uow, group, True, "")


def _set_active(uow: Uow, group: Area, active: bool, reason: str) -> Area:
    audit(
        uow,
        action="area.restore" if active else "area.retire",
        obj=group,
        label=group.name,
        before={"active": group.active},
        after={"active": active},
        purpose=reason,
    )
    group.active = active
    group.version += 1
    uow.session.flush()
    return group


def _group(uow: Uow, code: int, version: int) -> Area:
    area = queries.find_area(uow, code)
    if area.level != GROUP:
        raise Conflict(_l("Towns and villages come from the operator of this service; only groups are changed here."))
    group = uow.get_for_update(Area, area.id)
    if group.version != version:
        raise Stale(_l("Somebody changed this group in between."), theirs={"name": group.name, "active": group.active})
    return group


def _name(name: str) -> str:
    label = squeeze(name)
    if not label or len(label) > NAME_LENGTH:
        raise Invalid({"name": [_l("Enter a name of at most 30 characters.")]})
    return label


def _check_free(uow: Uow, village: int, name: str, code: int) -> None:
    same = select(Area.id).where(
        Area.parent_code == village, Area.name == name, Area.active.is_(True), Area.area_code != code
    )
    if uow.session.scalars(same).first() is not None:
        raise Invalid({"name": [_l("The village has a group of this name already.")]})
