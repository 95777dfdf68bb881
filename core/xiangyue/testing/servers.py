"""pytest fixtures: one real PostgreSQL and one real Redis for the whole test run.

Name this module in ``pytest_plugins``. The servers are the embedded ones without fsync, in a folder of their
own in memory or under /tmp; what a killed test run left there is stopped and removed by the next one.
"""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from xiangyue.local.servers import EmbeddedServers
from xiangyue.testing import seed
from xiangyue.testing.seed import remove_home

_PREFIX = "xiangyue-test-"
#: A file system in memory, and what must be free of it and of the memory for each process of a run, which needs a small
#: part of that. Databases are made and removed there in a fraction of a disk's time.
_MEMORY = Path("/dev/shm")  # noqa: S108 - folders in it are made by mkdtemp
_ROOM = 3 * 1024**3


@dataclass(slots=True)
class TestPostgres:
    """The run's PostgreSQL. Databases are cheap: copies of a template take some 30 ms."""

    __test__ = False

    servers: EmbeddedServers
    _templates: dict[str, str] = field(default_factory=dict)

    @property
    def owner_url(self) -> str:
        """The empty database ``xiangyue`` as the owning role (BYPASSRLS)."""
        return self.servers.postgres.owner_url

    @property
    def app_url(self) -> str:
        """The empty database ``xiangyue`` as the runtime role (no superuser, no BYPASSRLS)."""
        return self.servers.postgres.app_url

    def has(self, name: str) -> bool:
        """Whether there is a database of this name."""
        with self.servers.postgres.admin() as admin:
            return admin.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone() is not None

    def create_database(self, name: str = "", *, template: str | None = None) -> tuple[str, str]:
        """A new database (a made-up name if none is given); returns (owner_url, app_url).

        ``template`` is the name of a database to copy, with no open connections.
        """
        chosen = name or f"test_{uuid.uuid4().hex[:12]}"
        return self.servers.postgres.create_database(chosen, template=template)

    def template(self, name: str, prepare: Callable[[str], None]) -> str:
        """A template database, made once per run: ``prepare(owner_url)`` fills it and closes its connections.

        Returns its name for ``create_database(template=…)``.
        """
        if name not in self._templates:
            owner_url, _ = self.create_database(f"template_{name}")
            prepare(owner_url)
            self._templates[name] = f"template_{name}"
        return self._templates[name]

    def drop_database(self, name: str) -> None:
        """Drop a database and end the connections to it; an unknown name is fine."""
        self.servers.postgres.drop_database(name)


def _roomy(memory: Path) -> bool:
    """Whether homes can be in a file system in memory: programs run there, and neither it nor the memory is short. Not
    where somebody said where temporary files go."""
    if os.environ.get("TMPDIR"):
        return False
    try:
        found = os.statvfs(memory)
    except OSError:
        return False
    room = min(found.f_bavail * found.f_frsize, psutil.virtual_memory().available)
    return (
        room >= _ROOM * int(os.environ.get("PYTEST_XDIST_WORKER_COUNT") or 1)
        and not found.f_flag & os.ST_NOEXEC
        and os.access(memory, os.W_OK | os.X_OK)
    )


@pytest.fixture(scope="session")
def embedded_servers() -> Iterator[EmbeddedServers]:
    """Both servers, running; rather ask for ``pg_server`` and ``redis_server``."""
    disk = Path(tempfile.gettempdir())
    for leftover in [*disk.glob(f"{_PREFIX}*/run/users.lock"), *_MEMORY.glob(f"{_PREFIX}*/run/users.lock")]:
        # Another user's test run on the same machine is none of our business.
        if leftover.stat().st_uid == os.geteuid():
            remove_home(leftover.parent.parent)
    home = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=_MEMORY if _roomy(_MEMORY) else disk))
    # mkdtemp makes it 0700; the servers' system user has to pass through when root runs the tests.
    home.chmod(0o711)
    servers = EmbeddedServers(home, fast=True)
    from xiangyue.testing.fixtures import fill

    seed.plant(servers, fill)
    servers.join()
    try:
        yield servers
    finally:
        servers.leave()
        remove_home(home)


@pytest.fixture(scope="session")
def pg_server(embedded_servers: EmbeddedServers) -> TestPostgres:
    """PostgreSQL of the test run: ``owner_url``, ``app_url``, ``create_database(name)``, ``template(…)``."""
    return TestPostgres(embedded_servers)


@pytest.fixture(scope="session")
def redis_server(embedded_servers: EmbeddedServers) -> str:
    """Address of the test run's Redis (``unix://…``). Tests share it: use own key prefixes or flush."""
    return embedded_servers.redis.url
