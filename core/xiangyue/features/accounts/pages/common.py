"""What the pages of this feature share: the session cookie, acts that may be refused, names for people to read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from flask import redirect, request, url_for

from xiangyue.access.models import Role
from xiangyue.access.permissions import Permission
from xiangyue.errors import Conflict, Invalid, XiangyueError
from xiangyue.features.accounts import policy
from xiangyue.features.accounts.service.sign_in import SignedIn
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.i18n import pick
from xiangyue.web.pipeline import cookie_name, current_offer, current_tenant, current_uow, runtime
from xiangyue.web.shell import flash, safe_next

LANGUAGES = (("", _l("As the county")), ("zh", _l("Chinese")), ("en", _l("English")))

STATE_LABELS = {
    policy.ACTIVE: _l("Active"),
    "invited": _l("No password yet"),
    "locked": _l("Locked for now"),
    policy.DISABLED: _l("Disabled"),
}
STATE_KINDS = {policy.ACTIVE: "ok", "invited": "soon", "locked": "late", policy.DISABLED: "neutral"}

_BROWSERS = (
    ("MicroMessenger", "WeChat"),
    ("Edg", "Edge"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("HarmonyOS", "HarmonyOS"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


def session_hours() -> int:
    """How long a session lives without use: the county's setting, else the instance's."""
    return int(current_tenant().settings.get("session_hours") or runtime().settings.session_hours)


def session_cookie() -> str | None:
    return request.cookies.get(cookie_name())


def signed_in_response(result: SignedIn, target: str | None) -> Any:
    """Go on with the fresh session: to the page asked for, or to the second step first."""
    goal = safe_next(target)
    if result.needs_code:
        goal = url_for("accounts.show_code") + "?" + urlencode({"next": goal})
    response = redirect(goal, 303)
    response.set_cookie(
        cookie_name(), result.token, httponly=True, secure=runtime().settings.secure, samesite="Lax", path="/"
    )
    return response


def forget_cookie(response: Any) -> Any:
    response.delete_cookie(cookie_name(), path="/", httponly=True, secure=runtime().settings.secure, samesite="Lax")
    return response


def reason(error: XiangyueError) -> Any:
    """What an error says to people, without field names."""
    if isinstance(error, Invalid) and not error.message:
        return " ".join(str(text) for texts in error.fields.values() for text in texts)
    return error.message


def role_label(role: Role) -> str:
    """A role's name for a plain-text place; on an English page never Chinese."""
    return pick(role.name, role.name_en or role.key)


def attempt(act: Callable[[], Any], done: Any, back: str) -> Any:
    """Do one act of a button and go back: with ``done``, or with the reason why not and nothing changed."""
    try:
        act()
    except (Conflict, Invalid) as error:
        current_uow().rollback()
        flash(reason(error), "danger")
    else:
        flash(done)
    return redirect(back, 303)


def site_permissions() -> list[Permission]:
    """The rights that exist on this site (county or operator)."""
    return current_offer().permissions.all(current_tenant().kind)


def permission_groups(names: frozenset[str] | None = None) -> list[tuple[str, list[Permission]]]:
    """Rights of this site under their headings; only ``names`` when given."""
    groups: dict[str, list[Permission]] = {}
    for permission in site_permissions():
        if names is None or permission.name in names:
            groups.setdefault(policy.group_of(permission), []).append(permission)
    return list(groups.items())


def device(user_agent: str) -> str:
    """``Chrome · Windows`` for a browser's long description; "" when it says nothing known."""
    browser = next((name for sign, name in _BROWSERS if sign in user_agent), "")
    system = next((name for sign, name in _SYSTEMS if sign in user_agent), "")
    return " · ".join(part for part in (browser, system) if part)
