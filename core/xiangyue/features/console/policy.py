"""Rights of the feature and who gets them by template."""

from __future__ import annotations

from xiangyue.access.permissions import Permission
from xiangyue.i18n import lazy_gettext as _l

OPERATOR_VIEW = Permission("operator.view", _l("See counties and their state"), site="operator")
OPERATOR_MANAGE = Permission("operator.manage", _l("Provision, suspend and resume counties"), site="operator")

PERMISSIONS = (
    OPERATOR_VIEW,
    OPERATOR_MANAGE,
)

ROLE_TEMPLATES = {
    "operator_admin": frozenset({OPERATOR_VIEW.name, OPERATOR_MANAGE.name}),
    "operator_support": frozenset({OPERATOR_VIEW.name}),
}
