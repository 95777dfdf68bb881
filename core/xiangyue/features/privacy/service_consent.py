"""What people say to a form of consent: given, refused, withdrawn. Nothing here commits."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, BinaryIO

from sqlalchemy import select

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit, audit_export
from xiangyue.access.crypto import TenantKeys, column_context, decrypt, encrypt
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Invalid, NotFound
from xiangyue.features.households.models import Person
from xiangyue.features.households.person_input import past_day, today
from xiangyue.features.households.queries_persons import age_on
from xiangyue.features.households.service_records import note_sensitive_read
from xiangyue.features.households.writing import refuse_gone, refuse_merged
from xiangyue.features.privacy import policy_consent as policy
from xiangyue.features.privacy import queries_consent as queries
from xiangyue.features.privacy.access_log import Ids, note_set
from xiangyue.features.privacy.deciding import clean_words
from xiangyue.features.privacy.models_consent import Notice, NoticeVersion, PersonConsent
from xiangyue.features.privacy.policy_care import YOUNG
from xiangyue.features.privacy.policy_consent import CONSENT_EDIT, CONSENT_VIEW
from xiangyue.files.content import check_upload
from xiangyue.files.models import StoredFile
from xiangyue.files.service import read_file, store_file
from xiangyue.files.storage import Storage
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.text.names import parse_name
from xiangyue.text.whole import whole_number

SCAN = "person.consent"
SCAN_BYTES = 10 * 1024 * 1024
_LIMITS = {"guardian_relation": policy.NAME_LENGTH, "note": policy.NOTE_LENGTH}
_NAMES = ("witness", "guardian_name")


@acts(CONSENT_EDIT)
def record_consent(
    uow: Uow,
    *,
    person_id: int,
    notice_id: int,
    values: Mapping[str, Any],
    keys: TenantKeys | None = None,
    storage: Storage | None = None,
    scan: tuple[BinaryIO, str] | None = None,
) -> PersonConsent:
    """Record what a person, or the guardian of a child under 14, said. ``values``: answer, on (today when missing),
    how, witness (needed where it was spoken), guardian_name, guardian_relation, note, version_id (the published one
    when missing; a withdrawal is of the version that was consented to). ``scan``: bytes and name of the signed paper.

    To withdraw takes no more than to consent (PIPL article 15). Raises NotFound, Invalid by field, Conflict for a
    notice that asks for nothing or a person who is erased, TooLarge.
    """
    person = uow.get_for_update(Person, person_id)
    refuse_merged(person)
    refuse_gone(person)
    view = queries.get_notice(uow, notice_id)
    if view.notice.kind not in policy.ASKING:
        raise Conflict(_l("This notice tells people something; it asks for no consent."))
    before = uow.session.scalars(
        select(PersonConsent).where(
            PersonConsent.person_id == person_id, PersonConsent.notice_id == notice_id, PersonConsent.current
        )
    ).one_or_none()
    wrong: dict[str, list[Any]] = {}
    found = _clean(person, view, values, wrong)
    version = _version(view, before, found["answer"], values.get("version_id"), wrong)
    if scan is not None and found["how"] != "paper":
        wrong["scan"] = [_l("A scan goes with a consent on paper only.")]
    if before is not None and "on" in found and found["on"] < before.on:
        wrong["on"] = [_l("Something later is on record already, of %(day)s.", day=before.on.isoformat())]
    if wrong:
        raise Invalid(wrong)
    assert version is not None
    row = PersonConsent(
        person_id=person_id,
        notice_id=notice_id,
        version_id=version.id,
        kind=view.notice.kind,
        file_id=_keep(uow, keys, storage, scan) if scan is not None and keys and storage is not None else None,
        current=True,
        created_by=uow.actor.account_id,
        created_by_name=uow.actor.name or uow.actor.login,
        **found,
    )
    if before is not None:
        before.current = False
        uow.session.flush()
    uow.session.add(row)
    uow.session.flush()
    after = {"notice": view.notice.title, "number": version.number, "consent": found["answer"], "on": found["on"]}
    audit(
        uow,
        action="person_consent.add",
        obj=person,
        label=person.name,
        before={"consent": before.answer} if before is not None else None,
        after={**after, "consent_by": found["how"], "by_guardian": bool(found["guardian_name"])},
    )
    return row


def _version(
    view: queries.NoticeView, before: PersonConsent | None, answer: str, asked: Any, wrong: dict[str, list[Any]]
) -> NoticeVersion | None:
    if answer == "withdrawn":
        if before is None or before.answer != "given":
            wrong["answer"] = [_l("No consent is on record that could be withdrawn.")]
            return None
        return next(v for v in view.versions if v.id == before.version_id)
    known = {v.id: v for v in view.versions if v.state != "draft"}
    # Sent by a form as text; whatever is no number of a version is none.
    version = known.get(whole_number(asked) or 0) if str(asked or "").strip() else view.published
    if version is None:
        wrong["version_id"] = [_l("This notice is not published, so nobody can answer it.")]
    return version


def _clean(
    person: Person, view: queries.NoticeView, values: Mapping[str, Any], wrong: dict[str, list[Any]]
) -> dict[str, Any]:
    found: dict[str, Any] = clean_words(values, _LIMITS, wrong)
    for name, known in (("answer", policy.ANSWERS), ("how", policy.HOWS)):
        found[name] = str(values.get(name) or "")
        if found[name] not in known:
            wrong[name] = [_l("Choose one of the options.")]
    for name in _NAMES:
        text = str(values.get(name) or "").strip()
        try:
            found[name] = parse_name(text) if text else ""
        except ValueError as error:
            wrong[name] = [str(error)]
            found[name] = ""
    given = values.get("on")
    try:
        found["on"] = given if isinstance(given, date) and given <= today() else past_day(given) if given else today()
    except ValueError as error:
        wrong["on"] = [str(error)]
    if found["how"] == "spoken" and not found["witness"]:
        wrong.setdefault("witness", [_l("Say who heard it.")])
    age = age_on(person.birth_date, today())
    young = age is not None and age < YOUNG
    if young or view.notice.kind == policy.GUARDIAN:
        for name, why in (
            ("guardian_name", _l("Under 14 the guardian answers (PIPL article 31). Say who that is.")),
            ("guardian_relation", _l("Say in what relation the guardian stands to the child.")),
        ):
            if not found[name]:
                wrong.setdefault(name, [why])
    return found


def _keep(uow: Uow, keys: TenantKeys, storage: Storage, scan: tuple[BinaryIO, str]) -> int:
    """The signed paper, encrypted: not even the disk sees it."""
    stream, name = scan
    try:
        upload = check_upload(stream, name, accept=policy.SCAN_KINDS, max_bytes=SCAN_BYTES)
    except Invalid as error:
        raise Invalid({"scan": error.fields.get("file", [])}) from None
    file = store_file(
        uow,
        storage,
        stream=io.BytesIO(encrypt(keys, stream.read(), _scan_context(uow))),
        name=upload.name,
        media_type=upload.media_type,
        purpose=SCAN,
        permission=CONSENT_VIEW,
    )
    return file.id


def _scan_context(uow: Uow) -> bytes:
    return column_context(uow.tenant_id, "person_consent.scan")


@acts(CONSENT_VIEW)
def read_scan(uow: Uow, *, id: int, keys: TenantKeys, storage: Storage) -> tuple[StoredFile, bytes]:
    """The signed paper of a consent of somebody in the area; the look is on record. Raises NotFound."""
    row = uow.get(PersonConsent, id)
    person = uow.get(Person, row.person_id)
    hidden = queries.get_notice(uow, row.notice_id).notice.whom in queries.hidden_whom(uow, person.area_code)
    if row.file_id is None or hidden:
        raise NotFound(_l("This file no longer exists."))
    file = uow.get(StoredFile, row.file_id)
    if file.expires_at is not None and file.expires_at <= datetime.now(UTC):
        raise NotFound(_l("This file no longer exists."))
    with read_file(uow, storage, file.id) as stream:
        data = decrypt(keys, stream.read(), _scan_context(uow))
    audit(uow, action="person_consent.read", obj=person, label=person.name, after={"file_name": file.name})
    return file, data


@acts(CONSENT_VIEW)
def note_standers_read(uow: Uow, *, notice: Notice, area: int, persons: Sequence[int]) -> None:
    """Put into the trail and these persons' access logs that a list showed them as asked by a sensitive mark; nothing
    for a form that others are asked by too."""
    if persons and (marks := _sensitive(uow, [notice])):
        note_sensitive_read(
            uow,
            object_type="list",
            object_id=None,
            label=notice.title,
            area_code=area,
            marks=marks,
            persons=persons,
        )


@acts(CONSENT_VIEW)
def note_asked_read(uow: Uow, *, person: Person, notices: Sequence[Notice]) -> None:
    """The same of one person and the forms that were shown there."""
    if marks := _sensitive(uow, notices):
        note_sensitive_read(
            uow,
            object_type="person",
            object_id=person.id,
            label=person.name,
            area_code=person.area_code,
            marks=marks,
        )


def _sensitive(uow: Uow, notices: Sequence[Notice]) -> list[str]:
    found = {notice.whom for notice in notices} & queries.sensitive_whom(uow)
    return sorted(whom.removeprefix(policy.MARK) for whom in found)


@acts(CONSENT_VIEW)
def note_consents_export(uow: Uow, *, seen: Ids, **taken: Any) -> None:
    """Put an export of who consented to what into the audit trail and into the log of everybody in it."""
    note_set(
        uow,
        persons=seen,
        seen="columns",
        detail=taken["columns"],
        purpose=taken["purpose"],
        way="export",
        number=taken["number"],
    )
    audit_export(uow, action="person_consent.export", **taken)
