"""The second factor of one's own account."""

from __future__ import annotations

from typing import Any

from flask import redirect, request, url_for

from xiangyue.access import totp
from xiangyue.errors import Invalid, TooMany
from xiangyue.features.accounts.pages import bp
from xiangyue.features.accounts.pages.me import code_owed
from xiangyue.features.accounts.queries.accounts import own_account
from xiangyue.features.accounts.service import second_factor
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.i18n import pick
from xiangyue.web.access import sign_in_pending, signed_in
from xiangyue.web.components import FormView
from xiangyue.web.pipeline import current_actor, current_tenant, current_uow, runtime
from xiangyue.web.shell import flash, page, safe_next


def _page(status: int = 200, fields: Any = None) -> Any:
    uow = current_uow()
    account = own_account(uow)
    target = safe_next(request.values.get("next"), url_for("accounts.show_me"))
    if account.totp_confirmed_at is not None:
        form = FormView(errors=fields or {}, id="off")
        return page("accounts/second_factor_on.html", status, form=form, account=account)
    secret = second_factor.pending_secret(uow, keys=runtime().tenant_keys(uow))
    tenant = current_tenant()
    uri = totp.provisioning_uri(secret, account.login, pick(tenant.name, tenant.name_en))
    form = FormView(
        action=url_for("accounts.turn_on_second_factor"),
        values={"next": target},
        errors=fields or {},
        cancel_url=None if current_actor().totp_required else url_for("accounts.show_me"),
        id="second-factor",
    )
    return page(
        "accounts/second_factor.html",
        status,
        form=form,
        qr=totp.qr_svg(uri, _("QR code for the authenticator app")),
        secret=" ".join(secret[i : i + 4] for i in range(0, len(secret), 4)),
        uri=uri,
    )


@bp.get("/me/second-factor")
@sign_in_pending
def show_second_factor() -> Any:
    return code_owed() or _page()


@bp.post("/me/second-factor")
@sign_in_pending
def turn_on_second_factor() -> Any:
    """The recovery codes are shown in this answer and nowhere else."""
    if owed := code_owed():
        return owed
    uow = current_uow()
    if own_account(uow).totp_confirmed_at is not None:
        return redirect(url_for("accounts.show_second_factor"), 303)
    try:
        codes = second_factor.turn_on(
            uow,
            code=request.form.get("code", ""),
            keys=runtime().tenant_keys(uow),
            limiter=runtime().limiter,
        )
    except Invalid as error:
        return _page(422, error.fields)
    except TooMany as error:
        return _page(429, {"": [error.message]})
    target = safe_next(request.form.get("next"), url_for("accounts.show_me"))
    return page("accounts/recovery_codes.html", codes=codes, target=target)


@bp.post("/me/second-factor/off")
@signed_in
def turn_off_second_factor() -> Any:
    try:
        second_factor.turn_off(current_uow(), password=request.form.get("password", ""), limiter=runtime().limiter)
    except Invalid as error:
        return _page(422, error.fields)
    flash(_l("The second factor is off."))
    return redirect(url_for("accounts.show_me"), 303)


@bp.post("/me/second-factor/codes")
@signed_in
def new_recovery_codes() -> Any:
    try:
        codes = second_factor.new_recovery_codes(
            current_uow(), password=request.form.get("password", ""), limiter=runtime().limiter
        )
    except Invalid as error:
        return _page(422, error.fields)
    return page("accounts/recovery_codes.html", codes=codes, target=url_for("accounts.show_me"))
