"""Rows of one change of groups: what is opened, ended and taken away is remembered, to be put back exactly."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from sqlalchemy import inspect, or_, select
from sqlalchemy.orm import Mapper

from xiangyue.access.audit import audit
from xiangyue.db.base import Json
from xiangyue.db.uow import Uow
from xiangyue.features.household_groups.models import (
    HouseholdGroup,
    HouseholdGroupChange,
    HouseholdGroupMember,
    HouseholdGroupVersion,
)
from xiangyue.features.households.models import Household
from xiangyue.plugin.dispatch import publish
from xiangyue.text.pinyin import sort_key

Row = HouseholdGroupVersion | HouseholdGroupMember
Rows = type[HouseholdGroupVersion] | type[HouseholdGroupMember]
One = TypeVar("One", HouseholdGroupVersion, HouseholdGroupMember)
KEYS: Sequence[tuple[str, Rows]] = (("versions", HouseholdGroupVersion), ("members", HouseholdGroupMember))


def nothing() -> Json:
    """``opened``: ids; ``ended``: [id, valid_to before, ended_by before]; ``removed``: whole rows."""
    return {"opened": [], "ended": [], "removed": []}


class Work:
    """One change in the making. The caller is inside ``tenant_wide`` and has locked the village."""

    def __init__(
        self, uow: Uow, kind: str, village: int, on: date, *, reason: str = "", grid_change_id: int | None = None
    ) -> None:
        self.uow, self.on = uow, on
        self.kept: dict[str, Json] = {"versions": nothing(), "members": nothing()}
        self.groups: set[int] = set()
        self.households: set[int] = set()
        self.change = HouseholdGroupChange(
            kind=kind, area_code=village, on_date=on, reason=reason, grid_change_id=grid_change_id, version=1,
            state="done", account_id=uow.actor.account_id, by_name=uow.actor.name or uow.actor.login,
        )  # fmt: skip
        uow.session.add(self.change)
        uow.session.flush()

    def make(self, area_code: int) -> int:
        """A new group without a version yet."""
        group = HouseholdGroup(area_code=area_code, opened_by=self.change.id, version=1)
        self.uow.session.add(group)
        self.uow.session.flush()
        return group.id

    def open_version(
        self, group_id: int, grid_id: int, name: str, area_code: int, first: date, last: date | None = None,
        ended_by: int | None = None,
    ) -> HouseholdGroupVersion:  # fmt: skip
        row = HouseholdGroupVersion(
            group_id=group_id, grid_id=grid_id, name=name, sort_key=sort_key(name, person=False), area_code=area_code,
            valid_from=first, valid_to=last, opened_by=self.change.id, ended_by=ended_by,
        )  # fmt: skip
        return self._opened(row, "versions")

    def open_members(self, group_id: int, household_ids: Collection[int], first: date) -> None:
        areas = select(Household.id, Household.area_code).where(Household.id.in_(list(household_ids)))
        for id, area in self.uow.session.execute(areas.order_by(Household.id)).all():
            row = HouseholdGroupMember(
                household_id=id, group_id=group_id, area_code=area, valid_from=first, opened_by=self.change.id
            )
            self._opened(row, "members")

    def _opened(self, row: One, key: str) -> One:
        self.uow.session.add(row)
        self.uow.session.flush()
        self.kept[key]["opened"].append(row.id)
        self._touch(row)
        return row

    def end(self, row: Row, on: date) -> None:
        """The row ends on that day; one that would hold no day is taken away."""
        kept = self.kept["versions" if isinstance(row, HouseholdGroupVersion) else "members"]
        self._touch(row)
        if row.valid_from >= on:
            if row.opened_by == self.change.id:
                kept["opened"].remove(row.id)
            else:
                kept["removed"].append(plain_row(row))
            self.uow.session.delete(row)
        else:
            kept["ended"].append([row.id, row.valid_to and row.valid_to.isoformat(), row.ended_by])
            row.valid_to, row.ended_by = on, self.change.id
        self.uow.session.flush()

    def _touch(self, row: Row) -> None:
        self.groups.add(row.group_id)
        if isinstance(row, HouseholdGroupMember):
            self.households.add(row.household_id)

    def finish(self, label: str = "", **told: Any) -> HouseholdGroupChange:
        """Write down what was done; plugins are told."""
        self.change.rows = {**self.kept, "groups": sorted(self.groups), "households": sorted(self.households)}
        refresh(self.uow, self.groups)
        self.uow.session.flush()
        note(self.uow, self.change, f"household_group.{self.change.kind}", label=label, groups=len(self.groups),
             households=len(self.households), **told)  # fmt: skip
        return self.change


def note(uow: Uow, change: HouseholdGroupChange, action: str, *, label: str = "", **told: Any) -> None:
    """The audit entry of a change, and word to plugins."""
    reason = change.undone_reason if change.state == "undone" else change.reason
    after = {"on": change.on_date, "reason": reason, **told}
    audit(uow, action=action, obj=change, label=label, after={k: v for k, v in after.items() if v})
    for group_id in change.rows.get("groups", ()):
        publish(uow, "household_group_happened", group_id=group_id, change_id=change.id, action=action)


def refresh(uow: Uow, group_ids: Collection[int]) -> None:
    """``HouseholdGroup.area_code`` is that of the newest version; brings the version number on."""
    newest = select(HouseholdGroupVersion.group_id, HouseholdGroupVersion.area_code).where(
        HouseholdGroupVersion.group_id.in_(list(group_ids))
    )
    areas = {row.group_id: row.area_code for row in
             uow.session.execute(newest.order_by(HouseholdGroupVersion.valid_from))}  # fmt: skip
    groups = select(HouseholdGroup).where(HouseholdGroup.id.in_(list(group_ids))).order_by(HouseholdGroup.id)
    for group in uow.session.scalars(groups):
        group.area_code = areas.get(group.id, group.area_code)
        group.version += 1
    uow.session.flush()


def plain_row(row: Row) -> Json:
    """All columns of a row as JSON."""
    mapper: Mapper[Any] = inspect(type(row))
    found = {c.key: getattr(row, c.key) for c in mapper.column_attrs if c.key != "tenant_id"}
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in found.items()}


def _again(model: Rows, kept: Json) -> Row:
    days = ("valid_from", "valid_to")
    return model(**{name: date.fromisoformat(v) if name in days and v else v for name, v in kept.items()})


def put_back(uow: Uow, change: HouseholdGroupChange, reason: str) -> None:
    """Rows as they were before the change, as far as nothing else stands in their place since."""
    for key, model in KEYS:
        kept = change.rows[key]
        opened: list[Row] = list(uow.session.scalars(select(model).where(model.id.in_(kept["opened"]))))
        for row in opened:
            uow.session.delete(row)
        uow.session.flush()
        before = {id: (valid_to, ended_by) for id, valid_to, ended_by in kept["ended"]}
        ended: list[Row] = list(uow.session.scalars(select(model).where(model.id.in_(list(before)))))
        for row in ended:
            if row.ended_by != change.id:
                continue
            until, by = before[row.id]
            last = date.fromisoformat(until) if until else None
            if not _taken(uow, row, row.valid_to or date.max, last):
                row.valid_to, row.ended_by = last, by
                uow.session.flush()
        for plain in kept["removed"]:
            row = _again(model, plain)
            if not _taken(uow, row, row.valid_from, row.valid_to):
                uow.session.add(row)
                uow.session.flush()
    change.state, change.undone_reason, change.undone_at = "undone", reason, datetime.now(UTC)
    change.undone_by_name = uow.actor.name or uow.actor.login
    change.version += 1
    uow.session.flush()
    refresh(uow, change.rows["groups"])


def _taken(uow: Uow, row: Row, first: date, last: date | None) -> bool:
    """Whether another row of the same household (group) stands between these days."""
    if isinstance(row, HouseholdGroupMember):
        model: Rows = HouseholdGroupMember
        same = HouseholdGroupMember.household_id == row.household_id
    else:
        model = HouseholdGroupVersion
        same = HouseholdGroupVersion.group_id == row.group_id
    there = select(model.id).where(same, or_(model.valid_to.is_(None), model.valid_to > first))
    if row.id is not None:
        there = there.where(model.id != row.id)
    if last is not None:
        there = there.where(model.valid_from < last)
    return uow.session.scalars(there.limit(1)).one_or_none() is not None
