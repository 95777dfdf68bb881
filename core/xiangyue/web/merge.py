"""Two people change one thing: what each of them changed is put together, and only what both changed is a conflict.

An edit form carries what stood in its fields when it was opened (``FormView.opened``). Whoever saves second has touched
only the fields that differ from it; the others take what stands now.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict

#: Name of the hidden field.
OPENED = "opened"


@dataclass(frozen=True, slots=True)
class Merge:
    """``values``: texts for the form. Field names by who changed them: ``mine`` I alone, ``taken`` the others alone,
    ``conflicts`` both, and differently."""

    values: MultiDict[str, str]
    mine: list[str]
    taken: list[str]
    conflicts: list[str]


def field_text(value: Any) -> str:
    """A value as its form field has it; browsers send line ends as CR LF."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "\n".join(str(value).splitlines()).strip()


def opened_json(values: Mapping[str, Any]) -> str:
    """The content of the hidden field."""
    return json.dumps({name: field_text(value) for name, value in values.items()}, ensure_ascii=False)


def opened_of(typed: Mapping[str, str]) -> dict[str, str] | None:
    """What the form was opened with; None when it does not say, or in no readable way."""
    try:
        found = json.loads(typed.get(OPENED, ""))
    except ValueError:
        return None
    return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else None


def merge(typed: MultiDict[str, str], theirs: Mapping[str, Any]) -> Merge:
    """Put together what was typed and what stands now (``theirs``, by field). A form that does not say what it was
    opened with has touched every field."""
    opened = opened_of(typed)
    values = MultiDict(typed)
    mine, taken, conflicts = [], [], []
    for name, value in theirs.items():
        if name not in typed:
            continue
        now, given = field_text(value), field_text(typed[name])
        was = None if opened is None else opened.get(name)
        if given == now:
            continue
        if was is None:
            conflicts.append(name)
        elif given == was:
            values[name] = now
            taken.append(name)
        elif now == was:
            mine.append(name)
        else:
            conflicts.append(name)
    return Merge(values, mine, taken, conflicts)
