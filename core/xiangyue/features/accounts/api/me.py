"""The account behind the token or session."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify, make_response

from xiangyue.access.models import ApiToken
from xiangyue.api.lists import list_response, required_version, set_etag, takes_version
from xiangyue.errors import PreconditionFailed, Stale
from xiangyue.features.accounts import schemas
from xiangyue.features.accounts.api import bp
from xiangyue.features.accounts.api.accounts import account_json
from xiangyue.features.accounts.queries.accounts import grants_of, own_account
from xiangyue.features.accounts.queries.own import live_tokens
from xiangyue.features.accounts.service import own
from xiangyue.web.access import signed_in
from xiangyue.web.pipeline import current_actor, current_uow

_ME = schemas.MeSchema()
_TOKEN = schemas.TokenSchema()


def _me() -> Response:
    uow = current_uow()
    account = own_account(uow)
    scopes = current_actor().token_scopes
    body = {
        **account_json(account, grants_of(uow, [account.id])[account.id]),
        "locale": account.locale,
        "large_text": account.large_text,
        "token_scopes": None if scopes is None else sorted(scopes),
    }
    return set_etag(make_response(jsonify(_ME.dump(body))), account.version)


@bp.route("/me", methods=["GET"])
@bp.response(200, schemas.MeSchema)
@signed_in
def show_me() -> Any:
    """Your account, your grants, and what the token is limited to."""
    return _me()


@bp.route("/me", methods=["PATCH"])
@bp.arguments(schemas.MePatchSchema)
@bp.response(200, schemas.MeSchema)
@signed_in
@takes_version
def edit_me(data: dict[str, Any]) -> Any:
    """Change your name, language or text size; needs If-Match."""
    uow = current_uow()
    version = required_version()
    account = own_account(uow)
    try:
        own.edit_me(
            uow,
            version=version,
            name=data.get("name", account.name),
            locale=data.get("locale", account.locale),
            large_text=data.get("large_text", account.large_text),
        )
    except Stale as error:
        raise PreconditionFailed(error.message, theirs=error.theirs) from None
    return _me()


@bp.route("/me/tokens", methods=["GET"])
@bp.response(200, schemas.TokenListSchema)
@signed_in
def list_tokens() -> Any:
    """Your access tokens that are not revoked."""
    uow = current_uow()
    return list_response([_dump(row) for row in live_tokens(uow, own_account(uow).id)], None)


def _dump(row: ApiToken) -> Any:
    return _TOKEN.dump(row)


@bp.route("/me/tokens", methods=["POST"])
@bp.arguments(schemas.NewTokenSchema)
@bp.response(201, schemas.MadeTokenSchema)
@signed_in
def create_token(data: dict[str, Any]) -> Any:
    """Make an access token; the answer is the only place that shows it."""
    row, token = own.create_own_token(current_uow(), **data)
    return {**_dump(row), "created_at": row.created_at, "expires_at": row.expires_at, "token": token}


@bp.route("/me/tokens/<int:token_id>", methods=["DELETE"])
@bp.response(204)
@signed_in
def revoke_token(token_id: int) -> Any:
    """Revoke a token; it ends at once."""
    own.revoke_own_token(current_uow(), token_id=token_id)
