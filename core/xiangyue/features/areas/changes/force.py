"""Putting a change in force: in one transaction, everything or nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, insert, select, update

from xiangyue.access.audit import audit
from xiangyue.access.models import Account, RoleGrant
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Stale
from xiangyue.features.areas.changes import codes, following, tables
from xiangyue.features.areas.changes.dry_run import WHY, grant_changes
from xiangyue.features.areas.changes.households import Moves, assign
from xiangyue.features.areas.changes.plan import plan_of
from xiangyue.features.areas.changes.planned import Made, Plan
from xiangyue.features.areas.models import Area, AreaChange, AreaMove, AreaVersion
from xiangyue.features.households.models import Household
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.dispatch import publish
from xiangyue.text.pinyin import sort_key

Step = Callable[[int, int], None]
MOST_FORMER = 40


def force(uow: Uow, change: AreaChange, step: Step) -> dict[str, int]:
    """Do it; ``change`` is locked. ``step(done, total)`` is told how far it is and may raise. Returns numbers.

    Raises Invalid, Conflict or Stale when it cannot be done (any more).
    """
    lock_areas(uow, [int(code) for code in change.basis])
    check_basis(uow, change)
    plan = plan_of(uow, change.kind, change.on_date, change.request)
    with uow.tenant_wide(WHY):
        moves = assign(uow, plan, change.request)
        check_moves(moves)
        changes: dict[str, Any] = {"made": sorted(plan.made), "retired": sorted(plan.retired)}
        changes |= {"renamed": {}, "former": {}, "grants": []}
        found = tables.area_tables(uow)
        total = len(found) + 2
        step(0, total)
        changes["grants"] = _move_grants(uow, plan)
        _change_areas(uow, plan, change, changes)
        step(1, total)
        moved = [(move.row.id, move.row.area_code, move.to) for move in moves.moved]
        rows = _move_rows(uow, plan, change, moved, found, lambda n: step(1 + n, total))
        following.follow(uow, "done", change, [id for id, _old, _new in moved])
        changes["origins"] = {str(made.code): made.origin for made in plan.made.values() if made.origin}
        following.note_rows(uow, change, {int(new): old for new, old in changes["origins"].items()}, found)
        _remembered_areas(uow, plan)
        active = [move.row for move in moves.moved if move.row.state == "active"]
        counts = {"households": len(active), "persons": sum(row.persons for row in active), "rows": rows}
        changes["moved"] = {str(old): new for old, new in plan.moved.items()}
        changes["whole"] = plan.whole
        change.changes, change.counts = changes, counts
        change.state, change.done_at = "done", datetime.now(UTC)
        change.done_name = uow.actor.name or uow.actor.login
        change.version += 1
        label = label_of(plan, change)
        after = {"change": change.kind, "on": change.on_date, "reason": change.reason, **counts}
        audit(uow, action="area.change", obj=change, label=label, after=after)
        publish(uow, "area_change_happened", change_id=change.id, kind=change.kind, undone=False)
        uow.session.flush()
        step(total, total)
    return counts


def label_of(plan: Plan, change: AreaChange) -> str:
    """What the change is about: names of the areas it ends or begins with."""
    named = [
        plan.standing[code].name for code in plan.retired if code in plan.standing and codes.level_of(code) != "group"
    ]
    main = plan.standing.get(plan.main)
    made = [made.name for made in plan.made.values() if codes.level_of(made.code) == codes.level_of(plan.main)]
    return "、".join(list(dict.fromkeys([*named, *([main.name] if main is not None else []), *made]))[:4])


def lock_areas(uow: Uow, wanted: list[int]) -> None:
    """Lock the rows of areas in the order of their codes: whoever registers a household there waits."""
    with uow.tenant_wide(WHY):
        statement = select(Area.id).where(Area.area_code.in_(wanted)).order_by(Area.area_code).with_for_update()
        uow.session.execute(statement)
        uow.session.expire_all()


def basis_of(plan: Plan) -> dict[str, int]:
    """The areas as they are now, by which a change in between is noticed."""
    return {str(code): area.version for code, area in sorted(plan.standing.items())}


def check_basis(uow: Uow, change: AreaChange) -> None:
    """Raises Stale when somebody changed one of the areas since the dry run was looked at."""
    wanted = {int(code): version for code, version in change.basis.items()}
    with uow.tenant_wide(WHY):
        rows = select(Area.area_code, Area.name, Area.version, Area.active).where(Area.area_code.in_(list(wanted)))
        now = {code: (name, version, active) for code, name, version, active in uow.session.execute(rows)}
    for code, version in wanted.items():
        name, is_now, active = now.get(code, (str(code), 0, False))
        if is_now != version or not active:
            raise Stale(
                _l("Somebody changed %(name)s in between. Nothing was done. Look at what would move again.", name=name),
                theirs={"area": name, "version": is_now},
            )


def check_moves(moves: Moves) -> None:
    """Raises Conflict for a household that would be in no area."""
    if moves.without:
        raise Conflict(
            _l(
                "%(n)d households would be left without an area: %(codes)s. Say where they go.",
                n=len(moves.without),
                codes="、".join(row.code for row in moves.without[:3]),
            ),
            households=len(moves.without),
        )
    if not moves.possible:
        raise Conflict(_l("Where households go no longer fits. Look at what would move again."))


def _change_areas(uow: Uow, plan: Plan, change: AreaChange, changes: dict[str, Any]) -> None:
    on = plan.on
    for code, area in plan.standing.items():
        # Whatever becomes of it: forms that are open on it notice.
        before = {"name": area.name, "official_name": area.official_name, "kind": area.kind, "sort_key": area.sort_key}
        if code in plan.renamed:
            past = AreaVersion(
                area_code=code, name=area.name, official_name=area.official_name, kind=area.kind, until=on,
                change_id=change.id,
            )  # fmt: skip
            uow.session.add(past)
            changes["renamed"][str(code)] = before
            area.name, area.official_name, area.kind = plan.renamed[code]
            area.sort_key = sort_key(area.name, person=False)
        if gone := plan.former.get(code):
            changes["former"][str(code)] = list(area.former_names)
            names = [*area.former_names, *gone]
            area.former_names = [n for n in dict.fromkeys(names) if n not in (area.name, area.official_name)][
                :MOST_FORMER
            ]
        if code in plan.retired:
            area.active, area.valid_to, area.succeeded_by = False, on, plan.retired[code]
        area.version += 1
    for made in plan.made.values():
        uow.session.add(_row(made, on))
    uow.session.flush()


def _row(made: Made, on: Any) -> Area:
    return Area(
        area_code=made.code, parent_code=codes.parent_of(made.code), level=made.level, kind=made.kind, name=made.name,
        official_name=made.official_name, former_names=made.former_names, origin_code=made.origin, valid_from=on,
        sort_key=sort_key(made.name, person=False), position=made.position or min(made.code % 1000, 999),
    )  # fmt: skip


def _move_rows(
    uow: Uow,
    plan: Plan,
    change: AreaChange,
    moved: list[tuple[int, int, int]],
    found: list[tables.AreaTable],
    step: Callable[[int], None],
) -> int:
    """Rows of all tables, with a note of each household that moved; returns how many besides the households."""
    tables.stage_moves(uow, moved)
    _lock_households(uow, [id for id, _old, _new in moved])
    count = 0
    for number, table in enumerate(found, 1):
        linked = tables.move_linked(uow, table)
        count += linked if table.name != "public.household" else 0
        count += tables.move_by_area(uow, table, plan.rows, change.id)
        step(number)
    whose = {"tenant_id": uow.tenant_id, "change_id": change.id, "on_date": plan.on}
    rows = [{**whose, "household_id": id, "from_code": old, "to_code": new} for id, old, new in moved]
    if rows:
        uow.session.execute(insert(AreaMove), rows)
    return count


def _lock_households(uow: Uow, ids: list[int]) -> None:
    """As everybody does who writes what belongs to a household."""
    statement = select(Household.id).where(Household.id.in_(ids)).order_by(Household.id).with_for_update()
    uow.session.execute(statement)


def _move_grants(uow: Uow, plan: Plan) -> list[dict[str, Any]]:
    """Roles held in areas that end hold in what they became; returns what was, and what is there instead."""
    done = []
    for grant in grant_changes(uow, plan):
        row = uow.session.scalars(select(RoleGrant).where(RoleGrant.id == grant.id)).one()
        account, role, by = row.account_id, row.role_id, row.granted_by
        held = set(
            uow.session.scalars(
                select(RoleGrant.area_code).where(RoleGrant.account_id == account, RoleGrant.role_id == role)
            )
        )
        uow.session.execute(delete(RoleGrant).where(RoleGrant.id == row.id))
        new = [code for code in grant.to if code not in held]
        for code in new:
            uow.session.add(RoleGrant(account_id=account, role_id=role, area_code=code, granted_by=by))
        uow.session.flush()
        done.append({"account": account, "role": role, "by": by, "code": grant.code, "to": new})
        audit(
            uow,
            action="area.grant",
            object_type="account",
            object_id=account,
            label=grant.account,
            area_code=grant.code,
            before={"role": grant.role, "area_code": grant.code},
            after={"areas": list(grant.to)},
        )
    return done


def _remembered_areas(uow: Uow, plan: Plan) -> None:
    """The area that somebody last looked at leads on."""
    uow.session.flush()
    for old, new in plan.retired.items():
        uow.session.execute(
            update(Account).where(Account.current_area == old).values(current_area=new),
            execution_options={"synchronize_session": False},
        )


__all__ = ["basis_of", "check_basis", "check_moves", "force", "label_of", "lock_areas"]
