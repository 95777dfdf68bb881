"""Roles and the rights they are made of."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify, make_response

from xiangyue.api.lists import list_response, required_version, set_etag, takes_version
from xiangyue.errors import PreconditionFailed, Stale
from xiangyue.features.accounts import policy, schemas
from xiangyue.features.accounts.api import bp
from xiangyue.features.accounts.queries.roles import RoleRow, all_roles, get_role
from xiangyue.features.accounts.service import roles as service
from xiangyue.web.access import requires, signed_in
from xiangyue.web.pipeline import current_offer, current_tenant, current_uow


def _json(row: RoleRow) -> dict[str, Any]:
    role = row.role
    return {
        "id": role.id,
        "key": role.key,
        "name": role.name,
        "name_en": role.name_en,
        "permissions": sorted(role.permissions),
        "requires_totp": role.requires_totp,
        "accounts": row.accounts,
        "version": role.version,
    }


def _one(role_id: int, status: int = 200) -> Response:
    row = get_role(current_uow(), role_id)
    return set_etag(make_response(jsonify(_json(row)), status), row.role.version)


@bp.route("/permissions", methods=["GET"])
@bp.response(200, schemas.PermissionListSchema)
@signed_in
def list_permissions() -> Any:
    """All rights that exist here; roles are made of them and tokens are limited to some."""
    found = [
        {
            "name": p.name,
            "label": str(p.label),
            "group": policy.group_of(p),
            "sensitive": p.sensitive,
        }
        for p in current_offer().permissions.all(current_tenant().kind)
    ]
    return list_response(found, None)


@bp.route("/roles", methods=["GET"])
@bp.response(200, schemas.RoleListSchema)
@requires(policy.ACCOUNT_VIEW)
def list_roles() -> Any:
    """All roles of the county."""
    return list_response([_json(row) for row in all_roles(current_uow())], None)


@bp.route("/roles", methods=["POST"])
@bp.arguments(schemas.NewRoleSchema)
@bp.response(201, schemas.RoleSchema)
@requires(policy.ROLE_MANAGE)
def create_role(data: dict[str, Any]) -> Any:
    """Make a role of rights that you hold yourself."""
    key = data.pop("key")
    role = service.create_role(
        current_uow(), key=key, given=service.RoleInput(**data), permissions=current_offer().permissions
    )
    return _one(role.id, 201)


@bp.route("/roles/<int:role_id>", methods=["GET"])
@bp.response(200, schemas.RoleSchema)
@requires(policy.ACCOUNT_VIEW)
def show_role(role_id: int) -> Any:
    """One role."""
    return _one(role_id)


@bp.route("/roles/<int:role_id>", methods=["PATCH"])
@bp.arguments(schemas.RolePatchSchema)
@bp.response(200, schemas.RoleSchema)
@requires(policy.ROLE_MANAGE)
@takes_version
def edit_role(data: dict[str, Any], role_id: int) -> Any:
    """Change a role for everyone who holds it; needs If-Match."""
    uow = current_uow()
    version = required_version()
    now = _json(get_role(uow, role_id))
    given = service.RoleInput(**{k: data.get(k, now[k]) for k in ("name", "name_en", "permissions", "requires_totp")})
    try:
        service.edit_role(
            uow,
            role_id=role_id,
            version=version,
            given=given,
            permissions=current_offer().permissions,
        )
    except Stale as error:
        raise PreconditionFailed(error.message, theirs=error.theirs) from None
    return _one(role_id)


@bp.route("/roles/<int:role_id>", methods=["DELETE"])
@bp.response(204)
@requires(policy.ROLE_MANAGE)
def delete_role(role_id: int) -> Any:
    """Delete a role that nobody holds."""
    service.delete_role(current_uow(), role_id=role_id)
