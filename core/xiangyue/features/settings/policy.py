"""Rights of the feature and who gets them by template."""

from __future__ import annotations

import re

from xiangyue.access.permissions import Permission
from xiangyue.i18n import lazy_gettext as _l

SETTINGS_VIEW = Permission("settings.view", _l("See the county's settings"))
SETTINGS_EDIT = Permission("settings.edit", _l("Change the county's settings"))

PERMISSIONS = (
    SETTINGS_VIEW,
    SETTINGS_EDIT,
)

ROLE_TEMPLATES = {
    "county_admin": frozenset({SETTINGS_VIEW.name, SETTINGS_EDIT.name}),
    "auditor": frozenset({SETTINGS_VIEW.name}),
}

#: What entries of this feature say to people.
ACTIONS = {
    "mark_kind.add": _l("Kind of mark added"),
    "mark_kind.edit": _l("Kind of mark changed"),
    "award_kind.add": _l("Kind of award added"),
    "award_kind.edit": _l("Kind of award changed"),
    "custom_field.add": _l("Own field added"),
    "custom_field.edit": _l("Own field changed"),
    "custom_field.order": _l("Own fields put in another order"),
}

#: As in a profile: ``tenant.toml`` and the API name marks, awards, fields and choices by these.
KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
LONGEST_NAME = 40
LONGEST_HELP = 200
MOST_OPTIONS = 100
