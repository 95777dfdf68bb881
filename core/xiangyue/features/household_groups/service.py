"""Changes of groups. Nothing here commits.

``on`` may lie in the past or up to a year ahead, but not before a change of the same groups or households.
``size_reason``: why a group is larger or smaller than the county says; asked for only where it is, and never blocks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

from sqlalchemy import or_, select

from xiangyue.access.acts import acts
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Invalid, Stale
from xiangyue.features.grids.models import Grid, GridHousehold
from xiangyue.features.grids.standing import lock_village, village_of
from xiangyue.features.household_groups.following import leaf_area, settle
from xiangyue.features.household_groups.models import (
    HouseholdGroup,
    HouseholdGroupChange,
    HouseholdGroupMember,
    HouseholdGroupVersion,
)
from xiangyue.features.household_groups.policy import GROUP_EDIT
from xiangyue.features.household_groups.sizes import REASON_LENGTH, group_size, need_reason
from xiangyue.features.household_groups.undoing import built_on, followed
from xiangyue.features.household_groups.writing import Work, note, put_back
from xiangyue.features.households.person_input import today
from xiangyue.i18n import join_words
from xiangyue.i18n import lazy_gettext as _l

AHEAD = 366
EARLIEST = date(1990, 1, 1)
NAME_LENGTH = 40
WIDE = "the groups of a village are one thing, whoever may change part of it"


@acts(GROUP_EDIT)
def create_groups(
    uow: Uow, *, grid_id: int, on: date, parts: Sequence[Mapping[str, Any]], reason: str = "", size_reason: str = ""
) -> HouseholdGroupChange:
    """New groups (``parts``: ``name``, ``household_ids``) of households of one leaf grid, which leave the groups they
    were in. Raises NotFound, Invalid by field, ReasonNeeded."""
    grid = uow.get(Grid, grid_id)
    given = [(_name(str(part.get("name") or "")), [int(h) for h in part.get("household_ids") or ()]) for part in parts]
    if not given:
        raise Invalid({"parts": [_l("Say which households make a group.")]})
    everyone = [h for _name_, ids in given for h in ids]
    if len(set(everyone)) < len(everyone):
        raise Invalid({"parts": [_l("A household stands in two groups.")]})
    with _village(uow, grid.area_code, on):
        area = _leaf(uow, grid_id, on)
        _lie_in(uow, grid_id, everyone, on)
        why, out = need_reason({name: len(ids) for name, ids in given}, group_size(uow), size_reason)
        _refuse_later(uow, on, (), everyone)
        work = Work(uow, "create" if len(given) == 1 else "divide", village_of(area), on, reason=_reason(reason))
        work.change.size_reason, work.change.sizes = why, _told(uow, out)
        _leave(uow, work, everyone, on)
        made = []
        for name, ids in given:
            group = work.make(area)
            work.open_version(group, grid_id, name, area, on)
            work.open_members(group, ids, on)
            made.append(group)
        work.change.sizes = {**work.change.sizes, "groups": [id for id, (name, _ids) in zip(made, given, strict=True)
                                                             if name in out]} if out else {}  # fmt: skip
        change = work.finish(given[0][0], size_reason=why)
        settle(uow, work.groups, on, change.area_code, None)
    return change


@acts(GROUP_EDIT)
def set_members(
    uow: Uow, *, group_id: int, version: int, household_ids: Collection[int], on: date, reason: str = "",
    size_reason: str = "",
) -> HouseholdGroupChange:  # fmt: skip
    """From a day on the group has exactly these households of its grid; who comes leaves the group it was in. Raises
    NotFound, Stale, Invalid, ReasonNeeded."""
    group = _group(uow, group_id, version)
    wanted = set(household_ids)
    with _village(uow, group.area_code, on):
        stands = _standing(uow, group_id, on)
        _lie_in(uow, stands.grid_id, wanted, on)
        now = {row.household_id: row for row in _members(uow, group_id, on)}
        gone, come = set(now) - wanted, wanted - set(now)
        if not gone and not come:
            raise Invalid({"household_ids": [_l("This changes nothing.")]})
        why, out = need_reason({stands.name: len(wanted)}, group_size(uow), size_reason)
        _refuse_later(uow, on, [group_id], [*gone, *come])
        work = Work(uow, "members", village_of(group.area_code), on, reason=_reason(reason))
        work.change.size_reason = why
        work.change.sizes = {**_told(uow, out), "groups": [group_id]} if out else {}
        for household in sorted(gone):
            work.end(now[household], on)
        _leave(uow, work, come, on)
        work.open_members(group_id, come, on)
        change = work.finish(stands.name, size_reason=why)
        settle(uow, work.groups, on, change.area_code, None)
    return change


@acts(GROUP_EDIT)
def rename_group(
    uow: Uow, *, group_id: int, version: int, name: str, on: date, reason: str = ""
) -> HouseholdGroupChange:
    """Another name from a day on. Raises NotFound, Stale, Invalid."""
    group, name = _group(uow, group_id, version), _name(name)
    with _village(uow, group.area_code, on):
        row = _standing(uow, group_id, on)
        if row.name == name:
            raise Invalid({"name": [_l("This changes nothing.")]})
        _refuse_later(uow, on, [group_id], ())
        work = Work(uow, "rename", village_of(group.area_code), on, reason=_reason(reason))
        grid, area = row.grid_id, row.area_code
        work.end(row, on)
        work.open_version(group_id, grid, name, area, on)
        return work.finish(name)


@acts(GROUP_EDIT)
def close_group(uow: Uow, *, group_id: int, version: int, on: date, reason: str) -> HouseholdGroupChange:
    """The group ends; its households are in none. Raises NotFound, Stale, Invalid."""
    group = _group(uow, group_id, version)
    if not reason.strip():
        raise Invalid({"reason": [_l("Say why.")]})
    with _village(uow, group.area_code, on):
        row = _standing(uow, group_id, on)
        _refuse_later(uow, on, [group_id], ())
        work = Work(uow, "close", village_of(group.area_code), on, reason=_reason(reason))
        for member in _members(uow, group_id, on):
            work.end(member, on)
        name = row.name
        work.end(row, on)
        return work.finish(name)


@acts(GROUP_EDIT)
def explain_size(uow: Uow, *, group_id: int, reason: str) -> HouseholdGroupChange:
    """Why a group is outside the county's size today, given afterwards: grids or the register made it so. Raises
    NotFound, Invalid, Conflict when it is within."""
    group = uow.get(HouseholdGroup, group_id)
    if not reason.strip():
        raise Invalid({"reason": [_l("Say why.")]})
    with _village(uow, group.area_code, today()):
        row = _standing(uow, group_id, today())
        number, rule = len(_members(uow, group_id, today())), group_size(uow)
        if rule.fits(number):
            raise Conflict(_l("This group is within the county's size."))
        work = Work(uow, "explain", village_of(group.area_code), today())
        work.change.size_reason = _reason(reason)
        work.change.sizes = {**_told(uow, {row.name: number}), "groups": [group_id]}
        work.groups.add(group_id)
        return work.finish(row.name, size_reason=work.change.size_reason)


@acts(GROUP_EDIT)
def undo_change(uow: Uow, *, change_id: int, version: int, reason: str) -> HouseholdGroupChange:
    """Take a change back, exactly; it stays in the history as undone. Raises NotFound, Stale, Invalid (reason),
    Conflict with what was built on it."""
    change = uow.get(HouseholdGroupChange, change_id)
    if not reason.strip():
        raise Invalid({"reason": [_l("Say why.")]})
    with _village(uow, change.area_code, change.on_date):
        change = uow.get_for_update(HouseholdGroupChange, change_id)
        if change.version != version:
            raise Stale(_l("Somebody else has saved this in the meantime."), theirs={"state": change.state})
        if change.state != "done":
            raise Conflict(_l("This has been undone already."))
        if change.kind == "follow":
            raise Conflict(_l("This followed from a change of grids: undo that one instead."))
        against = built_on(uow, change)
        if against:
            raise Conflict(
                _l(
                    "This can no longer be undone, for something was built on it: %(what)s.",
                    what=join_words(against, "; "),
                ),
                built_on=against,
            )
        why, groups = _reason(reason), set(change.rows["groups"])
        for one in followed(uow, change):
            put_back(uow, one, why)
            note(uow, one, "household_group.undo")
            groups |= set(one.rows["groups"])
        put_back(uow, change, why)
        note(uow, change, "household_group.undo")
        settle(uow, groups, change.on_date, change.area_code, None)
    return change


def check_day(on: date, field: str = "on") -> None:
    """Raises Invalid for a day on which nothing is changed."""
    if not EARLIEST <= on <= today() + timedelta(AHEAD):
        raise Invalid({field: [_l("Choose a day from 1990 on and at most a year ahead.")]})


@contextmanager
def _village(uow: Uow, area_code: int, on: date) -> Iterator[None]:
    """The whole village, locked; the day may be one on which something is changed."""
    check_day(on)
    with uow.tenant_wide(WIDE):
        lock_village(uow, village_of(area_code))
        yield


def _group(uow: Uow, group_id: int, version: int) -> HouseholdGroup:
    group = uow.get(HouseholdGroup, group_id)
    with uow.tenant_wide(WIDE):
        lock_village(uow, village_of(group.area_code))
    group = uow.get_for_update(HouseholdGroup, group_id)
    if group.version != version:
        raise Stale(_l("Somebody else has saved this in the meantime."), theirs={"version": group.version})
    return group


def _leaf(uow: Uow, grid_id: int, on: date) -> int:
    area = leaf_area(uow, grid_id, on)
    if area is None:
        raise Invalid({"grid_id": [_l("Households lie in this grid on no account on that day: choose one without others"
                                      " below it, and a day on which it stands.")]})  # fmt: skip
    return area


def _standing(uow: Uow, group_id: int, on: date) -> HouseholdGroupVersion:
    row = uow.session.scalars(
        select(HouseholdGroupVersion).where(
            HouseholdGroupVersion.group_id == group_id, HouseholdGroupVersion.valid_from <= on,
            or_(HouseholdGroupVersion.valid_to.is_(None), HouseholdGroupVersion.valid_to > on),
        )
    ).one_or_none()  # fmt: skip
    if row is None:
        raise Invalid({"on": [_l("This group does not stand on that day.")]})
    return row


def _members(uow: Uow, group_id: int, on: date) -> list[HouseholdGroupMember]:
    rows = select(HouseholdGroupMember).where(
        HouseholdGroupMember.group_id == group_id, HouseholdGroupMember.valid_from <= on,
        or_(HouseholdGroupMember.valid_to.is_(None), HouseholdGroupMember.valid_to > on),
    )  # fmt: skip
    return list(uow.session.scalars(rows.order_by(HouseholdGroupMember.id)))


def _lie_in(uow: Uow, grid_id: int, household_ids: Collection[int], on: date) -> None:
    if not household_ids:
        raise Invalid({"household_ids": [_l("Choose the households.")]})
    lie = select(GridHousehold.household_id).where(
        GridHousehold.grid_id == grid_id, GridHousehold.household_id.in_(list(household_ids)),
        GridHousehold.valid_from <= on, or_(GridHousehold.valid_to.is_(None), GridHousehold.valid_to > on),
    )  # fmt: skip
    missing = set(household_ids) - set(uow.session.scalars(lie))
    if missing:
        text = _l("%(n)d of the households do not lie in this grid on that day. A group lies within one grid.",
                  n=len(missing))  # fmt: skip
        raise Invalid({"household_ids": [text]}, household_ids=sorted(missing)[:200])


def _leave(uow: Uow, work: Work, household_ids: Collection[int], on: date) -> None:
    """These households leave the groups they are in."""
    rows = select(HouseholdGroupMember).where(
        HouseholdGroupMember.household_id.in_(list(household_ids)), HouseholdGroupMember.valid_from <= on,
        or_(HouseholdGroupMember.valid_to.is_(None), HouseholdGroupMember.valid_to > on),
    )  # fmt: skip
    for row in uow.session.scalars(rows.order_by(HouseholdGroupMember.id)).all():
        work.end(row, on)


def _refuse_later(uow: Uow, on: date, group_ids: Collection[int], household_ids: Collection[int]) -> None:
    """Raises Invalid (``on``) when something of these stands from a later day on, or ends on one."""
    later: list[date] = []
    for model, whose in (
        (HouseholdGroupVersion, HouseholdGroupVersion.group_id.in_(list(group_ids))),
        (HouseholdGroupMember, HouseholdGroupMember.group_id.in_(list(group_ids))),
        (HouseholdGroupMember, HouseholdGroupMember.household_id.in_(list(household_ids))),
    ):
        rows = select(model.valid_from, model.valid_to).where(
            whose, or_(model.valid_from > on, model.valid_to > on)
        )  # fmt: skip
        later += [day for row in uow.session.execute(rows) for day in row if day is not None and day > on]
    if later:
        raise Invalid({"on": [_l("A change of %(day)s stands against it. Choose that day or a later one, or undo that"
                                 " change first.", day=max(later).isoformat())]})  # fmt: skip


def _told(uow: Uow, out: Mapping[str, int]) -> dict[str, Any]:
    return {"households": dict(out), "rule": group_size(uow).plain()} if out else {}


def _name(name: str) -> str:
    text = " ".join(name.split())
    if not text or len(text) > NAME_LENGTH:
        raise Invalid({"name": [_l("Give a name of at most %(n)d characters.", n=NAME_LENGTH)]})
    return text


def _reason(reason: str) -> str:
    text = reason.strip()
    if len(text) > REASON_LENGTH:
        raise Invalid({"reason": [_l("At most %(n)d characters.", n=REASON_LENGTH)]})
    return text
