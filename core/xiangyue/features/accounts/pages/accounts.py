"""The list of accounts, one account, and making a new one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flask import request, url_for

from xiangyue.errors import Invalid
from xiangyue.features.accounts import policy
from xiangyue.features.accounts.pages import bp
from xiangyue.features.accounts.pages.common import STATE_KINDS, STATE_LABELS, device, role_label
from xiangyue.features.accounts.pages.story import story
from xiangyue.features.accounts.queries.accounts import (
    AccountFilter,
    AccountRow,
    Order,
    find_accounts,
    get_account,
    grants_of,
    history,
)
from xiangyue.features.accounts.queries.areas import Choices, area_choices, first_choice, only_choice
from xiangyue.features.accounts.queries.own import live_sessions
from xiangyue.features.accounts.queries.roles import all_roles
from xiangyue.features.accounts.records import stronger
from xiangyue.features.accounts.service import accounts as service
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.i18n import ngettext
from xiangyue.web.access import requires
from xiangyue.web.components import Column, Filter, FormView, ListView
from xiangyue.web.pipeline import current_actor, current_offer, current_tenant, current_uow
from xiangyue.web.shell import page, without_problems

PAGE = 50
COLUMNS = (
    Column("name", _l("Name"), sort=True, primary=True),
    Column("login", _l("Sign-in name"), sort=True),
    Column("post", _l("Post")),
    Column("roles", _l("Roles and areas")),
    Column("state", _l("State")),
    Column("second_factor", _l("Second factor"), default=False),
    Column("last_sign_in_at", _l("Last sign-in"), sort=True, default=False),
)


def role_choices(area_code: int | None = None) -> list[tuple[str, str]]:
    """(key, name) of the roles; with an area only those that the actor may give there."""
    found = []
    for row in all_roles(current_uow()):
        role = row.role
        if area_code is not None and policy.missing_rights(current_actor(), role.permissions, area_code):
            continue
        found.append((role.key, role_label(role)))
    return found


def widest(choices: Choices) -> int:
    """The widest area a manager may choose: what roles are offered for. The tenant's own for the operator."""
    return int(first_choice(choices) or current_tenant().area_code)


def asked_area() -> int:
    """The area of a sent form. A county's whole area is chosen by its code, never by leaving the field empty."""
    return request.form.get("area_code", 0 if current_tenant().is_operator else -1, type=int)


def _flat(choices: Choices) -> list[tuple[str, str]]:
    """Towns with their villages indented, for a filter's select."""
    found: list[tuple[str, str]] = []
    for value, label in choices:
        if isinstance(label, str):
            found.append((value, label))
        else:
            found += [(code, name if i == 0 else f"\u3000{name}") for i, (code, name) in enumerate(label)]
    return found


@dataclass(frozen=True)
class Listing:
    """The list as its address asks for it; ``options`` make its view."""

    options: dict[str, Any]

    @cached_property
    def view(self) -> ListView:
        return ListView(**self.options)

    @property
    def filter(self) -> AccountFilter:
        value, area = self.view.value, self.view.value("area")
        return AccountFilter(
            q=value("q"),
            role=value("role"),
            area=int(area) if area.isdecimal() and len(area) <= 15 else 0,
            state=value("state"),
            second_factor=value("second_factor"),
        )


def listing() -> Listing:
    """At the present address, of the list or of its export."""
    areas = area_choices(current_uow())
    filters = [
        Filter("q", _l("Name or sign-in name"), kind="text"),
        Filter("role", _l("Role"), choices=role_choices()),
        Filter("area", _l("Area"), choices=_flat(areas), data=True),
        Filter("state", _l("State"), choices=[(s, STATE_LABELS[s]) for s in policy.STATES]),
        Filter(
            "second_factor",
            _l("Second factor"),
            choices=[("on", _l("Turned on")), ("off", _l("Not turned on"))],
            more=True,
        ),
    ]
    if not areas:
        filters = [f for f in filters if f.name != "area"]
    return Listing(
        {
            "columns": COLUMNS,
            "filters": filters,
            "args": request.args,
            "path": url_for("accounts.list_accounts"),
            "default_sort": "name",
            "page_size": PAGE,
            "export_url": url_for("accounts.export"),
        }
    )


@bp.get("/accounts")
@requires(policy.ACCOUNT_VIEW)
def list_accounts() -> Any:
    asked = listing()
    view = asked.view
    if onward := without_problems(view):
        return onward
    key, descending = view.sort
    found = find_accounts(
        current_uow(),
        asked.filter,
        Order(
            key,
            descending,
            after=view.after,
            before=view.before,
            limit=PAGE,
        ),
    )
    view = ListView(
        **asked.options,
        count=found.count,
        count_text=ngettext("%(n)d account", "%(n)d accounts", found.count),
        shown=len(found.rows),
        next_cursor=found.next,
        back_cursor=found.back,
    )
    return page(
        "accounts/list.html",
        view=view,
        rows=found.rows,
        may_make=current_actor().can(policy.ACCOUNT_MANAGE),
        state_labels=STATE_LABELS,
        state_kinds=STATE_KINDS,
    )


def _new_page(status: int = 200, values: Any = None, fields: Any = None) -> Any:
    areas = area_choices(current_uow())
    form = FormView(
        action=url_for("accounts.create_account"),
        values=values or {"area_code": only_choice(areas)},
        errors=fields or {},
        cancel_url=url_for("accounts.list_accounts"),
        id="account",
        draft="account-new",
    )
    return page("accounts/new.html", status, form=form, areas=areas, roles=role_choices(widest(areas)))


@bp.get("/accounts/new")
@requires(policy.ACCOUNT_MANAGE)
def new_account() -> Any:
    return _new_page()


@bp.post("/accounts")
@requires(policy.ACCOUNT_MANAGE)
def create_account() -> Any:
    """The link is shown in this answer and nowhere else."""
    values = {k: request.form.get(k, "") for k in ("login", "name", "post", "role", "area_code")}
    try:
        account, token = service.create_account(
            current_uow(),
            login=values["login"],
            name=values["name"],
            post=values["post"],
            role=values["role"],
            area_code=asked_area(),
            permissions=current_offer().permissions,
        )
    except Invalid as error:
        return _new_page(422, values, error.fields)
    return link_page(account, token)


def link_page(account: Any, token: str) -> Any:
    """A one-time link, once."""
    address = url_for("accounts.show_link", token=token, _external=True)
    return page("accounts/link_made.html", account=account, address=address)


def account_page(account_id: int, status: int = 200, grant_form: FormView | None = None) -> Any:
    """One account with everything about it and what the viewer may do to it."""
    uow = current_uow()
    account = get_account(uow, account_id)
    grants = grants_of(uow, [account.id])[account.id]
    actor = current_actor()
    may_manage = (
        actor.can(policy.ACCOUNT_MANAGE)
        and policy.in_reach(actor, policy.ACCOUNT_MANAGE, [g.area.code for g in grants])
        and not stronger(uow, account.id)
    )
    own = actor.account_id == account.id
    areas: Choices = []
    if may_manage and not own:
        with uow.scoped(actor.scope(policy.ACCOUNT_MANAGE)):
            areas = area_choices(uow)
    form = grant_form or FormView(
        action=url_for("accounts.add_grant", account_id=account.id),
        values={"area_code": only_choice(areas)},
        id="grant",
    )
    return page(
        "accounts/show.html",
        status,
        account=account,
        row=AccountRow(account, grants),
        grants=grants,
        may_edit=may_manage,
        may_manage=may_manage and not own,
        own=own,
        areas=areas,
        roles=role_choices(widest(areas)) if may_manage and not own else [],
        grant_form=form,
        sessions=[(s, device(s.user_agent)) for s in live_sessions(uow, account.id)],
        history=story(history(uow, account.id), account.id, _role_names()),
        state_labels=STATE_LABELS,
        state_kinds=STATE_KINDS,
    )


def _role_names() -> dict[str, tuple[str, str]]:
    return {row.role.key: (row.role.name, row.role.name_en) for row in all_roles(current_uow())}


@bp.get("/accounts/<int:account_id>")
@requires(policy.ACCOUNT_VIEW)
def show_account(account_id: int) -> Any:
    return account_page(account_id)
