"""Rights of the feature and who gets them by template."""

from __future__ import annotations

from xiangyue.access.permissions import Permission
from xiangyue.i18n import lazy_gettext as _l

ACCOUNT_VIEW = Permission("account.view", _l("See accounts and their rights"))
ACCOUNT_MANAGE = Permission("account.manage", _l("Make and change accounts and grants"))
ROLE_MANAGE = Permission("role.manage", _l("Make and change roles"))
OPERATOR_ACCOUNT = Permission("operator.account", _l("Manage operator accounts"), site="operator")

PERMISSIONS = (
    ACCOUNT_VIEW,
    ACCOUNT_MANAGE,
    ROLE_MANAGE,
    OPERATOR_ACCOUNT,
)

ROLE_TEMPLATES = {
    "county_admin": frozenset({ACCOUNT_VIEW.name, ACCOUNT_MANAGE.name, ROLE_MANAGE.name}),
    "town": frozenset({ACCOUNT_VIEW.name, ACCOUNT_MANAGE.name}),
    "auditor": frozenset({ACCOUNT_VIEW.name}),
    "operator_admin": frozenset({OPERATOR_ACCOUNT.name}),
}
