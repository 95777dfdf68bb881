"""Rights of the feature and who gets them by template."""

from __future__ import annotations

from xiangyue.access.permissions import Permission
from xiangyue.i18n import lazy_gettext as _l

HOUSEHOLD_VIEW = Permission("household.view", _l("See households and persons"))
HOUSEHOLD_EDIT = Permission("household.edit", _l("Register and change households and persons"))
HOUSEHOLD_EXPORT = Permission("household.export", _l("Export households and persons"))
IDENTIFIER_REVEAL = Permission(
    "identifier.reveal", _l("Show full identity and phone numbers"), sensitive=True
)
SENSITIVE_VIEW = Permission("mark.sensitive.view", _l("See sensitive marks"), sensitive=True)
SENSITIVE_EDIT = Permission("mark.sensitive.edit", _l("Change sensitive marks"), sensitive=True)

PERMISSIONS = (
    HOUSEHOLD_VIEW,
    HOUSEHOLD_EDIT,
    HOUSEHOLD_EXPORT,
    IDENTIFIER_REVEAL,
    SENSITIVE_VIEW,
    SENSITIVE_EDIT,
)

ROLE_TEMPLATES = {
    "county_admin": frozenset(
        {
            HOUSEHOLD_VIEW.name,
            HOUSEHOLD_EDIT.name,
            HOUSEHOLD_EXPORT.name,
            IDENTIFIER_REVEAL.name,
            SENSITIVE_VIEW.name,
            SENSITIVE_EDIT.name,
        }
    ),
    "department": frozenset({HOUSEHOLD_VIEW.name}),
    "town": frozenset({HOUSEHOLD_VIEW.name, HOUSEHOLD_EDIT.name, HOUSEHOLD_EXPORT.name}),
    "village": frozenset({HOUSEHOLD_VIEW.name, HOUSEHOLD_EDIT.name}),
    "grid_leader": frozenset({HOUSEHOLD_VIEW.name}),
}
