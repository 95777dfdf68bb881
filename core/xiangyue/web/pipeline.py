"""The request from host name to commit: tenant, actor, permission, unit of work; commit only when all went well."""

from __future__ import annotations

import hashlib
import hmac
import re
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from flask import Flask, Request, Response, current_app, g, redirect, request
from flask.globals import app_ctx, request_ctx
from werkzeug.routing import IntegerConverter, Map, Rule

from xiangyue import i18n
from xiangyue.access.actor import Actor, anonymous
from xiangyue.access.authenticate import session_actor, token_actor
from xiangyue.access.permissions import lacking
from xiangyue.db.scope import Scope
from xiangyue.db.uow import RequestInfo, Uow
from xiangyue.errors import Forbidden, NotFound, NotSignedIn, Suspended
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.offer import Offer
from xiangyue.runtime import Runtime, offer_of
from xiangyue.tenancy.directory import TenantInfo
from xiangyue.text.idnumber import tells_number
from xiangyue.web import limits, plugin_views, purpose
from xiangyue.web.access import AccessMark, mark_of

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_REQUEST_ID = re.compile(r"^[A-Za-z0-9-]{8,64}$")


def runtime() -> Runtime:
    """The parts of this process: settings, engine, directory, registry …"""
    found: Runtime = current_app.extensions["xiangyue"]
    return found


def current_uow() -> Uow:
    """The unit of work of this request."""
    uow: Uow = g.uow
    return uow


def current_offer() -> Offer:
    """What the core and this county's plugins offer."""
    return offer_of(current_uow())


def current_tenant() -> TenantInfo:
    tenant: TenantInfo = g.tenant
    return tenant


def current_actor() -> Actor:
    return current_uow().actor


def is_api() -> bool:
    return request.path.startswith("/api/")


def is_fragment() -> bool:
    """Asked for by htmx: answer with the fragment alone."""
    return "HX-Request" in request.headers and "HX-Boosted" not in request.headers


def cookie_name() -> str:
    settings = runtime().settings
    prefix = "__Host-" if settings.secure else ""
    return f"{prefix}xy_session_{settings.cookie_suffix}"


def client_address() -> str:
    return request.remote_addr or ""


def return_address() -> str:
    """The present address, to come back to after signing in; without what tells a citizen number, since it is
    going to stand in an address."""
    kept = [(k, v) for k, v in request.args.items(multi=True) if not tells_number(v)]
    return request.path + (f"?{urlencode(kept)}" if kept else "")


def open_uow(tenant: TenantInfo, actor: Actor, scope: Scope | None = None) -> Uow:
    """A unit of work for this request's tenant, with the request's particulars for the audit trail."""
    return Uow(runtime().engine, tenant_id=tenant.id, actor=actor, scope=scope, info=_particulars)


def _particulars() -> RequestInfo:
    return RequestInfo(
        request_id=g.get("request_id", ""),
        ip=client_address(),
        user_agent=request.headers.get("User-Agent", "")[:300],
        purpose=purpose.stated(request, cookie_name()),
    )


def csrf_token() -> str:
    """Bound to the session (or, before sign-in, to a random cookie): counties under one domain are same-site."""
    secret = request.cookies.get(cookie_name()) or g.get("visitor") or request.cookies.get(_visitor_cookie())
    if not secret:
        secret = g.visitor = uuid.uuid4().hex
    return hmac.new(b"xiangyue csrf", secret.encode(), hashlib.sha256).hexdigest()


def _visitor_cookie() -> str:
    return cookie_name().replace("session", "visitor")


def _check_csrf() -> None:
    given = request.headers.get("X-CSRF-Token") or request.form.get("csrf_token", "")
    secret = request.cookies.get(cookie_name()) or request.cookies.get(_visitor_cookie(), "")
    expected = hmac.new(b"xiangyue csrf", secret.encode(), hashlib.sha256).hexdigest()
    origin = request.headers.get("Origin")
    foreign = origin is not None and origin != "null" and urlsplit(origin).netloc != request.host
    if foreign or not secret or not hmac.compare_digest(given.encode(), expected.encode()):
        raise Forbidden(
            _l("This form was opened in an earlier session. Reload the page and send it again; your input is kept."),
            csrf=True,
        )


class LazyRule(Rule):
    """An address whose builder is compiled when somebody first builds it: werkzeug compiles two for each of some six
    hundred, which takes most of an application's start, and most of them are never asked."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        made: list[Callable[..., tuple[str, str]]] = []

        def build(rule: Rule, /, **values: Any) -> tuple[str, str]:
            if not made:
                made.append(Rule._compile_builder(rule, append_unknown))
            return made[0](rule, **values)

        return build


class AppFlask(Flask):
    """Flask whose view runs inside a unit of work: committed when the response is a success, else rolled back."""

    url_rule_class = LazyRule

    def ensure_sync(self, func: Any) -> Any:
        """There are no asynchronous views; Flask would look for one at every call of every hook."""
        return func

    def dispatch_request(self) -> Any:
        response = self.make_response(super().dispatch_request())
        uow: Uow | None = g.get("uow")
        if uow is not None:
            if response.status_code < 400 or uow.commit_on_error:
                uow.commit()
            else:
                uow.rollback()
        return response


class RowId(IntegerConverter):
    """``<int:…>`` of addresses: a number that no row can have is an address that does not exist."""

    def __init__(self, map: Map, *args: Any, **options: Any) -> None:
        super().__init__(map, *args, **{"max": 2**63 - 1, **options})


def install(app: Flask) -> None:
    app.url_map.converters["int"] = RowId
    app.before_request(_begin)
    app.after_request(_finish)
    app.teardown_request(_teardown)


def _begin() -> Any:
    # The proxies look for the request at every word; on this path, which every request takes, once is enough.
    context = request_ctx._get_current_object()  # type: ignore[attr-defined]
    request, g = context.request, app_ctx.g
    given = request.headers.get("X-Request-ID", "")
    g.request_id = given if _REQUEST_ID.match(given) else uuid.uuid4().hex
    i18n.set_locale(i18n.DEFAULT_LOCALE)
    view = context.app.view_functions.get(request.endpoint or "")
    mark = mark_of(view) if view is not None else None
    if mark is not None and mark.who == "anywhere":
        return None
    tenant = runtime().directory.find(request.host)
    if tenant is None:
        raise NotFound()
    g.tenant = tenant
    g.mark = mark
    i18n.set_locale(_visitor_locale(request, tenant))
    # Anonymous until proven otherwise; an unknown path must not say whether one is signed in.
    uow = g.uow = open_uow(tenant, anonymous(tenant.id))
    if tenant.state != "active":
        raise Suspended(
            _l(
                "This county's service is suspended: %(reason)s Its data is kept; please ask the operator.",
                reason=tenant.suspended_reason,
            ),
            reason=tenant.suspended_reason,
        )
    if mark is None:
        plugin_views.admit(uow, request.path)
        return None  # no such route, or not for this method: the answer follows
    if mark.site is not None and mark.site != tenant.kind:
        raise NotFound()
    return _admit(request, uow, tenant, mark)


def _visitor_locale(request: Request, tenant: TenantInfo) -> str:
    chosen = request.cookies.get("xy_locale", "") if "Cookie" in request.headers else ""
    if chosen in i18n.LOCALES:
        return chosen
    if "Accept-Language" in request.headers and is_api():
        return request.accept_languages.best_match(i18n.LOCALES) or tenant.locale
    return tenant.locale


def _admit(request: Request, uow: Uow, tenant: TenantInfo, mark: AccessMark) -> Any:
    pending = False
    header = request.headers.get("Authorization", "")
    by_cookie = not header
    if header:
        if not is_api():
            raise NotSignedIn(_l("Access tokens are for the API only."))
        scheme, _, bearer = header.partition(" ")
        actor = token_actor(uow, bearer.strip(), tenant_area=tenant.area_code) if scheme.lower() == "bearer" else None
        if actor is None:
            raise NotSignedIn(_l("The access token is wrong, expired or revoked."))
        uow.actor = actor
        limits.limit_token(runtime(), actor)
    elif cookie := request.cookies.get(cookie_name()):
        hours = int(tenant.settings.get("session_hours") or runtime().settings.session_hours)
        found = session_actor(uow, cookie, tenant_area=tenant.area_code, hours=hours)
        if found is not None:
            uow.actor, pending = found
            if uow.actor.locale:
                i18n.set_locale(uow.actor.locale)
    g.totp_pending = pending
    plugin_views.admit(uow, request.path)
    if by_cookie and request.method not in SAFE_METHODS:
        if mark.who not in ("public", "pending") and uow.actor.kind == "anonymous":
            raise NotSignedIn(_l("Your session has ended. Sign in again; what you typed is kept."))
        _check_csrf()
    if mark.who == "public":
        return None
    if uow.actor.kind == "anonymous":
        raise NotSignedIn(_l("Please sign in."))
    if mark.who == "pending":
        return None
    if owed := _owed_step(uow.actor, pending):
        if is_api():
            raise NotSignedIn(_l("Finish signing in first."))
        return redirect(f"{owed}?next={quote(return_address())}")
    if mark.permission is not None:
        ranges = uow.actor.ranges(mark.permission)
        if ranges == ():
            raise lacking(mark.permission)
        uow.set_scope(Scope(tenant.id, ranges))
    return None


def _owed_step(actor: Actor, totp_pending: bool) -> str | None:
    """The page a person must pass before anything else."""
    if actor.kind != "account":
        return None
    if totp_pending:
        return "/sign-in/code"
    if actor.must_change_password:
        return "/me/password"
    if actor.totp_required and not actor.totp_enabled:
        return "/me/second-factor"
    return None


#: Headers of every answer whose view has not said otherwise.
_GUARDS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("X-Frame-Options", "DENY"),
    (
        "Content-Security-Policy",
        "default-src 'self'; img-src 'self' data: blob:; frame-ancestors 'none'; base-uri 'self'; form-action 'self'",
    ),
)


def _finish(response: Response) -> Response:
    headers = response.headers
    headers["X-Request-ID"] = g.get("request_id", "")
    given = {name.lower() for name, _ in headers}
    for name, value in _GUARDS:
        if name.lower() not in given:
            # A map's tiles may come from another host, said by the page that draws it.
            hosts = f"blob: {host}" if (host := g.get("image_hosts")) else "blob:"
            headers.add(name, value.replace("blob:", hosts))
    if g.get("tenant") is not None and not is_api():
        response.vary.add("HX-Request")
        if response.mimetype == "text/html":
            response.headers.setdefault("Cache-Control", "no-store")
    if g.get("visitor"):
        response.set_cookie(
            _visitor_cookie(), g.visitor, httponly=True, secure=runtime().settings.secure, samesite="Lax"
        )
    return response


def _teardown(_error: BaseException | None) -> None:
    uow: Uow | None = g.pop("uow", None)
    if uow is not None:
        uow.close()


def check_marks(app: Flask) -> None:
    """Raise when a route declares no access; called once all routes are registered."""
    missing = sorted(name for name, view in app.view_functions.items() if mark_of(view) is None)
    if missing:
        raise RuntimeError(f"routes without an access mark: {', '.join(missing)}")
    registry = app.extensions["xiangyue"].registry
    for name, view in app.view_functions.items():
        mark = mark_of(view)
        if mark is not None and mark.permission is not None:
            registry.permissions.require(mark.permission, f"route {name}")
