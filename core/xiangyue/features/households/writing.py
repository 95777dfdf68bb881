"""Parts the services share: version checks, where a household may lie, making and changing a person's row."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from xiangyue.access.audit import audit
from xiangyue.access.crypto import TenantKeys, blind_index
from xiangyue.db.uow import Uow
from xiangyue.errors import AlreadyUsed, Conflict, Invalid, Stale
from xiangyue.features.areas import queries as areas
from xiangyue.features.areas.models import GROUP, VILLAGE, Area
from xiangyue.features.households import derived, memberships
from xiangyue.features.households.alike import look_for_alike
from xiangyue.features.households.child_phone import check_childs_phone
from xiangyue.features.households.custom import parse_values, write_values
from xiangyue.features.households.identifiers import ID_NUMBER, PHONE, masked, sealed, tail_index
from xiangyue.features.households.memberships import First
from xiangyue.features.households.models import Household, Person, PersonMark
from xiangyue.features.households.person_input import Errors, clean_person, clean_text, past_day
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.text.codes import HEAD
from xiangyue.text.pinyin import sort_key

ADDRESS_LENGTH = 200
PLAIN = ("name", "relation", "sex", "birth_date", "nationality", "away", "note")
#: What follows from the memberships.
DERIVED = ("relation", "away")
R = TypeVar("R", Household, Person)


def check_version(row: Household | Person, version: int, theirs: Mapping[str, Any]) -> None:
    """Raises Stale with the values that now stand when somebody saved in between, Conflict for an erased person."""
    refuse_gone(row)
    if row.version != version:
        raise Stale(_l("Somebody else has saved this in the meantime."), theirs={**theirs, "version": row.version})


def refuse_merged(row: Household | Person) -> None:
    """Raises Conflict for a record that is part of another one."""
    if row.merged_into_id is not None:
        raise Conflict(
            _l("This record is part of another one now. Change that one."),
            **{f"{row.__tablename__}_id": row.merged_into_id},
        )


def refuse_gone(row: Household | Person) -> None:
    """Raises Conflict for a record that is part of another one, or was erased."""
    refuse_merged(row)
    if isinstance(row, Person) and row.erased_at is not None:
        raise Conflict(_l("What was recorded of this person is erased."))


def sent_digest(keys: TenantKeys, **sent: Any) -> bytes:
    """A keyed hash of what a client sent; nobody without the county's key can guess a citizen number from it."""
    return blind_index(keys, "client_digest", json.dumps(sent, sort_keys=True, ensure_ascii=False, default=str))


def by_client_id(uow: Uow, model: type[R], client_id: uuid.UUID | None, digest: bytes) -> R | None:
    """What this client has made already by sending the same. Raises Conflict when it lies outside the actor's area,
    AlreadyUsed when something else was sent then: it would be lost silently."""
    if client_id is None:
        return None
    with uow.tenant_wide("a client's UUID is unique in the county"):
        found = uow.session.scalars(select(model).where(model.client_id == client_id)).one_or_none()
    if found is not None and not uow.scope.contains(found.area_code):
        raise Conflict(_l("This form has been used already. Open a new one."))
    if found is not None and found.client_digest not in (None, digest):
        raise AlreadyUsed(
            _l(
                "This has been sent before with other values, and “%(name)s” was registered. Change that record, or "
                "send this as a new one.",
                name=found.head_name if isinstance(found, Household) else found.name,
            ),
            **{f"{model.__tablename__}_id": found.id},
        )
    return found


def check_area(uow: Uow, area_code: int, errors: Errors) -> None:
    """A household lies in an active village or group of the actor's area. A change of areas (``areas.changes``) waits
    for whoever has looked here, and who comes after it is told."""
    statement = (
        select(Area.id)
        .where(Area.area_code == area_code, Area.active.is_(True), Area.level.in_((VILLAGE, GROUP)))
        .with_for_update(read=True, key_share=True)
    )
    if uow.session.scalars(statement).one_or_none() is None:
        errors["area_code"] = [_l("Choose a village or villager group in your area.")]


def take_text(values: Mapping[str, Any], name: str, limit: int, found: dict[str, Any], errors: Errors) -> None:
    """Take a text out of the input, if it is there."""
    if name in values:
        try:
            found[name] = clean_text(values[name], limit)
        except ValueError as error:
            errors[name] = [str(error)]


def required_text(value: Any, name: str, *, least: int = 1, limit: int = 200) -> str:
    """A text that must be there. Raises Invalid."""
    try:
        text = clean_text(value, limit)
    except ValueError as error:
        raise Invalid({name: [str(error)]}) from None
    if len(text) < least:
        raise Invalid({name: [_l("Please fill this in.")]})
    return text


def household_values(household: Household) -> dict[str, Any]:
    """What may be edited, as it stands."""
    names = ("area_code", "address", "location", "note")
    return {name: getattr(household, name) for name in names}


def plain_values(person: Person) -> dict[str, Any]:
    """What may be told of a person to whoever may know the household: no identifiers."""
    return {name: getattr(person, name) for name in PLAIN}


def person_values(uow: Uow, keys: TenantKeys | None, person: Person) -> dict[str, Any]:
    """What may be edited, as it stands; identifiers masked."""
    return {
        **plain_values(person),
        "household_id": person.household_id,
        "id_number": masked(keys, uow.tenant_id, ID_NUMBER, person.id_number),
        "phone": masked(keys, uow.tenant_id, PHONE, person.phone),
    }


def recorded(person: Person) -> dict[str, Any]:
    """For the audit trail: identifiers as bytes, which it hides, and whose change it still sees."""
    hashes = {"id_number": person.id_number_index, "phone": person.phone_index}
    return {**plain_values(person), "household_id": person.household_id, **hashes}


def new_person(
    uow: Uow,
    keys: TenantKeys,
    household: Household,
    values: Mapping[str, Any],
    *,
    client: tuple[uuid.UUID | None, bytes | None] = (None, None),
    allow_synthetic: bool = False,
    prefix: str = "",
    first: First | None = None,
) -> Person:
    """Check, add and audit a member. ``client``: UUID and digest of what was sent; ``first``: the membership an act
    opens. Raises Invalid (fields under ``prefix``) or Conflict."""
    errors: Errors = {}
    found = clean_person(values, errors, allow_synthetic=allow_synthetic, new=True)
    custom = {}
    try:
        custom = parse_values(uow, "person", values.get("custom") or {}, complete=True)
    except Invalid as error:
        errors.update(error.fields)
    if found.get("relation") == HEAD:
        only_head(uow, household, None, errors)
    check_childs_phone(uow, keys, found, errors)
    if errors:
        raise Invalid({prefix + name: messages for name, messages in errors.items()})
    person = Person(household_id=household.id, area_code=household.area_code)
    person.client_id, person.client_digest = client
    person.version = 1
    with unique(uow):
        apply_values(uow, keys, person, found)
        uow.session.add(person)
        look_for_alike(uow, keys, person, household, found, different=bool(values.get("different")))
    memberships.first_home(uow, person, first)
    _before, after_custom = write_values(uow, person, custom)
    after = {name: value for name, value in recorded(person).items() if value not in (None, "", False, 0)}
    audit(uow, action="person.add", obj=person, label=person.name, after={**after, **after_custom})
    return person


def apply_values(uow: Uow, keys: TenantKeys, person: Person, found: Mapping[str, Any]) -> None:
    for name in PLAIN:
        if name in found:
            setattr(person, name, found[name])
    if "name" in found:
        person.sort_key = sort_key(found["name"])
    if "id_number" in found:
        value, index = sealed(keys, uow.tenant_id, ID_NUMBER, found["id_number"])
        if index != person.id_number_index:
            _unknown_identity(uow, index, person.id)
            person.id_number, person.id_number_index = value, index
            person.id_number_tail = tail_index(keys, ID_NUMBER, found["id_number"])
    if "phone" in found:
        value, index = sealed(keys, uow.tenant_id, PHONE, found["phone"])
        if index != person.phone_index:
            person.phone, person.phone_index = value, index
            person.phone_tail = tail_index(keys, PHONE, found["phone"])


def head_of(uow: Uow, household_id: int, *, besides: int | None = None) -> Person | None:
    """The present member who is the head (02), other than ``besides``."""
    statement = select(Person).where(
        Person.household_id == household_id, Person.relation == HEAD, Person.state == "active"
    )
    return next((p for p in uow.session.scalars(statement) if p.id != besides), None)


def only_head(uow: Uow, household: Household, person_id: int | None, errors: Errors) -> None:
    head = head_of(uow, household.id, besides=person_id)
    if head is not None:
        errors["relation"] = [_l("%(name)s is the head of this household. Change that relation first.", name=head.name)]


def _unknown_identity(uow: Uow, index: bytes | None, person_id: int | None) -> None:
    """Raises Conflict when somebody has this citizen number already, naming where if that is in the actor's area."""
    if index is None:
        return
    with uow.session.no_autoflush, uow.tenant_wide("a citizen number is unique in the whole county"):
        other = uow.session.scalars(select(Person).where(Person.id_number_index == index)).one_or_none()
        if other is None or other.id == person_id:
            return
        if other.merged_into_id == person_id and person_id is not None:
            raise Conflict(
                _l("This number stands in a record that was merged into this one. Undo the merge and choose it there.")
            )
        if other.merged_into_id is not None:
            other = uow.session.scalars(select(Person).where(Person.id == other.merged_into_id)).one()
        home = uow.session.scalars(select(Household).where(Household.id == other.household_id)).one()
    if not uow.scope.contains(other.area_code):
        raise Conflict(
            _l("This citizen number is registered in another area of the county. Ask the office there to move it.")
        )
    place = "".join(name for _code, name in areas.paths(uow, [home.area_code]).get(home.area_code, []))
    raise Conflict(
        _l(
            "This citizen number belongs to %(name)s, %(place)s, household %(code)s.",
            name=other.name,
            place=place,
            code=home.code,
        ),
        person_id=other.id,
        household_id=home.id,
    )


@contextmanager
def unique(uow: Uow) -> Iterator[None]:
    """Write what the block changes; a number or client UUID that somebody else has just taken is a Conflict."""
    try:
        with uow.session.begin_nested():
            yield
            uow.session.flush()
    except IntegrityError:
        raise Conflict(_l("Somebody has registered the same just now. Reload and look.")) from None


def follow(uow: Uow, household_ids: set[int], person_ids: list[int]) -> None:
    """Bring heads, order, sizes and search rows up to date."""
    derived.refresh_derived_sql(uow, household_ids)
    derived.rewrite_suffixes(uow, person_ids)


def fresh(uow: Uow, row: R) -> R:
    """The row as it stands now, after statements past the session; all others are read again when needed."""
    uow.session.flush()
    uow.session.expire_all()
    uow.session.refresh(row)
    return row


def checked_day(day: Any, name: str = "on") -> date:
    """A day that has come. Raises Invalid."""
    try:
        return past_day(day)
    except ValueError as error:
        raise Invalid({name: [str(error)]}) from None


def end_marks_of(uow: Uow, person_ids: list[int], household_ids: list[int], on: date) -> list[str]:
    """End the standing marks of persons who left; returns their keys."""
    statement = select(PersonMark).where(
        PersonMark.household_id.in_(household_ids),
        PersonMark.person_id.in_(person_ids),
        PersonMark.valid_to.is_(None),
    )
    marks = list(uow.session.scalars(statement))
    for mark in marks:
        mark.valid_to = on
    return sorted({mark.mark_key for mark in marks})
