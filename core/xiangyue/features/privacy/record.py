"""The whole record of a person, to be looked into or handed out as a copy (PIPL article 45)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit
from xiangyue.access.crypto import TenantKeys
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict
from xiangyue.features.areas import queries as areas
from xiangyue.features.households.custom import values_of
from xiangyue.features.households.identifiers import ID_NUMBER, PHONE, in_full
from xiangyue.features.households.models import Household, MarkKind, Person, PersonMark
from xiangyue.features.imports.models import ImportBatch
from xiangyue.features.organisations.queries_person import posts_of_person
from xiangyue.features.privacy import policy, queries
from xiangyue.features.privacy.access_log import note_look
from xiangyue.features.privacy.policy import REQUEST
from xiangyue.features.privacy.policy_care import LEFT_BEHIND
from xiangyue.features.privacy.policy_consent import ANSWERS, HOWS
from xiangyue.features.privacy.queries_care import care_of, guardian_phone
from xiangyue.features.privacy.queries_consent import said_by
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.i18n import pick
from xiangyue.text.codes import NATIONALITIES, RELATIONS, SEX


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of the record: ``part`` of it, ``name`` and ``value`` in words, ``key`` and ``raw`` as stored."""

    part: str
    name: str
    value: str
    key: str
    raw: Any


@acts(REQUEST)
def hand_out(uow: Uow, keys: TenantKeys, *, id: int, format: str) -> tuple[queries.Line, list[Fact]]:
    """The request's person with everything that is recorded, identifiers and sensitive marks in full.

    Only while a request to look into it or copy it is open; it stands in the audit trail and in the person's log. The
    right to requests suffices: the person is the one who asks. Raises NotFound, Conflict.
    """
    line = queries.get_request(uow, id)
    if line.request.kind not in (policy.ACCESS, policy.COPY) or not line.open:
        raise Conflict(_l("A record is handed out for an open request to look into it or copy it only."))
    audit(
        uow,
        action="privacy_request.copy",
        obj=line.request,
        label=line.request.number,
        area_code=line.person.area_code,
        after={"format": format, "person_id": line.person.id},
        purpose=str(policy.KINDS[line.request.kind]),
    )
    purpose = line.request.number
    note_look(uow, person_id=line.person.id, seen="record", purpose=purpose, way="copy")
    return line, facts_of(uow, keys, line.person)


def facts_of(uow: Uow, keys: TenantKeys, person: Person) -> list[Fact]:
    """Everything recorded of the person, part by part, with what records said that became part of this one; who reads
    it has written the audit entry."""
    found = _facts_of_one(uow, keys, person)
    with uow.tenant_wide("what became part of the person's record lies where that one lay then"):
        merged = select(Person).where(Person.merged_into_id == person.id).order_by(Person.id)
        for n, one in enumerate(uow.session.scalars(merged), 1):
            former = _("Former record %(n)d", n=n)
            found += [
                replace(fact, part=f"{former}: {fact.part}", key=f"former{n}.{fact.key}")
                for fact in _facts_of_one(uow, keys, one)
            ]
    return found


def _facts_of_one(uow: Uow, keys: TenantKeys, person: Person) -> list[Fact]:
    found = [
        *_particulars(uow, keys, person),
        *_own_fields(uow, person),
        *_marks(uow, person),
        *_posts(uow, person),
        *_care(uow, keys, person),
        *_consents(uow, person),
        *_origin(uow, person),
    ]
    return [fact for fact in found if fact.raw not in (None, "")]


def _particulars(uow: Uow, keys: TenantKeys, person: Person) -> list[Fact]:
    part = _("About the person")
    home = uow.get(Household, person.household_id)
    path = areas.paths(uow, {home.area_code}).get(home.area_code, [])
    place = "".join(name for _code, name in path)
    number = in_full(keys, uow.tenant_id, ID_NUMBER, person.id_number)
    phone = in_full(keys, uow.tenant_id, PHONE, person.phone)
    plain = (
        ("name", _("Full name"), person.name, person.name),
        ("sex", _("Sex"), SEX.label(str(person.sex)) if person.sex else "", person.sex or None),
        ("birth_date", _("Date of birth"), str(person.birth_date or ""), person.birth_date),
        ("nationality", _("Nationality"), NATIONALITIES.label(person.nationality), person.nationality),
        ("id_number", _("Citizen number"), number, number),
        ("phone", _("Phone"), phone, phone),
        ("relation", _("Relation to head"), RELATIONS.label(person.relation), person.relation),
        ("away", _("Away"), _("Yes") if person.away else _("No"), person.away),
        ("state", _("State"), _state(person), person.state),
        ("left_on", _("Left on"), str(person.left_on or ""), person.left_on),
        ("left_reason", _("Reason for leaving"), person.left_reason, person.left_reason),
        ("note", _("Note"), person.note, person.note),
        ("household", _("Household number"), home.code, home.code),
        ("place", _("Village or group"), place, home.area_code),
        ("address", _("Address"), home.address, home.address),
        ("location", _("Location"), home.location, home.location),
        ("created_at", _("Registered on"), person.created_at.date().isoformat(), person.created_at),
        ("updated_at", _("Last change"), person.updated_at.date().isoformat(), person.updated_at),
    )
    return [Fact(part, name, value, key, raw) for key, name, value, raw in plain]


def _state(person: Person) -> str:
    words = {
        "active": _("In the household"),
        "moved": _("Moved away"),
        "deceased": _("Deceased"),
        "merged": _("Part of another record"),
    }
    return words[person.state]


def _own_fields(uow: Uow, person: Person) -> list[Fact]:
    part = _("The county's own fields")
    return [
        Fact(part, pick(one.field.name, one.field.name_en), str(one.label), f"custom.{one.field.key}", one.value)
        for one in values_of(uow, "person", [person], retired=True)[person.id]
    ]


def _marks(uow: Uow, person: Person) -> list[Fact]:
    """All of them, sensitive ones too: it is the person's own record."""
    kinds = {kind.key: kind for kind in uow.session.scalars(select(MarkKind))}
    rows = select(PersonMark).where(PersonMark.household_id == person.household_id, PersonMark.person_id == person.id)
    found = []
    for mark in uow.session.scalars(rows.order_by(PersonMark.id)):
        kind = kinds[mark.mark_key]
        days = f"{mark.valid_from or '…'} – {mark.valid_to or '…'}"
        value = " · ".join(text for text in (days, mark.source, mark.note) if text)
        raw = {"from": mark.valid_from, "to": mark.valid_to, "source": mark.source, "note": mark.note}
        found.append(Fact(_("Marks"), pick(kind.name, kind.name_en), value, f"mark.{mark.mark_key}", raw))
    return found


def _posts(uow: Uow, person: Person) -> list[Fact]:
    part = _("Posts in organisations")
    with uow.tenant_wide("the whole record is handed out, wherever the organisations are"):
        held = posts_of_person(uow, person.id)
    return [
        Fact(
            part,
            f"{one.organisation.name} {one.post.name}",
            f"{one.row.valid_from} – {one.row.valid_to or '…'}",
            f"post.{one.row.id}",
            one.row.valid_from,
        )
        for one in held
    ]


def _care(uow: Uow, keys: TenantKeys, person: Person) -> list[Fact]:
    view = care_of(uow, person.id)
    part, care = _("Carers and helpers"), view.care
    found = [
        Fact(part, _("Children's director"), f"{row.referred_on} {row.director}: {row.reason}", "referral", row.reason)
        for row in view.referrals
    ]
    if care is None:
        return found
    phone = guardian_phone(keys, care)
    plain = (
        ("carer", _("Carer"), f"{care.carer_name} {care.carer_relation}".strip()),
        ("guardian", _("Guardian"), f"{care.guardian_name} {care.guardian_relation}".strip()),
        ("guardian_phone", _("Phone of the guardian"), phone),
        ("guardian_consent", _("Guardian consented on"), str(care.consent_on or "")),
        ("left_behind", _("Left behind"), str(LEFT_BEHIND.get(care.left_behind, ""))),
        ("helper", _("Helper"), f"{care.helper_name} {care.helper_relation}".strip()),
        ("care_note", _("Note"), care.note),
    )
    return [*(Fact(part, name, value, key, value) for key, name, value in plain), *found]


def _consents(uow: Uow, person: Person) -> list[Fact]:
    """What the person, or the guardian, said to which version, with the days."""
    found = []
    for said in said_by(uow, [person.id]):
        one = said.consent
        name = pick(said.version.title, said.version.title_en)
        by = f"{one.guardian_name} {one.guardian_relation}".strip()
        answer = _("%(answer)s, version %(n)d", answer=str(ANSWERS[one.answer]), n=said.version.number)
        value = " · ".join(text for text in (str(one.on), answer, str(HOWS[one.how]), by, one.note) if text)
        raw = {"answer": one.answer, "on": one.on, "version": said.version.number, "how": one.how, "guardian": by}
        found.append(Fact(_("Consents"), name, value, f"consent.{said.notice.id}", raw))
    return found


def _origin(uow: Uow, person: Person) -> list[Fact]:
    """The import that last brought values of the person."""
    if person.import_batch_id is None:
        return []
    batch = uow.session.scalars(select(ImportBatch).where(ImportBatch.id == person.import_batch_id)).one_or_none()
    if batch is None:
        return []
    part = _("Where it came from")
    return [
        Fact(part, _("Import"), str(batch.id), "import_id", batch.id),
        Fact(part, _("Where the data comes from"), batch.source, "import_source", batch.source),
        Fact(part, _("What the data is used for"), batch.purpose, "import_purpose", batch.purpose),
    ]
