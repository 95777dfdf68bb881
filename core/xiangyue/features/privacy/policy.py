"""Rights of the feature, what may be asked for, and how far a request is."""

from __future__ import annotations

from typing import Any

from xiangyue.access.permissions import Permission
from xiangyue.i18n import lazy_gettext as _l

GROUP = _l("Personal information")

FIELDS_VIEW = Permission("privacy.view", _l("See which department answers for which field"), group=GROUP)
REQUEST = Permission("privacy.request", _l("Register and answer requests about personal information"), group=GROUP)
ERASE = Permission("privacy.erase", _l("Erase what is recorded of a person"), sensitive=True, group=GROUP)
LOG_VIEW = Permission("privacy.log", _l("See who looked at a person's protected data"), sensitive=True, group=GROUP)

PERMISSIONS = (FIELDS_VIEW, REQUEST, ERASE, LOG_VIEW)

_SEES = frozenset({FIELDS_VIEW.name})
ROLE_TEMPLATES = {
    "county_admin": _SEES | {REQUEST.name, ERASE.name, LOG_VIEW.name},
    "department": _SEES,
    "town": _SEES | {REQUEST.name},
    "village": _SEES | {REQUEST.name},
    "grid_leader": _SEES,
    "auditor": _SEES | {LOG_VIEW.name},
}

ACTIONS = {
    "privacy_request.add": _l("Request about personal information registered"),
    "privacy_request.take": _l("Request taken up"),
    "privacy_request.extend": _l("Request given more time"),
    "privacy_request.done": _l("Request answered"),
    "privacy_request.refuse": _l("Request refused"),
    "privacy_request.withdraw": _l("Request withdrawn"),
    "privacy_request.copy": _l("Copy of a person's record handed out"),
    "privacy_request.export": _l("Requests exported"),
    "person.erase": _l("Personal information erased"),
    "person_access.read": _l("Access log of a person shown"),
    "person_access.export": _l("Access log of a person exported"),
}

#: What may be asked for, by the articles of the Personal Information Protection Law (个人信息保护法).
ACCESS, COPY, CORRECT, COMPLETE, ERASURE = "access", "copy", "correct", "complete", "erase"
KINDS: dict[str, Any] = {
    ACCESS: _l("Look into the record (article 45)"),
    COPY: _l("Copy of the record (article 45)"),
    CORRECT: _l("Correction (article 46)"),
    COMPLETE: _l("Completion (article 46)"),
    ERASURE: _l("Erasure (article 47)"),
}
#: The same in a list.
KINDS_SHORT: dict[str, Any] = {
    ACCESS: _l("Look into it"),
    COPY: _l("Copy"),
    CORRECT: _l("Correction"),
    COMPLETE: _l("Completion"),
    ERASURE: _l("Erasure"),
}
CHANNELS: dict[str, Any] = {
    "counter": _l("At the counter"),
    "phone": _l("By telephone"),
    "visit": _l("During a visit"),
    "letter": _l("By letter"),
}
IDENTITIES: dict[str, Any] = {
    "card": _l("Identity card seen"),
    "known": _l("Known to the village official in person"),
    "callback": _l("Called back on the registered number"),
    "papers": _l("Papers of guardianship or authority seen"),
}

RECEIVED, IN_WORK, DONE, REFUSED, WITHDRAWN = "received", "in_work", "done", "refused", "withdrawn"
STATES: dict[str, Any] = {
    RECEIVED: _l("Taken in"),
    IN_WORK: _l("In work"),
    DONE: _l("Answered"),
    REFUSED: _l("Refused"),
    WITHDRAWN: _l("Withdrawn"),
}
OPEN_STATES = (RECEIVED, IN_WORK)

#: In which way somebody came to see it, and what it was.
WAYS: dict[str, Any] = {
    "page": _l("Page"),
    "api": _l("API"),
    "list": _l("List"),
    "export": _l("Export"),
    "copy": _l("Copy for the person"),
    "import": _l("Import"),
    "job": _l("Background job"),
}
SEEN: dict[str, Any] = {
    "identifiers": _l("Citizen number and phone"),
    "phone": _l("Phone"),
    "marks": _l("Sensitive marks"),
    "columns": _l("Columns of a list"),
    "record": _l("Whole record"),
    "values": _l("Values of a roster"),
}

#: Where the core's fifteen working days come from; the law itself only says "in good time" (article 50).
DAYS_SOURCE = _l("Rules on identifying unlawful collection of personal information by apps (2019, No. 191), item 6")

#: So many working days before its day a request counts as urgent.
SOON_DAYS = 3
TEXT_LENGTH, NOTE_LENGTH, NAME_LENGTH = 1000, 500, 50
EXPORT_LIMIT = 20_000
