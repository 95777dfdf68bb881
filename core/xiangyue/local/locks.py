"""Advisory file locks. The kernel releases them when a process dies, so nothing has to be cleaned up."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from xiangyue.local.problems import LocalServerError


class FileLock:
    """One open description of a lock file; each instance is a holder of its own, also inside one process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except PermissionError as error:
            raise LocalServerError(
                f"{path} belongs to another user: run as that user, or set XIANGYUE_HOME to another folder."
            ) from error

    def try_exclusive(self) -> bool:
        return self._try(fcntl.LOCK_EX)

    def try_shared(self) -> bool:
        return self._try(fcntl.LOCK_SH)

    def _try(self, kind: int) -> bool:
        try:
            fcntl.flock(self._fd, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def release(self) -> None:
        fcntl.flock(self._fd, fcntl.LOCK_UN)

    def close(self) -> None:
        """Releases too."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def read(self) -> str:
        return os.pread(self._fd, 200, 0).decode("utf-8", "replace").strip()

    def write(self, text: str) -> None:
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, text.encode(), 0)


@contextmanager
def exclusive(path: Path, *, timeout: float) -> Iterator[None]:
    """Hold ``path`` alone. Raises LocalServerError when others hold it for ``timeout`` seconds."""
    lock = FileLock(path)
    try:
        deadline = time.monotonic() + timeout
        while not lock.try_exclusive():
            if time.monotonic() > deadline:
                raise LocalServerError(
                    f"Another process has been starting or stopping the servers for {timeout:.0f} seconds "
                    f"(lock {path}). Try again, or look for a hanging xiangyue process."
                )
            time.sleep(0.02)
        yield
    finally:
        lock.close()
