"""Rights of the feature and who gets them by template."""

from __future__ import annotations

from xiangyue.access.permissions import Permission
from xiangyue.i18n import lazy_gettext as _l

GROUP = _l("Personal information")

FIELDS_VIEW = Permission("privacy.view", _l("See which department answers for which field"), group=GROUP)

PERMISSIONS = (FIELDS_VIEW,)

ROLE_TEMPLATES = {
    role: frozenset({FIELDS_VIEW.name})
    for role in ("county_admin", "department", "town", "village", "grid_leader", "auditor")
}
