"""What whoever acted is called, on pages and in files."""

from __future__ import annotations

from xiangyue.access.actor import system_words
from xiangyue.web.pipeline import runtime


def actor_words(name: str, account_id: int | None = None) -> str:
    """A person's name as it stands; a plugin's label and words for the system, which have no ``account_id``."""
    if account_id is not None:
        return name
    plugin = runtime().registry.installed.get(name)
    return str(plugin.label) if plugin is not None else system_words(name) or name
