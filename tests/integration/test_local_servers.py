"""Embedded servers on this machine: started, shared, killed, taken over, ended."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from redis import Redis

from xiangyue.config import Settings
from xiangyue.local.account import Account
from xiangyue.local.layout import LONGEST_SOCKET_FOLDER
from xiangyue.local.locks import FileLock
from xiangyue.local.problems import LocalServerError
from xiangyue.local.servers import EmbeddedServers, running
from xiangyue.testing.homes import read_until, script, server_processes, wait_until
from xiangyue.testing.servers import TestPostgres


def settings_for(home: Path) -> Settings:
    return replace(Settings.load({}), home=home)


def query(url: str, statement: str) -> object:
    with closing(psycopg.connect(url)) as connection:
        row = connection.execute(statement).fetchone()  # type: ignore[call-overload]
    assert row is not None
    return row[0]


@contextmanager
def redis_at(url: str) -> Iterator[Redis]:
    with Redis.from_url(url, decode_responses=True) as client:
        yield client


def test_data_survives_a_restart_and_nothing_runs_in_between(homes: Callable[..., Path]) -> None:
    settings = settings_for(homes("new", fresh=True))
    with running(settings) as live:
        assert query(live.database_url, "SELECT current_user") == "xiangyue_app"
        assert query(live.migration_database_url, "SELECT current_user") == "xiangyue_owner"
        assert query(live.database_url, "SHOW fsync") == "on"
        with psycopg.connect(live.migration_database_url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
        with redis_at(live.redis_url) as client:
            client.set("kept", "8")
    assert server_processes(live.home) == []

    with running(settings) as live:
        assert query(live.migration_database_url, "SELECT n FROM kept") == 7
        with redis_at(live.redis_url) as client:
            assert client.get("kept") == "8"
            assert client.config_get("appendonly") == {"appendonly": "yes"}


def test_roles_have_only_the_rights_they_need(pg_server: TestPostgres) -> None:
    statement = "SELECT rolsuper, rolbypassrls, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = %s"
    with psycopg.connect(pg_server.app_url) as connection:
        rights = {name: connection.execute(statement, [name]).fetchone() for name in ("xiangyue_app", "xiangyue_owner")}
        listening = connection.execute("SHOW listen_addresses").fetchone()

    assert rights == {
        "xiangyue_app": (False, False, False, False),
        "xiangyue_owner": (False, True, True, False),
    }
    assert listening == ("",)


def test_a_database_can_be_copied_from_a_template(pg_server: TestPostgres) -> None:
    def prepare(url: str) -> None:
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE t AS SELECT 1 AS n")

    template = pg_server.template("local_servers", prepare)
    assert pg_server.template("local_servers", prepare) == template
    owner_url, app_url = pg_server.create_database("copied", template=template)

    assert query(owner_url, "SELECT n FROM t") == 1
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        query(app_url, "SELECT n FROM t")
    pg_server.drop_database("copied")


def test_killed_servers_are_revived_with_their_data(homes: Callable[..., Path]) -> None:
    servers = EmbeddedServers(homes())
    servers.join()
    with psycopg.connect(servers.postgres.owner_url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
    with redis_at(servers.redis.url) as client:
        client.set("kept", "8")
        wait_until(lambda: client.info("persistence")["aof_pending_bio_fsync"] == 0)

    postmaster, redis = servers.postgres.postmaster(), servers.redis.process()
    assert postmaster is not None
    assert redis is not None
    postmaster.kill()
    redis.kill()
    wait_until(servers.dead)

    assert sorted(servers.revive()) == ["postgres", "redis"]
    assert query(servers.postgres.owner_url, "SELECT n FROM kept") == 7
    with redis_at(servers.redis.url) as client:
        assert client.get("kept") == "8"
    assert servers.leave()
    assert server_processes(servers.layout.home) == []


def test_a_stale_process_number_of_something_else_is_no_obstacle(homes: Callable[..., Path]) -> None:
    servers = EmbeddedServers(homes(), fast=True)
    servers.join(redis=False)
    postmaster = servers.postgres.postmaster()
    assert postmaster is not None
    old = (servers.postgres.data / "postmaster.pid").read_text().split("\n")
    postmaster.kill()
    wait_until(servers.dead)
    # After a restart of a container the number belongs to another process: here, our own.
    (servers.postgres.data / "postmaster.pid").write_text("\n".join([str(os.getpid()), *old[1:]]))

    assert servers.revive() == ["postgres"]
    servers.leave()


def test_the_last_user_stops_the_servers_whoever_started_them(homes: Callable[..., Path]) -> None:
    home = homes()
    first, second = EmbeddedServers(home, fast=True), EmbeddedServers(home, fast=True)
    first.join()
    second.join()

    assert not first.leave()
    assert query(second.postgres.app_url, "SELECT 1") == 1
    assert second.leave()
    assert server_processes(home) == []


def test_two_homes_at_once_do_not_collide(homes: Callable[..., Path]) -> None:
    one, two = EmbeddedServers(homes("two"), fast=True), EmbeddedServers(homes(), fast=True)
    one.join()
    two.join()
    with redis_at(one.redis.url) as first, redis_at(two.redis.url) as second:
        first.set("home", "one")
        assert second.get("home") is None
    with psycopg.connect(one.postgres.owner_url) as connection:
        connection.execute("CREATE TABLE only_here ()")
    assert query(one.postgres.app_url, "SELECT to_regclass('only_here')") == "only_here"
    assert query(two.postgres.app_url, "SELECT to_regclass('only_here')") is None
    assert one.leave()
    assert query(two.postgres.app_url, "SELECT 1") == 1
    assert two.leave()


def test_a_long_path_with_odd_characters_works(homes: Callable[..., Path]) -> None:
    home = homes("a, 'quoted' \"home\" " + "long" * 30, fresh=True)
    with running(settings_for(home)) as live:
        servers = EmbeddedServers(home)
        assert len(str(servers.layout.sockets)) < LONGEST_SOCKET_FOLDER
        assert query(live.database_url, "SELECT 1") == 1
        with redis_at(live.redis_url) as client:
            assert client.ping()
    assert server_processes(home) == []


def test_only_the_servers_user_can_reach_the_sockets(homes: Callable[..., Path]) -> None:
    servers = EmbeddedServers(homes(), fast=True)
    servers.join()
    layout = servers.layout

    for folder in (layout.sockets, layout.home / "postgres", layout.home / "redis"):
        found = folder.stat()
        assert (found.st_mode & 0o777, found.st_uid) == (0o700, layout.account.uid)
    assert servers.leave()
    servers.join()
    assert servers.leave()


def test_a_home_the_servers_user_cannot_enter_is_named(tmp_path: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    as_root = os.geteuid() == 0
    closed = tmp_path / "closed"
    (closed / "home").mkdir(parents=True)
    closed.chmod(0o700 if as_root else 0o600)
    account = Account(nobody.pw_uid, nobody.pw_gid, "nobody", dropped=as_root)

    with pytest.raises(LocalServerError, match=r"(?s)'nobody'.*cannot enter /.*Set XIANGYUE_HOME to a folder"):
        account.require_entry(closed / "home")
    closed.chmod(0o700)


ORDINARY = """
    import os, sys
    from pathlib import Path
    import psycopg, redis, psutil
    from xiangyue.config import Settings
    from xiangyue.local.servers import running

    home = Path(sys.argv[1])
    settings = Settings.load({}, home=home)
    import encodings.idna, secrets  # this user may not reach the library later
    if os.geteuid() == 0:
        os.setgroups([]); os.setgid(int(sys.argv[3])); os.setuid(int(sys.argv[2]))
    os.umask(0o077)
    with running(settings) as live:
        with psycopg.connect(live.database_url) as connection:
            print(connection.execute("SELECT current_user").fetchone()[0])
        with redis.Redis.from_url(live.redis_url) as client:
            print(client.ping())
        print((home / "postgres" / "data").stat().st_uid == os.geteuid() != 0)
"""


def test_an_ordinary_user_can_run_the_servers(homes: Callable[..., Path]) -> None:
    home = homes("new", fresh=True)
    home.mkdir()
    nobody = pwd.getpwnam("nobody")
    if os.geteuid() == 0:
        os.chown(home, nobody.pw_uid, nobody.pw_gid)
    command = [sys.executable, "-c", textwrap.dedent(ORDINARY)]
    done = subprocess.run(
        [*command, str(home), str(nobody.pw_uid), str(nobody.pw_gid)],
        capture_output=True,
        text=True,
        cwd="/",
        check=False,
    )

    assert (done.stdout.split(), done.returncode) == (["xiangyue_app", "True", "True"], 0), done.stderr
    assert server_processes(home) == []


COMMAND = """
    import sys, time
    from pathlib import Path
    from xiangyue.config import Settings
    from xiangyue.local.servers import running

    with running(Settings.load({}, home=Path(sys.argv[1]))):
        print("up", flush=True)
        time.sleep(600)
"""


def test_a_command_ended_by_sigterm_stops_what_it_started(homes: Callable[..., Path]) -> None:
    home = homes()
    with script(COMMAND, home) as command:
        read_until(command, "up")
        command.terminate()
        command.wait(20)
    assert server_processes(home) == []


def test_servers_of_a_killed_command_are_taken_over(homes: Callable[..., Path]) -> None:
    home = homes()
    with script(COMMAND, home) as command:
        read_until(command, "up")
        before = {process.pid for process in server_processes(home)}
        command.kill()
        command.wait(20)
    assert {process.pid for process in server_processes(home)} >= before

    with running(settings_for(home)) as live:
        assert query(live.database_url, "SELECT 1") == 1
        assert EmbeddedServers(home).postgres.postmaster() in server_processes(home)
        assert before & {process.pid for process in server_processes(home)} == before
    assert server_processes(home) == []


def test_a_lock_is_free_once_its_holder_is_gone(tmp_path: Path) -> None:
    first, second = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    assert first.try_shared()
    assert not second.try_exclusive()
    first.close()
    assert second.try_exclusive()
    second.close()
