"""Writes on persons. Nothing here commits."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import date
from typing import Any

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit
from xiangyue.access.crypto import TenantKeys
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Invalid
from xiangyue.features.households.events import ask, tell_person
from xiangyue.features.households.identifiers import ID_NUMBER, PHONE, in_full
from xiangyue.features.households.models import Household, Person
from xiangyue.features.households.person_input import today
from xiangyue.features.households.policy import HOUSEHOLD_EDIT, IDENTIFIER_REVEAL
from xiangyue.features.households.register.acts import carry_out
from xiangyue.features.households.register.asked import Asked
from xiangyue.features.households.register.corrections import change_person
from xiangyue.features.households.writing import (
    by_client_id,
    check_version,
    follow,
    fresh,
    new_person,
    person_values,
    plain_values,
    required_text,
    sent_digest,
)
from xiangyue.features.privacy.access_log import note_look
from xiangyue.i18n import lazy_gettext as _l


@acts(HOUSEHOLD_EDIT)
def add_person(
    uow: Uow,
    *,
    keys: TenantKeys,
    household_id: int,
    values: Mapping[str, Any],
    client_id: uuid.UUID | None = None,
    allow_synthetic: bool = False,
) -> Person:
    """A new member. ``values``: name, relation, sex, birth_date, id_number, phone, nationality, away, note, ``custom``;
    codes, labels and synonyms are read. The same ``client_id`` again, with the same values, gives the person made
    before.

    Raises NotFound, Invalid by field, AlreadyUsed, Conflict (closed household; citizen number taken, with person_id and
    household_id in ``details`` when that person is in the actor's area).
    """
    household = uow.get_for_update(Household, household_id)
    digest = sent_digest(keys, household_id=household_id, values=values)
    made = by_client_id(uow, Person, client_id, digest)
    if made is not None:
        return made
    if household.state != "active":
        raise Conflict(_l("This household is closed."))
    client = (client_id, digest if client_id else None)
    person = new_person(uow, keys, household, values, client=client, allow_synthetic=allow_synthetic)
    ask(uow, household.id, {"person_id": person.id, **plain_values(person)})
    tell_person(uow, person, "person.add")
    follow(uow, {household.id}, [person.id])
    return fresh(uow, person)


@acts(HOUSEHOLD_EDIT)
def edit_person(
    uow: Uow,
    *,
    keys: TenantKeys,
    person_id: int,
    version: int,
    changes: Mapping[str, Any],
    allow_synthetic: bool = False,
) -> Person:
    """Change what is in ``changes`` (as for ``add_person``, and ``household_id`` to move into another household). An
    empty id_number or phone takes it away. Raises NotFound, Stale with the values that now stand, Invalid, Conflict."""
    person = uow.get_for_update(Person, person_id)
    check_version(person, version, person_values(uow, keys, person))
    change_person(uow, keys, person, changes, allow_synthetic=allow_synthetic)
    return fresh(uow, person)


@acts(HOUSEHOLD_EDIT)
def person_left(uow: Uow, *, person_id: int, version: int, state: str, on: date, reason: str = "") -> Person:
    """A person moved away (``moved``) or died (``deceased``): memberships and standing marks end. An act
    (``register``). Raises NotFound, Stale, Conflict, Invalid."""
    if state not in ("moved", "deceased"):
        raise Invalid({"state": [_l("Choose one of the options.")]})
    return _act(uow, "death" if state == "deceased" else "move_out", person_id, version, on, reason)


@acts(HOUSEHOLD_EDIT)
def person_back(uow: Uow, *, person_id: int, version: int, reason: str) -> Person:
    """A person who had left came back, or was never gone. A former head whose place is taken comes back without a
    relation. Marks that ended stay so; to have everything as it was, undo the act by which the person left. Raises
    NotFound, Stale, Conflict, Invalid."""
    if uow.get(Person, person_id).state == "active":
        raise Conflict(_l("This person lives here."))
    return _act(uow, "return", person_id, version, today(), required_text(reason, "reason"))


def _act(uow: Uow, kind: str, person_id: int, version: int, on: date, reason: str) -> Person:
    person = uow.get_for_update(Person, person_id)
    check_version(person, version, {**person_values(uow, None, person), "state": person.state})
    carry_out(uow, Asked(kind, on, {"person_id": person_id}, reason))
    return fresh(uow, person)


@acts(IDENTIFIER_REVEAL)
def reveal_identifier(uow: Uow, *, keys: TenantKeys, person_id: int, purpose: str) -> tuple[str, str]:
    """(citizen number, phone) in full, "" for none; with the ``purpose`` (two characters or more) in the audit trail.
    Raises NotFound, Invalid."""
    purpose = required_text(purpose, "purpose", least=2)
    person = uow.get(Person, person_id)
    audit(uow, action="identifier.reveal", obj=person, label=person.name, purpose=purpose)
    note_look(uow, person_id=person.id, seen="identifiers", purpose=purpose)
    return (
        in_full(keys, uow.tenant_id, ID_NUMBER, person.id_number),
        in_full(keys, uow.tenant_id, PHONE, person.phone),
    )
