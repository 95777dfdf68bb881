"""Rights and words of organisations."""

from __future__ import annotations

from typing import Any

from xiangyue.access.permissions import Permission
from xiangyue.i18n import lazy_gettext as _l

GROUP = _l("Organisations")

VIEW = Permission("organisation.view", _l("See organisations and who holds their posts"), group=GROUP)
EDIT = Permission("organisation.edit", _l("Record organisations, elections and who holds posts"), group=GROUP)
EXPORT = Permission("organisation.export", _l("Export organisations and who holds their posts"), group=GROUP)

PERMISSIONS = (VIEW, EDIT, EXPORT)

_SEES = frozenset({VIEW.name})
_ALL = frozenset({VIEW.name, EDIT.name, EXPORT.name})
ROLE_TEMPLATES = {
    "county_admin": _ALL,
    "department": _SEES | {EXPORT.name},
    "town": _ALL,
    "village": frozenset({VIEW.name, EDIT.name}),
    "grid_leader": _SEES,
    "auditor": _SEES,
}

ACTIONS = {
    "organisation.add": _l("Organisation recorded"),
    "organisation.edit": _l("Organisation changed"),
    "organisation.dissolve": _l("Organisation dissolved"),
    "organisation.remove": _l("Organisation recorded by mistake taken out"),
    "organisation.reopen": _l("Dissolution of an organisation taken back"),
    "organisation.publish": _l("Public card opened"),
    "organisation.withdraw": _l("Public card closed"),
    "organisation.print": _l("Public card printed"),
    "organisation.export": _l("Organisations exported"),
    "post.add": _l("Post added"),
    "post.edit": _l("Post changed"),
    "post.close": _l("Post closed"),
    "post_holder.add": _l("Post taken up"),
    "post_holder.edit": _l("Entry about a post changed"),
    "post_holder.end": _l("Post given up"),
    "post_holder.remove": _l("Wrong entry about a post taken out"),
    "organisation_election.hold": _l("New term recorded"),
    "organisation_election.undo": _l("New term taken back"),
}

FAMILIES: dict[str, Any] = {
    "party": _l("Party organisations"),
    "self_government": _l("Self-government"),
    "congress": _l("People's congress"),
    "government": _l("Government and departments"),
    "economic": _l("Economic organisations"),
    "social": _l("Associations and volunteers"),
}
LEVELS: dict[str, Any] = {
    "county": _l("County"),
    "town": _l("Town"),
    "village": _l("Village"),
    "group": _l("Villager group"),
}

#: How somebody came to a post.
ELECTED, RECOMMENDED, APPOINTED, COOPTED, BY_ELECTION = "elected", "recommended", "appointed", "coopted", "by_election"
WAYS: dict[str, Any] = {
    ELECTED: _l("Elected"),
    BY_ELECTION: _l("Elected in a by-election"),
    RECOMMENDED: _l("Chosen by the villagers' representatives"),
    APPOINTED: _l("Appointed"),
    COOPTED: _l("Co-opted"),
}
#: Ways of which the day is asked.
DECIDED = frozenset({ELECTED, BY_ELECTION, RECOMMENDED})

#: Why somebody left a post.
DISSOLVED, NEW_TERM, RE_ELECTED = "dissolved", "new_term", "re_elected"
ENDS: dict[str, Any] = {
    NEW_TERM: _l("New term, not elected again"),
    RE_ELECTED: _l("Elected again"),
    "resigned": _l("Resigned"),
    "removed": _l("Recalled or removed"),
    "transferred": _l("Took up another post"),
    "moved": _l("Moved away"),
    "deceased": _l("Died"),
    "lapsed": _l("Post ended by law"),
    DISSOLVED: _l("Organisation dissolved"),
    "other": _l("Other reason"),
}
#: What a person may choose; the others are set by acts of their own.
END_CHOICES = {key: label for key, label in ENDS.items() if key not in (DISSOLVED, RE_ELECTED)}

#: A term that ends within so many days is pointed out.
SOON_DAYS = 180
#: Nobody under this age holds a post (村民委员会组织法第十三条).
ADULT = 18
NAME_LENGTH, TEXT_LENGTH, NOTE_LENGTH, MOST_SEATS = 60, 500, 500, 999
EXPORT_LIMIT = 50_000
