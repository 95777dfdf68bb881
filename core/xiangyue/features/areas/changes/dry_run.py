"""What a change would do, in numbers and names, and whether it can be done."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from xiangyue.access.models import Account, Role, RoleGrant
from xiangyue.db.scope import area_range
from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid
from xiangyue.features.areas.changes import tables
from xiangyue.features.areas.changes.asked import Errors
from xiangyue.features.areas.changes.households import Moves, assign
from xiangyue.features.areas.changes.labels import table_label
from xiangyue.features.areas.changes.plan import plan_of
from xiangyue.features.areas.changes.planned import Plan
from xiangyue.features.areas.models import AreaChange

WHY = "a change of areas moves everything that lies in them, whoever may see it"


@dataclass(frozen=True, slots=True)
class TableCount:
    """``moves`` rows of a table go along; ``stays`` do not, because an area has one at most and there is one."""

    table: str
    label: str
    moves: int
    stays: int = 0


@dataclass(frozen=True, slots=True)
class GrantChange:
    """A role held in an area that changes. ``to``: where it holds afterwards; none where it ends."""

    id: int
    account: str
    role: str
    role_en: str
    code: int
    to: tuple[int, ...]


@dataclass(slots=True)
class DryRun:
    """``problems``: faults of what was asked for, by field; with any the rest is empty. ``steps``: (from, to, number
    of households)."""

    plan: Plan | None = None
    moves: Moves = field(default_factory=Moves)
    problems: Errors = field(default_factory=dict)
    households: int = 0
    closed: int = 0
    persons: int = 0
    steps: list[tuple[int, int, int]] = field(default_factory=list)
    tables: list[TableCount] = field(default_factory=list)
    grants: list[GrantChange] = field(default_factory=list)

    @property
    def possible(self) -> bool:
        return self.plan is not None and not self.problems and self.moves.possible


def dry_run(uow: Uow, change: AreaChange) -> DryRun:
    """Look, without changing anything."""
    found = DryRun()
    try:
        plan = found.plan = plan_of(uow, change.kind, change.on_date, change.request)
    except Invalid as invalid:
        found.problems = {name: list(messages) for name, messages in invalid.fields.items()}
        return found
    with uow.tenant_wide(WHY):
        found.moves = assign(uow, plan, change.request)
        moved = found.moves.moved
        found.households = sum(move.row.state == "active" for move in moved)
        found.closed = len(moved) - found.households
        found.persons = sum(move.row.persons for move in moved if move.row.state == "active")
        steps = Counter((move.row.area_code, move.to) for move in moved)
        found.steps = [(old, new, n) for (old, new), n in sorted(steps.items())]
        tables.stage_moves(uow, [(move.row.id, move.row.area_code, move.to) for move in moved])
        for table in tables.area_tables(uow):
            by_area, stays = tables.count_by_area(uow, table, plan.rows)
            linked = tables.count_linked(uow, table)
            if table.table not in (*tables.SEARCH, "household", "person") and (by_area or linked or stays):
                count = TableCount(table.name, table_label(uow, table.name), by_area + linked, stays)
                found.tables.append(count)
        found.grants = grant_changes(uow, plan)
    return found


def grant_changes(uow: Uow, plan: Plan) -> list[GrantChange]:
    """What becomes of the roles held in areas that end. A role never reaches further than it did: of one in an area
    that goes into another, what came over as a whole is kept (its groups), not the whole other area."""
    if not plan.retired:
        return []
    statement = (
        select(RoleGrant, Account.name, Role.name, Role.name_en)
        .join(Account, (Account.tenant_id == RoleGrant.tenant_id) & (Account.id == RoleGrant.account_id))
        .join(Role, (Role.tenant_id == RoleGrant.tenant_id) & (Role.id == RoleGrant.role_id))
        .where(RoleGrant.area_code.in_(list(plan.retired)))
        .order_by(RoleGrant.area_code, RoleGrant.id)
    )
    return [
        GrantChange(grant.id, account, role, role_en, grant.area_code, _holds_in(plan, grant.area_code))
        for grant, account, role, role_en in uow.session.execute(statement)
    ]


def _holds_in(plan: Plan, code: int) -> tuple[int, ...]:
    whole = plan.moved.get(code, 0)
    if whole and plan.only_origin(whole) == code:
        return (whole,)
    if plan.kind == "split":
        parts = sorted(new for new, made in plan.made.items() if made.origin == code)
        return tuple(parts)
    lo, hi = area_range(code)
    below = {new for old, new in plan.moved.items() if lo <= old <= hi and plan.only_origin(new) == old}
    return tuple(sorted(c for c in below if not any(a != c and a <= c <= area_range(a)[1] for a in below)))


def as_numbers(found: DryRun) -> dict[str, Any]:
    """For the change's row and the audit trail."""
    return {"households": found.households, "persons": found.persons, "rows": sum(t.moves for t in found.tables)}
