"""The embedded servers of one XIANGYUE_HOME, shared by every command that needs them.

Users are counted by a shared file lock, which the kernel drops when a process dies: the first starts the
servers, later ones attach, the last to leave stops them. So a command works beside a running demo, and a
command that starts the servers itself does not take them away from one that came later. Servers left by a
killed process are taken over by the next user.
"""

from __future__ import annotations

import atexit
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType

from xiangyue.config import Settings, SettingsError
from xiangyue.local.layout import Layout
from xiangyue.local.locks import FileLock, exclusive
from xiangyue.local.postgres import PostgresServer
from xiangyue.local.redis import RedisServer

_LOCK_SECONDS = 320.0  # a little longer than the slowest start


class EmbeddedServers:
    """PostgreSQL and Redis under one home; ``join`` and ``leave`` count this object as one user."""

    def __init__(self, home: Path, *, fast: bool = False) -> None:
        self.layout = Layout.of(home)
        self.postgres = PostgresServer(self.layout, fast=fast)
        self.redis = RedisServer(self.layout, fast=fast)
        self._users: FileLock | None = None
        self._wanted: tuple[bool, bool] = (False, False)

    def join(self, *, postgres: bool = True, redis: bool = True) -> None:
        """Count as a user and make the wanted servers run. Raises LocalServerError; then nothing is held."""
        with self._alone():
            self._users = FileLock(self.layout.run / "users.lock")
            self._users.try_shared()  # only ever held alone inside _alone()
            self._wanted = (postgres, redis)
            try:
                self._start()
            except BaseException:
                self._go()
                raise

    def revive(self) -> list[str]:
        """Start again what died; returns the names of the servers that were started."""
        with self._alone():
            return self._start()

    def leave(self) -> bool:
        """Stop counting; the last user stops the servers. Returns whether they were stopped."""
        if self._users is None:
            return False
        with self._alone():
            return self._go()

    def dead(self) -> bool:
        """Whether a wanted server is gone. Cheap enough for a loop."""
        postgres, redis = self._wanted
        return (postgres and self.postgres.postmaster() is None) or (redis and self.redis.process() is None)

    def _start(self) -> list[str]:
        postgres, redis = self._wanted
        started = []
        self.layout.make_sockets()
        if postgres and self.postgres.start():
            started.append("postgres")
        if redis and self.redis.start():
            started.append("redis")
        return started

    def _go(self) -> bool:
        users, self._users = self._users, None
        if users is None:
            return False
        try:
            users.release()
            last = users.try_exclusive()
            if last:
                self.redis.stop()
                self.postgres.stop()
                self.layout.discard_sockets()
            return last
        finally:
            users.close()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with exclusive(self.layout.run / "servers.lock", timeout=_LOCK_SECONDS):
            yield


@contextmanager
def joined(settings: Settings) -> Iterator[tuple[Settings, EmbeddedServers | None]]:
    """Like ``running``, and hands out the servers as well (None when both addresses are set)."""
    needs_postgres, needs_redis = not settings.database_url, not settings.redis_url
    if needs_postgres and settings.migration_database_url:
        raise SettingsError(
            "XIANGYUE_MIGRATION_DATABASE_URL is set but XIANGYUE_DATABASE_URL is not: set both or neither"
        )
    if not (needs_postgres or needs_redis):
        yield settings, None
        return
    with _terminable():
        servers = EmbeddedServers(settings.home)
        servers.join(postgres=needs_postgres, redis=needs_redis)
        try:
            filled = replace(settings, home=servers.layout.home)
            if needs_postgres:
                filled = replace(
                    filled,
                    database_url=servers.postgres.app_url,
                    migration_database_url=servers.postgres.owner_url,
                )
            if needs_redis:
                filled = replace(filled, redis_url=servers.redis.url)
            yield filled, servers
        finally:
            servers.leave()


@contextmanager
def running(settings: Settings) -> Iterator[Settings]:
    """Settings with all addresses filled in, backed by embedded servers where they were empty.

    Starts the servers under ``settings.home`` or attaches to those that run there; the last user stops them.
    ``database_url`` is the runtime role, ``migration_database_url`` the owning role. With both addresses set
    it does nothing. Raises LocalServerError (cannot run) or SettingsError (contradicting addresses).
    """
    with joined(settings) as (filled, _):
        yield filled


def ensure(settings: Settings) -> Settings:
    """``running`` for the rest of this process: what was joined is left at exit."""
    stack = ExitStack()
    filled = stack.enter_context(running(settings))
    atexit.register(stack.close)
    return filled


@contextmanager
def _terminable() -> Iterator[None]:
    """Let SIGTERM unwind the stack, so that ``finally`` runs; a handler somebody set stays."""
    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return

    def end(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
