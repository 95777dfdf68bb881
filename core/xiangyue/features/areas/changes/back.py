"""Taking a change back: exactly, as long as nothing was built on it; else it says what stands in the way."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import and_, delete, func, select, update
from sqlalchemy.orm import aliased

from xiangyue.access.audit import audit
from xiangyue.access.models import Account, RoleGrant
from xiangyue.db.scope import Scope
from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict
from xiangyue.features.areas.changes import following, tables
from xiangyue.features.areas.changes.dry_run import WHY
from xiangyue.features.areas.changes.force import lock_areas
from xiangyue.features.areas.changes.labels import table_label
from xiangyue.features.areas.changes.words import KIND_LABELS
from xiangyue.features.areas.models import Area, AreaChange, AreaChangePart, AreaMove, AreaMovedRow, AreaVersion
from xiangyue.i18n import join_words
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.dispatch import publish

Step = Callable[[int, int], None]

_ELSEWHERE = """
SELECT count(*) FROM area_move m JOIN household h ON h.id = m.household_id
 WHERE {tenant:m} AND {tenant:h} AND m.change_id = :change AND h.area_code <> m.to_code
"""
_CAME_SINCE = """
SELECT count(*) FROM household h WHERE {tenant:h} AND h.area_code = ANY(:made) AND NOT EXISTS (
       SELECT 1 FROM area_move m WHERE {tenant:m} AND m.change_id = :change AND m.household_id = h.id)
"""


@dataclass(slots=True)
class Outlook:
    """What an undo would do, and what stands in the way of it in words; ``later``: changes to undo first."""

    households: int = 0
    persons: int = 0
    against: list[Any] = field(default_factory=list)
    later: list[AreaChange] = field(default_factory=list)

    @property
    def possible(self) -> bool:
        return not self.against and not self.later


def outlook(uow: Uow, change: AreaChange) -> Outlook:
    """Look, without changing anything."""
    with uow.tenant_wide(WHY):
        counts = change.counts
        found = Outlook(
            int(counts.get("households", 0)), int(counts.get("persons", 0)), later=later_changes(uow, change)
        )
        found.against = list(_against(uow, change))
    return found


def later_changes(uow: Uow, change: AreaChange) -> list[AreaChange]:
    """Changes in force, or about to be, that touch an area of this one and came after it."""
    part, own = AreaChangePart, aliased(AreaChangePart)
    same = select(part.id).join(own, and_(own.tenant_id == part.tenant_id, own.area_code == part.area_code))
    same = same.where(own.id == change.id, part.id != change.id)
    later = (
        select(AreaChange)
        .where(AreaChange.id.in_(same), AreaChange.state.in_(("working", "done", "undoing")))
        .order_by(AreaChange.id)
    )
    done_at = change.done_at
    return [
        one for one in uow.session.scalars(later) if one.done_at is None or done_at is None or one.done_at > done_at
    ]


def _against(uow: Uow, change: AreaChange) -> Iterable[Any]:
    made, scope = [int(code) for code in change.changes.get("made", ())], Scope(uow.tenant_id)
    whole = bool(change.changes.get("whole"))
    elsewhere = scoped_rows(uow.session, _ELSEWHERE, {"change": change.id}, scope=scope)[0][0]
    if elsewhere:
        yield _l("%(n)d households that moved have been put elsewhere since", n=elsewhere)
    new = uow.session.scalars(
        select(Area.name).where(Area.parent_code.in_(made), Area.area_code.not_in(made)).order_by(Area.area_code)
    ).all()
    if new:
        yield _l("%(names)s were added to it since", names="、".join(new[:5]))
    retired = uow.session.scalars(select(Area.name).where(Area.area_code.in_(made), Area.active.is_(False))).all()
    if retired:
        yield _l("%(names)s were taken out of use since", names="、".join(retired[:5]))
    if whole or not made:
        return
    came = scoped_rows(uow.session, _CAME_SINCE, {"change": change.id, "made": made}, scope=scope)[0][0]
    if came:
        yield _l("%(n)d households were registered in the new areas since", n=came)
    for table in tables.area_tables(uow):
        if table.links or table.table in tables.SEARCH:
            continue
        rows = tables.count_in(uow, table, made) - _noted(uow, change, table, made)
        if rows > 0:
            yield _l("%(what)s: %(n)d of the new areas", what=table_label(uow, table.name), n=rows)
    given = {code for grant in change.changes.get("grants", ()) for code in grant["to"]}
    grants = select(func.count()).select_from(RoleGrant).where(RoleGrant.area_code.in_(set(made) - given))
    if number := uow.session.scalar(grants):
        yield _l("%(n)d roles were given in the new areas since", n=number)


def _noted(uow: Uow, change: AreaChange, table: tables.AreaTable, made: list[int]) -> int:
    rows = scoped_rows(
        uow.session,
        f"SELECT count(*) FROM area_moved_row r JOIN {table.name} x ON x.id = r.id"  # noqa: S608 - a checked name
        " WHERE {tenant:r} AND {tenant:x} AND r.change_id = :change AND r.table_name = :name"
        " AND x.area_code = ANY(:made)",
        {"change": change.id, "name": table.name, "made": made},
        scope=Scope(uow.tenant_id),
    )
    return int(rows[0][0])


def built_on(found: Outlook) -> Conflict:
    """The error that names what stands in the way."""
    later = [
        _l("%(kind)s of %(day)s", kind=KIND_LABELS[one.kind], day=one.on_date.isoformat()) for one in found.later[:5]
    ]
    words = [str(one) for one in (*later, *found.against)]
    return Conflict(
        _l("This can no longer be undone, for something was built on it: %(what)s.", what=join_words(words, "; ")),
        built_on=words,
    )


def take_back(uow: Uow, change: AreaChange, reason: str, step: Step) -> dict[str, int]:
    """Put everything back; ``change`` is locked. Raises Conflict naming what was built on it."""
    codes = sorted(uow.session.scalars(select(AreaChangePart.area_code).where(AreaChangePart.id == change.id)))
    lock_areas(uow, codes)
    found = outlook(uow, change)
    if not found.possible:
        raise built_on(found)
    with uow.tenant_wide(WHY):
        changes = change.changes
        area_tables = tables.area_tables(uow)
        total = len(area_tables) + 2
        step(0, total)
        moves = select(AreaMove.household_id, AreaMove.to_code, AreaMove.from_code).where(
            AreaMove.change_id == change.id
        )
        moved = [(id, now, was) for id, now, was in uow.session.execute(moves).all()]
        ids = [id for id, _now, _was in moved]
        following.follow(uow, "undoing", change, ids)
        origins = {int(new): int(old) for new, old in changes.get("origins", {}).items()}
        following.note_rows(uow, change, origins, area_tables)
        tables.stage_moves(uow, moved)
        back = {int(new): int(old) for old, new in changes["moved"].items() if int(new) in set(changes["made"])}
        for number, table in enumerate(area_tables, 1):
            tables.move_linked(uow, table)
            tables.move_back(uow, table, change.id)
            if changes.get("whole"):
                tables.move_codes(uow, table, back)
            step(number, total)
        _grants_back(uow, changes, back if changes.get("whole") else {})
        _areas_back(uow, change, codes)
        following.follow(uow, "undone", change, ids)
        for model in (AreaMove, AreaMovedRow, AreaVersion):
            uow.session.execute(
                delete(model).where(model.change_id == change.id), execution_options={"synchronize_session": False}
            )
        uow.session.execute(
            delete(AreaChangePart).where(AreaChangePart.id == change.id),
            execution_options={"synchronize_session": False},
        )
        change.state, change.undone_at, change.undo_reason = "undone", datetime.now(UTC), reason
        change.undone_name = uow.actor.name or uow.actor.login
        change.version += 1
        audit(
            uow,
            action="area.change_undo",
            obj=change,
            before={"change": change.kind, "on": change.on_date},
            after={"reason": reason},
        )
        publish(uow, "area_change_happened", change_id=change.id, kind=change.kind, undone=True)
        uow.session.flush()
        step(total, total)
    return {"households": found.households, "persons": found.persons}


def _areas_back(uow: Uow, change: AreaChange, codes: list[int]) -> None:
    made = {int(code) for code in change.changes["made"]}
    uow.session.flush()
    uow.session.expire_all()
    areas = {a.area_code: a for a in uow.session.scalars(select(Area).where(Area.area_code.in_(codes)))}
    for code, area in areas.items():
        if code in made:
            continue
        for name, value in change.changes["renamed"].get(str(code), {}).items():
            setattr(area, name, value)
        if str(code) in change.changes["former"]:
            area.former_names = change.changes["former"][str(code)]
        if code in change.changes["retired"]:
            area.active, area.valid_to, area.succeeded_by = True, None, 0
        area.version += 1
    uow.session.flush()
    # Nothing lies in them any more, and nobody was ever told of their codes but by this change.
    uow.session.execute(delete(Area).where(Area.area_code.in_(made)), execution_options={"synchronize_session": False})
    uow.session.execute(
        update(Account).where(Account.current_area.in_(made)).values(current_area=0),
        execution_options={"synchronize_session": False},
    )
    uow.session.expire_all()


def _grants_back(uow: Uow, changes: dict[str, Any], back: dict[int, int]) -> None:
    """Roles hold again where they did; one that was taken away since does not come back."""
    for was in changes["grants"]:
        mine = (RoleGrant.account_id == was["account"], RoleGrant.role_id == was["role"])
        held = set(uow.session.scalars(select(RoleGrant.area_code).where(*mine)))
        if was["to"] and not set(was["to"]) <= held:
            continue
        uow.session.execute(delete(RoleGrant).where(*mine, RoleGrant.area_code.in_(was["to"])))
        if was["code"] not in held:
            uow.session.add(
                RoleGrant(account_id=was["account"], role_id=was["role"], area_code=was["code"], granted_by=was["by"])
            )
        uow.session.flush()
    for new, old in back.items():  # given since, in the area under its new code
        rows = uow.session.scalars(select(RoleGrant).where(RoleGrant.area_code == new)).all()
        for row in rows:
            there = select(RoleGrant.id).where(
                RoleGrant.account_id == row.account_id, RoleGrant.role_id == row.role_id, RoleGrant.area_code == old
            )
            if uow.session.scalars(there).first() is None:
                row.area_code = old
            else:
                uow.session.delete(row)
            uow.session.flush()


__all__ = ["Outlook", "built_on", "later_changes", "outlook", "take_back"]
