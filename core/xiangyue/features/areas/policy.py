"""Rights of the feature and who gets them by template."""

from __future__ import annotations

from xiangyue.access.permissions import Permission
from xiangyue.i18n import lazy_gettext as _l

AREA_VIEW = Permission("area.view", _l("See areas"))
AREA_EDIT = Permission("area.edit", _l("Change areas"))

PERMISSIONS = (
    AREA_VIEW,
    AREA_EDIT,
)

ROLE_TEMPLATES = {
    "county_admin": frozenset({AREA_VIEW.name, AREA_EDIT.name}),
    "department": frozenset({AREA_VIEW.name}),
    "town": frozenset({AREA_VIEW.name, AREA_EDIT.name}),
    "village": frozenset({AREA_VIEW.name}),
    "grid_leader": frozenset({AREA_VIEW.name}),
    "auditor": frozenset({AREA_VIEW.name}),
}
