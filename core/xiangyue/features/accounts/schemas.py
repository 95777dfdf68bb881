"""What the API takes and gives."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from xiangyue.api.lists import ListArgs
from xiangyue.features.accounts.terms import SORTS, STATES, TOKEN_MAX_DAYS

_SORT = [*SORTS, *(f"-{key}" for key in SORTS)]


class GrantSchema(Schema):
    """A role held in an area."""

    id = fields.Integer()
    role = fields.String(metadata={"description": "Key of the role"})
    area_code = fields.Integer(metadata={"description": "15 digits: the area and everything below it"})
    area_name = fields.String()
    permissions = fields.List(fields.String())
    created_at = fields.DateTime()


class AccountSchema(Schema):
    """An account; nothing secret of it ever leaves."""

    id = fields.Integer()
    login = fields.String()
    name = fields.String()
    post = fields.String()
    state = fields.String(metadata={"description": "active, invited (no password yet), locked or disabled"})
    second_factor = fields.Boolean()
    must_change_password = fields.Boolean()
    last_sign_in_at = fields.DateTime(allow_none=True)
    created_at = fields.DateTime()
    version = fields.Integer()
    grants = fields.List(fields.Nested(GrantSchema))


ACCOUNT_FIELDS = tuple(AccountSchema._declared_fields)


class AccountListSchema(Schema):
    items = fields.List(fields.Nested(AccountSchema))
    next = fields.String(allow_none=True)


class AccountListArgs(ListArgs):
    """Filters of the list of accounts."""

    sort = fields.String(
        load_default=None,
        validate=validate.OneOf(_SORT),
        metadata={"description": "name, login or last_sign_in_at; `-` before it for descending"},
    )
    q = fields.String(load_default="", metadata={"description": "Part of name or login"})
    role = fields.String(load_default="", metadata={"description": "Key of a role held"})
    area = fields.Integer(
        load_default=0,
        validate=validate.Range(0, 10**15 - 1),
        metadata={"description": "15 digits: a grant lies in this area"},
    )
    state = fields.String(load_default="", validate=validate.OneOf(["", *STATES]))
    second_factor = fields.String(load_default="", validate=validate.OneOf(["", "on", "off"]))


class AreaCode(fields.Integer):
    """An area's 15 digits, or 0 for the whole county."""

    def __init__(self, **options: object) -> None:
        options.setdefault("metadata", {"description": "15 digits; 0 or missing: the whole county"})
        super().__init__(validate=validate.Range(0, 10**15 - 1), **options)  # type: ignore[arg-type]


class NewAccountSchema(Schema):
    login = fields.String(required=True, validate=validate.Length(max=64))
    name = fields.String(required=True, validate=validate.Length(max=60))
    post = fields.String(load_default="", validate=validate.Length(max=80))
    role = fields.String(load_default="", metadata={"description": "Key of the first role"})
    area_code = AreaCode(load_default=0)


class LinkSchema(Schema):
    """A one-time link, given once."""

    link = fields.String(metadata={"description": "Address at which its holder sets a password, once"})
    valid_hours = fields.Integer()


class MadeAccountSchema(LinkSchema):
    account = fields.Nested(AccountSchema)


class AccountPatchSchema(Schema):
    name = fields.String(validate=validate.Length(max=60))
    post = fields.String(validate=validate.Length(max=80))
    state = fields.String(validate=validate.OneOf(["active", "disabled"]))


class NewGrantSchema(Schema):
    role = fields.String(required=True)
    area_code = AreaCode(load_default=0)


class PermissionSchema(Schema):
    name = fields.String()
    label = fields.String(metadata={"description": "In the language of the request"})
    group = fields.String()
    sensitive = fields.Boolean()


class RoleSchema(Schema):
    id = fields.Integer()
    key = fields.String()
    name = fields.String()
    name_en = fields.String()
    permissions = fields.List(fields.String())
    requires_totp = fields.Boolean()
    accounts = fields.Integer(metadata={"description": "How many hold it"})
    version = fields.Integer()


class RoleInputSchema(Schema):
    name = fields.String(required=True, validate=validate.Length(max=40))
    name_en = fields.String(load_default="", validate=validate.Length(max=60))
    permissions = fields.List(fields.String(), required=True)
    requires_totp = fields.Boolean(load_default=False)


class NewRoleSchema(RoleInputSchema):
    key = fields.String(required=True, validate=validate.Length(max=40))


class RolePatchSchema(Schema):
    name = fields.String(validate=validate.Length(max=40))
    name_en = fields.String(validate=validate.Length(max=60))
    permissions = fields.List(fields.String())
    requires_totp = fields.Boolean()


class MeSchema(AccountSchema):
    locale = fields.String()
    large_text = fields.Boolean()
    token_scopes = fields.List(
        fields.String(), allow_none=True, metadata={"description": "Rights this token is limited to"}
    )


class MePatchSchema(Schema):
    name = fields.String(validate=validate.Length(max=60))
    locale = fields.String(validate=validate.OneOf(["", "zh", "en"]))
    large_text = fields.Boolean()


class TokenSchema(Schema):
    id = fields.Integer()
    name = fields.String()
    hint = fields.String()
    scopes = fields.List(fields.String())
    created_at = fields.DateTime()
    expires_at = fields.DateTime()
    last_used_at = fields.DateTime(allow_none=True)


class NewTokenSchema(Schema):
    name = fields.String(required=True, validate=validate.Length(min=1, max=80))
    scopes = fields.List(fields.String(), required=True, metadata={"description": "Rights, or `*` for all"})
    days = fields.Integer(load_default=90, validate=validate.Range(1, TOKEN_MAX_DAYS))


class MadeTokenSchema(TokenSchema):
    token = fields.String(metadata={"description": "Given once"})


class ListOf(Schema):
    """``{"items": […], "next": null}`` of short lists."""

    next = fields.String(allow_none=True)


class RoleListSchema(ListOf):
    items = fields.List(fields.Nested(RoleSchema))


class PermissionListSchema(ListOf):
    items = fields.List(fields.Nested(PermissionSchema))


class TokenListSchema(ListOf):
    items = fields.List(fields.Nested(TokenSchema))
