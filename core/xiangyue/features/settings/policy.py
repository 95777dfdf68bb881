"""Rights of the feature and who gets them by template."""

from __future__ import annotations

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
