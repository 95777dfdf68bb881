"""What every page needs: navigation, area switcher, language, flashes; and ``page()`` that renders a template."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlencode

from flask import Flask, current_app, g, make_response, redirect, render_template, request, url_for
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.local import LocalProxy

from xiangyue import i18n
from xiangyue.db.uow import Uow
from xiangyue.plugin.dispatch import guarded
from xiangyue.plugin.offer import Contributor
from xiangyue.plugin.registry import NAV_GROUPS, NavItem
from xiangyue.text.pinyin import fold, suffixes
from xiangyue.web import templating
from xiangyue.web.listview import ListView
from xiangyue.web.pipeline import cookie_name, csrf_token, current_offer, current_tenant, is_fragment, runtime

GROUP_LABELS: dict[str, Any] = {
    "today": "",
    "people": i18n.lazy_gettext("People and households"),
    "grids": i18n.lazy_gettext("Grids"),
    "contact": i18n.lazy_gettext("Contact and requests"),
    "points": i18n.lazy_gettext("Points and notices"),
    "cockpit": i18n.lazy_gettext("Overview"),
    "settings": i18n.lazy_gettext("Settings"),
}


def install(app: Flask, area_switch: Callable[[Uow], Any]) -> None:
    """Jinja set-up and the shell's context. ``area_switch`` makes the area switcher of the top bar."""
    app.extensions["xiangyue_area_switch"] = area_switch
    templating.install(app.jinja_env)
    app.jinja_env.globals.update(pick=i18n.pick, csrf_token=csrf_token)
    app.context_processor(_context)
    app.after_request(_store_flashes)


def _context() -> dict[str, Any]:
    tenant = g.get("tenant")
    # What a page extends: asked for by htmx, its content alone.
    layout = "fragment.html" if is_fragment() else "layout.html"
    if tenant is None:
        return {
            "layout": layout,
            "locale": i18n.current_locale(),
            "site": None,
            "actor": None,
            "nav": [],
            "tabs": [],
            "flashes": [],
        }
    uow = g.get("uow")
    actor = uow.actor if uow is not None else None
    signed_in = actor is not None and actor.kind == "account" and not g.get("totp_pending")
    return {
        "layout": layout,
        "locale": i18n.current_locale(),
        "site": tenant,
        "demo": runtime().settings.demo,
        "actor": actor if signed_in else None,
        "nav": _navigation() if signed_in else [],
        "tabs": _tabs() if signed_in else [],
        "area_switch": LocalProxy(_area_switch) if signed_in and not tenant.is_operator else None,
        "flashes": take_flashes(),
        "request_id": g.get("request_id", ""),
        "large_text": bool(actor and actor.large_text),
        "html_lang": "zh-CN" if i18n.current_locale() == "zh" else "en",
    }


def _area_switch() -> Any:
    """Made when the layout draws it, not before: error pages have none and may have no database."""
    if "area_switch" not in g:
        g.area_switch = current_app.extensions["xiangyue_area_switch"](g.uow)
    return g.area_switch


def _may(item: NavItem) -> bool:
    tenant = current_tenant()
    actor = g.uow.actor
    if item.site not in (tenant.kind, "both") or not (item.permission is None or actor.can(item.permission)):
        return False
    if item.needs and not any(True for _ in current_offer().each(item.needs)):
        return False
    # A plugin that came in after this application was made has no pages in it.
    return item.endpoint in current_app.view_functions


def _address(endpoint: str) -> str:
    """Of a page that needs no values. Put together once for each application: every page has dozens of them."""
    known: dict[str, str] = current_app.extensions.setdefault("xiangyue_addresses", {})
    if endpoint not in known:
        known[endpoint] = url_for(endpoint)
    return known[endpoint]


def _item(contributor: Contributor, item: NavItem) -> dict[str, Any]:
    url = _address(item.endpoint)
    active = request.path == url or (url != "/" and request.path.startswith(url.rstrip("/") + "/"))
    count = None
    if item.count is not None:
        count = guarded(g.uow, contributor, f"navigation:{item.key}", partial(item.count, g.uow), expect=int)
    return {
        "label": item.label,
        "url": url,
        "icon": item.icon,
        "active": active,
        "count": count,
        "key": item.key,
        "main": item.main,
        "late": item.late,
    }


def _navigation() -> list[dict[str, Any]]:
    items = [(c, i) for c, i in current_offer().navigation_by if _may(i)]
    groups = []
    for key in NAV_GROUPS:
        found = [_item(c, i) for c, i in items if i.group == key]
        if found:
            groups.append({"key": key, "label": GROUP_LABELS[key], "items": found})
    # Of an address and those above it, the nearest alone.
    active = sorted((i for group in groups for i in group["items"] if i["active"]), key=lambda i: len(i["url"]))
    for item in active[:-1]:
        item["active"] = False
    return groups


def pages_named(q: str, limit: int) -> list[dict[str, Any]]:
    """Pages of the reader's navigation (label, url, icon) whose name holds the word, or whose pinyin or initials
    begin with it somewhere; those whose name begins with it first."""
    word = fold(q)
    found = []
    for _contributor, item in current_offer().navigation_by if word else ():
        label = str(item.label)
        if _may(item) and (word in fold(label) or any(s.startswith(word) for s in suffixes(label, person=False))):
            found.append({"label": label, "url": _address(item.endpoint), "icon": item.icon or "folder"})
    return sorted(found, key=lambda page: not fold(page["label"]).startswith(word))[:limit]


def _tabs() -> list[dict[str, Any]]:
    items = [(c, i) for c, i in current_offer().navigation_by if i.tab and _may(i)]
    me = {"label": i18n.lazy_gettext("Me"), "url": "/me", "icon": "user-circle", "active": request.path == "/me"}
    return [*(_item(c, i) for c, i in items[:4]), {**me, "key": "me", "count": None, "main": False, "late": False}]


# Flashes travel in a signed cookie: there is no Flask session, and a redirect must not lose its message.


def _flash_cookie() -> str:
    return cookie_name().replace("session", "flash")


def _signer() -> URLSafeSerializer:
    # The session cookie is known to its browser and us alone, so nobody else can put words on the page.
    return URLSafeSerializer(csrf_token(), salt="flash")


def flash(text: Any, category: str = "success") -> None:
    """Show ``text`` on the next page (category success, info, warning, danger)."""
    g.setdefault("new_flashes", []).append([category, str(text)])


def take_flashes() -> list[tuple[str, str]]:
    """Messages to show now: from the cookie and from this request."""
    if "shown_flashes" not in g:
        g.shown_flashes = []
        raw = request.cookies.get(_flash_cookie())
        if raw:
            g.clear_flashes = True
            try:
                g.shown_flashes = [(c, t) for c, t in _signer().loads(raw)]
            except (BadSignature, ValueError):
                g.shown_flashes = []
    fresh = g.pop("new_flashes", [])
    g.shown_flashes += [(c, t) for c, t in fresh]
    shown: list[tuple[str, str]] = g.shown_flashes
    return shown


def _store_flashes(response: Any) -> Any:
    pending = g.pop("new_flashes", [])
    if pending:
        response.set_cookie(
            _flash_cookie(),
            _signer().dumps(pending),
            max_age=120,
            httponly=True,
            secure=runtime().settings.secure,
            samesite="Lax",
        )
    elif g.get("clear_flashes"):
        response.delete_cookie(_flash_cookie())
    return response


def page(template: str, /, status: int = 200, **context: Any) -> Any:
    """Render a template; ``status`` 422 for a form that came back."""
    return make_response(render_template(template, **context), status)


def here(**changes: Any) -> str:
    """The present address with some query parameters changed; None removes one."""
    args = request.args.to_dict(flat=False)
    for key, value in changes.items():
        if value is None:
            args.pop(key, None)
        else:
            args[key] = [str(v) for v in value] if isinstance(value, list | tuple) else [str(value)]
    query = urlencode(args, doseq=True)
    return request.path + (f"?{query}" if query else "")


def without_problems(view: ListView) -> Any:
    """None when every condition of the list's address can be used; else on to the list without the others, naming
    them: one that was passed over in silence would make the list look narrower than it is."""
    problems = view.problems
    if not problems:
        return None
    for spec, why in problems:
        say_unusable(spec.label, why)
    return redirect(view.url(**{spec.name: None for spec, _why in problems}, after=None, before=None), 303)


def say_unusable(label: Any, why: Any) -> None:
    """Tell on the next page that a condition was left out."""
    flash(i18n.gettext("The condition “%(name)s” cannot be used: %(why)s", name=str(label), why=str(why)), "warning")


def safe_next(target: str | None, default: str = "/") -> str:
    """A local address to go on to; anything that leads elsewhere becomes the default."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return default
    # Browsers drop tabs and line ends from addresses, so "/<tab>/elsewhere" would lead elsewhere.
    return default if any(ord(character) < 33 for character in target) else target
