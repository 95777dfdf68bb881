"""Rights of the feature, who gets them by template, and the words of its audit entries."""

from __future__ import annotations

from xiangyue.access.permissions import Permission
from xiangyue.i18n import LazyText
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

ACTIVE, SUSPENDED = "active", "suspended"
STATES: dict[str, LazyText] = {ACTIVE: _l("Active"), SUSPENDED: _l("Suspended")}

#: What audit entries of the console say to people; those of provisioning itself are the audit feature's.
ACTIONS: dict[str, LazyText] = {
    "tenant.administrator": _l("Administrator invited by one-time link"),
    "tenant.link": _l("One-time link made for an administrator"),
    "tenant.divisions": _l("Towns and villages taken over from a file"),
    "operator.read": _l("Operator looked at counties"),
    "operator.export": _l("List of counties exported"),
}

#: Kinds of things in a plan, by the first word of a change.
THINGS: dict[str, LazyText] = {
    "tenant": _l("County"),
    "host": _l("Host name"),
    "plugin": _l("Plugin"),
    "area": _l("Area"),
    "role": _l("Role"),
    "mark": _l("Mark"),
    "award": _l("Award"),
    "custom field": _l("Custom field"),
    "kind of organisation": _l("Kind of organisation"),
    "post": _l("Post of an organisation"),
    "exclusion": _l("Exclusion from posts"),
    "grids": _l("Rules for grids"),
    "notice": _l("Notice or form of consent"),
}
VERBS: dict[str, LazyText] = {"add": _l("Add"), "change": _l("Change"), "remove": _l("Remove")}
