"""Writes on carers, helpers and referrals. Nothing here commits."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit, changed
from xiangyue.access.crypto import TenantKeys, encrypt
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Invalid, Stale
from xiangyue.features.households.models import Person
from xiangyue.features.households.person_input import past_day, today
from xiangyue.features.households.policy import IDENTIFIER_REVEAL
from xiangyue.features.households.writing import refuse_gone
from xiangyue.features.privacy import policy_care as policy
from xiangyue.features.privacy import queries_care as queries
from xiangyue.features.privacy.access_log import note_look
from xiangyue.features.privacy.deciding import clean_words, required_words
from xiangyue.features.privacy.models_care import CareReferral, PersonCare
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.text.names import parse_name
from xiangyue.text.phone import parse_phone

NAMES = ("carer_name", "guardian_name", "helper_name")
_LIMITS = {
    "carer_relation": policy.NAME_LENGTH,
    "guardian_relation": policy.NAME_LENGTH,
    "helper_relation": policy.NAME_LENGTH,
    "note": policy.NOTE_LENGTH,
}
_CHOICES: dict[str, Mapping[str, Any]] = {"left_behind": policy.LEFT_BEHIND, "consent_how": policy.CONSENTS}
COLUMNS = (*NAMES, *_LIMITS, *_CHOICES, "consent_on", "guardian_phone")


@acts(policy.CARE_EDIT)
def set_care(uow: Uow, *, keys: TenantKeys, person_id: int, version: int, values: Mapping[str, Any]) -> PersonCare:
    """Record who cares for a person or acts for them. ``values``: columns of PersonCare; what is left out stays, ""
    empties. ``version`` 0: there was no record yet.

    Of a child under 14 a guardian's phone is kept with the guardian's consent only, which takes the guardian's name
    (PIPL article 31). Raises NotFound, Stale, Invalid by field, Conflict for an erased person.
    """
    person = uow.get_for_update(Person, person_id)
    refuse_gone(person)
    view = queries.care_of(uow, person_id)
    care = view.care
    if version != (care.version if care is not None else 0):
        theirs = {name: value for name, value in values_of(care).items() if name != "guardian_phone"}
        raise Stale(
            _l("Somebody else has saved this in the meantime."),
            theirs={"version": care.version if care is not None else 0, **theirs},
        )
    found = _clean(values)
    before = values_of(care)
    if "guardian_phone" in found:
        phone = found.pop("guardian_phone")
        if phone != queries.guardian_phone(keys, care):
            context = queries.phone_context(uow.tenant_id)
            found["guardian_phone"] = encrypt(keys, phone, context) if phone else None
    after = {**before, **found}
    _check_consent(view, after)
    old, new = changed(before, after)
    if not new:
        return care if care is not None else PersonCare(person_id=person_id, version=0)
    if care is None:
        care = PersonCare(person_id=person_id, version=0)
        uow.session.add(care)
    for name, value in new.items():
        setattr(care, name, value)
    care.version += 1
    audit(uow, action="person_care.edit", obj=person, label=person.name, before=old, after=new)
    uow.session.flush()
    return care


def values_of(care: PersonCare | None) -> dict[str, Any]:
    """What is recorded, by column; the guardian's phone encrypted."""
    return {name: getattr(care, name) if care is not None else _EMPTY.get(name, "") for name in COLUMNS}


_EMPTY: dict[str, Any] = {"consent_on": None, "guardian_phone": None}


def _clean(values: Mapping[str, Any]) -> dict[str, Any]:
    wrong: dict[str, list[Any]] = {}
    limits = {name: limit for name, limit in _LIMITS.items() if name in values}
    found: dict[str, Any] = clean_words(values, limits, wrong)
    readers: dict[str, Any] = {
        **dict.fromkeys(NAMES, parse_name),
        "guardian_phone": parse_phone,
        "consent_on": past_day,
    }
    for name, read in readers.items():
        if name not in values:
            continue
        given = values[name]
        if given is None or (isinstance(given, str) and not given.strip()):
            found[name] = None if name == "consent_on" else ""
            continue
        try:
            found[name] = read(given if isinstance(given, date) else str(given))
        except ValueError as error:
            wrong[name] = [str(error)]
    for name, known in _CHOICES.items():
        if name in values:
            found[name] = str(values[name] or "")
            if found[name] and found[name] not in known:
                wrong[name] = [_l("Choose one of the options.")]
    if wrong:
        raise Invalid(wrong)
    return found


def _check_consent(view: queries.CareView, after: Mapping[str, Any]) -> None:
    wrong: dict[str, list[Any]] = {}
    if after["consent_on"] is not None and not after["consent_how"]:
        wrong["consent_how"] = [_l("Say how the guardian consented.")]
    if after["consent_on"] is not None and not after["guardian_name"]:
        wrong["guardian_name"] = [_l("Say who the guardian is.")]
    if view.young and after["guardian_phone"] is not None and after["consent_on"] is None and not view.consented:
        wrong["consent_on"] = [
            _l("Of a child under 14 the guardian's phone is kept with the guardian's consent only (PIPL article 31).")
        ]
    if wrong:
        raise Invalid(wrong)


@acts(IDENTIFIER_REVEAL)
def reveal_guardian_phone(uow: Uow, *, keys: TenantKeys, person_id: int, purpose: str) -> str:
    """The guardian's phone in full, with the purpose on record. Raises NotFound, Invalid (purpose)."""
    purpose = required_words(purpose, "purpose", limit=200)
    view = queries.care_of(uow, person_id)
    audit(uow, action="person_care.reveal", obj=view.person, label=view.person.name, purpose=purpose)
    note_look(uow, person_id=person_id, seen="identifiers", purpose=purpose)
    return queries.guardian_phone(keys, view.care)


@acts(policy.CARE_EDIT)
def refer_child(uow: Uow, *, person_id: int, director: str, reason: str, on: Any = None) -> CareReferral:
    """Make a child known to the village's children's director. Raises NotFound, Invalid by field, Conflict when it is
    no child, or is referred already."""
    view = queries.care_of(uow, person_id)
    refuse_gone(view.person)
    if not view.child:
        raise Conflict(_l("Only somebody under 18 is referred to the children's director."))
    if any(referral.state == "open" for referral in view.referrals):
        raise Conflict(_l("The child is referred already, and the director has not answered yet."))
    wrong: dict[str, list[Any]] = {}
    day = today()
    try:
        day = past_day(on) if on else day
    except ValueError as error:
        wrong["referred_on"] = [str(error)]
    name = director.strip()
    try:
        name = parse_name(director)
    except ValueError as error:
        wrong["director"] = [str(error)]
    words = clean_words({"reason": reason}, {"reason": policy.REASON_LENGTH}, wrong)["reason"]
    if not words:
        wrong.setdefault("reason", [_l("Please fill this in.")])
    if wrong:
        raise Invalid(wrong)
    referral = CareReferral(
        person_id=person_id,
        referred_on=day,
        director=name,
        reason=words,
        state="open",
        version=1,
        created_by=uow.actor.account_id,
        created_by_name=uow.actor.name or uow.actor.login,
    )
    uow.session.add(referral)
    uow.session.flush()
    after = {"director": name, "on": day}
    audit(uow, action="care_referral.add", obj=view.person, label=view.person.name, after=after)
    return referral


@acts(policy.CARE_EDIT)
def close_referral(uow: Uow, *, id: int, version: int, outcome: str) -> CareReferral:
    """What came of it. Raises NotFound, Stale, Conflict (closed), Invalid (outcome)."""
    referral, person = queries.get_referral(uow, id)
    if referral.version != version:
        raise Stale(_l("Somebody else has saved this in the meantime."), theirs={"version": referral.version})
    if referral.state != "open":
        raise Conflict(_l("This referral is closed."))
    referral.outcome = required_words(outcome, "outcome", limit=policy.REASON_LENGTH)
    referral.state, referral.closed_on = "closed", today()
    referral.version += 1
    audit(uow, action="care_referral.close", obj=person, label=person.name, after={"on": referral.closed_on})
    uow.session.flush()
    return referral
