"""Errors that people see; each has its HTTP status. Messages are lazy texts that say what, where and how to mend."""

from __future__ import annotations

from xiangyue.errors import Conflict, Forbidden, Invalid, NotFound, PreconditionFailed, Refused, Stale, XiangyueError

__all__ = ["Conflict", "Forbidden", "Invalid", "NotFound", "PreconditionFailed", "Refused", "Stale", "XiangyueError"]
