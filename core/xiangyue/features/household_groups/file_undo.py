"""An import of ten-household groups taken back. Its records are asked about some at a time, the last ids first, while a
change of groups is about many households, wherever these stand in the file: it goes back as a whole with the first of
them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.features.grids.codes import find_by_code
from xiangyue.features.grids.file_reason import said_by_import
from xiangyue.features.household_groups import service, service_heads
from xiangyue.features.household_groups.models import HouseholdGroup, HouseholdGroupChange, HouseholdGroupHead
from xiangyue.features.household_groups.undoing import built_on
from xiangyue.i18n import gettext as _
from xiangyue.i18n import join_words
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.registers import RegisterChange


def _is_moved(change: RegisterChange) -> bool:
    """Whether the import put the household into another group."""
    before = change.before or {}
    return any(before.get(name) != change.after.get(name) for name in ("grid_code", "group_name"))


def _has_new_head(change: RegisterChange) -> bool:
    return "group_head" in change.after and (change.before or {}).get("group_head") != change.after["group_head"]


#: The newest membership of a household: its group, the change by which it is there, grid and name of the group
#: when the household came.
_NEWEST = """
SELECT m.group_id, m.opened_by, v.grid_id, v.name
  FROM household_group_member m
  JOIN household_group_version v ON v.group_id = m.group_id AND v.valid_from <= m.valid_from
       AND (v.valid_to IS NULL OR v.valid_to > m.valid_from)
 WHERE {tenant:m} AND {tenant:v} AND m.household_id = :household AND m.valid_to IS NULL
"""
#: Whether a change that was about a household was taken back in this transaction.
_BACK = """
SELECT 1 FROM household_group_change c
 WHERE {tenant:c} AND c.state = 'undone' AND c.updated_at = now()
   AND c.rows->'households' @> to_jsonb(CAST(:household AS bigint)) LIMIT 1
"""
_NAMED = """
SELECT v.group_id FROM household_group_version v
 WHERE {tenant:v} AND v.grid_id = :grid AND v.name = :name AND v.valid_to IS NULL
"""


@dataclass(slots=True)
class Moved:
    """How an imported household stands now. ``change``: of the import, by which it is where that wanted it; ``back``:
    it went back just now with another household of its change."""

    group: int | None = None
    change: HouseholdGroupChange | None = None
    back: bool = False


def _moved(uow: Uow, change: RegisterChange) -> Moved:
    rows = scoped_rows(uow.session, _NEWEST, {"household": change.record})
    group, by, grid, name = rows[0] if rows else (None, None, None, None)
    if not _is_moved(change):
        return Moved(group)
    wanted = {"grid": find_by_code(uow, str(change.after["grid_code"])), "name": change.after["group_name"]}
    if group is not None and {"grid": grid, "name": name} == wanted:
        made = uow.session.scalars(select(HouseholdGroupChange).where(HouseholdGroupChange.id == by)).one_or_none()
        if made is not None and said_by_import(made.reason):
            return Moved(group, made)
    if scoped_rows(uow.session, _BACK, {"household": change.record}):
        target = scoped_rows(uow.session, _NAMED, wanted)
        return Moved(target[0][0] if target else None, back=True)
    return Moved()


def _head(uow: Uow, group_id: int, name: str) -> HouseholdGroupHead | None:
    """The head of a group from the newest day on, if of that name and not ended."""
    newest = (
        select(HouseholdGroupHead)
        .where(HouseholdGroupHead.group_id == group_id)
        .order_by(HouseholdGroupHead.valid_from.desc())
        .limit(1)
    )
    head = uow.session.scalars(newest).one_or_none()
    return head if head is not None and head.name == name and head.valid_to is None else None


def built(uow: Uow, changes: Sequence[RegisterChange]) -> Mapping[int, Any]:
    """Households that were put into another group, groups with another head, and what was built on a change."""
    reasons: dict[int, Any] = {}
    against: dict[int, list[str]] = {}
    for change in changes:
        found = _moved(uow, change)
        made = found.change
        if found.group is None and not found.back:
            reasons[change.record] = _l("The household was put into another group, or left its group, since.")
        elif _has_new_head(change) and found.group and _head(uow, found.group, change.after["group_head"]) is None:
            reasons[change.record] = _l("The group has another head since.")
        elif made is not None:
            if made.id not in against:
                with uow.tenant_wide(service.WIDE):
                    against[made.id] = built_on(uow, made, alone=False)
            if against[made.id]:
                reasons[change.record] = join_words(against[made.id], "; ")
    return reasons


def undo(uow: Uow, changes: Sequence[RegisterChange]) -> None:
    """Heads go back, then the changes of groups, the last first."""
    why = _("The import was undone")
    made: dict[int, HouseholdGroupChange] = {}
    for change in changes:
        found = _moved(uow, change)
        if _has_new_head(change) and found.group and (head := _head(uow, found.group, change.after["group_head"])):
            service_heads.withdraw_head(uow, head_id=head.id, reason=why)
        if found.change is not None:
            made[found.change.id] = found.change
    for id in sorted(made, reverse=True):
        _take_back(uow, made[id], why)


def _take_back(uow: Uow, change: HouseholdGroupChange, why: str) -> None:
    """A change with what the same import did after it, whose households may be asked about later; heads that it named
    go with the groups that it made."""
    same = select(HouseholdGroupChange).where(
        HouseholdGroupChange.area_code == change.area_code, HouseholdGroupChange.created_at == change.created_at,
        HouseholdGroupChange.state == "done", HouseholdGroupChange.kind.not_in(("follow", "explain")),
        HouseholdGroupChange.id >= change.id,
    )  # fmt: skip
    for one in uow.session.scalars(same.order_by(HouseholdGroupChange.id.desc())).all():
        made = select(HouseholdGroup.id).where(HouseholdGroup.opened_by == one.id)
        heads = select(HouseholdGroupHead).where(
            HouseholdGroupHead.group_id.in_(made), HouseholdGroupHead.created_at == change.created_at
        )
        for head in uow.session.scalars(heads.order_by(HouseholdGroupHead.valid_from.desc())).all():
            service_heads.withdraw_head(uow, head_id=head.id, reason=why)
        service.undo_change(uow, change_id=one.id, version=one.version, reason=why)
