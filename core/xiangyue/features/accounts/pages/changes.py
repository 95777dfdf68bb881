"""What is done to an account of somebody else: each button and form of its page."""

from __future__ import annotations

from typing import Any

from flask import redirect, request, url_for

from xiangyue.errors import Invalid, Stale
from xiangyue.features.accounts import policy
from xiangyue.features.accounts.pages import bp
from xiangyue.features.accounts.pages.accounts import account_page, asked_area, link_page
from xiangyue.features.accounts.pages.common import attempt
from xiangyue.features.accounts.queries.accounts import get_account
from xiangyue.features.accounts.service import accounts as service
from xiangyue.features.accounts.service import grants
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.web.access import requires
from xiangyue.web.components import ConflictRow, FormView
from xiangyue.web.merge import merge
from xiangyue.web.pipeline import current_offer, current_uow, runtime
from xiangyue.web.shell import flash, page

_LABELS = {"name": _l("Name"), "post": _l("Post")}


def _back(account_id: int) -> str:
    return url_for("accounts.show_account", account_id=account_id)


def _edit_page(account_id: int, status: int = 200, values: Any = None, **options: Any) -> Any:
    account = get_account(current_uow(), account_id, policy.ACCOUNT_MANAGE)
    standing = {"name": account.name, "post": account.post}
    form = FormView(
        action=url_for("accounts.edit_account", account_id=account.id),
        values=values or standing,
        version=account.version,
        opened=standing,
        cancel_url=_back(account.id),
        reload_url=url_for("accounts.show_edit", account_id=account.id),
        draft=f"account-{account.id}",
        id="account",
        **options,
    )
    return page("accounts/edit.html", status, form=form, account=account)


@bp.get("/accounts/<int:account_id>/edit")
@requires(policy.ACCOUNT_MANAGE)
def show_edit(account_id: int) -> Any:
    return _edit_page(account_id)


@bp.post("/accounts/<int:account_id>/edit")
@requires(policy.ACCOUNT_MANAGE)
def edit_account(account_id: int) -> Any:
    """Save. When somebody saved in between, what each changed stands; only what both changed is shown."""
    typed: Any = request.form
    version = request.form.get("version", 0, type=int)
    try:
        try:
            _save(account_id, version, typed)
        except Stale as error:
            both = merge(typed, {name: error.theirs[name] for name in _LABELS})
            if both.conflicts:
                rows = [ConflictRow(k, _LABELS[k], typed[k], error.theirs[k]) for k in both.conflicts]
                return _edit_page(account_id, 409, both.values, conflict=rows)
            typed = both.values
            _save(account_id, error.theirs["version"], typed)
    except Invalid as error:
        return _edit_page(account_id, 422, typed, errors=error.fields)
    flash(_l("Saved."))
    return redirect(_back(account_id), 303)


def _save(account_id: int, version: int, typed: Any) -> None:
    name, post = typed.get("name", ""), typed.get("post", "")
    service.edit_account(current_uow(), account_id=account_id, version=version, name=name, post=post)


@bp.post("/accounts/<int:account_id>/state")
@requires(policy.ACCOUNT_MANAGE)
def set_state(account_id: int) -> Any:
    state = request.form.get("state", "")
    done = (
        _l("The account is disabled and signed out everywhere.")
        if state == policy.DISABLED
        else _l("The account is enabled.")
    )
    return attempt(
        lambda: service.set_state(current_uow(), account_id=account_id, state=state), done, _back(account_id)
    )


@bp.post("/accounts/<int:account_id>/unlock")
@requires(policy.ACCOUNT_MANAGE)
def unlock(account_id: int) -> Any:
    return attempt(
        lambda: service.unlock(current_uow(), account_id=account_id, limiter=runtime().limiter),
        _l("The account is open again."),
        _back(account_id),
    )


@bp.post("/accounts/<int:account_id>/link")
@requires(policy.ACCOUNT_MANAGE)
def make_link(account_id: int) -> Any:
    """The link is shown in this answer and nowhere else."""
    account, token = service.make_link(current_uow(), account_id=account_id)
    return link_page(account, token)


@bp.post("/accounts/<int:account_id>/second-factor")
@requires(policy.ACCOUNT_MANAGE)
def reset_second_factor(account_id: int) -> Any:
    return attempt(
        lambda: service.reset_second_factor(current_uow(), account_id=account_id),
        _l("The second factor is taken away; the person signs in by password and can set it up anew."),
        _back(account_id),
    )


@bp.post("/accounts/<int:account_id>/sessions")
@requires(policy.ACCOUNT_MANAGE)
def end_all_sessions(account_id: int) -> Any:
    return attempt(
        lambda: service.end_all_sessions(current_uow(), account_id=account_id),
        _l("All sessions have ended."),
        _back(account_id),
    )


@bp.post("/accounts/<int:account_id>/grants")
@requires(policy.ACCOUNT_MANAGE)
def add_grant(account_id: int) -> Any:
    values = {k: request.form.get(k, "") for k in ("role", "area_code")}
    try:
        grants.add_grant(
            current_uow(),
            account_id=account_id,
            role=values["role"],
            area_code=asked_area(),
            permissions=current_offer().permissions,
        )
    except Invalid as error:
        form = FormView(
            action=url_for("accounts.add_grant", account_id=account_id),
            values=values,
            errors=error.fields,
            id="grant",
        )
        return account_page(account_id, 422, form)
    flash(_l("The role is granted."))
    return redirect(_back(account_id), 303)


@bp.post("/accounts/<int:account_id>/grants/<int:grant_id>/remove")
@requires(policy.ACCOUNT_MANAGE)
def remove_grant(account_id: int, grant_id: int) -> Any:
    return attempt(
        lambda: grants.remove_grant(current_uow(), account_id=account_id, grant_id=grant_id),
        _l("The role is taken away."),
        _back(account_id),
    )
