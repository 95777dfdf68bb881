"""Before and after a session: sign-in, second step, sign-out, one-time link, language."""

from __future__ import annotations

from typing import Any

from flask import g, redirect, request, url_for

from xiangyue.errors import Invalid, NotFound, TooMany
from xiangyue.features.accounts.pages import bp
from xiangyue.features.accounts.pages.common import (
    forget_cookie,
    session_cookie,
    session_hours,
    signed_in_response,
)
from xiangyue.features.accounts.queries.own import open_link
from xiangyue.features.accounts.service import own, sign_in
from xiangyue.i18n import LOCALES
from xiangyue.web.access import public, sign_in_pending
from xiangyue.web.components import FormView
from xiangyue.web.pipeline import current_actor, current_tenant, current_uow, runtime
from xiangyue.web.shell import page, safe_next

YEAR = 365 * 24 * 3600


def demo_accounts() -> list[Any]:
    """The demonstration's accounts for this site; none on a live instance."""
    if not runtime().settings.demo:
        return []
    from xiangyue.features.demo.accounts import accounts

    return [a for a in accounts() if a.site == current_tenant().slug]


def _sign_in_page(status: int = 200, fields: Any = None) -> Any:
    form = FormView(
        action=url_for("accounts.do_sign_in"),
        values={
            "login": request.form.get("login", ""),
            "next": safe_next(request.values.get("next")),
            "expired": "1" if request.values.get("expired") == "1" else "",
        },
        id="sign-in",
    )
    return page("accounts/sign_in.html", status, form=form, failed=_first(fields), demo_accounts=demo_accounts())


def _first(fields: Any) -> Any:
    """The one thing to say; no form summary for a form of two fields."""
    return next((text for texts in (fields or {}).values() for text in texts), None)


@bp.get("/sign-in")
@public
def show_sign_in() -> Any:
    if current_actor().kind == "account":
        if g.totp_pending:
            return redirect(url_for("accounts.show_code", next=safe_next(request.args.get("next"))), 303)
        return redirect(safe_next(request.args.get("next")), 303)
    return _sign_in_page()


@bp.post("/sign-in")
@public
def do_sign_in() -> Any:
    try:
        result = sign_in.sign_in(
            current_uow(),
            login=request.form.get("login", ""),
            password=request.form.get("password", ""),
            limiter=runtime().limiter,
            hours=session_hours(),
            cookie=session_cookie(),
        )
    except Invalid as error:
        return _sign_in_page(422, fields=error.fields)
    except TooMany as error:
        return _too_many(_sign_in_page(429, fields={"": [error.message]}), error)
    return signed_in_response(result, request.form.get("next"))


def _too_many(response: Any, error: TooMany) -> Any:
    response.headers["Retry-After"] = str(error.retry_after)
    return response


def _code_page(status: int = 200, fields: Any = None) -> Any:
    form = FormView(
        action=url_for("accounts.do_code"),
        values={"next": safe_next(request.values.get("next"))},
        id="code",
    )
    return page("accounts/code.html", status, form=form, failed=_first(fields))


@bp.get("/sign-in/code")
@sign_in_pending
def show_code() -> Any:
    if not g.totp_pending:
        return redirect(safe_next(request.args.get("next")), 303)
    return _code_page()


@bp.post("/sign-in/code")
@sign_in_pending
def do_code() -> Any:
    if not g.totp_pending:
        return redirect(safe_next(request.form.get("next")), 303)
    uow = current_uow()
    try:
        result = sign_in.give_code(
            uow,
            code=request.form.get("code", ""),
            keys=runtime().tenant_keys(uow),
            limiter=runtime().limiter,
            hours=session_hours(),
        )
    except Invalid as error:
        return _code_page(422, error.fields)
    except TooMany as error:
        return _too_many(_sign_in_page(429, fields={"": [error.message]}), error)
    return signed_in_response(result, request.form.get("next"))


@bp.post("/sign-out")
@sign_in_pending
def sign_out() -> Any:
    sign_in.sign_out(current_uow(), cookie=session_cookie())
    return forget_cookie(redirect(url_for("accounts.show_sign_in"), 303))


def _link_page(token: str, account: Any, status: int = 200, fields: Any = None) -> Any:
    form = FormView(action=url_for("accounts.use_link", token=token), errors=fields or {}, id="link")
    return page("accounts/link.html", status, form=form, account=account)


def _link_gone() -> Any:
    return page("accounts/link_gone.html", 404, message=sign_in.LINK_GONE)


@bp.get("/link/<token>")
@public
def show_link(token: str) -> Any:
    found = open_link(current_uow(), token)
    return _link_page(token, found[1]) if found else _link_gone()


@bp.post("/link/<token>")
@public
def use_link(token: str) -> Any:
    uow = current_uow()
    try:
        result = sign_in.use_link(
            uow,
            token=token,
            password=request.form.get("password", ""),
            limiter=runtime().limiter,
            hours=session_hours(),
        )
    except NotFound:
        return _link_gone()
    except Invalid as error:
        found = open_link(uow, token)
        return _link_page(token, found[1], 422, error.fields) if found else _link_gone()
    return signed_in_response(result, "/")


@bp.post("/preferences")
@public
def set_preferences() -> Any:
    """Language and text size, kept with the account; before sign-in the language is kept in a cookie."""
    locale = request.form.get("locale")
    large = request.form.get("large_text")
    if locale is not None and locale not in LOCALES:
        locale = None
    response = redirect(safe_next(request.form.get("next")), 303)
    if current_actor().kind == "account" and not g.totp_pending:
        own.set_preferences(current_uow(), locale=locale, large_text=None if large is None else large == "1")
    if locale is not None:
        response.set_cookie(
            "xy_locale",
            locale,
            max_age=YEAR,
            httponly=True,
            secure=runtime().settings.secure,
            samesite="Lax",
            path="/",
        )
    return response
