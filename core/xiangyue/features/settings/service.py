"""Changes of the county's lists: marks, awards, own fields. Nothing is deleted: what records refer to is retired."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit, changed
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Forbidden, Invalid, Stale
from xiangyue.features.households.custom_usage import option_usage
from xiangyue.features.households.models import CustomField
from xiangyue.features.households.policy import SENSITIVE_EDIT
from xiangyue.features.settings import checks, policy, queries
from xiangyue.features.settings.queries import FIELDS, MARKS, KindSpec
from xiangyue.i18n import lazy_gettext as _l


def _county_wide(uow: Uow) -> None:
    if uow.scope.ranges is not None:
        raise Forbidden(_l("Settings hold for the whole county: you need the right for the whole county."))


def _peers(uow: Uow, spec: KindSpec, entity: str | None, but: int = 0) -> list[Any]:
    """The others of a list; own fields of households and of persons are lists of their own."""
    rows = [row for row in queries.list_kinds(uow, spec) if row.id != but]
    return [row for row in rows if entity is None or row.entity == entity]


@acts(policy.SETTINGS_EDIT)
def add_kind(uow: Uow, *, spec: KindSpec, values: Mapping[str, Any]) -> Any:
    """Add a mark, an award or an own field at the end of its list.

    ``values``: the columns of ``spec``, a ``key`` or "" to make one from the name, and for own fields ``entity`` and
    ``type``. Raises Invalid, and Conflict for a key that is taken.
    """
    _county_wide(uow)
    faults = checks.Faults()
    if spec is FIELDS:
        values = {"entity": "", "type": "", **values}
    cleaned = checks.clean_texts(values, faults)
    entity = str(cleaned.get("entity", "")) if spec is FIELDS else None
    peers = _peers(uow, spec, entity)
    checks.check_name(cleaned.get("name", ""), (p.name for p in peers), faults)
    keys = {p.key for p in peers}
    key = str(cleaned.get("key") or "") or checks.key_for(cleaned.get("name", ""), cleaned.get("name_en", ""), keys)
    checks.check_key(key, faults)
    if key in keys:
        raise Conflict(_l("The key “%(key)s” is taken.", key=key))
    if spec is FIELDS:
        cleaned["options"] = _new_options(cleaned, faults)
    faults.done()
    columns = {c: cleaned[c] for c in spec.columns if c in cleaned and c != "active"}
    if spec is FIELDS:
        columns |= {"entity": entity, "type": cleaned["type"]}
    last = uow.session.execute(select(func.coalesce(func.max(spec.model.position), -1))).scalar_one()
    row = spec.model(key=key, position=last + 1, active=True, **columns)
    uow.session.add(row)
    try:
        uow.session.flush()
    except IntegrityError:  # somebody added it between the look and the write
        raise Conflict(_l("The key “%(key)s” is taken.", key=key)) from None
    audit(uow, action=f"{spec.key}.add", obj=row, label=row.name, after={"key": key, **columns})
    return row


def _new_options(values: Mapping[str, Any], faults: checks.Faults) -> list[dict[str, str]]:
    if values.get("type") == "choice":
        return checks.clean_options(values.get("options") or [], [], {}, faults)
    if values.get("options"):
        faults.add("options", _l("Only a field to choose from has choices."))
    return []


@acts(policy.SETTINGS_EDIT)
def edit_kind(uow: Uow, *, spec: KindSpec, id: int, version: int, values: Mapping[str, Any]) -> Any:
    """Change columns of ``spec`` (``active`` False retires). ``version`` is what the person read.

    Raises NotFound, Invalid, Stale with the values that stand, Forbidden for making a sensitive mark an ordinary one
    without the right to sensitive marks.
    """
    _county_wide(uow)
    row = uow.get_for_update(spec.model, id)
    before = queries.values_of(row, spec)
    if queries.version_of(row, spec) != version:
        raise Stale(_l("Somebody changed this meanwhile."), theirs=before)
    faults = checks.Faults()
    cleaned = checks.clean_texts({k: v for k, v in values.items() if k in spec.columns}, faults)
    if "name" in cleaned:
        peers = _peers(uow, spec, row.entity if spec is FIELDS else None, but=id)
        checks.check_name(cleaned["name"], (p.name for p in peers), faults)
    if spec is FIELDS and cleaned.get("type", row.type) != row.type:
        cleaned["options"] = _retyped(uow, row, cleaned, faults)
    elif "options" in cleaned:
        cleaned["options"] = _options(uow, row, cleaned["options"] or [], faults)
    faults.done()
    if spec is MARKS and cleaned.get("sensitivity", row.sensitivity) != row.sensitivity:
        _may_weaken(uow, row.sensitivity)
    old, new = changed(before, cleaned)
    if new:
        for column, value in new.items():
            setattr(row, column, value)
        uow.session.flush()
        audit(uow, action=f"{spec.key}.edit", obj=row, label=row.name, before=old, after=new)
    return row


def _options(uow: Uow, row: Any, given: Any, faults: checks.Faults) -> list[dict[str, str]]:
    if row.type != "choice":
        if given:
            faults.add("options", _l("Only a field to choose from has choices."))
        return []
    return checks.clean_options(given, row.options, option_usage(uow, row.id), faults)


def _retyped(uow: Uow, row: Any, cleaned: Mapping[str, Any], faults: checks.Faults) -> list[dict[str, str]]:
    """The choices of a field that becomes of another kind, which it may while no record has a value."""
    number = queries.usage(uow, FIELDS).get(row.id, 0)
    if number:
        faults.add("type", _l("%(n)d records have a value of the present kind. Empty those first.", n=number))
        return list(row.options)
    return _new_options(cleaned, faults)


@acts(policy.SETTINGS_EDIT)
def order_fields(uow: Uow, *, entity: str, keys: Sequence[str]) -> list[CustomField]:
    """Put the own fields on households or persons in this order, as forms, lists and templates have them.

    ``keys``: of all fields in use; retired ones go behind. Raises Invalid on ``keys``.
    """
    _county_wide(uow)
    rows = _peers(uow, FIELDS, entity)
    known = {row.key: row for row in rows if row.active}
    if sorted(keys) != sorted(known):
        raise Invalid({"keys": [_l("Name each field in use once: %(known)s.", known=", ".join(known))]})
    before = list(known)
    if list(keys) != before:
        for position, row in enumerate([*(known[key] for key in keys), *(row for row in rows if not row.active)]):
            row.position = position
        uow.session.flush()
        audit(
            uow,
            action="custom_field.order",
            object_type="custom_field",
            before={"fields": before},
            after={"fields": list(keys)},
        )
    return [known[key] for key in keys]


@acts(policy.SETTINGS_EDIT)
def move_field(uow: Uow, *, id: int, up: bool) -> CustomField:
    """One place up or down among the fields in use of its entity; at the end it stays. Raises NotFound."""
    row: CustomField = uow.get(CustomField, id)
    keys = [peer.key for peer in _peers(uow, FIELDS, row.entity) if peer.active]
    if row.key in keys:
        at = keys.index(row.key)
        to = max(0, min(len(keys) - 1, at + (-1 if up else 1)))
        keys.insert(to, keys.pop(at))
        order_fields(uow, entity=row.entity, keys=keys)
    return row


def _may_weaken(uow: Uow, sensitivity: str) -> None:
    """An ordinary mark is seen by everybody who sees the household."""
    if sensitivity == "sensitive" and uow.actor.ranges(SENSITIVE_EDIT) is not None:
        raise Forbidden(
            _l("Only somebody who may change sensitive marks in the whole county can make one an ordinary mark.")
        )
