"""What a county holds and owes: counts, sizes, jobs, administrators. Each function reads the tenant of its uow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, and_, column, func, literal_column, select, table

from xiangyue.access.models import Account, AuditEntry, Role, RoleGrant
from xiangyue.db.base import Base, TenantOwned
from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.features.accounts.policy import ACCOUNT_MANAGE
from xiangyue.jobs.models import OPEN_STATES, Job
from xiangyue.tenancy.models import Tenant

#: Failed jobs are counted and shown for this long.
FAILED_DAYS = 30

_USAGE = f"""
SELECT (SELECT count(*) FROM household h WHERE {{tenant:h}} AND h.state = 'active'),
       (SELECT count(*) FROM person p WHERE {{tenant:p}} AND p.state = 'active'),
       (SELECT count(*) FROM account a WHERE {{tenant:a}} AND a.state = 'active'),
       (SELECT max(s.last_sign_in_at) FROM account s WHERE {{tenant:s}}),
       (SELECT count(*) FROM job o WHERE {{tenant:o}} AND o.state IN ('queued', 'running')),
       (SELECT count(*) FROM job f WHERE {{tenant:f}} AND f.state = 'failed'
               AND f.finished_at > now() - make_interval(days => {FAILED_DAYS})),
       (SELECT count(*) FROM stored_file c WHERE {{tenant:c}}),
       (SELECT coalesce(sum(b.size), 0)::bigint FROM stored_file b WHERE {{tenant:b}})
"""  # noqa: S608 - composed of constants


@dataclass(frozen=True, slots=True)
class Usage:
    """Numbers of one county. ``database_bytes``: its share of each table by the planner's statistics, an estimate;
    ``failed_jobs`` of the last 30 days."""

    database_bytes: int
    households: int
    persons: int
    accounts: int
    last_sign_in_at: datetime | None
    open_jobs: int
    failed_jobs: int
    files: int
    file_bytes: int


@dataclass(frozen=True, slots=True)
class TableSize:
    """Bytes with indexes and toast, and rows by statistics (at least 1)."""

    size: int
    rows: float


def table_sizes(uow: Uow) -> Mapping[str, TableSize]:
    """Sizes of all tables in PostgreSQL's schema ``public``, over all counties; the catalogue names nobody."""
    catalogue = table("pg_class", column("relname"), column("relkind"), column("oid"), column("reltuples"))
    size = func.pg_total_relation_size(catalogue.c.oid, type_=BigInteger)
    statement = select(catalogue.c.relname, size, catalogue.c.reltuples).where(
        catalogue.c.relkind == "r", literal_column("relnamespace") == func.to_regnamespace("public")
    )
    return {row[0]: TableSize(row[1], max(1.0, row[2])) for row in uow.session.execute(statement)}


@lru_cache(maxsize=1)
def _owned_tables() -> tuple[str, ...]:
    names = {m.local_table.name for m in Base.registry.mappers if issubclass(m.class_, TenantOwned)}  # type: ignore[attr-defined]
    return tuple(sorted(names))


def usage_of(uow: Uow, sizes: Mapping[str, TableSize]) -> Usage:
    """The county's numbers: two statements. ``sizes`` are those of ``table_sizes``, read once for many counties."""
    row = scoped_rows(uow.session, _USAGE)[0]
    return Usage(_database_bytes(uow, sizes), *row)


def _database_bytes(uow: Uow, sizes: Mapping[str, TableSize]) -> int:
    """Rows of each table as the planner expects them, without counting millions, times the table's bytes per row."""
    names = [name for name in _owned_tables() if name in sizes]
    parts = " UNION ALL ".join(f"SELECT 1 FROM {name} t WHERE {{tenant:t}}" for name in names)  # noqa: S608
    plan: dict[str, Any] = scoped_rows(uow.session, f"EXPLAIN (FORMAT JSON) {parts}")[0][0][0]["Plan"]
    expected: Sequence[dict[str, Any]] = plan.get("Plans", [])
    total = 0.0
    for name, part in zip(names, expected, strict=len(names) == len(expected)):
        known = sizes[name]
        # A table whose statistics are older than its first rows is expected to hold one.
        rows = part["Plan Rows"] if part["Plan Rows"] > 1 else 0
        total += known.size * min(1.0, rows / known.rows)
    return int(total)


def owing_jobs(uow: Uow, limit: int = 20) -> list[Job]:
    """Open jobs first, then those that failed in the last 30 days, the newest first."""
    recent = func.now() - func.make_interval(0, 0, 0, FAILED_DAYS)
    statement = (
        select(Job)
        .where(Job.state.in_(OPEN_STATES) | ((Job.state == "failed") & (Job.finished_at > recent)))
        .order_by(Job.state == "failed", Job.id.desc())
        .limit(limit)
    )
    return list(uow.session.scalars(statement))


def administrators_of(uow: Uow, tenant: Tenant) -> list[Account]:
    """Accounts that may manage all accounts of the county, in any state, in the order they were made."""
    held = (
        select(RoleGrant.account_id)
        .join(Role, and_(Role.tenant_id == RoleGrant.tenant_id, Role.id == RoleGrant.role_id))
        .where(RoleGrant.area_code.in_((0, tenant.area_code)), Role.permissions.contains([ACCOUNT_MANAGE.name]))
    )
    return list(uow.session.scalars(select(Account).where(Account.id.in_(held)).order_by(Account.id)))


def administrator_role(uow: Uow) -> Role | None:
    """The county's role for its first administrator: made from that template, else the one with most rights among
    those that may manage accounts."""
    roles = uow.session.scalars(
        select(Role).where(Role.permissions.contains([ACCOUNT_MANAGE.name])).order_by(Role.id)
    ).all()
    ranked = sorted(roles, key=lambda r: ("county_admin" not in (r.template, r.key), -len(r.permissions), r.id))
    return ranked[0] if ranked else None


def operator_acts(uow: Uow, tenant: Tenant, limit: int = 30) -> list[AuditEntry]:
    """What the operator did to a county, newest first, from the operator's own trail (the uow's)."""
    statement = (
        select(AuditEntry)
        .where(AuditEntry.object_type == "tenant", AuditEntry.object_id == tenant.id)
        .order_by(AuditEntry.id.desc())
        .limit(limit)
    )
    return list(uow.session.scalars(statement))


def readable_size(size: int) -> str:
    """Bytes as people read them: 812 B, 34.1 MB, 2.0 GB."""
    value = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    raise AssertionError
