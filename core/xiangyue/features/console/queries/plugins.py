"""Plugins installed beside the application: distributions with an entry point of the group ``xiangyue.plugins``."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import entry_points

GROUP = "xiangyue.plugins"


@dataclass(frozen=True, slots=True)
class InstalledPlugin:
    """``name`` as profiles write it; ``distribution`` and ``version`` of the package that brings it."""

    name: str
    distribution: str
    version: str


def installed_plugins() -> list[InstalledPlugin]:
    """All installed plugins by name; nothing of them is imported."""
    found = {}
    for point in entry_points(group=GROUP):
        dist = point.dist
        found[point.name] = InstalledPlugin(point.name, dist.name if dist else "", dist.version if dist else "")
    return [found[name] for name in sorted(found)]
