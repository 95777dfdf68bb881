"""What a plugin says of itself. The entry point of the group ``xiangyue.plugins`` names the module that holds it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from marshmallow import Schema

ENTRY_POINTS = "xiangyue.plugins"
#: Version of what ``xiangyue.sdk`` offers to plugins: a minor step adds, a major one may take away.
API_VERSION = "1.0"

NAME = re.compile(r"[a-z][a-z0-9]{1,30}")


@dataclass(frozen=True, slots=True)
class Manifest:
    """``MANIFEST`` of the plugin's module, where its hook implementations are too.

    ``name``: small letters and digits, the entry point's name; routes, tables, permissions and keys begin with it.
    ``core``: range of API versions it works with (PEP 440, like ``>=1.0,<2``). ``settings``: its marshmallow schema;
    the settings form is built from it (``metadata={"label": …, "help": …}``), and every field has a default.
    ``requires``: plugins that must be on too. Folders are absolute; ``migrations`` holds Alembic revisions.
    """

    name: str
    label: Any
    summary: Any
    core: str
    version: str
    settings: type[Schema] | None = None
    requires: tuple[str, ...] = ()
    migrations: Path | None = None
    translations: Path | None = None
    static: Path | None = None
    author: str = ""
    documentation: str = ""
    #: Permission names, job kinds … that this version no longer has but whose rows are still read: old -> label.
    retired: dict[str, Any] = field(default_factory=dict)

    @property
    def schema_name(self) -> str:
        """PostgreSQL schema of its tables."""
        return f"plugin_{self.name}"

    @property
    def version_table(self) -> str:
        """Table of its migrations' state, in ``public``."""
        return f"plugin_{self.name}_version"
