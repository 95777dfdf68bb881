"""What the test run wrote to audit trails, so that a gate can ask whether people can read it: every action, thing,
field and actor that is not a person needs words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import event

from xiangyue.access.actor import system_words
from xiangyue.access.models import AuditEntry
from xiangyue.features.audit.words import FIELDS, THINGS, VERBS
from xiangyue.features.privacy.service_erase import ERASED

#: Keys whose values are names of things by which they are counted; their own keys are data.
_BY_NAME = {"taken", "written", "counties", "counts", "matched"}
#: Keys whose values are keys of fields and columns.
_NAMING = {"fields", "cols"}


@dataclass(frozen=True, slots=True)
class Written:
    """The shape of one entry, without its values."""

    action: str
    object_type: str
    actor: str
    keys: frozenset[str]


#: Distinct shapes of entries that the ORM wrote in this process.
SEEN: set[Written] = set()


def shape_of(entry: AuditEntry) -> Written:
    keys = frozenset(key for side in (entry.before, entry.after) for key in keys_of(side or {}))
    actor = (entry.actor_name or "") if entry.actor_kind == "system" else ""
    return Written(entry.action, entry.object_type, actor, keys)


def _remember(_mapper: Any, _connection: Any, entry: AuditEntry) -> None:
    SEEN.add(shape_of(entry))


def keys_of(values: Mapping[str, Any]) -> Iterable[str]:
    """Keys of a side of a change, those inside it and those of what it names too."""
    for key, value in values.items():
        yield key
        parts = value if isinstance(value, list) else [value]
        for part in parts:
            if isinstance(part, str) and key in _NAMING:
                yield part
            if isinstance(part, dict) and key not in _BY_NAME:
                yield from keys_of(part)


event.listen(AuditEntry, "before_insert", _remember)


def wordless(
    written: Iterable[Written], actions: Mapping[str, Any], of_a_plugin: Callable[[str], bool] = lambda _name: False
) -> list[str]:
    """Codes of the entries that have no words, with the action that wrote them. ``of_a_plugin``: whether a name is a
    plugin's, whose columns and conditions begin with it and have the words that it registers them with."""
    faults = set()
    for one in written:
        thing, _dot, verb = one.action.rpartition(".")
        if one.action not in actions and not (thing in THINGS and verb in VERBS):
            faults.add(f"action {one.action}")
        if one.object_type and one.object_type not in THINGS:
            faults.add(f"thing {one.object_type} ({one.action})")
        # Plugins act under their own names, which are one word.
        if " " in one.actor and system_words(one.actor) is None:
            faults.add(f"actor {one.actor} ({one.action})")
        # A county's own fields have their names from its profile, a plugin's columns and settings from the plugin.
        if one.action not in ("plugin.settings", "custom_field.order"):
            keys = {key for key in one.keys if not ("." in key or ":" in key or of_a_plugin(key.partition("_")[0]))}
            faults |= {f"field {key} ({one.action})" for key in keys if key not in FIELDS and key not in ERASED}
    return sorted(faults)
