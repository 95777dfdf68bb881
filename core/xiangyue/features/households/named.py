"""Which parameters of a list's address are conditions: whatever keeps an address for later names no others.

A page passes over what it does not know, for addresses get old and travel. A view that is saved or a file that is made
would be of more than was asked for, and nobody would see it.
"""

from __future__ import annotations

from collections.abc import Iterable

from xiangyue.db.uow import Uow
from xiangyue.features.households.offered import takes
from xiangyue.features.households.own_lists import OPERATORS, PREFIX, own_fields
from xiangyue.features.households.schemas import HouseholdConditions, PersonConditions

_CONDITIONS = {"household": HouseholdConditions, "person": PersonConditions}
#: Parameters of every list's address that are no conditions.
_PASSING = frozenset({"sort", "cols", "after", "before"})


def unnamed(uow: Uow, entity: str, names: Iterable[str]) -> list[str]:
    """Those of ``names`` that are neither a condition of the list of ``entity`` (household or person), nor one on an
    own field (retired ones count) or of a plugin that the reader has here, nor say order, columns and page."""
    known = _PASSING | set(_CONDITIONS[entity]().fields)
    rest = [name for name in dict.fromkeys(names) if name not in known]
    own = own_fields(uow, entity) if any(name.startswith(PREFIX) for name in rest) else {}

    def is_condition(name: str) -> bool:
        if name.startswith(PREFIX):
            key, _dot, operator = name.removeprefix(PREFIX).partition(".")
            return key in own and operator in OPERATORS[own[key].type]
        return entity == "household" and takes(uow, name)

    return [name for name in rest if not is_condition(name)]
