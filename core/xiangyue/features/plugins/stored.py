"""A plugin's settings as they are stored, and as its schema reads them today."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from datetime import time as clock
from decimal import Decimal
from typing import Any
from uuid import UUID

from marshmallow import Schema, ValidationError

from xiangyue.db.uow import Uow
from xiangyue.plugin.installed import Installed
from xiangyue.runtime import runtime_of

Path = tuple[Any, ...]

#: Settings that a unit of work has read already, by plugin.
CACHE = "plugin_settings"


def installed_in(uow: Uow) -> Mapping[str, Installed]:
    """Plugins that this process found, by name."""
    runtime = runtime_of(uow)
    return {} if runtime is None else runtime.registry.installed


def forget_settings(uow: Uow) -> None:
    """Read settings again in this unit of work."""
    uow.session.info.pop(CACHE, None)


def as_stored(value: Any) -> Any:
    """Settings as JSON holds them: a profile's TOML knows dates, a program may give numbers of other kinds."""
    if isinstance(value, Mapping):
        return {str(key): as_stored(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [as_stored(inner) for inner in value]
    if isinstance(value, date | datetime | clock):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal | UUID) else value


def read_stored(schema: Schema, stored: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """(values with defaults filled in, paths of what the schema refuses now and that fell back to its default)."""
    data = as_stored(stored)
    refused: list[str] = []
    while True:
        try:
            return dict(schema.load(data)), refused
        except ValidationError as error:
            paths = list(_paths(error.messages))
        dropped = [path for path in paths if _drop(data, path)]
        if not dropped:
            if not data:
                raise ValueError("the settings schema refuses its own defaults")
            # What fits nowhere else is a fault of the settings as a whole.
            dropped, data = [(key,) for key in data], {}
        refused += [".".join(str(step) for step in path) for path in dropped]


def _paths(messages: Any, above: Path = ()) -> Iterator[Path]:
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            yield from _paths(inner, above if key == "_schema" else (*above, key))
    else:
        yield above


def _drop(data: dict[str, Any], path: Path) -> bool:
    """Take the value at a path out, or what holds it where only the whole can go. False when nothing is there."""
    at: Any = data
    for step in path[:-1]:
        inner = at.get(step)
        if not isinstance(inner, dict):
            return at.pop(step, None) is not None
        at = inner
    if not path or path[-1] not in at:
        return len(path) > 1 and _drop(data, path[:-1])
    del at[path[-1]]
    return True
