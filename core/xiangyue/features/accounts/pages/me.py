"""One's own account: particulars, password, sessions, access tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import g, redirect, request, url_for

from xiangyue.access.passwords import MIN_LENGTH
from xiangyue.errors import Invalid, Stale, TooMany
from xiangyue.features.accounts import policy
from xiangyue.features.accounts.pages import bp
from xiangyue.features.accounts.pages.common import LANGUAGES, attempt, device, permission_groups
from xiangyue.features.accounts.queries.accounts import grants_of, own_account
from xiangyue.features.accounts.queries.own import last_sign_ins, live_sessions, live_tokens
from xiangyue.features.accounts.service import own
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.web.access import sign_in_pending, signed_in
from xiangyue.web.components import ConflictRow, FormView, TimelineItem
from xiangyue.web.merge import merge
from xiangyue.web.pipeline import current_actor, current_uow, runtime
from xiangyue.web.shell import flash, page, safe_next

DAYS = ((30, _l("30 days")), (90, _l("90 days")), (180, _l("half a year")), (365, _l("one year")))
_LABELS = {"name": _l("Name"), "locale": _l("Language"), "large_text": _l("Large text")}


def _me_page(status: int = 200, form: FormView | None = None) -> Any:
    uow = current_uow()
    account = own_account(uow)
    if form is None:
        form = _form(account, {"large_text": "1" if account.large_text else ""})
    return page(
        "accounts/me.html",
        status,
        account=account,
        form=form,
        languages=LANGUAGES,
        grants=grants_of(uow, [account.id])[account.id],
        sessions=[(s, device(s.user_agent)) for s in live_sessions(uow, account.id)],
        this_session=current_actor().session_id,
        tokens=live_tokens(uow, account.id),
        sign_ins=[TimelineItem(policy.ACTIONS[e.action], meta=e.ip, when=e.at) for e in last_sign_ins(uow, account.id)],
    )


def _form(account: Any, changes: Any, **options: Any) -> FormView:
    standing = {"name": account.name, "locale": account.locale}
    return FormView(
        action=url_for("accounts.edit_me"),
        values={**standing, **changes},
        version=account.version,
        opened=standing,
        id="me",
        **options,
    )


@bp.get("/me")
@signed_in
def show_me() -> Any:
    return _me_page()


@bp.post("/me")
@signed_in
def edit_me() -> Any:
    """Save. When an administrator saved in between, what each changed stands; only what both changed is shown."""
    uow = current_uow()
    typed = {k: request.form.get(k, "") for k in ("name", "locale", "large_text")}
    try:
        try:
            _save(typed, request.form.get("version", 0, type=int))
        except Stale as error:
            both = merge(request.form, {k: error.theirs[k] for k in ("name", "locale")})
            rows = [ConflictRow(k, _LABELS[k], typed[k], error.theirs[k], data=k == "name") for k in both.conflicts]
            typed |= {k: both.values.get(k, "") for k in ("name", "locale")}
            if rows:
                return _me_page(409, _form(own_account(uow), typed, conflict=rows))
            _save(typed, error.theirs["version"])
    except Invalid as error:
        return _me_page(422, _form(own_account(uow), typed, errors=error.fields))
    flash(_l("Saved."))
    return redirect(url_for("accounts.show_me"), 303)


def _save(typed: Mapping[str, str], version: int) -> None:
    large = typed["large_text"] == "1"
    own.edit_me(current_uow(), version=version, name=typed["name"], locale=typed["locale"], large_text=large)


def _password_page(status: int = 200, fields: Any = None) -> Any:
    target = safe_next(request.values.get("next"), url_for("accounts.show_me"))
    owed = current_actor().must_change_password
    form = FormView(
        action=url_for("accounts.change_password"),
        values={"next": target},
        errors=fields or {},
        cancel_url=None if owed else url_for("accounts.show_me"),
        id="password",
    )
    return page("accounts/password.html", status, form=form, owed=owed, least=MIN_LENGTH)


def code_owed() -> Any:
    """The redirect for somebody who has only given the password so far, else None."""
    return redirect(url_for("accounts.show_code"), 303) if g.totp_pending else None


@bp.get("/me/password")
@sign_in_pending
def show_password() -> Any:
    return code_owed() or _password_page()


@bp.post("/me/password")
@sign_in_pending
def change_password() -> Any:
    if owed := code_owed():
        return owed
    try:
        own.change_password(
            current_uow(),
            current=request.form.get("current", ""),
            password=request.form.get("password", ""),
            limiter=runtime().limiter,
        )
    except Invalid as error:
        return _password_page(422, error.fields)
    except TooMany as error:
        return _password_page(429, {"": [error.message]})
    flash(_l("The password is changed. Other browsers have been signed out."))
    return redirect(safe_next(request.form.get("next"), url_for("accounts.show_me")), 303)


@bp.post("/me/sessions/<int:session_id>/end")
@signed_in
def end_session(session_id: int) -> Any:
    own.end_own_session(current_uow(), session_id=session_id)
    flash(_l("The session has ended."))
    return redirect(url_for("accounts.show_me") + "#sessions", 303)


@bp.post("/me/sessions/end-others")
@signed_in
def end_other_sessions() -> Any:
    own.end_other_sessions(current_uow())
    flash(_l("All other sessions have ended."))
    return redirect(url_for("accounts.show_me") + "#sessions", 303)


def _token_page(status: int = 200, values: Any = None, fields: Any = None) -> Any:
    held = frozenset().union(*(grant.permissions for grant in current_actor().grants))
    groups = permission_groups(held)
    choices = [("*", _l("Everything that I may do"))]
    choices += [(p.name, p.label) for _, members in groups for p in members]
    form = FormView(
        action=url_for("accounts.create_token"),
        values=values or {"days": "90", "scopes": ["*"]},
        errors=fields or {},
        cancel_url=url_for("accounts.show_me"),
        id="token",
    )
    return page("accounts/token_form.html", status, form=form, scopes=choices, days=DAYS)


@bp.get("/me/tokens/new")
@signed_in
def new_token() -> Any:
    return _token_page()


@bp.post("/me/tokens")
@signed_in
def create_token() -> Any:
    """The token is shown in this answer and nowhere else, so there is no redirect."""
    try:
        row, token = own.create_own_token(
            current_uow(),
            name=request.form.get("name", ""),
            scopes=request.form.getlist("scopes"),
            days=request.form.get("days", 0, type=int),
        )
    except Invalid as error:
        return _token_page(422, request.form, error.fields)
    return page("accounts/token_made.html", row=row, token=token)


@bp.post("/me/tokens/<int:token_id>/revoke")
@signed_in
def revoke_token(token_id: int) -> Any:
    return attempt(
        lambda: own.revoke_own_token(current_uow(), token_id=token_id),
        _l("The token is revoked."),
        url_for("accounts.show_me") + "#tokens",
    )
