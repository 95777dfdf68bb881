"""What can this person see and do, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import request, url_for

from xiangyue.access.models import Account
from xiangyue.features.accounts import policy
from xiangyue.features.accounts.pages import bp
from xiangyue.features.accounts.pages.common import permission_groups, site_permissions
from xiangyue.features.accounts.queries.accounts import GrantRow, get_account, grants_of, own_account
from xiangyue.features.accounts.queries.areas import AreaName, area_choices, area_names
from xiangyue.features.accounts.queries.rights import (
    actor_of,
    explain,
    find_household,
    reach_of,
    rights_of,
)
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.web.access import requires, signed_in
from xiangyue.web.components import FormView
from xiangyue.web.pipeline import current_tenant, current_uow
from xiangyue.web.shell import page


def _place() -> tuple[AreaName | None, str, dict[str, list[Any]]]:
    """(the place asked about, the household's head if it was one, errors)."""
    uow = current_uow()
    text = request.args.get("household", "").strip()
    if not text:
        code = request.args.get("area", 0, type=int)
        return area_names(uow, [code])[code], "", {}
    found = find_household(uow, text)
    if found is None:
        return None, "", {"household": [_l("There is no such household, or you may not see it.")]}
    return area_names(uow, [found.area_code])[found.area_code], found.head_name, {}


def _rights_page(account: Account, grants: Sequence[GrantRow], here: str, back: str) -> Any:
    uow = current_uow()
    tenant = current_tenant()
    actor = actor_of(account, grants, tenant)
    permissions = site_permissions()
    asked = next((p for p in permissions if p.name == request.args.get("permission")), None)
    answer, place, head = None, None, ""
    errors: dict[str, list[Any]] = {}
    if asked is not None:
        place, head, errors = _place()
        if place is not None:
            answer = explain(account, actor, grants, asked, place.code)
    form = FormView(action=here, values=request.args, errors=errors, id="check")
    return page(
        "accounts/rights.html",
        422 if errors else 200,
        account=account,
        grants=grants,
        groups=rights_of(permissions, grants),
        reach=None if tenant.is_operator else reach_of(uow, actor),
        form=form,
        permission_choices=[
            (heading, [(p.name, str(p.label)) for p in members]) for heading, members in permission_groups()
        ],
        areas=area_choices(uow),
        asked=asked,
        place=place,
        head=head,
        answer=answer,
        back=back,
    )


@bp.get("/accounts/<int:account_id>/rights")
@requires(policy.ACCOUNT_VIEW)
def show_rights(account_id: int) -> Any:
    uow = current_uow()
    account = get_account(uow, account_id)
    return _rights_page(
        account,
        grants_of(uow, [account.id])[account.id],
        url_for("accounts.show_rights", account_id=account.id),
        url_for("accounts.show_account", account_id=account.id),
    )


@bp.get("/me/rights")
@signed_in
def show_own_rights() -> Any:
    uow = current_uow()
    account = own_account(uow)
    return _rights_page(
        account,
        grants_of(uow, [account.id])[account.id],
        url_for("accounts.show_own_rights"),
        url_for("accounts.show_me"),
    )
