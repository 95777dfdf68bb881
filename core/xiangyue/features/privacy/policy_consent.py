"""Rights and words of notices and consents."""

from __future__ import annotations

from typing import Any

from xiangyue.access.permissions import Permission
from xiangyue.features.privacy.policy import GROUP
from xiangyue.i18n import lazy_gettext as _l

NOTICE_VIEW = Permission("notice.view", _l("See notices and forms of consent"), group=GROUP)
NOTICE_MANAGE = Permission("notice.manage", _l("Write, publish and withdraw notices and forms of consent"), group=GROUP)
CONSENT_VIEW = Permission("consent.view", _l("See who consented to what"), group=GROUP)
CONSENT_EDIT = Permission("consent.edit", _l("Record consents, refusals and withdrawals"), group=GROUP)

PERMISSIONS = (NOTICE_VIEW, NOTICE_MANAGE, CONSENT_VIEW, CONSENT_EDIT)
_SEES = frozenset({NOTICE_VIEW.name})
_RECORDS = _SEES | {CONSENT_VIEW.name, CONSENT_EDIT.name}
ROLE_TEMPLATES = {
    "county_admin": _RECORDS | {NOTICE_MANAGE.name},
    "department": _SEES,
    "town": _RECORDS,
    "village": _RECORDS,
    "grid_leader": _SEES | {CONSENT_VIEW.name},
    "auditor": _SEES,
}
ACTIONS = {
    "notice.add": _l("Notice drafted"),
    "notice.edit": _l("Draft of a notice changed"),
    "notice.publish": _l("Notice published"),
    "notice.withdraw": _l("Notice withdrawn"),
    "notice.export": _l("Notices exported"),
    "person_consent.add": _l("Consent, refusal or withdrawal recorded"),
    "person_consent.read": _l("Scan of a consent shown"),
    "person_consent.export": _l("List of consents exported"),
}

NOTICE, CONSENT, SEPARATE, GUARDIAN = "notice", "consent", "separate", "guardian"
#: By the Personal Information Protection Law.
KINDS: dict[str, Any] = {
    NOTICE: _l("Notice (article 17)"),
    CONSENT: _l("Consent (articles 13 to 16)"),
    SEPARATE: _l("Separate consent to sensitive data (articles 28 to 30)"),
    GUARDIAN: _l("Guardian's consent for a child under 14 (article 31)"),
}
#: The same in a list.
KINDS_SHORT: dict[str, Any] = {
    NOTICE: _l("Notice"),
    CONSENT: _l("Consent"),
    SEPARATE: _l("Separate consent"),
    GUARDIAN: _l("Guardian's consent"),
}
#: Those that ask for an answer.
ASKING = (CONSENT, SEPARATE, GUARDIAN)
STATES: dict[str, Any] = {
    "draft": _l("Draft"),
    "published": _l("Published"),
    "superseded": _l("Replaced"),
    "withdrawn": _l("Withdrawn"),
}
BADGES = {"draft": "neutral", "published": "ok", "superseded": "neutral", "withdrawn": "late"}
WHOM: dict[str, Any] = {
    "all": _l("Everybody on the register"),
    "under_14": _l("Children under 14"),
    "phone": _l("Everybody whose phone is recorded"),
}
MARK = "mark:"

ANSWERS: dict[str, Any] = {
    "given": _l("Consented"),
    "refused": _l("Did not consent"),
    "withdrawn": _l("Consent withdrawn"),
}
ANSWER_BADGES = {"given": "ok", "refused": "soon", "withdrawn": "late"}
HOWS: dict[str, Any] = {
    "paper": _l("On paper"),
    "spoken": _l("Spoken, before a witness"),
    "phone": _l("On the telephone"),
}
#: How somebody stands to a notice.
STANDINGS: dict[str, Any] = {
    "missing": _l("Not asked yet"),
    "outdated": _l("Consented to an older version, to be asked again"),
    "refused": _l("Did not consent"),
    "withdrawn": _l("Consent withdrawn"),
    "given": _l("Consented"),
}
TITLE_LENGTH, TEXT_LENGTH, LINE_LENGTH, NAME_LENGTH, NOTE_LENGTH = 100, 20_000, 500, 50, 500
SCAN_KINDS = ("pdf", "png", "jpeg")
EXPORT_LIMIT = 20_000
