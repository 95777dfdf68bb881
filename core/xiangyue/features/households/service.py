"""Writes on households. Each is one step in the audit trail; nothing here commits."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import date
from typing import Any

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit, changed
from xiangyue.access.crypto import TenantKeys
from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid
from xiangyue.features.households import derived, searchable
from xiangyue.features.households.custom import parse_values, write_values
from xiangyue.features.households.events import ask, tell_household, tell_person
from xiangyue.features.households.kept import keep
from xiangyue.features.households.location import take_location
from xiangyue.features.households.models import Household
from xiangyue.features.households.numbers import next_code
from xiangyue.features.households.origins import note_origins
from xiangyue.features.households.person_input import NOTE_LENGTH, Errors, today
from xiangyue.features.households.policy import HOUSEHOLD_EDIT
from xiangyue.features.households.register.acts import carry_out
from xiangyue.features.households.register.asked import Asked
from xiangyue.features.households.writing import (
    ADDRESS_LENGTH,
    by_client_id,
    check_area,
    check_version,
    follow,
    fresh,
    household_values,
    new_person,
    sent_digest,
    take_text,
    unique,
)
from xiangyue.text.codes import HEAD


@acts(HOUSEHOLD_EDIT)
def register_household(
    uow: Uow,
    *,
    keys: TenantKeys,
    area_code: int,
    head: Mapping[str, Any],
    address: str = "",
    location: str = "",
    note: str = "",
    client_id: uuid.UUID | None = None,
    custom: Mapping[str, Any] | None = None,
    allow_synthetic: bool = False,
) -> Household:
    """A new household with its head (values as of ``add_person``) in a village or group; it gets the village's next
    number. The same ``client_id`` again, with the same values, gives the household made before.

    Raises Invalid (area_code, address, location, note, ``head.<field>``, ``custom.<key>``), AlreadyUsed or Conflict.
    """
    errors: Errors = {}
    found: dict[str, Any] = {}
    take_text({"address": address, "note": note}, "address", ADDRESS_LENGTH, found, errors)
    take_text({"address": address, "note": note}, "note", NOTE_LENGTH, found, errors)
    take_location({"location": location}, found, errors)
    check_area(uow, area_code, errors)
    values = {}
    try:
        values = parse_values(uow, "household", custom or {}, complete=True)
    except Invalid as error:
        errors.update(error.fields)
    if errors:
        raise Invalid(errors)
    code = next_code(uow, area_code - area_code % 1000)
    more = {"location": location} if location else {}
    digest = sent_digest(keys, area_code=area_code, head=head, address=address, note=note, custom=custom, **more)
    made = by_client_id(uow, Household, client_id, digest)
    if made is not None:
        return made
    household = Household(area_code=area_code, code=code, client_id=client_id, version=1, **found)
    household.client_digest = digest if client_id else None
    with unique(uow):
        uow.session.add(household)
    person = new_person(
        uow, keys, household, {**head, "relation": HEAD}, allow_synthetic=allow_synthetic, prefix="head."
    )
    # It has its row already, so that a plugin can look at it; refused, it goes again with the transaction.
    ask(uow, household.id, {"area_code": area_code, **found, "head_name": person.name}, values)
    _before, after = write_values(uow, household, values)
    audit(
        uow,
        action="household.add",
        obj=household,
        label=person.name,
        after={"code": code, "area_code": area_code, **{k: v for k, v in found.items() if v}, **after},
    )
    tell_household(uow, household, "household.add")
    tell_person(uow, person, "person.add")
    follow(uow, {household.id}, [person.id])
    keep(uow, [household.id], today())
    searchable.write_pieces(uow, [searchable.found_by(household)])
    return fresh(uow, household)


@acts(HOUSEHOLD_EDIT)
def edit_household(uow: Uow, *, household_id: int, version: int, changes: Mapping[str, Any]) -> Household:
    """Change area_code, address, location, note and ``custom`` (by key); only what is in ``changes`` changes.

    A household that moves keeps its code, and its members, marks and records move along. Raises NotFound, Stale with
    the values that now stand, Invalid.
    """
    household = uow.get_for_update(Household, household_id)
    before = household_values(household)
    check_version(household, version, before)
    errors: Errors = {}
    found: dict[str, Any] = {}
    take_text(changes, "address", ADDRESS_LENGTH, found, errors)
    take_text(changes, "note", NOTE_LENGTH, found, errors)
    take_location(changes, found, errors)
    area_code = int(changes.get("area_code") or household.area_code)
    if area_code != household.area_code:
        check_area(uow, area_code, errors)
        found["area_code"] = area_code
    values = {}
    try:
        values = parse_values(uow, "household", changes.get("custom") or {})
    except Invalid as error:
        errors.update(error.fields)
    if errors:
        raise Invalid(errors)
    asked = {name: value for name, value in found.items() if before[name] != value}
    if asked or values:
        ask(uow, household.id, asked, values)
    left = searchable.found_by(household)
    for name, value in found.items():
        setattr(household, name, value)
    old, new = changed(before, household_values(household))
    old_custom, new_custom = write_values(uow, household, values)
    if not new and not new_custom:
        return household
    note_origins(uow, "household", household.id, [*new, *new_custom])
    household.version += 1
    action = "household.move" if "area_code" in new else "household.edit"
    tell_household(uow, household, action)
    audit(
        uow,
        action=action,
        obj=household,
        label=household.head_name,
        before={**old, **old_custom},
        after={**new, **new_custom},
    )
    if "area_code" in new:
        derived.move_with_household(uow, [household.id])
        keep(uow, [household.id], today())
    if searchable.found_by(household) != left:
        searchable.drop_pieces(uow, [left])
        searchable.write_pieces(uow, [searchable.found_by(household)])
    return fresh(uow, household)


@acts(HOUSEHOLD_EDIT)
def close_household(uow: Uow, *, household_id: int, version: int, on: date, reason: str) -> Household:
    """The household has left as a whole (``reason`` must be given): members who belong to no other count as moved and
    their marks end. Name and size stay as they last were. An act (``register``). Raises NotFound, Stale, Conflict,
    Invalid."""
    return _act(uow, "close", household_id, version, on, reason)


@acts(HOUSEHOLD_EDIT)
def reopen_household(uow: Uow, *, household_id: int, version: int, reason: str) -> Household:
    """Take a closing back; members come back one by one (``person_back``), so that nobody does by mistake. To take back
    everything that the closing did, undo that act instead."""
    return _act(uow, "reopen", household_id, version, today(), reason)


def _act(uow: Uow, kind: str, household_id: int, version: int, on: date, reason: str) -> Household:
    household = uow.get_for_update(Household, household_id)
    check_version(household, version, {**household_values(household), "state": household.state})
    carry_out(uow, Asked(kind, on, {"household_id": household_id}, reason))
    return fresh(uow, household)
