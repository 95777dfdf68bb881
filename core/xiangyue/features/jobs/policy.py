"""Rights of the feature and who gets them by template."""

from __future__ import annotations

from xiangyue.access.permissions import Permission
from xiangyue.i18n import lazy_gettext as _l

JOB_VIEW = Permission("job.view", _l("See background jobs of everyone"))
JOB_MANAGE = Permission("job.manage", _l("Cancel and repeat background jobs of others"))

PERMISSIONS = (
    JOB_VIEW,
    JOB_MANAGE,
)

ROLE_TEMPLATES = {
    "county_admin": frozenset({JOB_VIEW.name, JOB_MANAGE.name}),
    "auditor": frozenset({JOB_VIEW.name}),
}
