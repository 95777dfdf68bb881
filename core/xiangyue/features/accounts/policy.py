"""Rights of the feature, who gets them by template, and who may manage whom."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import timedelta

from xiangyue.access.actor import Actor
from xiangyue.access.permissions import Permission
from xiangyue.db.scope import area_range
from xiangyue.features.accounts.terms import ACTIVE as ACTIVE
from xiangyue.features.accounts.terms import DISABLED as DISABLED
from xiangyue.features.accounts.terms import STATES as STATES
from xiangyue.features.accounts.terms import TOKEN_MAX_DAYS as TOKEN_MAX_DAYS
from xiangyue.i18n import LazyText
from xiangyue.i18n import lazy_gettext as _l

#: ``site`` both: the operator's own people are accounts of the operator's tenant, managed by the same pages.
ACCOUNT_VIEW = Permission("account.view", _l("See accounts and their rights"), site="both")
ACCOUNT_MANAGE = Permission("account.manage", _l("Make and change accounts and grants"), site="both")
ROLE_MANAGE = Permission("role.manage", _l("Make and change roles"), site="both")

PERMISSIONS = (ACCOUNT_VIEW, ACCOUNT_MANAGE, ROLE_MANAGE)

_ALL = frozenset(p.name for p in PERMISSIONS)
ROLE_TEMPLATES = {
    "county_admin": _ALL,
    "town": frozenset({ACCOUNT_VIEW.name, ACCOUNT_MANAGE.name}),
    "auditor": frozenset({ACCOUNT_VIEW.name}),
    "operator_admin": _ALL,
}

#: Wrong passwords or codes in a row before an account is shut, and for how long.
MAX_FAILURES = 5
LOCK_FOR = timedelta(minutes=15)
LINK_VALID = timedelta(hours=72)
KEEP_ENDED_DAYS = 30

LOGIN = re.compile(r"[a-z0-9][a-z0-9._@-]{1,63}")
ROLE_KEY = re.compile(r"[a-z][a-z0-9_]{1,39}")

#: Purposes of a one-time link.
INVITE, RESET = "invite", "reset"

#: Headings of permissions by the first part of their names.
GROUPS: dict[str, LazyText] = {
    "area": _l("Areas"),
    "household": _l("Households and persons"),
    "classification": _l("Classifications"),
    "plugin": _l("Plugins"),
    "mark": _l("Marks on persons"),
    "identifier": _l("Citizen numbers and telephones"),
    "person": _l("Households and persons"),
    "register": _l("Households and persons"),
    "import": _l("Import"),
    "grid": _l("Grids"),
    "household_group": _l("Ten-household groups"),
    "callout": _l("Calls in an emergency"),
    "cockpit": _l("Overview"),
    "account": _l("Accounts and roles"),
    "role": _l("Accounts and roles"),
    "audit": _l("Audit trail"),
    "job": _l("Background jobs"),
    "settings": _l("Settings"),
    "operator": _l("Operator"),
}

#: What audit entries of this feature say to people.
ACTIONS: dict[str, LazyText] = {
    "sign_in": _l("Signed in"),
    "sign_in.failed": _l("Sign-in failed"),
    "sign_in.locked": _l("Locked after wrong attempts"),
    "sign_out": _l("Signed out"),
    "password.change": _l("Changed the password"),
    "password.set": _l("Set a password by a one-time link"),
    "second_factor.on": _l("Turned the second factor on"),
    "second_factor.off": _l("Turned the second factor off"),
    "second_factor.reset": _l("Second factor taken away by an administrator"),
    "second_factor.codes": _l("Made new recovery codes"),
    "second_factor.recovery": _l("Used a recovery code"),
    "token.create": _l("Made an access token"),
    "token.revoke": _l("Revoked an access token"),
    "session.end": _l("Ended a session"),
    "session.end_all": _l("Ended sessions"),
    "account.create": _l("Account made"),
    "account.edit": _l("Account changed"),
    "account.disable": _l("Account disabled"),
    "account.enable": _l("Account enabled"),
    "account.unlock": _l("Account unlocked"),
    "account.link": _l("One-time link made"),
    "account.export": _l("Accounts exported"),
    "account.preferences": _l("Changed own preferences"),
    "grant.add": _l("Role granted"),
    "grant.remove": _l("Role taken away"),
    "role.create": _l("Role made"),
    "role.edit": _l("Role changed"),
    "role.delete": _l("Role deleted"),
}


def group_of(permission: Permission) -> str:
    """The heading under which a permission stands, in the current language."""
    prefix = permission.name.partition(".")[0]
    return str(permission.group or GROUPS.get(prefix, prefix))


def clean_login(text: str) -> str:
    """A login as it is stored: NFKC, lower case, without blanks around it."""
    return unicodedata.normalize("NFKC", text).strip().lower()


def rights_at(actor: Actor, area_code: int) -> frozenset[str] | None:
    """Names of the rights an actor has in the whole subtree of an area; None means all (the system).

    A token's scopes cut them down, so a token cannot hand out what it does not hold.
    """
    if actor.kind == "system":
        return None
    found: set[str] = set()
    for grant in actor.grants:
        if covers(grant.area_code, area_code, actor.tenant_area):
            found |= grant.permissions
    if actor.token_scopes is not None and "*" not in actor.token_scopes:
        found &= actor.token_scopes
    return frozenset(found)


def covers(outer: int, inner: int, tenant_area: int) -> bool:
    """Whether the subtree of area ``outer`` holds that of ``inner``; 0 and the tenant's own code hold everything."""
    if outer in (0, tenant_area):
        return True
    if inner == 0:
        return False
    low, high = area_range(outer)
    inner_low, inner_high = area_range(inner)
    return low <= inner_low and inner_high <= high


def missing_rights(actor: Actor, permissions: Iterable[str], area_code: int) -> list[str]:
    """Names of ``permissions`` that the actor does not have all over ``area_code``, sorted."""
    own = rights_at(actor, area_code)
    return [] if own is None else sorted(set(permissions) - own)


def in_reach(actor: Actor, permission: Permission, area_codes: Iterable[int]) -> bool:
    """Whether areas lie wholly where the actor has ``permission``. No areas at all: only for whole-tenant actors."""
    ranges = actor.ranges(permission)
    if ranges is None:
        return True
    codes = list(area_codes)

    def inside(code: int) -> bool:
        low, high = area_range(code)
        return code != 0 and any(a <= low and high <= b for a, b in ranges)

    return bool(codes) and all(inside(code) for code in codes)
