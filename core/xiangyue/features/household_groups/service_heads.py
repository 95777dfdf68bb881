"""Heads of groups, the county's size, and lists that leave the house. Nothing here commits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import or_, select

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit
from xiangyue.access.models import Account
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Forbidden, Invalid, Stale
from xiangyue.features.grids.rules import put_setting
from xiangyue.features.household_groups import queries
from xiangyue.features.household_groups.models import HouseholdGroup, HouseholdGroupHead
from xiangyue.features.household_groups.policy import GROUP_EDIT, GROUP_EXPORT, GROUP_SETTINGS, SETTING, GroupSize
from xiangyue.features.household_groups.service import check_day
from xiangyue.features.household_groups.sizes import checked_size
from xiangyue.features.households.models import Person
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.dispatch import publish

EXPORT_LIMIT = 50_000


@acts(GROUP_EDIT)
def name_head(uow: Uow, *, group_id: int, person_id: int, valid_from: date, login: str = "") -> HouseholdGroupHead:
    """Somebody who lives in one of the group's households is its head from a day on; the one before is so until then.

    ``login``: of the account by which the head signs in, "" without one. Raises NotFound; Invalid (``person_id`` who
    does not live there or has died, ``login``, ``valid_from`` before the present head's day).
    """
    group = uow.get_for_update(HouseholdGroup, group_id)
    person = uow.get(Person, person_id)
    errors: dict[str, list[Any]] = {}
    check_day(valid_from, "valid_from")
    if person.state != "active" or not queries.lives_there(uow, group_id, person_id, valid_from):
        errors["person_id"] = [_l("%(name)s does not live in a household of this group on that day.", name=person.name)]
    account = None
    if login.strip():
        account = uow.session.scalars(
            select(Account).where(Account.login == login.strip().lower(), Account.state == "active")
        ).one_or_none()
        if account is None:
            errors["login"] = [_l("There is no account with this login. Leave it empty: the village then answers calls"
                                  " in the head's place.")]  # fmt: skip
    later = select(HouseholdGroupHead).where(
        HouseholdGroupHead.group_id == group_id,
        or_(HouseholdGroupHead.valid_to.is_(None), HouseholdGroupHead.valid_to > valid_from),
    )
    before = list(uow.session.scalars(later))
    if any(row.valid_from >= valid_from for row in before) or len(before) > 1:
        day = max(row.valid_from for row in before)
        errors["valid_from"] = [_l("Choose a day after %(day)s, when the present head began.", day=day.isoformat())]
    if errors:
        raise Invalid(errors)
    for row in before:
        row.valid_to, row.ended_reason = valid_from, ""
        row.version += 1
    uow.session.flush()
    head = HouseholdGroupHead(
        group_id=group_id, area_code=group.area_code, person_id=person.id, name=person.name, valid_from=valid_from,
        account_id=account.id if account is not None else None, version=1,
    )  # fmt: skip
    uow.session.add(head)
    uow.session.flush()
    audit(uow, action="household_group.head", obj=head, label=person.name, after={"on": valid_from})
    publish(uow, "household_group_happened", group_id=group_id, change_id=0, action="household_group.head")
    return head


@acts(GROUP_EDIT)
def end_head(uow: Uow, *, head_id: int, version: int, on: date, reason: str) -> HouseholdGroupHead:
    """Somebody is no longer the head. Raises NotFound, Stale, Conflict (ended already), Invalid."""
    head = uow.get_for_update(HouseholdGroupHead, head_id)
    if head.version != version:
        raise Stale(_l("Somebody else has saved this in the meantime."), theirs={"version": head.version})
    if head.valid_to is not None:
        raise Conflict(_l("This has ended already."))
    if on <= head.valid_from:
        raise Invalid({"on": [_l("Choose a day after %(day)s, when it began.", day=head.valid_from.isoformat())]})
    if not reason.strip() or len(reason.strip()) > 200:
        raise Invalid({"reason": [_l("Give a reason of at most %(n)d characters.", n=200)]})
    head.valid_to, head.ended_reason = on, reason.strip()
    head.version += 1
    uow.session.flush()
    audit(uow, action="household_group.end_head", obj=head, label=head.name,
          after={"on": on, "reason": head.ended_reason})  # fmt: skip
    publish(uow, "household_group_happened", group_id=head.group_id, change_id=0, action="household_group.end_head")
    return head


@acts(GROUP_EDIT)
def withdraw_head(uow: Uow, *, head_id: int, reason: str) -> None:
    """As if somebody had never been named: the one before is the head again. Raises NotFound, Conflict when the head
    has ended or another followed."""
    head = uow.get_for_update(HouseholdGroupHead, head_id)
    if head.valid_to is not None:
        raise Conflict(_l("This has ended already."))
    group_id, first = head.group_id, head.valid_from
    audit(uow, action="household_group.end_head", obj=head, label=head.name, after={"on": first, "reason": reason})
    uow.session.delete(head)
    uow.session.flush()
    before = select(HouseholdGroupHead).where(
        HouseholdGroupHead.group_id == group_id, HouseholdGroupHead.valid_to == first,
        HouseholdGroupHead.ended_reason == "",
    )  # fmt: skip
    for row in uow.session.scalars(before).all():
        row.valid_to = None
        row.version += 1
    uow.session.flush()
    publish(uow, "household_group_happened", group_id=group_id, change_id=0, action="household_group.end_head")


@acts(GROUP_SETTINGS)
def set_size(uow: Uow, *, values: Mapping[str, Any]) -> GroupSize:
    """How large a group should be. Raises Invalid by field, Forbidden without the right in the whole county."""
    if uow.scope.ranges is not None:
        raise Forbidden(_l("Settings hold for the whole county: you need the right for the whole county."))
    size = checked_size(values)
    put_setting(uow, SETTING, size.plain())
    uow.session.flush()
    return size


@acts(GROUP_EXPORT)
def note_export(
    uow: Uow, *, number: str, purpose: str, rows: int, columns: Sequence[str], conditions: Mapping[str, Any], on: date,
    area: int,
) -> None:  # fmt: skip
    """Put it into the audit trail; ``number`` stands on the file."""
    after = {"rows": rows, "columns": list(columns), "filters": dict(conditions), "on": on, "number": number}
    audit(uow, action="household_group.export", object_type="household_group", label=number, area_code=area,
          after=after, purpose=purpose)  # fmt: skip
