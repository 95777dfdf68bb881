"""Deciding which of two values stands. Nothing here commits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit
from xiangyue.access.crypto import TenantKeys
from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid, XiangyueError
from xiangyue.features.facts.policy import FACT_DECIDE
from xiangyue.features.households.identifiers import ID_NUMBER, PHONE, in_full
from xiangyue.features.households.models import Person
from xiangyue.features.households.models_facts import FactConflict
from xiangyue.features.households.origins import note_origins
from xiangyue.features.households.service_persons import edit_person
from xiangyue.i18n import lazy_gettext as _l

WAYS = ("keep", "take")


@acts(FACT_DECIDE)
def decide_facts(
    uow: Uow, *, keys: TenantKeys, ids: Sequence[int], way: str, allow_synthetic: bool = False
) -> tuple[int, list[tuple[str, Any]]]:
    """Keep what stands, or ``take`` what was offered, for each of these that is still open; each by itself.

    (how many were decided, names with the reason of those that could not be: taken, or a plugin refuses). Taking
    changes the person, with the rules and the right of that. Raises Invalid.
    """
    if way not in WAYS:
        raise Invalid({"way": [_l("Choose one of the options.")]})
    done, failed = 0, []
    statement = select(FactConflict).where(FactConflict.id.in_(list(ids)), FactConflict.state == "open")
    for row in uow.session.scalars(statement.order_by(FactConflict.id).with_for_update()).all():
        person = uow.session.scalars(select(Person).where(Person.id == row.owner_id)).one_or_none()
        if person is None:
            continue  # outside the actor's area
        name = person.name
        try:
            with uow.session.begin_nested():
                _decide(uow, keys, row, person, way, allow_synthetic)
                uow.session.flush()
            done += 1
        except XiangyueError as error:
            failed.append((name, str(error)))
    return done, failed


def _decide(uow: Uow, keys: TenantKeys, row: FactConflict, person: Person, way: str, allow_synthetic: bool) -> None:
    field = row.field
    if way == "take":
        value = row.value
        if field in (ID_NUMBER, PHONE):
            value = in_full(keys, uow.tenant_id, field, row.cipher)
        changes = {field: value, "different": True}
        edit_person(
            uow,
            keys=keys,
            person_id=person.id,
            version=person.version,
            changes=changes,
            allow_synthetic=allow_synthetic,
        )
    row.state = "taken" if way == "take" else "kept"
    row.decided_at, row.decided_by = datetime.now(UTC), uow.actor.account_id
    row.decided_name = uow.actor.name or uow.actor.login
    row.version += 1
    note_origins(uow, row.owner_id, [field], kind="decision")
    audit(uow, action=f"fact.{way}", obj=person, label=person.name, after={"fields": [field]})
