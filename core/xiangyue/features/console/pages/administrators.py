"""Inviting a county's first administrator: the link is shown once."""

from __future__ import annotations

from typing import Any

from flask import request, url_for

from xiangyue.errors import Conflict, Invalid, NotFound
from xiangyue.features.console import policy
from xiangyue.features.console.pages import bp
from xiangyue.features.console.pages.common import console_page, words
from xiangyue.features.console.pages.counties import county_page, look_inside
from xiangyue.features.console.queries.counties import get_county
from xiangyue.features.console.service.administrators import Invitation, invite_administrator, renew_link
from xiangyue.web.access import requires
from xiangyue.web.components import FormView
from xiangyue.web.pipeline import current_uow, runtime


def _form_page(slug: str, status: int = 200, values: Any = None, errors: Any = None, problem: str = "") -> Any:
    form = FormView(
        action=url_for("console.invite", slug=slug),
        values=values or {"login": "admin"},
        errors=errors or {},
        cancel_url=url_for("console.show_county", slug=slug),
        draft=f"administrator-{slug}",
    )
    tenant = get_county(current_uow(), slug)
    return console_page("console/administrator.html", status, tenant=tenant, form=form, problem=problem)


def _link_page(slug: str, invitation: Invitation) -> Any:
    return console_page("console/link.html", tenant=get_county(current_uow(), slug), invitation=invitation)


@bp.get("/console/counties/<slug>/administrator")
@requires(policy.OPERATOR_MANAGE)
def new_administrator(slug: str) -> Any:
    return _form_page(slug)


@bp.post("/console/counties/<slug>/administrator")
@requires(policy.OPERATOR_MANAGE)
def invite(slug: str) -> Any:
    values = {"login": request.form.get("login", ""), "name": request.form.get("name", "")}
    try:
        invitation = invite_administrator(current_uow(), runtime=runtime(), slug=slug, **values)
    except Invalid as error:
        return _form_page(slug, 422, values, error.fields)
    except Conflict as error:
        return _form_page(slug, 409, values, problem=words(error))
    return _link_page(slug, invitation)


@bp.get("/console/counties/<slug>/administrators/<int:account_id>/link")
@requires(policy.OPERATOR_MANAGE)
def ask_link(slug: str, account_id: int) -> Any:
    return _renewal_page(slug, account_id)


@bp.post("/console/counties/<slug>/administrators/<int:account_id>/link")
@requires(policy.OPERATOR_MANAGE)
def renew(slug: str, account_id: int) -> Any:
    reason = request.form.get("reason", "")
    try:
        invitation = renew_link(current_uow(), runtime=runtime(), slug=slug, account_id=account_id, reason=reason)
    except Invalid as error:
        return _renewal_page(slug, account_id, 422, {"reason": reason}, error.fields)
    except Conflict as error:
        return county_page(slug, 409, problem=words(error))
    return _link_page(slug, invitation)


def _renewal_page(slug: str, account_id: int, status: int = 200, values: Any = None, errors: Any = None) -> Any:
    tenant = get_county(current_uow(), slug)
    account = next((a for a in look_inside(tenant).administrators if a.id == account_id), None)
    form = FormView(
        action=url_for("console.renew", slug=slug, account_id=account_id),
        values=values or {},
        errors=errors or {},
        cancel_url=url_for("console.show_county", slug=slug),
    )
    if account is None:
        raise NotFound()
    return console_page("console/renewal.html", status, tenant=tenant, account=account, form=form)
