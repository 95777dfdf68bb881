"""What the operator's API takes and gives."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from xiangyue.api.files import FileField
from xiangyue.api.lists import ListArgs

#: Counties on one page, in the console and here: each is visited for its numbers.
PAGE_SIZE = 20

_STATES = ("active", "suspended")


class CountyArgs(ListArgs):
    """Arguments of the list of counties. At most 20 a page: each is visited for its numbers."""

    limit = fields.Integer(
        load_default=PAGE_SIZE,
        validate=validate.Range(1, PAGE_SIZE),
        metadata={"description": "Counties per page, at most 20"},
    )
    q = fields.String(load_default="", metadata={"description": "Words of name, pinyin, slug or the code's beginning"})
    state = fields.String(load_default="", validate=validate.OneOf(["", *_STATES]))
    province = fields.String(load_default="", metadata={"description": "First two digits of the code"})
    plugin = fields.String(load_default="", metadata={"description": "Enabled in the county's profile"})


class UsageSchema(Schema):
    """Numbers of a county."""

    households = fields.Integer()
    persons = fields.Integer()
    accounts = fields.Integer(metadata={"description": "Active ones"})
    last_sign_in_at = fields.DateTime(allow_none=True)
    open_jobs = fields.Integer()
    failed_jobs = fields.Integer(metadata={"description": "Of the last 30 days"})
    files = fields.Integer()
    file_bytes = fields.Integer()
    database_bytes = fields.Integer(metadata={"description": "Estimated by the share of each table"})


class CountySchema(Schema):
    """A county as the operator sees it; nothing personal is in it."""

    slug = fields.String()
    name = fields.String()
    name_en = fields.String()
    code = fields.String(metadata={"description": "Six digits"})
    state = fields.String(validate=validate.OneOf(_STATES))
    suspended_reason = fields.String()
    hosts = fields.List(fields.String())
    plugins = fields.Dict(metadata={"description": "Plugins of the profile: name to enabled"})
    created_at = fields.DateTime()
    version = fields.Integer(metadata={"description": "Also the ETag"})
    usage = fields.Nested(UsageSchema)


class CountyListSchema(Schema):
    items = fields.List(fields.Nested(CountySchema))
    next = fields.String(allow_none=True)


class ProvisionSchema(Schema):
    """Bring a county aboard by its code."""

    code = fields.String(required=True, validate=validate.Regexp(r"^\d{6}$"))
    slug = fields.String(load_default="", metadata={"description": "First part of its address; its pinyin when empty"})
    dry_run = fields.Boolean(load_default=False, metadata={"description": "Answer with the plan and change nothing"})


class DivisionsSchema(Schema):
    """A county's towns and villages."""

    file = FileField(
        required=True,
        metadata={"type": "string", "format": "binary", "description": "CSV in UTF-8 with code (12 digits) and name"},
    )
    dry_run = fields.Boolean(load_default=False, metadata={"description": "Answer with the plan and change nothing"})


class ChangeSchema(Schema):
    verb = fields.String(validate=validate.OneOf(["add", "change", "remove"]))
    what = fields.String()
    before = fields.Raw(allow_none=True)
    after = fields.Raw(allow_none=True)


class PlanSchema(Schema):
    """What was changed, or would be."""

    slug = fields.String()
    applied = fields.Boolean()
    changes = fields.List(fields.Nested(ChangeSchema))


class SuspendSchema(Schema):
    reason = fields.String(required=True, metadata={"description": "Shown to the county's people and recorded"})


class InviteSchema(Schema):
    login = fields.String(required=True)
    name = fields.String(required=True)


class InvitationSchema(Schema):
    """A one-time link, answered once."""

    account_id = fields.Integer()
    login = fields.String()
    name = fields.String()
    address = fields.String()
    expires_at = fields.DateTime()
