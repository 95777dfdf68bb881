"""What the API takes and gives. There is no sort and no field by which heads could be ranked."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from xiangyue.api.lists import ListArgs
from xiangyue.features.callouts.policy import ANSWERS, CALL_STATES, KINDS, STATES
from xiangyue.features.households.schemas import AreaCode


class CallListArgs(ListArgs):
    """Conditions of the list; the newest first."""

    area = AreaCode(load_default=0, metadata={"description": "Only calls to this area"})
    kind = fields.String(load_default="", validate=validate.OneOf(["", *KINDS]))
    state = fields.String(load_default="", validate=validate.OneOf(["", *CALL_STATES]))
    drill = fields.String(load_default="", validate=validate.OneOf(["", "yes", "no"]))


class CallSchema(Schema):
    """A call in an emergency."""

    id = fields.Integer()
    kind = fields.String(validate=validate.OneOf([*KINDS]))
    drill = fields.Boolean()
    message = fields.String()
    state = fields.String(validate=validate.OneOf([*CALL_STATES]))
    area_code = fields.Integer()
    by_name = fields.String()
    at = fields.DateTime()
    ended_at = fields.DateTime(allow_none=True)
    summary = fields.Dict(metadata={"description": "Counts of groups and households, once it has ended"})
    version = fields.Integer()


class CallListSchema(Schema):
    items = fields.List(fields.Nested(CallSchema))
    next = fields.String(allow_none=True)


class CallHouseholdSchema(Schema):
    household_id = fields.Integer()
    state = fields.String(validate=validate.OneOf([*STATES]))
    on_behalf = fields.Boolean(metadata={"description": "Said by somebody else than the head"})
    alone = fields.Boolean(metadata={"description": "An old person lives there alone"})


class CallGroupSchema(Schema):
    """A group in a call; those without an answer come first."""

    id = fields.Integer()
    group_id = fields.Integer(allow_none=True, metadata={"description": "Null: households that are in no group"})
    name = fields.String()
    head_name = fields.String()
    answered = fields.Boolean()
    escalated = fields.Boolean(metadata={"description": "Passed on to the grid leader"})
    households = fields.List(
        fields.Nested(CallHouseholdSchema), metadata={"description": "Old people living alone first"}
    )


class CallDetailSchema(CallSchema):
    groups = fields.List(fields.Nested(CallGroupSchema))


class NewCall(Schema):
    client_id = fields.UUID(required=True, metadata={"description": "The sender's; sent again, it is the same call"})
    kind = fields.String(required=True, metadata={"description": "One of " + ", ".join(KINDS) + "; others are refused"})
    message = fields.String(required=True)
    place = fields.String(load_default="")
    area_code = AreaCode(required=True, metadata={"description": "A village or a town"})
    grid_ids = fields.List(fields.Integer(strict=True), load_default=list, validate=validate.Length(max=500))
    group_ids = fields.List(fields.Integer(strict=True), load_default=list, validate=validate.Length(max=2000))
    drill = fields.Boolean(load_default=False)


class AnswerOfHousehold(Schema):
    household_id = fields.Integer(required=True)
    state = fields.String(required=True, validate=validate.OneOf([*ANSWERS]))


class NewAnswer(Schema):
    client_id = fields.UUID(required=True, metadata={"description": "The phone's; the same again does nothing"})
    households = fields.List(fields.Nested(AnswerOfHousehold), load_default=list, validate=validate.Length(max=500))
    rest = fields.String(
        load_default="", validate=validate.OneOf(["", *ANSWERS]),
        metadata={"description": "Of all households of the group without an answer yet"},
    )  # fmt: skip


class WhosePhones(Schema):
    household_id = fields.Integer(
        load_default=None, allow_none=True, metadata={"description": "Of the group; null: the head of the group"}
    )


class PhoneSchema(Schema):
    name = fields.String()
    phone = fields.String()


class PhonesSchema(Schema):
    phones = fields.List(fields.Nested(PhoneSchema))


class EndOfCall(Schema):
    note = fields.String(load_default="")
