"""The one error of this room."""

from __future__ import annotations

from pathlib import Path

from xiangyue.errors import XiangyueError


class LocalServerError(XiangyueError):
    """Something on this machine keeps a local server from running; the text says what and how to mend it."""

    code = "local_server"


def log_tail(path: Path, lines: int = 15) -> str:
    """The last lines of a log, indented for a message; empty when there is no log."""
    try:
        with path.open("rb") as stream:
            stream.seek(0, 2)
            stream.seek(max(0, stream.tell() - 16_384))
            text = stream.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join(f"    {line}" for line in text.splitlines()[-lines:])
