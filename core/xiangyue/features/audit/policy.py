"""Rights of the feature and who gets them by template."""

from __future__ import annotations

from xiangyue.access.permissions import Permission
from xiangyue.i18n import lazy_gettext as _l

AUDIT_VIEW = Permission("audit.view", _l("Read the audit trail"))
OPERATOR_AUDIT = Permission("operator.audit", _l("Read the operator's audit trail"), site="operator")

PERMISSIONS = (
    AUDIT_VIEW,
    OPERATOR_AUDIT,
)

ROLE_TEMPLATES = {
    "county_admin": frozenset({AUDIT_VIEW.name}),
    "auditor": frozenset({AUDIT_VIEW.name}),
    "operator_admin": frozenset({OPERATOR_AUDIT.name}),
}
