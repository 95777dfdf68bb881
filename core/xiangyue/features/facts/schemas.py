"""What the API takes and gives."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from xiangyue.api.lists import ListArgs
from xiangyue.features.facts import policy
from xiangyue.features.households.schemas import AreaCode


class FactListArgs(ListArgs):
    """Conditions and order of the list."""

    area = AreaCode(load_default=0, metadata={"description": "Only persons of this area"})
    state = fields.String(load_default="open", validate=validate.OneOf([*policy.STATES, "all"]))
    field = fields.String(
        load_default="",
        metadata={"description": f"One of {', '.join(policy.FIELDS)}, or `custom.<person or household>.<key>`"},
    )
    batch = fields.Integer(load_default=None, allow_none=True, metadata={"description": "Number of the import"})
    person = fields.Integer(load_default=None, allow_none=True)
    household = fields.Integer(load_default=None, allow_none=True)
    sort = fields.String(
        load_default="-id", validate=validate.OneOf([way + key for key in ("id", "name", "at") for way in ("", "-")])
    )


class FactSchema(Schema):
    """A value that was not written, beside the one that stands; identifiers masked."""

    id = fields.Integer()
    entity = fields.String(validate=validate.OneOf(["person", "household"]))
    person_id = fields.Integer(allow_none=True, metadata={"description": "Of a person's fact"})
    household_id = fields.Integer()
    name = fields.String()
    household_code = fields.String()
    area_code = fields.Integer()
    area_name = fields.String()
    field = fields.String(metadata={"description": "As the condition `field` names it; incomes with their year"})
    owner = fields.String(metadata={"description": "The department that answers for the field; empty for none"})
    ours = fields.String(metadata={"description": "What stands"})
    origin_name = fields.String(allow_none=True, metadata={"description": "Who set what stands"})
    origin_at = fields.DateTime(allow_none=True)
    origin_department = fields.String(
        allow_none=True, metadata={"description": "The department that said what stands, by an import"}
    )
    value = fields.String(metadata={"description": "What was offered"})
    source = fields.String()
    department = fields.String(metadata={"description": "For which department the import spoke; empty for none"})
    batch_id = fields.Integer(allow_none=True)
    created_at = fields.DateTime()
    state = fields.String(validate=validate.OneOf([*policy.STATES]))
    decided_at = fields.DateTime(allow_none=True)
    decided_name = fields.String()


class FactListSchema(Schema):
    items = fields.List(fields.Nested(FactSchema))
    next = fields.String(allow_none=True)


class Decisions(Schema):
    ids = fields.List(
        fields.Integer(strict=True), required=True, validate=validate.Length(min=1, max=policy.MOST_AT_ONCE)
    )
    way = fields.String(required=True, validate=validate.OneOf(["keep", "take"]))


class FailedSchema(Schema):
    name = fields.String()
    why = fields.String()


class DecidedSchema(Schema):
    decided = fields.Integer()
    failed = fields.List(fields.Nested(FailedSchema))
