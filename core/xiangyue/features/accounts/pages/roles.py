"""Roles: list, one role, making and changing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import redirect, request, url_for

from xiangyue.access.permissions import Permission
from xiangyue.errors import Invalid, Stale
from xiangyue.features.accounts import policy
from xiangyue.features.accounts.pages import bp
from xiangyue.features.accounts.pages.common import permission_groups
from xiangyue.features.accounts.queries.roles import all_roles, get_role
from xiangyue.features.accounts.roles import OWN, TEMPLATE_NAMES, templates_for
from xiangyue.features.accounts.service import roles as service
from xiangyue.i18n import join_words, pick
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.web.access import requires
from xiangyue.web.components import ConflictRow, FormView
from xiangyue.web.pipeline import current_actor, current_offer, current_tenant, current_uow
from xiangyue.web.shell import flash, page

_LABELS = {"name": _l("Role name"), "name_en": _l("English name"), "permissions": _l("Rights")}


def _may_change() -> bool:
    return current_actor().can(policy.ROLE_MANAGE) and current_actor().ranges(policy.ROLE_MANAGE) is None


@bp.get("/roles")
@requires(policy.ACCOUNT_VIEW)
def list_roles() -> Any:
    templates = [(key, pick(*TEMPLATE_NAMES[key])) for key in templates_for(current_tenant().kind)]
    return page("accounts/roles.html", rows=all_roles(current_uow()), may_change=_may_change(), templates=templates)


@bp.get("/roles/<int:role_id>")
@requires(policy.ACCOUNT_VIEW)
def show_role(role_id: int) -> Any:
    row = get_role(current_uow(), role_id)
    held = frozenset(row.role.permissions)
    return page(
        "accounts/role.html",
        row=row,
        role=row.role,
        groups=permission_groups(held),
        lacking=permission_groups(frozenset(p.name for p in _site()) - held),
        may_change=_may_change(),
        deletable=row.role.template == OWN and not row.accounts,
    )


def _site() -> list[Permission]:
    return current_offer().permissions.all(current_tenant().kind)


def _given(held: Iterable[str] = ()) -> service.RoleInput:
    """What the form says. Rights that the role holds and the form cannot show (a plugin's that is off) stay."""
    hidden = set(held) - {p.name for p in _site()}
    return service.RoleInput(
        name=request.form.get("name", ""),
        name_en=request.form.get("name_en", ""),
        permissions=[*request.form.getlist("permissions"), *sorted(hidden)],
        requires_totp=request.form.get("requires_totp") == "1",
    )


def _form_page(status: int = 200, role: Any = None, values: Any = None, **options: Any) -> Any:
    if role is None:
        action, back = url_for("accounts.create_role"), url_for("accounts.list_roles")
    else:
        action = url_for("accounts.edit_role", role_id=role.id)
        back = url_for("accounts.show_role", role_id=role.id)
        values = values or {
            "name": role.name,
            "name_en": role.name_en,
            "permissions": role.permissions,
            "requires_totp": "1" if role.requires_totp else "",
        }
        options["version"] = role.version
    form = FormView(
        action=action,
        values=values or {},
        cancel_url=back,
        id="role",
        draft=f"role-{role.id if role else 'new'}",
        **options,
    )
    return page("accounts/role_form.html", status, form=form, role=role, groups=permission_groups())


@bp.get("/roles/new")
@requires(policy.ROLE_MANAGE)
def new_role() -> Any:
    """``?template=town`` starts from what the template holds."""
    template = request.args.get("template", "")
    values: dict[str, Any] = {}
    if template in templates_for(current_tenant().kind):
        name, name_en = TEMPLATE_NAMES[template]
        rights = sorted(current_offer().role_templates.get(template, frozenset()))
        values = {"name": name, "name_en": name_en, "permissions": rights}
    return _form_page(values=values)


@bp.post("/roles")
@requires(policy.ROLE_MANAGE)
def create_role() -> Any:
    try:
        role = service.create_role(
            current_uow(),
            key=request.form.get("key", ""),
            given=_given(),
            permissions=current_offer().permissions,
        )
    except Invalid as error:
        return _form_page(422, values=request.form, errors=error.fields)
    flash(_l("The role is made."))
    return redirect(url_for("accounts.show_role", role_id=role.id), 303)


@bp.get("/roles/<int:role_id>/edit")
@requires(policy.ROLE_MANAGE)
def show_role_edit(role_id: int) -> Any:
    return _form_page(role=get_role(current_uow(), role_id).role)


@bp.post("/roles/<int:role_id>/edit")
@requires(policy.ROLE_MANAGE)
def edit_role(role_id: int) -> Any:
    uow = current_uow()
    given = _given(get_role(uow, role_id).role.permissions)
    try:
        service.edit_role(
            uow,
            role_id=role_id,
            version=request.form.get("version", 0, type=int),
            given=given,
            permissions=current_offer().permissions,
        )
    except Invalid as error:
        role = get_role(uow, role_id).role
        return _form_page(422, role=role, values=request.form, errors=error.fields)
    except Stale as error:
        labels = {p.name: str(p.label) for p in _site()}
        mine: dict[str, Any] = {"name": given.name, "name_en": given.name_en, "permissions": sorted(given.permissions)}
        rows = [
            ConflictRow(key, label, _shown(mine[key], labels), _shown(error.theirs[key], labels), data=key == "name")
            for key, label in _LABELS.items()
        ]
        role = get_role(uow, role_id).role
        return _form_page(409, role=role, values=request.form, conflict=rows)
    flash(_l("Saved. It holds at once for everyone with this role."))
    return redirect(url_for("accounts.show_role", role_id=role_id), 303)


def _shown(value: Any, labels: dict[str, str]) -> str:
    if isinstance(value, list):
        return join_words(labels.get(name, name) for name in map(str, value))
    return str(value)


@bp.post("/roles/<int:role_id>/delete")
@requires(policy.ROLE_MANAGE)
def delete_role(role_id: int) -> Any:
    service.delete_role(current_uow(), role_id=role_id)
    flash(_l("The role is deleted."))
    return redirect(url_for("accounts.list_roles"), 303)
