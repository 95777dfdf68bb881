"""What is known of an installed plugin, and how a fault in one is told."""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from xiangyue.db.session import OutOfTime
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.manifest import Manifest
from xiangyue.plugin.offer import Contributor

READY = "ready"
#: Its import or registration raised, or returned nonsense.
BROKEN = "broken"
#: Made for another version of the plugin interface.
INCOMPATIBLE = "incompatible"
#: It claims what is not its own.
REFUSED = "refused"
#: Its tables are missing, or its migration failed.
UNMIGRATED = "unmigrated"

STATES: dict[str, Any] = {
    READY: _l("ready"),
    BROKEN: _l("broken"),
    INCOMPATIBLE: _l("made for another version"),
    REFUSED: _l("refused"),
    UNMIGRATED: _l("without its tables"),
}


@dataclass(slots=True)
class Installed:
    """A plugin of this process. ``reason`` (lazy text) says why it is not ready; ``trace`` is for its author.

    ``hooks`` are the names of the hooks that it implements. ``contributor`` is None unless it got as far as being
    registered.
    """

    name: str
    distribution: str = ""
    version: str = ""
    state: str = READY
    reason: Any = ""
    manifest: Manifest | None = None
    module: ModuleType | None = None
    hooks: tuple[str, ...] = ()
    contributor: Contributor | None = field(default=None, repr=False)
    trace: str = field(default="", repr=False)

    @property
    def ready(self) -> bool:
        return self.state == READY

    @property
    def label(self) -> Any:
        """The manifest's label, or the bare name where there is none."""
        return self.manifest.label if self.manifest is not None else self.name


class Fault(Exception):
    """A plugin cannot be taken in. ``state`` is one of STATES, ``reason`` lazy text."""

    def __init__(self, state: str, reason: Any) -> None:
        super().__init__(state)
        self.state = state
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.state}: {self.reason}"


def refuse(reason: Any) -> Fault:
    return Fault(REFUSED, reason)


def broken(reason: Any) -> Fault:
    return Fault(BROKEN, reason)


def told(error: BaseException) -> str:
    """An error in one line, with the place that raised it: ``ImportError: no module x (colour.py:12)``."""
    text = " ".join(str(error).split())[:300]
    if isinstance(error, OutOfTime):
        text = "it hangs"
    where = ""
    if isinstance(error, SyntaxError) and error.filename:
        where = f"{Path(error.filename).name}:{error.lineno}"
        text = error.msg
    elif frames := traceback.extract_tb(error.__traceback__):
        # Frames of the import machinery say nothing.
        own = [f for f in frames if not f.filename.startswith("<frozen")]
        last = (own or frames)[-1]
        where = f"{Path(last.filename).name}:{last.lineno}"
    said = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return f"{said} ({where})" if where else said
