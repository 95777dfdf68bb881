"""Connections and transactions that spare round trips must stay as safe as plain ones."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, event, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from xiangyue.access.actor import anonymous, system_actor
from xiangyue.access.authenticate import session_actor
from xiangyue.access.models import AccountSession, Role
from xiangyue.db.scope import Scope
from xiangyue.db.session import TenantSession, alone, make_engine
from xiangyue.db.sql import UnscopedSql, first_rows, stage_rows
from xiangyue.db.uow import Uow
from xiangyue.runtime import Runtime
from xiangyue.tenancy.models import Tenant
from xiangyue.testing.fixtures import County


@pytest.fixture
def engine(runtime: Runtime) -> Any:
    """One connection only, so that everybody gets the one that was used before."""
    made = make_engine(runtime.settings.database_url, pool_size=1)
    yield made
    made.dispose()


def end_connections(runtime: Runtime, engine: Engine) -> None:
    """As an administrator would: the pool does not know of it."""
    with engine.connect() as connection:
        pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    url = runtime.settings.database_url.replace("xiangyue_app@", "postgres@")
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


def roles(engine: Engine, tenant_id: int) -> list[str]:
    with Uow(engine, tenant_id=tenant_id, actor=system_actor(tenant_id)) as uow:
        return list(uow.session.scalars(select(Role.key)))


def test_a_connection_ended_while_pooled_is_replaced(runtime: Runtime, engine: Engine, hanyin: County) -> None:
    assert roles(engine, hanyin.info.id)
    assert roles(engine, hanyin.info.id)  # looked at before, so only glanced at from now on
    end_connections(runtime, engine)
    assert roles(engine, hanyin.info.id)


@pytest.fixture
def spoken(engine: Engine) -> list[str]:
    """What the driver says, in order."""
    seen: list[str] = []

    class Listening(psycopg.Cursor[Any]):
        def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
            seen.append(str(query))
            return super().execute(query, params, **options)

    event.listen(engine, "connect", lambda connection, _record: setattr(connection, "cursor_factory", Listening))
    return seen


def test_the_session_begins_and_sets_the_tenant_in_one_message(
    engine: Engine, hanyin: County, spoken: list[str]
) -> None:
    with TenantSession(engine, Scope(hanyin.info.id)) as session:
        assert session.execute(text("SELECT current_setting('app.tenant_id')")).scalar() == str(hanyin.info.id)
        session.begin_nested()
        assert session.execute(text("SELECT current_setting('app.tenant_id')")).scalar() == str(hanyin.info.id)
        driver = session.connection().connection.driver_connection
        assert driver is not None
        assert driver.pgconn.transaction_status == psycopg.pq.TransactionStatus.INTRANS
    assert f"BEGIN; SET LOCAL app.tenant_id = '{hanyin.info.id}'" in spoken


def test_what_a_session_writes_is_gone_after_a_rollback(engine: Engine, hanyin: County) -> None:
    uow = Uow(engine, tenant_id=hanyin.info.id, actor=system_actor(hanyin.info.id))
    uow.session.add(Role(key="passing", name="passing"))
    uow.session.flush()
    uow.rollback()
    uow.close()
    assert "passing" not in roles(engine, hanyin.info.id)


def test_others_find_the_connection_with_transactions_of_their_own(engine: Engine, hanyin: County) -> None:
    roles(engine, hanyin.info.id)
    with Session(engine) as session:
        session.execute(select(Tenant.id).limit(1))
        driver = session.connection().connection.driver_connection
        assert driver is not None
        assert driver.autocommit is False
        assert driver.pgconn.transaction_status == psycopg.pq.TransactionStatus.INTRANS


def test_the_tenant_does_not_outlive_the_transaction(engine: Engine, hanyin: County) -> None:
    roles(engine, hanyin.info.id)
    with engine.connect() as connection:
        assert not connection.execute(text("SELECT current_setting('app.tenant_id', true)")).scalar()


def test_after_a_failed_statement_the_connection_comes_back_clean(engine: Engine, hanyin: County) -> None:
    with TenantSession(engine, Scope(hanyin.info.id)) as session, pytest.raises(Exception, match="division by zero"):
        session.execute(text("SELECT 1/0"))
    assert roles(engine, hanyin.info.id)


#: Run in a process of its own, because gevent patches the standard library for good.
WAITING_IN_GEVENT = """
from gevent import monkey; monkey.patch_all()
import gevent, psycopg, sys
from sqlalchemy import text
from xiangyue.db.session import make_engine

engine = make_engine(sys.argv[1])
holder, waiter, onlooker = (engine.connect() for _ in range(3))
holder.execute(text("SELECT pg_advisory_lock(4711)"))
waiting = gevent.spawn(lambda: waiter.execute(text("SELECT pg_advisory_lock(4711)")))
while not onlooker.execute(text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")).scalar():
    pass
holder.execute(text("SELECT pg_advisory_unlock(4711)"))
waiting.get()
large = "x" * 30_000_000  # more than the socket takes at once, both ways
assert onlooker.execute(text("SELECT CAST(:large AS text)"), {"large": large}).scalar() == large
pid = waiter.execute(text("SELECT pg_backend_pid()")).scalar()
with psycopg.connect(sys.argv[2], autocommit=True) as admin:
    admin.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
try:
    waiter.execute(text("SELECT 1"))
except Exception as error:
    print(type(error).__name__)
"""


def test_in_gevent_one_greenlet_waits_for_the_server_while_others_work(runtime: Runtime) -> None:
    url = runtime.settings.database_url
    done = subprocess.run(
        [sys.executable, "-c", WAITING_IN_GEVENT, url, url.replace("xiangyue_app@", "postgres@")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout.strip(), done.returncode) == ("OperationalError", 0), done.stderr[-2000:]


@pytest.fixture
def pooled(runtime: Runtime) -> Any:
    """As behind PgBouncer; on a server that would speak another time zone."""
    made = make_engine(runtime.settings.database_url, pool_size=1, statement_timeout_ms=12_345, behind_pgbouncer=True)
    yield made
    made.dispose()


def shown(connection: Any) -> tuple[str, str]:
    return tuple(connection.execute(text(f"SHOW {name}")).scalar_one() for name in ("statement_timeout", "timezone"))


def test_behind_pgbouncer_time_limit_and_time_zone_hold_in_every_transaction(pooled: Engine, hanyin: County) -> None:
    with pooled.connect() as connection:
        assert shown(connection) == ("12345ms", "UTC")
        # Nothing is left on the server's connection for whoever gets it next.
        connection.rollback()
        raw = connection.connection.driver_connection
        assert raw is not None
        assert raw.execute("SHOW statement_timeout").fetchone() == ("0",)
        raw.rollback()
    for _again in range(2):
        with TenantSession(pooled, Scope(hanyin.info.id)) as session:
            assert shown(session) == ("12345ms", "UTC")
            assert session.execute(text("SELECT current_setting('app.tenant_id')")).scalar() == str(hanyin.info.id)
            with alone(session, 2.0):
                assert shown(session)[0] != "12345ms"
            assert shown(session) == ("12345ms", "UTC")


STANDING = "SELECT r.key FROM role r WHERE {tenant:r} AND r.id > :least ORDER BY r.id"


def keys(session: TenantSession) -> list[str]:
    return [row[0] for row in first_rows(session, STANDING, {"least": 0})]


def test_the_first_statement_goes_along_with_the_opening(engine: Engine, hanyin: County, spoken: list[str]) -> None:
    tenant_id = hanyin.info.id
    with TenantSession(engine, Scope(tenant_id)) as session:
        expected = keys(session)
        assert expected == keys(session), "inside the transaction it is a plain statement"
    assert expected
    spoken.clear()
    with TenantSession(engine, Scope(tenant_id)) as session:
        assert keys(session) == expected
        assert session.execute(text("SELECT current_setting('app.tenant_id')")).scalar() == str(tenant_id)
    said = [one for one in spoken if one != ";"]  # that is the pool's look at the connection
    assert said[0] == f"BEGIN; SET LOCAL app.tenant_id = '{tenant_id}'; EXECUTE xiangyue_0({tenant_id}, 0)"
    assert not any("role" in one for one in said)


def test_the_first_statement_has_both_walls(engine: Engine, hanyin: County, tongyu: County) -> None:
    per_county = []
    for county in (hanyin, tongyu):
        with TenantSession(engine, Scope(county.info.id)) as session:
            rows = first_rows(session, "SELECT r.tenant_id FROM role r WHERE {tenant:r}", {})
            per_county.append({row[0] for row in rows})
    assert per_county == [{hanyin.info.id}, {tongyu.info.id}]
    with TenantSession(engine, Scope(hanyin.info.id)) as session, pytest.raises(UnscopedSql):
        first_rows(session, "SELECT r.tenant_id FROM role r", {})


def test_bytes_reach_the_first_statement_as_they_are(engine: Engine, hanyin: County) -> None:
    given = bytes(range(256))
    with TenantSession(engine, Scope(hanyin.info.id)) as session:
        rows = first_rows(session, "SELECT (:given)::bytea FROM role r WHERE {tenant:r} LIMIT 1", {"given": given})
    assert rows == [(given,)]


def test_a_prepared_statement_whose_table_changed_is_asked_anew(
    engine: Engine, runtime: Runtime, hanyin: County
) -> None:
    everything = "SELECT r.* FROM role r WHERE {tenant:r}"
    with TenantSession(engine, Scope(hanyin.info.id)) as session:
        before = first_rows(session, everything, {})
    url = runtime.settings.database_url.replace("xiangyue_app@", "xiangyue_owner@")
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("ALTER TABLE role ADD COLUMN passing integer")
        try:
            for _ in range(2):
                with TenantSession(engine, Scope(hanyin.info.id)) as session:
                    assert [row[:-1] for row in first_rows(session, everything, {})] == before
                    assert session.execute(text("SELECT 1")).scalar() == 1
        finally:
            owner.execute("ALTER TABLE role DROP COLUMN passing")


def test_a_wrong_first_statement_says_what_is_wrong_and_leaves_the_connection_well(
    engine: Engine, hanyin: County
) -> None:
    with TenantSession(engine, Scope(hanyin.info.id)) as session, pytest.raises(psycopg.errors.UndefinedColumn):
        first_rows(session, "SELECT r.nothing FROM role r WHERE {tenant:r}", {})
    with TenantSession(engine, Scope(hanyin.info.id)) as session:
        assert keys(session)


def test_a_first_statement_out_of_time_is_said_to_be_so(runtime: Runtime, hanyin: County) -> None:
    made = make_engine(runtime.settings.database_url, pool_size=1, statement_timeout_ms=50)
    try:
        with TenantSession(made, Scope(hanyin.info.id)) as session, pytest.raises(OperationalError) as caught:
            first_rows(session, "SELECT pg_sleep(5) FROM role r WHERE {tenant:r} LIMIT 1", {})
        assert isinstance(caught.value.orig, psycopg.errors.QueryCanceled)
        assert not caught.value.connection_invalidated
        assert roles(made, hanyin.info.id), "the same connection goes on"
    finally:
        made.dispose()


def test_behind_pgbouncer_the_first_statement_is_a_plain_one(runtime: Runtime, hanyin: County) -> None:
    made = make_engine(runtime.settings.database_url, pool_size=1, behind_pgbouncer=True)
    try:
        with TenantSession(made, Scope(hanyin.info.id)) as session:
            assert keys(session)
            prepared = session.execute(text("SELECT count(*) FROM pg_prepared_statements")).scalar()
        assert prepared == 0
    finally:
        made.dispose()


def test_the_first_statement_after_the_server_ended_the_connection(
    runtime: Runtime, engine: Engine, hanyin: County
) -> None:
    for _ in range(2):
        with TenantSession(engine, Scope(hanyin.info.id)) as session:
            assert keys(session)
    end_connections(runtime, engine)
    with TenantSession(engine, Scope(hanyin.info.id)) as session:
        assert keys(session)


@pytest.mark.parametrize("ends", ["ROLLBACK", "DROP"])
def test_what_psycopg_takes_back_is_prepared_anew_without_a_failure(
    engine: Engine, hanyin: County, spoken: list[str], ends: str
) -> None:
    scope = Scope(hanyin.info.id)
    with TenantSession(engine, scope) as session:
        for _ in range(8):  # often enough for psycopg to prepare it
            assert keys(session)
        if ends == "DROP":
            stage_rows(session, "stage_passing", {"one": "int"}, [(1,)])
            stage_rows(session, "stage_passing", {"one": "int"}, [(2,)])
            session.commit()
        else:
            session.rollback()
    spoken.clear()
    with TenantSession(engine, scope) as session:
        assert keys(session)
    said = [one for one in spoken if one != ";"]
    assert [one.split(" ")[0] for one in said] == ["PREPARE", "BEGIN;"], said
    assert "EXECUTE" in said[1]


def test_a_slow_request_keeps_nobody_from_ending_its_session(hanyin: County) -> None:
    client = hanyin.client("county_admin")
    assert client.get("/").status_code == 200
    with hanyin.uow() as uow:
        row = uow.session.scalars(select(AccountSession).order_by(AccountSession.id.desc()).limit(1)).one()
        row.last_seen_at = datetime.now(UTC) - timedelta(minutes=5)
        id, account_id, long_ago = row.id, row.account_id, row.last_seen_at
    cookie = client.get_cookie(f"xy_session_{hanyin.runtime.settings.cookie_suffix}", domain=hanyin.host)
    assert cookie is not None
    with Uow(hanyin.runtime.engine, tenant_id=hanyin.info.id, actor=anonymous(hanyin.info.id)) as slow:
        found = session_actor(slow, cookie.value, tenant_area=hanyin.info.area_code, hours=1)
        assert found is not None
        assert found[0].account_id == account_id
        with hanyin.uow() as other:
            other.session.execute(text("SET LOCAL lock_timeout = '2s'"))
            other.get_for_update(AccountSession, id)
    with hanyin.uow() as uow:
        assert uow.get(AccountSession, id).last_seen_at > long_ago, "noted at the end"
