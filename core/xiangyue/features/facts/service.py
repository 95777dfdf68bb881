"""Deciding which of two values stands. Nothing here commits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit, audit_export
from xiangyue.access.crypto import TenantKeys
from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid, XiangyueError
from xiangyue.features.facts.policy import FACT_DECIDE
from xiangyue.features.households.identifiers import ID_NUMBER, PHONE, in_full
from xiangyue.features.households.models import Household, Person
from xiangyue.features.households.models_facts import FactConflict
from xiangyue.features.households.origins import CUSTOM, INCOME, note_origins
from xiangyue.features.households.policy import HOUSEHOLD_EXPORT
from xiangyue.features.households.service import edit_household
from xiangyue.features.households.service_persons import edit_person
from xiangyue.features.households.service_records import set_income
from xiangyue.features.privacy.access_log import Ids, note_set
from xiangyue.i18n import lazy_gettext as _l

WAYS = ("keep", "take")


@acts(FACT_DECIDE)
def decide_facts(
    uow: Uow, *, keys: TenantKeys, ids: Sequence[int], way: str, allow_synthetic: bool = False
) -> tuple[int, list[tuple[str, Any]]]:
    """Keep what stands, or ``take`` what was offered, for each of these that is still open; each by itself.

    (how many were decided, names with the reason of those that could not be: taken, or a plugin refuses). Taking
    changes the person or household, with the rules and the right of that. Raises Invalid.
    """
    if way not in WAYS:
        raise Invalid({"way": [_l("Choose one of the options.")]})
    done, failed = 0, []
    statement = select(FactConflict).where(FactConflict.id.in_(list(ids)), FactConflict.state == "open")
    for row in uow.session.scalars(statement.order_by(FactConflict.id).with_for_update()).all():
        model: Any = Person if row.entity == "person" else Household
        owner = uow.session.scalars(select(model).where(model.id == row.owner_id)).one_or_none()
        if owner is None:
            continue  # outside the actor's area
        name = _name(owner)
        try:
            with uow.session.begin_nested():
                _decide(uow, keys, row, owner, way, allow_synthetic)
                uow.session.flush()
            done += 1
        except XiangyueError as error:
            failed.append((name, str(error)))
    return done, failed


def _name(owner: Person | Household) -> str:
    return owner.name if isinstance(owner, Person) else owner.head_name


def _decide(
    uow: Uow, keys: TenantKeys, row: FactConflict, owner: Person | Household, way: str, allow_synthetic: bool
) -> None:
    field = row.field
    if way == "take":
        value = row.value
        if row.entity == "person" and field in (ID_NUMBER, PHONE):
            value = in_full(keys, uow.tenant_id, field, row.cipher)
        _take(uow, keys, row, owner, value, allow_synthetic)
    row.state = "taken" if way == "take" else "kept"
    row.decided_at, row.decided_by = datetime.now(UTC), uow.actor.account_id
    row.decided_name = uow.actor.name or uow.actor.login
    row.version += 1
    note_origins(uow, row.entity, row.owner_id, [field], kind="decision")
    audit(uow, action=f"fact.{way}", obj=owner, label=_name(owner), after={"fields": [field]})


def _take(
    uow: Uow, keys: TenantKeys, row: FactConflict, owner: Person | Household, value: str, allow_synthetic: bool
) -> None:
    """Write what was offered, by the service that a form would use."""
    own = row.field.startswith(CUSTOM)
    changes: dict[str, Any] = {"custom": {row.field.removeprefix(CUSTOM): value}} if own else {row.field: value}
    if isinstance(owner, Person):
        edit_person(
            uow,
            keys=keys,
            person_id=owner.id,
            version=owner.version,
            changes={**changes, "different": True},
            allow_synthetic=allow_synthetic,
        )
    elif row.field.startswith(INCOME):
        year = int(row.field.removeprefix(INCOME))
        set_income(uow, household_id=owner.id, year=year, amount=int(value), source=row.source)
    else:
        edit_household(uow, household_id=owner.id, version=owner.version, changes=changes)


@acts(HOUSEHOLD_EXPORT)
def note_export(
    uow: Uow,
    *,
    number: str,
    purpose: str,
    area: int,
    rows: int,
    columns: Sequence[str],
    conditions: Mapping[str, Any],
    seen: Ids,
) -> None:
    """Put an export of values that wait into the audit trail, where its ``number`` finds it, and into the log of
    everybody in it (``seen``: ids of persons)."""
    note_set(uow, persons=seen, seen="columns", detail=columns, purpose=purpose, way="export", number=number)
    audit_export(
        uow,
        action="fact.export",
        number=number,
        purpose=purpose,
        rows=rows,
        columns=columns,
        conditions=conditions,
        area_code=area,
    )
