"""What plugins are asked before a household changes, and told afterwards.

A plugin that refuses ends the act (``Refused``). What is told goes out after the commit, by jobs, and holds ids only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xiangyue.db.uow import Uow
from xiangyue.features.households.models import Household, Person
from xiangyue.plugin.dispatch import publish, veto

#: Never shown to a plugin with a change; it may read them where it has the right.
_HIDDEN = frozenset({"id_number", "phone", "custom"})


def ask(uow: Uow, household_id: int, changes: Mapping[str, Any], custom: Mapping[Any, Any] | None = None) -> None:
    """May this household be changed so? ``custom``: values of own fields by field. Raises Refused."""
    plain = {name: value for name, value in changes.items() if name not in _HIDDEN}
    own = {f"custom.{field.key}": value for field, value in (custom or {}).items()}
    veto(uow, "household_change_requested", household_id=household_id, changes={**plain, **own})


def tell_household(uow: Uow, household: Household, action: str) -> None:
    """``action`` as in the audit trail."""
    publish(uow, "household_change_happened", household_id=household.id, action=action)


def tell_person(uow: Uow, person: Person, action: str) -> None:
    """The same of a person or of one of the person's marks."""
    publish(uow, "person_change_happened", person_id=person.id, household_id=person.household_id, action=action)
