"""Sessions that cannot forget the tenant.

Two walls, both fail closed. ``after_begin`` sets ``app.tenant_id`` for PostgreSQL's row-level security; and every ORM
statement gets the explicit tenant equality and the area ranges (``do_orm_execute``). The equality is also what makes
the policy free of cost and lets Citus prune shards.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, Engine, create_engine, event, inspect, or_
from sqlalchemy.orm import (
    Mapper,
    ORMExecuteState,
    Session,
    SessionTransaction,
    with_loader_criteria,
)

from xiangyue.db import driver
from xiangyue.db.base import AreaBound, TenantOwned, mappers
from xiangyue.db.guard import Misuse, refuse_inside
from xiangyue.db.scope import Scope
from xiangyue.errors import NotFound


def make_engine(
    url: str,
    *,
    pool_size: int = 10,
    statement_timeout_ms: int = 30_000,
    behind_pgbouncer: bool = False,
) -> Engine:
    """An engine for psycopg 3. The pool checks a connection before it is used, so a restart of PostgreSQL heals.

    Behind PgBouncer a server connection is ours for one transaction only, so what a connection would be opened with is
    said at the beginning of each.
    """
    connect_args: dict[str, Any] = {"connect_timeout": 5}
    if behind_pgbouncer:
        connect_args["prepare_threshold"] = None
    else:
        connect_args["options"] = f"-c statement_timeout={statement_timeout_ms} -c timezone=UTC"
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
    if behind_pgbouncer:
        _say_in_each_transaction(engine, statement_timeout_ms)
    return engine


#: In a pooled connection's ``info``: the time limit of a statement where PostgreSQL's own default is another.
_TIMEOUT = "xiangyue_statement_timeout"


def _say_in_each_transaction(engine: Engine, statement_timeout_ms: int) -> None:
    said = f"SET LOCAL statement_timeout = {int(statement_timeout_ms)}; SET LOCAL timezone = 'UTC'"

    def on_begin(connection: Connection) -> None:
        connection.info[_TIMEOUT] = int(statement_timeout_ms)
        connection.exec_driver_sql(said)

    event.listen(engine, "begin", on_begin)


class OutOfTime(BaseException):
    """What was given a limited time has used it up. No ``Exception``: a plugin's own handlers must not swallow it."""


@dataclass(slots=True)
class Bounds:
    """What holds while somebody else's code has the session: no end of the transaction, statements of ``ms`` at most
    (in PostgreSQL, from the first one on), none after ``until`` (monotonic). ``outer``: those around these."""

    ms: int
    until: float
    outer: Bounds | None = None
    savepoint: SessionTransaction | None = None
    #: The transaction itself: another in its place does not have what the caller wrote.
    root: SessionTransaction | None = None
    connection: Connection | None = None
    lowered: bool = False


class TenantSession(Session):
    """A session of exactly one tenant; never reused for another (its identity map would answer for the first)."""

    bounds: Bounds | None = None
    #: Somebody else's code ended the transaction all the same: what the caller wrote in it is gone.
    lost = False
    #: To go along with what opens the transaction, and what it answered (``db.sql.first_rows``).
    first: driver.First | None = None
    first_answer: list[tuple[Any, ...]] | None = None

    def __init__(self, bind: Engine | Connection, scope: Scope) -> None:
        # Over a connection (provisioning, tests) the session lives inside that connection's transaction.
        super().__init__(bind, expire_on_commit=False, join_transaction_mode="create_savepoint")
        self.info["scope"] = scope

    @property
    def scope(self) -> Scope:
        scope: Scope = self.info["scope"]
        return scope

    def get_bind(self, *args: Any, **options: Any) -> Engine | Connection:
        """Asked before every statement and every flush: the place to stop where nothing is half done, and to set the
        savepoint of ``alone``."""
        bounds = self.bounds
        if bounds is not None:
            if time.monotonic() > bounds.until:
                raise OutOfTime
            if bounds.savepoint is None:
                self._hold(bounds)
        return super().get_bind(*args, **options)

    def _hold(self, bounds: Bounds) -> None:
        """Set the savepoint, after those around it."""
        if bounds.outer is not None and bounds.outer.savepoint is None:
            self._hold(bounds.outer)
        if not self._flushing:
            self.flush()  # what waits to be written is written behind the savepoint, which this sets
        if bounds.savepoint is None:
            bounds.savepoint = super().begin(nested=True).__enter__()
            bounds.root, bounds.connection = super().get_transaction(), self.connection()

    def _waiting(self) -> bool:
        return bool(self.new or self.dirty or self.deleted)

    def _forget_waiting(self) -> None:
        """Undo changes of objects that no statement has told the database of."""
        for instance in self.new:
            self.expunge(instance)
        for instance in self.deleted:
            self.add(instance)
        for instance in self.dirty:
            self.expire(instance)

    def begin(self, nested: bool = False) -> SessionTransaction:
        if not nested:
            refuse_inside(self, "begin()")
        elif self.bounds is not None and self.bounds.savepoint is None:
            self._hold(self.bounds)  # otherwise it would be set inside this one, and go with it
        return super().begin(nested)

    def commit(self) -> None:
        refuse_inside(self, "commit()")
        super().commit()

    def rollback(self) -> None:
        refuse_inside(self, "rollback()")
        super().rollback()

    def close(self) -> None:
        refuse_inside(self, "close()")
        super().close()

    def reset(self) -> None:
        refuse_inside(self, "reset()")
        super().reset()

    def invalidate(self) -> None:
        refuse_inside(self, "invalidate()")
        super().invalidate()

    def expunge_all(self) -> None:
        refuse_inside(self, "expunge_all()")  # the caller's objects are among them
        super().expunge_all()

    def get_transaction(self) -> SessionTransaction | None:
        refuse_inside(self, "get_transaction()")
        return super().get_transaction()


@contextmanager
def alone(session: TenantSession, seconds: float) -> Iterator[None]:
    """A savepoint for somebody else's code: what it did is undone when it raises, and it is bounded (``Bounds``).

    Costs nothing until the code uses the database: the savepoint is set before its first statement or flush. Inside
    another such block the outer one's time holds.
    """
    outer = session.bounds
    if session._waiting():
        session.flush()  # the caller's own changes are the caller's own
    if outer is None:
        bounds = Bounds(int(seconds * 1000), time.monotonic() + seconds)
    else:
        bounds = Bounds(outer.ms, outer.until, outer)
    session.bounds = bounds
    try:
        try:
            yield
            if session._waiting():
                session.flush()
            if bounds.savepoint is not None and not (bounds.savepoint.is_active and is_usable(session)):
                raise Misuse("an error of the database was swallowed, so nothing of it was kept")
        except BaseException:
            if bounds.savepoint is None:
                session._forget_waiting()
            else:
                bounds.savepoint.__exit__(*sys.exc_info())
            raise
        if bounds.savepoint is not None:
            bounds.savepoint.__exit__(None, None, None)
    finally:
        session.bounds = outer
        if bounds.root is not None and Session.get_transaction(session) is not bounds.root:
            session.lost = True
            if bounds.connection is not None and not bounds.connection.closed:
                # Nobody else would end what is still open on it, locks and all.
                bounds.connection.invalidate(Misuse("the transaction was lost"))
    if bounds.lowered:
        # The savepoint's rollback would have taken it back, its release keeps it.
        connection = session.connection()
        usual = connection.info.get(_TIMEOUT, "DEFAULT")
        connection.exec_driver_sql(f"SET LOCAL statement_timeout TO {usual}")


def is_usable(session: TenantSession) -> bool:
    """Whether the session can go on: its connection and transaction are there, and no error is left in it."""
    if session.lost:
        return False
    try:
        connection = session.connection()
        driver_connection = connection.connection.driver_connection
    except Exception:  # whatever a lost connection answers with
        return False
    return (
        driver_connection is not None
        and connection.in_transaction()
        and driver_connection.info.transaction_status == TransactionStatus.INTRANS
    )


@event.listens_for(TenantSession, "after_begin")
def _set_tenant(session: TenantSession, transaction: SessionTransaction, connection: Connection) -> None:
    if transaction.nested:
        bounds = session.bounds
        while bounds is not None and bounds.outer is not None:
            bounds = bounds.outer
        if bounds is not None and not bounds.lowered:
            with driver.ours(connection):
                connection.exec_driver_sql(f"SET LOCAL statement_timeout = {int(bounds.ms)}")
            bounds.lowered = True
        return
    scope: Scope = session.info["scope"]
    # A bound parameter is a syntax error in SET LOCAL, and Citus does not carry set_config().
    setting = f"SET LOCAL app.tenant_id = '{int(scope.tenant_id)}'"
    with driver.ours(connection):
        session.first_answer = driver.open_transaction(connection, setting, session.first)
    driver.hold(connection, session)
    session.lost = False


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
    return [m for m in mappers() if issubclass(m.class_, AreaBound)]


@event.listens_for(TenantSession, "do_orm_execute")
def _add_scope(state: ORMExecuteState) -> None:
    if state.is_column_load:
        return  # by full primary key, tenant_id included
    scope: Scope = state.session.info["scope"]
    state.statement = state.statement.options(*scope_criteria(scope))


@event.listens_for(TenantSession, "before_flush")
def _check_writes(session: TenantSession, _context: Any, _instances: Any) -> None:
    if session.bounds is not None and session.bounds.savepoint is None:
        session._hold(session.bounds)
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


def end_statements_after(session: Session, seconds: float) -> None:
    """PostgreSQL ends each further statement of this transaction that takes longer."""
    session.connection().exec_driver_sql(f"SET LOCAL statement_timeout = {int(seconds * 1000)}")
