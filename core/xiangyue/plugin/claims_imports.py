"""Whether a declared import of a register can be read by: its columns, their kinds, and what tells rows apart."""

from __future__ import annotations

import re
from typing import Any

from xiangyue.plugin.registers import PLAIN_KINDS, REFERENCES, ImportRegister

_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
#: Keys of the roster's own columns: they have headings and ways of reading that are theirs.
ROSTER_KEYS = frozenset(
    {"town", "village", "group", "household_no", "relation", "name", "sex", "id_number", "birth_date", "nationality"}
    | {"phone", "address", "marks", "away", "household_income", "income_year", "row_key"}
)


def register_fault(register: ImportRegister) -> tuple[str, Any, str]:
    """(which part of it, its value, what is possible) of the first thing wrong, or empty strings."""
    keys = [column.key for column in register.columns]
    headings: dict[str, str] = {}
    references: set[str] = set()
    for column in register.columns:
        where = f"column {column.key}"
        if not _KEY.fullmatch(column.key) or column.key in ROSTER_KEYS or keys.count(column.key) > 1:
            return "column", column.key, "keys of its own, each once (small letters, digits, _)"
        if column.kind not in (*PLAIN_KINDS, *REFERENCES):
            return f"{where}: kind", column.kind, ", ".join((*PLAIN_KINDS, *REFERENCES))
        if (column.choices is not None) != (column.kind == "choice"):
            return f"{where}: choices", column.choices, "a function, of the kind choice alone"
        if column.kind == "phone" and not column.key.endswith("_phone"):
            return f"{where}: key", column.key, "…_phone"
        if column.kind in REFERENCES:
            what = "village" if column.kind in ("area", "place") else column.kind
            if what in references:
                return f"{where}: kind", column.kind, "one of each reference"
            references.add(what)
            continue
        for heading in (*column.names, *column.aliases):
            if not heading.strip() or headings.setdefault(heading, column.key) != column.key:
                return f"{where}: names", heading, "headings of its own"
    if not register.columns or not set(register.keys) <= set(keys):
        return "keys", register.keys, "keys of its columns"
    if register.built is not None and register.undo is None:
        return "built", register.built, "beside undo"
    return "", None, ""
