"""What a record that stands in the way of an undo is called."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import class_mapper

from xiangyue.db.uow import Uow
from xiangyue.features.audit.words import THINGS
from xiangyue.i18n import gettext as _
from xiangyue.runtime import runtime_of


def record_label(uow: Uow, table: str) -> str:
    """Words of ``schema.table``: those by which it follows its owner, with the plugin's name; else the plugin's name,
    else the table's."""
    schema, _dot, name = table.partition(".")
    runtime = runtime_of(uow)
    plugin = schema.removeprefix("plugin_") if schema != "public" else ""
    label: Any = THINGS.get(name, "")
    whose: Any = ""
    if runtime is not None:
        for contributor, item in runtime.registry.each("follows"):
            local: Any = class_mapper(item.model).local_table
            if (local.schema or "public", local.name) == (schema, name):
                label = item.label
                whose = contributor.manifest.label if contributor.manifest is not None else ""
        known = runtime.registry.installed.get(plugin) if plugin else None
        whose = whose or (known.label if known is not None else plugin)
    if whose and label:
        return _("%(thing)s of the plugin “%(plugin)s”", thing=label, plugin=whose)
    if whose:
        return _("a record of the plugin “%(plugin)s”", plugin=whose)
    return str(label or name)
