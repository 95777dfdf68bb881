"""Rights of the feature and who gets them by template."""

from __future__ import annotations

from xiangyue.access.permissions import Permission
from xiangyue.i18n import lazy_gettext as _l

COCKPIT_VIEW = Permission("cockpit.view", _l("See the overview"))

PERMISSIONS = (COCKPIT_VIEW,)

ROLE_TEMPLATES = {
    "county_admin": frozenset({COCKPIT_VIEW.name}),
    "department": frozenset({COCKPIT_VIEW.name}),
    "town": frozenset({COCKPIT_VIEW.name}),
    "village": frozenset({COCKPIT_VIEW.name}),
    "auditor": frozenset({COCKPIT_VIEW.name}),
}

#: What entries of this feature say to people.
ACTIONS = {"cockpit.export": _l("Overview exported")}
