"""Notices of a county, from its profile: published as they stand there; what differs becomes a new version."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from xiangyue.access.acts import acts
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Invalid
from xiangyue.features.privacy import queries_consent as queries
from xiangyue.features.privacy import service_notice as service
from xiangyue.features.privacy.models_consent import Notice
from xiangyue.features.privacy.policy_consent import NOTICE_MANAGE
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.manager import Registry
from xiangyue.tenancy.profile_types import NoticeSpec, Profile
from xiangyue.tenancy.provision import Change


@acts(NOTICE_MANAGE)
def apply_notices(uow: Uow, profile: Profile, registry: Registry) -> list[Change]:
    """Publish what the county does not have yet, and a new version of what the profile words otherwise than the newest
    version there. What it no longer names is left alone, as is a notice the county withdrew or has a draft of. Raises
    Conflict for a notice that cannot be taken."""
    changes: list[Change] = []
    known = {n.profile_key: n.id for n in uow.session.scalars(select(Notice).where(Notice.profile_key != ""))}
    for spec in profile.notices:
        try:
            done = _apply(uow, spec, known.get(spec.key))
        except Invalid as error:
            told = "; ".join(f"{name}: {' '.join(map(str, why))}" for name, why in error.fields.items())
            raise Conflict(
                _l("The notice “%(key)s” of the profile cannot be taken: %(why)s", key=spec.key, why=told)
            ) from None
        if done is not None:
            changes.append(Change(done, f"notice {spec.title_zh}"))
    uow.session.flush()
    return changes


def _apply(uow: Uow, spec: NoticeSpec, id: int | None) -> str | None:
    words: dict[str, Any] = {
        "title": spec.title_zh,
        "title_en": spec.title_en,
        "body": "\n".join(spec.text_zh),
        "body_en": "\n".join(spec.text_en),
        "purpose": spec.purpose,
        "lawful_basis": spec.lawful_basis,
        "source": spec.source,
        "fields": list(spec.data),
        "retention": spec.retention,
        "handler": spec.handler,
        "consequence": spec.consequence,
        "change_note": spec.change_note,
        "again": spec.again,
    }
    if id is None:
        values = {**words, "kind": spec.kind, "whom": spec.whom, "change_note": "", "again": False}
        id = service.add_notice(uow, values=values, profile_key=spec.key).id
        service.publish_draft(uow, id=id, version=1)
        return "add"
    view = queries.get_notice(uow, id)
    if (view.notice.kind, view.notice.whom) != (spec.kind, spec.whom):
        # What people answered was an answer to that kind of form.
        raise Conflict(
            _l(
                "The notice “%(key)s” of the profile is of another kind, or asks other people, than the one the county "
                "has by that key. Give it another key; the old one is withdrawn on its page.",
                key=spec.key,
            )
        )
    newest = view.published
    if newest is None or view.draft is not None:
        return None
    if all(
        _same(getattr(newest, name), value) for name, value in words.items() if name not in ("change_note", "again")
    ):
        return None
    draft = service.edit_draft(uow, id=id, version=0, values=words)
    service.publish_draft(uow, id=id, version=draft.version)
    return "change"


def _same(stored: Any, wanted: Any) -> bool:
    """Texts are stored without needless blanks."""
    if isinstance(wanted, str):
        return str(stored).split() == wanted.split()
    return bool(stored == wanted)
