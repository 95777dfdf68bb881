"""A sign of life in a file, for processes that answer no requests.

The worker and the scheduler touch ``<home>/run/<name>.alive`` each time they come round; whoever watches them (a
container's liveness probe) looks at its age: ``test -n "$(find …/worker.alive -mmin -5)"``. That the database or the
queue is away does not make it old, since a restart would mend neither.
"""

from __future__ import annotations

from pathlib import Path

import structlog

from xiangyue.config import Settings

log = structlog.get_logger()


class SignOfLife:
    """``beat()`` makes the file new. A folder that cannot be written is said once and stops no work."""

    def __init__(self, settings: Settings, name: str) -> None:
        self.path: Path = settings.home / "run" / f"{name}.alive"
        self._told = False

    def beat(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.touch(mode=0o600)
        except OSError as error:
            if not self._told:
                log.warning("sign_of_life_failed", path=str(self.path), error=type(error).__name__)
            self._told = True
