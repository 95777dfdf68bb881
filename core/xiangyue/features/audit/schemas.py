"""What the API takes and gives for the audit trail."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from xiangyue.api.lists import ListArgs


class AuditArgs(ListArgs):
    """Conditions of the list; sorted by time, newest first unless ``sort=at``."""

    sort = fields.String(load_default="-at", validate=validate.OneOf(["at", "-at"]))
    who = fields.String(load_default="", metadata={"description": "Part of a name or sign-in name"})
    action = fields.String(load_default="", metadata={"description": "An action, or its first part and a dot"})
    object_type = fields.String(load_default="")
    object_id = fields.Integer(load_default=None)
    since = fields.Date(load_default=None, metadata={"description": "From this day on, Asia/Shanghai"})
    until = fields.Date(load_default=None, metadata={"description": "Up to and with this day, Asia/Shanghai"})
    purpose = fields.String(
        load_default="", validate=validate.OneOf(["", "yes", "no"]), metadata={"description": "Was a purpose given?"}
    )
    number = fields.String(load_default="", metadata={"description": "Of an export, as it stands in the file"})


class AuditEntrySchema(Schema):
    """An entry of the trail."""

    id = fields.Integer()
    at = fields.DateTime(metadata={"description": "UTC"})
    actor_kind = fields.String()
    account_id = fields.Integer(allow_none=True)
    actor_name = fields.String()
    action = fields.String()
    object_type = fields.String()
    object_id = fields.Integer(allow_none=True)
    object_label = fields.String()
    area_code = fields.Integer(metadata={"description": "15 digits, 0 for the county as a whole"})
    before = fields.Dict(allow_none=True)
    after = fields.Dict(allow_none=True)
    purpose = fields.String()
    ip = fields.String()
    request_id = fields.String()


class AuditListSchema(Schema):
    items = fields.List(fields.Nested(AuditEntrySchema))
    next = fields.String(allow_none=True)


class BrokenSealSchema(Schema):
    seal_id = fields.Integer(allow_none=True)
    first_xact = fields.Integer()
    end_xact = fields.Integer()
    sealed_at = fields.DateTime(allow_none=True)
    problem = fields.String(
        metadata={"description": "seal_missing, seal_changed, chain_broken or entries_changed"},
    )
    changed = fields.List(fields.Integer(), metadata={"description": "Ids of entries that were changed"})
    missing = fields.List(fields.Integer())
    added = fields.List(fields.Integer())


class VerifyArgs(Schema):
    head = fields.String(load_default="", metadata={"description": "A hash noted earlier that must still be there"})


class VerifySchema(Schema):
    """The state of the chain."""

    ok = fields.Boolean()
    seals = fields.Integer()
    entries = fields.Integer(metadata={"description": "Entries under seals"})
    sealed_at = fields.DateTime(allow_none=True, attribute="state.sealed_at")
    head = fields.String(attribute="state.head")
    unsealed = fields.Integer(attribute="state.unsealed")
    oldest_unsealed = fields.DateTime(allow_none=True, attribute="state.oldest_unsealed")
    lost_head = fields.String()
    broken = fields.List(fields.Nested(BrokenSealSchema))
