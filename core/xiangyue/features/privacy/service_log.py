"""Reading a person's access log is itself on record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit
from xiangyue.db.uow import Uow
from xiangyue.features.households.models import Person
from xiangyue.features.privacy.policy import LOG_VIEW


@acts(LOG_VIEW)
def open_log(uow: Uow, *, person_id: int) -> Person:
    """The person whose log is read. Raises NotFound outside the areas where the actor may."""
    person = uow.get(Person, person_id)
    audit(uow, action="person_access.read", obj=person, label=person.name)
    return person


@acts(LOG_VIEW)
def note_log_export(
    uow: Uow, *, person_id: int, number: str, purpose: str, rows: int, conditions: Mapping[str, Any]
) -> None:
    """Put an export of the log into the audit trail; ``number`` stands on the file."""
    person = uow.get(Person, person_id)
    after = {"rows": rows, "filters": dict(conditions), "number": number}
    audit(uow, action="person_access.export", obj=person, label=person.name, after=after, purpose=purpose)
