"""Less waiting with psycopg: a cheaper look at pooled connections, a transaction opened with its setting, and answers
awaited in gevent's own loop.

At a hundred microseconds each, the spared round trips were a quarter of what a list of fifty households cost.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import gevent
import psycopg
from gevent import monkey
from psycopg.pq import ConnStatus, TransactionStatus
from sqlalchemy import Connection, Engine, event
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.exc import OperationalError

from xiangyue.db.guard import Guarded, GuardedConnection, Holder, check_statement

#: A connection that was not looked at for so long (seconds) gets a real question: a firewall may have dropped it.
QUIET_SECONDS = 30.0

NAME = "postgresql+xiangyue_psycopg"
#: In a pooled connection's ``info``: that it is ours to open.
_OURS = "xiangyue_opens"


T = TypeVar("T")


class Cursor(psycopg.Cursor[Any]):
    """Looks at what somebody else's code says (``db.guard``); anybody else's goes straight on."""

    def _look(self, query: Any) -> None:
        holder: Holder | None = getattr(self.connection, "holder", None)
        if holder is not None and holder.bounds is not None:
            if isinstance(query, bytes):
                query = query.decode("utf-8", "replace")
            check_statement(query if isinstance(query, str) else query.as_string(self))

    def execute(self, query: Any, *args: Any, **options: Any) -> Any:
        self._look(query)
        return super().execute(query, *args, **options)

    def executemany(self, query: Any, *args: Any, **options: Any) -> None:
        self._look(query)
        super().executemany(query, *args, **options)

    def stream(self, query: Any, *args: Any, **options: Any) -> Any:
        self._look(query)
        return super().stream(query, *args, **options)

    def copy(self, statement: Any, *args: Any, **options: Any) -> Any:
        self._look(statement)
        return super().copy(statement, *args, **options)


class OurConnection(Guarded, psycopg.Connection[Any]):
    """Knows the session that has it (``holder``), for whose time the guard holds, and what ``open_transaction`` has
    prepared on it: statement -> name."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.cursor_factory = Cursor
        self.opening: dict[str, str] = {}

    def _deallocate(self, name: bytes | None) -> Any:
        # After a rollback or a DROP psycopg takes back all that is prepared, ours with it. Were this to go unnoticed,
        # the next transaction would fail at its first try and be begun anew.
        if name is None:
            self.opening.clear()
        return super()._deallocate(name)


class GeventConnection(OurConnection):
    """In a gevent worker: waits on the loop's watcher itself. psycopg would poll by gevent's imitation of ``select``,
    which cost a seventh of a list's time in the worker."""

    def wait(self, gen: Generator[int, int, T], interval: float = 0.1, timeout: float | None = None) -> T:
        if timeout is not None:
            return super().wait(gen, interval, timeout)  # type: ignore[arg-type]
        hub = gevent.get_hub()
        try:
            wanted = next(gen)
            while True:
                # psycopg's READY_R and READY_W are gevent's READ and WRITE; reading when nothing came does no harm.
                watcher = hub.loop.io(self.pgconn.socket, wanted)
                try:
                    hub.wait(watcher)
                finally:
                    watcher.close()
                wanted = gen.send(wanted)
        except StopIteration as done:
            result: T = done.value
            return result


class Dialect(PGDialect_psycopg):
    """A server that went away has closed its end, which a read without waiting finds. So most requests spare the
    round trip that a ``SELECT 1`` before the first statement costs."""

    supports_statement_cache = True

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)  # type: ignore[no-untyped-call]
        self._asked: WeakKeyDictionary[psycopg.Connection[Any], float] = WeakKeyDictionary()

    def connect(self, *args: Any, **options: Any) -> Any:
        kind = GeventConnection if monkey.is_module_patched("select") else OurConnection
        return kind.connect(*args, **options)

    def do_ping(self, dbapi_connection: Any) -> bool:
        connection: psycopg.Connection[Any] = dbapi_connection
        now = time.monotonic()
        before = self._asked.get(connection)
        self._asked[connection] = now
        if before is None or now - before > QUIET_SECONDS:
            return bool(super().do_ping(dbapi_connection))  # type: ignore[no-untyped-call]
        try:
            # The first may find only the server's farewell, the second finds the end.
            connection.pgconn.consume_input()
            connection.pgconn.consume_input()
        except psycopg.OperationalError:
            return False
        return connection.pgconn.status == ConnStatus.OK

    # Savepoints are the session's own way round a hook, and a hook's own way inside: they end no more than they began.

    def do_savepoint(self, connection: Connection, name: str) -> None:
        with ours(connection):
            super().do_savepoint(connection, name)  # type: ignore[no-untyped-call]

    def do_rollback_to_savepoint(self, connection: Connection, name: str) -> None:
        with ours(connection):
            super().do_rollback_to_savepoint(connection, name)  # type: ignore[no-untyped-call]

    def do_release_savepoint(self, connection: Connection, name: str) -> None:
        with ours(connection):
            super().do_release_savepoint(connection, name)  # type: ignore[no-untyped-call]


def hold(connection: Connection, holder: Holder) -> None:
    """The guard on this connection goes by ``holder`` from now on."""
    if isinstance(connection, GuardedConnection):
        connection.holder = holder
    driver = connection.connection.driver_connection
    if isinstance(driver, OurConnection):
        driver.holder = holder


@contextmanager
def ours(connection: Connection | None) -> Iterator[None]:
    """What is said now is the core's own, although a hook has the session. No code of a hook may run in here."""
    driver = None if connection is None else connection.connection.driver_connection
    holder = getattr(driver, "holder", None)
    if driver is None or holder is None:
        yield
        return
    driver.holder = None
    try:
        yield
    finally:
        driver.holder = holder


registry.register(NAME.replace("+", "."), __name__, "Dialect")


def open_with_settings(engine: Engine) -> None:
    """Let ``open_transaction`` use this engine's connections; each goes back to the pool as it came."""

    def mark(_connection: psycopg.Connection[Any], record: Any) -> None:
        record.info[_OURS] = True

    def give_back(connection: psycopg.Connection[Any] | None, _record: Any) -> None:
        let_go(connection)
        if connection is not None and connection.autocommit and not connection.closed:
            connection.autocommit = False

    def let_go(connection: psycopg.Connection[Any] | None, *_rest: Any) -> None:
        # The pool's own rollback or end of a connection, also of one that a hook threw away.
        if isinstance(connection, OurConnection):
            connection.holder = None

    event.listen(engine, "connect", mark)
    event.listen(engine, "checkin", give_back)
    for name in ("reset", "invalidate", "detach", "close"):
        event.listen(engine, name, let_go)
    engine._connection_cls = GuardedConnection


@dataclass(frozen=True, slots=True)
class First:
    """A statement that goes along with what opens its transaction: ``sql`` with $1 …, ``values`` in that order."""

    sql: str
    values: tuple[int | bytes, ...]

    def call(self, name: str) -> str:
        return f"EXECUTE {name}({', '.join(map(_literal, self.values))})"


def _literal(value: int | bytes) -> str:
    return f"'\\x{value.hex()}'" if isinstance(value, bytes) else str(int(value))


def open_transaction(connection: Connection, setting: str, first: First | None = None) -> list[tuple[Any, ...]] | None:
    """Run ``setting`` (SET LOCAL …) in the connection's transaction, begun in the same message if none is open yet;
    ``first`` goes in that message too, prepared once for each connection.

    Returns the rows of ``first``, or None where it was not run: the caller then asks by itself, which also shows what
    is wrong with it. Raises OperationalError when the server is away or the statement ran out of time.
    """
    driver = connection.connection.driver_connection
    assert isinstance(driver, OurConnection)
    if _OURS not in connection.info or driver.pgconn.transaction_status != TransactionStatus.IDLE:
        connection.exec_driver_sql(setting)
        return None
    # Otherwise psycopg would send a BEGIN of its own first. Commit and rollback go by what the server says, not by
    # this flag; the pool's listener takes it back, because others rely on psycopg's BEGIN.
    driver.autocommit = True
    begin = f"BEGIN; {setting}"
    try:
        if first is not None and driver.prepare_threshold is not None:  # behind PgBouncer nothing stays prepared
            try:
                return _begin_with(driver, begin, first)
            except (psycopg.ProgrammingError, psycopg.NotSupportedError):
                # A table changed since it was prepared, or is not there yet.
                driver.rollback()
                driver.execute("DEALLOCATE ALL", prepare=False)
                driver.opening.clear()
        driver.execute(begin, prepare=False)
    except psycopg.OperationalError as error:
        if driver.broken:
            connection.invalidate(error)
        else:
            driver.rollback()
        raise OperationalError(
            setting, None, error, hide_parameters=True, connection_invalidated=driver.broken
        ) from error
    return None


def _begin_with(driver: OurConnection, begin: str, first: First) -> list[tuple[Any, ...]]:
    name = driver.opening.get(first.sql)
    if name is None:
        name = f"xiangyue_{len(driver.opening)}"
        driver.execute(f"PREPARE {name} AS {first.sql}", prepare=False)
        driver.opening[first.sql] = name
    cursor = driver.execute(f"{begin}; {first.call(name)}", prepare=False)
    while cursor.nextset():
        pass
    return cursor.fetchall()
