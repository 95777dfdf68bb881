"""Erasure (PIPL article 47): what has no lawful ground to stay goes, and what stays is named with its law."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, select, update

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Unavailable
from xiangyue.features.duplicates.models import RecordMerge
from xiangyue.features.households.events import tell_person
from xiangyue.features.households.forgetting import forget
from xiangyue.features.households.models import CustomField, CustomValue, MarkKind, Person, PersonMark
from xiangyue.features.households.models_change import ImportChange
from xiangyue.features.households.models_facts import FactConflict, FactDepartment, FactOrigin
from xiangyue.features.households.models_register import RegisterAct, RegisterActPart
from xiangyue.features.households.origins import CUSTOM, note_origins
from xiangyue.features.households.writing import follow
from xiangyue.features.imports.erasing import erase_staged, remember_erased
from xiangyue.features.privacy import policy, queries
from xiangyue.features.privacy.deciding import close_as_done, open_request, required_words
from xiangyue.features.privacy.erasing_files import expire_exports
from xiangyue.features.privacy.models import PrivacyRequest
from xiangyue.features.privacy.models_care import CareReferral, PersonCare
from xiangyue.features.privacy.models_consent import PersonConsent
from xiangyue.features.privacy.policy import ERASE
from xiangyue.files.models import StoredFile
from xiangyue.i18n import TIMEZONE, join_words
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.follows import erase_rows
from xiangyue.runtime import runtime_of
from xiangyue.tenancy.field_owners import STANDARD

#: What stands in the place of a name; a sign, for it is read in both languages.
NO_NAME = "＊"

#: What stays and why: key -> (what, law). Stored by key, worded when shown.
KEPT: dict[str, tuple[Any, Any]] = {
    "registration": (
        _l("Name, citizen number, date of birth, sex, nationality, relation and address"),
        _l("Household Registration Regulations (1958): as long as the person is on the register"),
    ),
    "established_marks": (
        _l("Marks that a department established and that still hold"),
        _l("The law on the benefit or duty they stand for; asked of that department"),
    ),
    "membership": (
        _l("That somebody was a member of the household, from when to when, without the name"),
        _l("Household Registration Regulations (1958), article 4: registers are kept"),
    ),
    "household": (
        _l("Yearly incomes, awards and classifications of the household"),
        _l("They are about the household and its other members"),
    ),
    "consents": (
        _l("Which version of a notice was consented to or refused, on which day"),
        _l("Personal Information Protection Law, article 69: proof that it was handled lawfully"),
    ),
    "trail": (
        _l("The audit trail; it shows the name no longer"),
        _l("Cybersecurity Law, article 21 (3): logs are kept for six months at least"),
    ),
    "request": (
        _l("This request with its number, without the name"),
        _l("Personal Information Protection Law, articles 50 and 54: proof that it was answered"),
    ),
}
ERASED: dict[str, Any] = {
    "name": _l("Full name"),
    "id_number": _l("Citizen number"),
    "birth_date": _l("Date of birth"),
    "sex": _l("Sex"),
    "nationality": _l("Nationality"),
    "phone": _l("Phone"),
    "note": _l("Note"),
    "left_reason": _l("Reason for leaving"),
    "marks": _l("Marks"),
    "ended_marks": _l("Marks that ended or that nobody established"),
    "custom": _l("The county's own fields"),
    "care": _l("Carers and helpers"),
    "consents": _l("Who witnessed a consent, the guardian, notes and signed papers"),
    "exports": _l("Exported files that were kept on the server"),
}


@acts(ERASE)
def erase_person(uow: Uow, *, id: int, version: int, person_version: int, text: str) -> PrivacyRequest:
    """Erase what has no lawful ground to stay, and close the request; ``text`` says what the person was told.

    Of somebody on the register go phone, note, own fields, and marks that ended or that no department established. Of
    somebody who moved away or died goes everything that says who it was; that there was a member stays. What
    plugins keep of the person goes as they registered it, also where they are off; rows that imports staged and files
    that exports left go, and uploaded files that still hold the person are named with their day. There is no way back.

    Raises NotFound, Stale, Invalid (answer), Forbidden, Conflict with the open work that stands against it or while an
    import is being written, Refused when a plugin's rows cannot be reached.
    """
    line = open_request(uow, id, version)
    if line.request.kind != policy.ERASURE:
        raise Conflict(_l("This request does not ask for erasure."))
    if line.request.state != policy.IN_WORK:
        raise Conflict(_l("Take the request up first."))
    text = required_words(text, "answer")
    person = uow.get_for_update(Person, line.person.id)
    if person.version != person_version:
        raise Conflict(_l("The person was changed in the meantime. Look at the record again."))
    open_work = queries.obligations(uow, person.id, but=id)
    if open_work:
        listed = join_words((f"{label}: {number}" for label, number in open_work), "; ")
        raise Conflict(_l("Open work hangs on this person (%(listed)s). Finish it first.", listed=listed))
    gone = person.state != "active"
    runtime = runtime_of(uow)
    if runtime is None:
        raise Unavailable(_l("Erasing needs a running instance."))
    keys = runtime.tenant_keys(uow)
    # Records that became part of this one say the same of the same human being.
    with uow.tenant_wide("what became part of a record lies where that one lay then, and imports are the county's"):
        parts = uow.session.scalars(select(Person).where(Person.merged_into_id == person.id).with_for_update()).all()
        records = [person, *parts]
        known = remember_erased(uow, keys, records, number=line.request.number, whole=gone)
        files = erase_staged(uow, keys, known)
        if gone:
            forget(uow, [one.id for one in records])
        went = [key for one in records for key in erase_rows(uow, owner=one.id, whole=gone)]
        elsewhere = list(dict.fromkeys(f"follows:{key}" for key in went))
        if expire_exports(uow, records):
            elsewhere.append("exports")
        erased = [*_all_away(uow, records, gone=gone), *elsewhere]
    kept = [
        *([] if gone else ["registration", "established_marks"]),
        "membership",
        "household",
        "consents",
        "trail",
        "request",
    ]
    # Only which fields went: their values are what was to be forgotten.
    audit(uow, action="person.erase", obj=person, label="" if gone else person.name, after={"fields": erased})
    tell_person(uow, person, "person.erase")
    follow(uow, {person.household_id}, [person.id])
    fresh = queries.get_request(uow, id, lock=True)
    held = [
        {"import": file.batch_id, "name": file.name, "until": plain_day(file.until), "sure": file.sure}
        for file in files
    ]
    return close_as_done(uow, fresh, text, {"erased": erased, "kept": kept, "whole": gone, "files": held})


def _all_away(uow: Uow, records: Sequence[Person], *, gone: bool) -> list[str]:
    """Erase of these records of one human being; names of what went."""
    erased: list[str] = []
    keys = uow.session.scalars(select(CustomField.key).where(CustomField.entity == "person"))
    own = [f"{CUSTOM}{key}" for key in keys]
    for one in records:
        found = [
            *_texts_away(one),
            *_care_away(uow, one),
            *_consents_away(uow, one),
            *_values_away(uow, one),
            *_marks_away(uow, one, all_of_them=gone),
        ]
        if gone:
            found = [*_identity_away(one), *found]
            one.erased_at = datetime.now(UTC)
            _forget_acts(uow, one.id)
        erased += [name for name in found if name not in erased]
        one.version += 1
        one.client_digest = None
        _forget_changes(uow, "person", [one.id])
        _forget_merges(uow, one.id)
        for model in (FactConflict, FactDepartment, FactOrigin):
            uow.session.execute(delete(model).where(model.entity == "person", model.owner_id == one.id))
        if not gone:
            # A roster that brings them again asks first.
            note_origins(uow, "person", one.id, ["phone", *own])
    uow.session.flush()
    return erased


def plain_day(moment: datetime | None) -> str | None:
    """The day in the county, as JSON."""
    return None if moment is None else moment.astimezone(TIMEZONE).date().isoformat()


def _texts_away(person: Person) -> Iterator[str]:
    assert not STANDARD["person.phone"].stays
    assert not STANDARD["person.note"].stays
    if person.phone is not None:
        person.phone = person.phone_index = person.phone_tail = None
        yield "phone"
    if person.note:
        person.note = ""
        yield "note"


def _care_away(uow: Uow, person: Person) -> Iterator[str]:
    """Carers and helpers are kept by consent; that a child was referred stays, without what was said of it."""
    rows = list(uow.session.scalars(select(PersonCare).where(PersonCare.person_id == person.id)))
    for row in rows:
        uow.session.delete(row)
    words = list(uow.session.scalars(select(CareReferral).where(CareReferral.person_id == person.id)))
    for referral in words:
        referral.reason = referral.outcome = ""
    if rows or words:
        yield "care"


def _consents_away(uow: Uow, person: Person) -> Iterator[str]:
    """That somebody consented to which version on which day proves that it was lawful and stays; who else was there,
    the notes and the signed paper go."""
    rows = list(uow.session.scalars(select(PersonConsent).where(PersonConsent.person_id == person.id)))
    papers = [row.file_id for row in rows if row.file_id is not None]
    if papers:
        now = datetime.now(UTC)
        uow.session.execute(
            update(StoredFile).where(StoredFile.id.in_(papers)).values(expires_at=now, name="scan"),
            execution_options={"synchronize_session": False},
        )
    said = False
    for row in rows:
        said = said or bool(row.file_id or row.witness or row.guardian_name or row.note)
        row.witness = row.guardian_name = row.guardian_relation = row.note = ""
        row.file_id = None
    if said:
        yield "consents"


def _values_away(uow: Uow, person: Person) -> Iterator[str]:
    fields = select(CustomField.id).where(CustomField.entity == "person")
    rows = list(
        uow.session.scalars(
            select(CustomValue).where(CustomValue.owner_id == person.id, CustomValue.field_id.in_(fields))
        )
    )
    _forget_changes(uow, "value", [row.id for row in rows])
    for row in rows:
        uow.session.delete(row)
    if rows:
        yield "custom"


def _marks_away(uow: Uow, person: Person, *, all_of_them: bool) -> Iterator[str]:
    established = set(uow.session.scalars(select(MarkKind.key).where(MarkKind.source != "")))
    # Also those of a record that became part of another: they lie with the household it was in.
    statement = select(PersonMark).where(PersonMark.person_id == person.id)
    going = [
        mark
        for mark in uow.session.scalars(statement)
        if all_of_them or mark.valid_to is not None or not (mark.source or mark.mark_key in established)
    ]
    for mark in going:
        uow.session.delete(mark)
    if going:
        yield "marks" if all_of_them else "ended_marks"


def _forget_changes(uow: Uow, kind: str, ids: list[int]) -> None:
    """What an import found there before is kept for its undo; it can no longer be undone for these."""
    statement = update(ImportChange).where(ImportChange.kind == kind, ImportChange.id.in_(ids))
    uow.session.execute(
        statement.where(ImportChange.before.is_not(None)).values(before={}),
        execution_options={"synchronize_session": False},
    )
    lost = delete(ImportChange).where(
        ImportChange.kind == "lost_value",
        ImportChange.before["entity"].as_string() == kind,
        ImportChange.before["owner_id"].as_integer().in_(ids),
    )
    uow.session.execute(lost, execution_options={"synchronize_session": False})


def _forget_merges(uow: Uow, id: int) -> None:
    """What a merge of records kept for its undo says the same once more."""
    statement = update(RecordMerge).where(RecordMerge.kind == "person", RecordMerge.survivor_id == id)
    uow.session.execute(statement.values(changes={}), execution_options={"synchronize_session": False})


def _forget_acts(uow: Uow, person_id: int) -> None:
    """Of changes of the register stays what happened on which day; the words that went with it and what would put the
    person's values back go, and with them the way to undo it."""
    parts = select(RegisterActPart.act_id).where(
        RegisterActPart.kind == "person", RegisterActPart.thing_id == person_id
    )
    with uow.tenant_wide("a person's changes of the register may lie in other areas"):
        for act in uow.session.scalars(select(RegisterAct).where(RegisterAct.id.in_(parts))):
            act.reason, act.request = "", {}
            persons = {**act.changes.get("persons", {})}
            if (change := persons.get(str(person_id))) is not None:
                persons[str(person_id)] = {**change, "was": {**change.get("was", {}), "left_reason": ""}}
                act.changes = {**act.changes, "persons": persons}


def _identity_away(person: Person) -> Iterator[str]:
    """Everything that says who it was."""
    person.name, person.sort_key = NO_NAME, ""
    yield "name"
    if person.id_number is not None:
        person.id_number = person.id_number_index = person.id_number_tail = None
        yield "id_number"
    for name, empty in (("birth_date", None), ("sex", 0), ("nationality", ""), ("left_reason", "")):
        if getattr(person, name) not in (None, 0, ""):
            setattr(person, name, empty)
            yield name
