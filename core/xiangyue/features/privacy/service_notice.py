"""Writes on notices: drafts are edited, published words stay as they are. Nothing here commits."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit, audit_export, changed
from xiangyue.access.lawful import BASES
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Invalid, Stale
from xiangyue.features.households.person_input import today
from xiangyue.features.privacy import policy_consent as policy
from xiangyue.features.privacy import queries_consent as queries
from xiangyue.features.privacy.deciding import clean_words
from xiangyue.features.privacy.models_consent import Notice, NoticeVersion
from xiangyue.features.privacy.policy_consent import NOTICE_MANAGE, NOTICE_VIEW
from xiangyue.i18n import lazy_gettext as _l

_LIMITS = {
    "title": policy.TITLE_LENGTH,
    "title_en": policy.TITLE_LENGTH,
    "body": policy.TEXT_LENGTH,
    "body_en": policy.TEXT_LENGTH,
    "purpose": policy.LINE_LENGTH,
    "source": policy.LINE_LENGTH,
    "retention": policy.LINE_LENGTH,
    "handler": policy.LINE_LENGTH,
    "consequence": policy.LINE_LENGTH,
    "change_note": policy.LINE_LENGTH,
}
_NEEDED = ("title", "body", "purpose", "retention", "handler")
#: Words of a version, in the order in which two are compared.
WORDS = (*_LIMITS, "lawful_basis", "fields", "again")


@acts(NOTICE_MANAGE)
def add_notice(uow: Uow, *, values: Mapping[str, Any], profile_key: str = "") -> Notice:
    """A notice with its first version as a draft. ``values``: kind, whom, and the columns of a version (``fields``: a
    list, or text with a kind of data a line). Raises Invalid by field."""
    wrong: dict[str, list[Any]] = {}
    words = _clean(values, wrong)
    kind, whom = str(values.get("kind") or ""), str(values.get("whom") or "all")
    if kind not in policy.KINDS:
        wrong["kind"] = [_l("Choose one of the options.")]
    if whom not in {key for key, _label in queries.whom_choices(uow)}:
        wrong["whom"] = [_l("Choose one of the options.")]
    if wrong:
        raise Invalid(wrong)
    notice = Notice(
        kind=kind,
        whom=whom,
        title=words["title"],
        title_en=words["title_en"],
        state="draft",
        profile_key=profile_key,
        version=1,
    )
    uow.session.add(notice)
    uow.session.flush()
    uow.session.add(NoticeVersion(notice_id=notice.id, number=1, state="draft", version=1, **words))
    uow.session.flush()
    audit(uow, action="notice.add", obj=notice, label=notice.title, after={"kind": kind, "number": 1})
    return notice


@acts(NOTICE_MANAGE)
def edit_draft(uow: Uow, *, id: int, version: int, values: Mapping[str, Any]) -> NoticeVersion:
    """Change the words of the draft; one is begun from what is published where there is none. ``version``: of the
    draft, 0 to begin one. What is published is never touched. Raises NotFound, Stale, Invalid by field."""
    view = queries.get_notice(uow, id, lock=True)
    draft = view.draft
    if version != (draft.version if draft is not None else 0):
        raise Stale(
            _l("Somebody else has saved this in the meantime."), theirs={"version": draft.version if draft else 0}
        )
    before = {name: getattr(draft, name) for name in WORDS} if draft is not None else {}
    wrong: dict[str, list[Any]] = {}
    words = _clean(values, wrong, later=bool(view.versions) and (draft is None or draft.number > 1))
    if wrong:
        raise Invalid(wrong)
    if draft is None:
        number = max((v.number for v in view.versions), default=0) + 1
        draft = NoticeVersion(notice_id=id, number=number, state="draft", version=0, **words)
        uow.session.add(draft)
    for name, value in words.items():
        setattr(draft, name, value)
    draft.version += 1
    if view.published is None:
        view.notice.title, view.notice.title_en = words["title"], words["title_en"]
        view.notice.version += 1
    uow.session.flush()
    _old, new = changed(before, words)
    told = {"number": draft.number, "fields": [name for name in new if name != "fields"]}
    audit(uow, action="notice.edit", obj=view.notice, label=words["title"], after=told)
    return draft


@acts(NOTICE_MANAGE)
def publish_draft(uow: Uow, *, id: int, version: int, on: date | None = None) -> NoticeVersion:
    """Publish the draft: from then on its words stay; the version before is replaced. ``version``: of the draft. Raises
    NotFound, Stale, Conflict without a draft, Invalid where a new version does not say what is other."""
    view = queries.get_notice(uow, id, lock=True)
    draft, old = view.draft, view.published
    if draft is None:
        raise Conflict(_l("There is no draft to publish."))
    if draft.version != version:
        raise Stale(_l("Somebody else has saved this in the meantime."), theirs={"version": draft.version})
    if draft.number > 1 and not draft.change_note:
        raise Invalid({"change_note": [_l("Say what is different from the version before.")]})
    day = on or today()
    if old is not None:
        old.state, old.ended_on = "superseded", day
        old.version += 1
        uow.session.flush()
    draft.state, draft.published_on = "published", day
    draft.published_by_name = uow.actor.name or uow.actor.login
    draft.version += 1
    notice = view.notice
    notice.state, notice.title, notice.title_en = "published", draft.title, draft.title_en
    notice.version += 1
    uow.session.flush()
    after = {"number": draft.number, "published_on": day, "again": draft.again}
    audit(uow, action="notice.publish", obj=notice, label=notice.title, after=after)
    return draft


@acts(NOTICE_MANAGE)
def withdraw_notice(uow: Uow, *, id: int, version: int) -> Notice:
    """Take a published notice back: nobody is asked by it any more; what people said stays on record. A draft that was
    never published is deleted. Raises NotFound, Stale, Conflict."""
    view = queries.get_notice(uow, id, lock=True)
    notice = view.notice
    if notice.version != version:
        raise Stale(_l("Somebody else has saved this in the meantime."), theirs={"version": notice.version})
    if notice.state == "withdrawn":
        raise Conflict(_l("This notice is withdrawn already."))
    if (last := view.published) is not None:
        last.state, last.ended_on = "withdrawn", today()
        last.version += 1
    notice.state = "withdrawn"
    notice.version += 1
    if view.draft is not None:
        uow.session.delete(view.draft)
    uow.session.flush()
    audit(uow, action="notice.withdraw", obj=notice, label=notice.title, after={"state": "withdrawn"})
    return notice


@acts(NOTICE_VIEW)
def note_notices_export(uow: Uow, **taken: Any) -> None:
    """Put an export of the list of notices into the audit trail."""
    audit_export(uow, action="notice.export", **taken)


def _clean(values: Mapping[str, Any], wrong: dict[str, list[Any]], *, later: bool = False) -> dict[str, Any]:
    found: dict[str, Any] = clean_words(values, _LIMITS, wrong)
    for name in (*_NEEDED, *(["change_note"] if later else [])):
        if not found[name]:
            wrong.setdefault(name, [_l("Please fill this in.")])
    basis = str(values.get("lawful_basis") or "")
    if basis not in BASES:
        wrong["lawful_basis"] = [_l("Choose one of the options.")]
    kinds = values.get("fields") or []
    lines = kinds.splitlines() if isinstance(kinds, str) else [str(one) for one in kinds]
    fields = list(dict.fromkeys(line.strip() for line in lines if line.strip()))
    if len(fields) > 100 or any(len(line) > policy.TITLE_LENGTH for line in fields):
        wrong["fields"] = [_l("At most %(limit)s characters.", limit=policy.TITLE_LENGTH)]
    if not fields:
        wrong["fields"] = [_l("Please fill this in.")]
    return {**found, "lawful_basis": basis, "fields": fields, "again": bool(values.get("again"))}
