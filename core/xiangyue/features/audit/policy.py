"""Rights of the feature and who gets them by template."""

from __future__ import annotations

from xiangyue.access.permissions import Permission
from xiangyue.access.seal import SEAL_ACTION
from xiangyue.i18n import lazy_gettext as _l

#: ``site`` both: the operator's own trail is a trail of the operator's tenant, read on the same pages.
AUDIT_VIEW = Permission("audit.view", _l("Read the audit trail"), site="both")

#: The job that computes every seal again.
VERIFY_KIND = "audit.verify"

PERMISSIONS = (AUDIT_VIEW,)

ROLE_TEMPLATES = {
    "county_admin": frozenset({AUDIT_VIEW.name}),
    "auditor": frozenset({AUDIT_VIEW.name}),
    "operator_admin": frozenset({AUDIT_VIEW.name}),
}

#: What entries of this feature, and of provisioning, say to people.
ACTIONS = {
    SEAL_ACTION: _l("Trail sealed"),
    "audit.export": _l("Audit trail exported"),
    "tenant.apply": _l("County profile applied"),
    "tenant.suspend": _l("County suspended"),
    "tenant.resume": _l("County resumed"),
}

#: An export holds at most this many entries; narrow the period for more.
EXPORT_LIMIT = 100_000
#: Counting stops here: beyond it the exact number helps nobody and costs a scan.
COUNT_LIMIT = 10_000
