"""Sessions that cannot forget the tenant.

Two walls, both fail closed. ``after_begin`` sets ``app.tenant_id`` for PostgreSQL's row-level security; and every ORM
statement gets the explicit tenant equality and the area ranges (``do_orm_execute``). The equality is also what makes
the policy free of cost and lets Citus prune shards.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, or_
from sqlalchemy.orm import (
    Mapper,
    ORMExecuteState,
    Session,
    SessionTransaction,
    with_loader_criteria,
)

from xiangyue.db import driver
from xiangyue.db.base import AreaBound, Base, TenantOwned
from xiangyue.db.scope import Scope
from xiangyue.errors import NotFound


def make_engine(
    url: str,
    *,
    pool_size: int = 10,
    statement_timeout_ms: int = 30_000,
    behind_pgbouncer: bool = False,
) -> Engine:
    """An engine for psycopg 3. The pool checks a connection before it is used, so a restart of PostgreSQL heals."""
    connect_args: dict[str, Any] = {
        "options": f"-c statement_timeout={statement_timeout_ms} -c timezone=UTC",
        "connect_timeout": 5,
    }
    if behind_pgbouncer:
        connect_args = {"prepare_threshold": None, "connect_timeout": 5}
    engine = create_engine(
        url.replace("postgresql://", f"{driver.NAME}://", 1),
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
        pool_use_lifo=True,  # the connection used last has the warmest server process, and idle ones stay idle
        connect_args=connect_args,
        hide_parameters=True,  # names and addresses have no place in a log
    )
    driver.open_with_settings(engine)
    return engine


class TenantSession(Session):
    """A session of exactly one tenant; never reused for another (its identity map would answer for the first)."""

    def __init__(self, bind: Engine | Connection, scope: Scope) -> None:
        # Over a connection (provisioning, tests) the session lives inside that connection's transaction.
        super().__init__(bind, expire_on_commit=False, join_transaction_mode="create_savepoint")
        self.info["scope"] = scope

    @property
    def scope(self) -> Scope:
        scope: Scope = self.info["scope"]
        return scope


@event.listens_for(TenantSession, "after_begin")
def _set_tenant(session: Session, _transaction: SessionTransaction, connection: Connection) -> None:
    scope: Scope = session.info["scope"]
    # A bound parameter is a syntax error in SET LOCAL, and Citus does not carry set_config().
    driver.open_transaction(connection, f"SET LOCAL app.tenant_id = '{int(scope.tenant_id)}'")


def scope_criteria(scope: Scope) -> list[Any]:
    """Loader criteria of the second wall for one scope."""
    tenant_id = scope.tenant_id
    options: list[Any] = [
        with_loader_criteria(TenantOwned, lambda cls: cls.tenant_id == tenant_id, include_aliases=True)
    ]
    if scope.ranges is None:
        return options
    if len(scope.ranges) == 1:
        lo, hi = scope.ranges[0]
        options.append(with_loader_criteria(AreaBound, lambda cls: cls.area_code.between(lo, hi), include_aliases=True))
        return options
    # A lambda would be cached with the number of ranges it first saw, so several ranges are spelled out per class.
    for mapper in _area_bound_mappers():
        column = mapper.class_.area_code
        ranges = [column.between(lo, hi) for lo, hi in scope.ranges] or [column.is_(None)]
        options.append(with_loader_criteria(mapper.class_, or_(*ranges), include_aliases=True))
    return options


def _area_bound_mappers() -> list[Mapper[Any]]:
    return [m for m in Base.registry.mappers if issubclass(m.class_, AreaBound)]


@event.listens_for(TenantSession, "do_orm_execute")
def _add_scope(state: ORMExecuteState) -> None:
    if state.is_column_load:
        return  # by full primary key, tenant_id included
    scope: Scope = state.session.info["scope"]
    state.statement = state.statement.options(*scope_criteria(scope))


@event.listens_for(TenantSession, "before_flush")
def _check_writes(session: Session, _context: Any, _instances: Any) -> None:
    scope: Scope = session.info["scope"]
    for instance in (*session.new, *session.dirty, *session.deleted):
        if not isinstance(instance, TenantOwned):
            continue
        if inspect(instance).dict.get("tenant_id") is None:
            instance.tenant_id = scope.tenant_id
        elif instance.tenant_id != scope.tenant_id:
            raise NotFound("row of another tenant in this session")
        if isinstance(instance, AreaBound) and not scope.contains(instance.area_code):
            raise NotFound("row outside the actor's area")
