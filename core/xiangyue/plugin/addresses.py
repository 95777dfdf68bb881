"""Where a plugin answers: pages under ``/p/<plugin>/``, its API under ``/api/v1/p/<plugin>/``."""

from __future__ import annotations

PAGES = "/p/"
API = "/api/v1/p/"


def pages_prefix(name: str) -> str:
    return f"{PAGES}{name}"


def api_prefix(name: str) -> str:
    return f"{API}{name}"


def plugin_of(path: str) -> str | None:
    """The plugin whose addresses a path belongs to; None for the core's."""
    for prefix in (PAGES, API):
        if path.startswith(prefix):
            return path[len(prefix) :].partition("/")[0]
    return None
