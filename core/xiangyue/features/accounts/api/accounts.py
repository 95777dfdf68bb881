"""Accounts and their grants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response, jsonify, make_response, url_for

from xiangyue.access.models import Account
from xiangyue.api.lists import chosen_fields, list_response, required_version, set_etag, takes_version
from xiangyue.errors import PreconditionFailed, Stale
from xiangyue.features.accounts import policy, schemas
from xiangyue.features.accounts.api import bp
from xiangyue.features.accounts.queries.accounts import (
    AccountFilter,
    GrantRow,
    Order,
    find_accounts,
    get_account,
    grants_of,
    state_of,
)
from xiangyue.features.accounts.service import accounts as service
from xiangyue.features.accounts.service import grants
from xiangyue.web.access import requires
from xiangyue.web.pipeline import current_offer, current_uow

_ACCOUNT = schemas.AccountSchema()


def grant_json(row: GrantRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "role": row.role_key,
        "area_code": row.area.code,
        "area_name": row.area.path,
        "permissions": sorted(row.permissions),
        "created_at": row.created_at,
    }


def account_json(account: Account, rows: Sequence[GrantRow]) -> dict[str, Any]:
    """The account as ``AccountSchema`` gives it."""
    return {
        "id": account.id,
        "login": account.login,
        "name": account.name,
        "post": account.post,
        "state": state_of(account),
        "second_factor": account.totp_confirmed_at is not None,
        "must_change_password": account.must_change_password,
        "last_sign_in_at": account.last_sign_in_at,
        "created_at": account.created_at,
        "version": account.version,
        "grants": [grant_json(row) for row in rows],
    }


def _one(account: Account, status: int = 200) -> Response:
    current_uow().session.flush()
    rows = grants_of(current_uow(), [account.id])[account.id]
    response = make_response(jsonify(_ACCOUNT.dump(account_json(account, rows))), status)
    return set_etag(response, account.version)


def _link(token: str) -> dict[str, Any]:
    address = url_for("accounts.show_link", token=token, _external=True)
    return {"link": address, "valid_hours": int(policy.LINK_VALID.total_seconds() // 3600)}


@bp.route("/accounts", methods=["GET"])
@bp.arguments(schemas.AccountListArgs, location="query")
@bp.response(200, schemas.AccountListSchema)
@requires(policy.ACCOUNT_VIEW)
def list_accounts(args: dict[str, Any]) -> Any:
    """Accounts all of whose grants lie in your areas."""
    sort = args["sort"] or "name"
    found = find_accounts(
        current_uow(),
        AccountFilter(args["q"], args["role"], args["area"], args["state"], args["second_factor"]),
        Order(sort.removeprefix("-"), sort.startswith("-"), after=args["cursor"], limit=args["limit"]),
    )
    names = chosen_fields(args["fields_"], schemas.ACCOUNT_FIELDS)
    only = schemas.AccountSchema(only=names, many=True)
    return list_response(only.dump([account_json(r.account, r.grants) for r in found.rows]), found.next)


@bp.route("/accounts", methods=["POST"])
@bp.arguments(schemas.NewAccountSchema)
@bp.response(201, schemas.MadeAccountSchema)
@requires(policy.ACCOUNT_MANAGE)
def create_account(data: dict[str, Any]) -> Any:
    """Make an account with a first role; the answer holds a one-time link for its owner."""
    uow = current_uow()
    account, token = service.create_account(uow, **data, permissions=current_offer().permissions)
    uow.session.flush()
    rows = grants_of(uow, [account.id])[account.id]
    return {"account": account_json(account, rows), **_link(token)}


@bp.route("/accounts/<int:account_id>", methods=["GET"])
@bp.response(200, schemas.AccountSchema)
@requires(policy.ACCOUNT_VIEW)
def show_account(account_id: int) -> Any:
    """One account with its grants."""
    return _one(get_account(current_uow(), account_id))


@bp.route("/accounts/<int:account_id>", methods=["PATCH"])
@bp.arguments(schemas.AccountPatchSchema)
@bp.response(200, schemas.AccountSchema)
@requires(policy.ACCOUNT_MANAGE)
@takes_version
def edit_account(data: dict[str, Any], account_id: int) -> Any:
    """Change name, post or state; needs If-Match. Disabling ends all sessions at once."""
    uow = current_uow()
    version = required_version()
    account = get_account(uow, account_id, policy.ACCOUNT_MANAGE)
    try:
        account = service.edit_account(
            uow,
            account_id=account_id,
            version=version,
            name=data.get("name", account.name),
            post=data.get("post", account.post),
        )
    except Stale as error:
        raise PreconditionFailed(error.message, theirs=error.theirs) from None
    if "state" in data:
        account = service.set_state(uow, account_id=account_id, state=data["state"])
    return _one(account)


@bp.route("/accounts/<int:account_id>/link", methods=["POST"])
@bp.response(201, schemas.LinkSchema)
@requires(policy.ACCOUNT_MANAGE)
def make_link(account_id: int) -> Any:
    """A one-time link with which the person sets a password; former links end."""
    _, token = service.make_link(current_uow(), account_id=account_id)
    return _link(token)


@bp.route("/accounts/<int:account_id>/grants", methods=["GET"])
@bp.response(200, schemas.GrantSchema(many=True))
@requires(policy.ACCOUNT_VIEW)
def list_grants(account_id: int) -> Any:
    """The roles an account holds and where."""
    account = get_account(current_uow(), account_id)
    return [grant_json(row) for row in grants_of(current_uow(), [account.id])[account.id]]


@bp.route("/accounts/<int:account_id>/grants", methods=["POST"])
@bp.arguments(schemas.NewGrantSchema)
@bp.response(201, schemas.GrantSchema)
@requires(policy.ACCOUNT_MANAGE)
def add_grant(data: dict[str, Any], account_id: int) -> Any:
    """Give a role in an area; only rights that you hold there yourself."""
    uow = current_uow()
    made = grants.add_grant(uow, account_id=account_id, **data, permissions=current_offer().permissions)
    rows = grants_of(uow, [account_id])[account_id]
    return next(grant_json(row) for row in rows if row.id == made.id)


@bp.route("/accounts/<int:account_id>/grants/<int:grant_id>", methods=["DELETE"])
@bp.response(204)
@requires(policy.ACCOUNT_MANAGE)
def remove_grant(account_id: int, grant_id: int) -> Any:
    """Take a role away; it ends at once."""
    grants.remove_grant(current_uow(), account_id=account_id, grant_id=grant_id)
