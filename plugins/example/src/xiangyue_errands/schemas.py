"""What the API takes and gives."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from xiangyue.sdk.api import ListArgs
from xiangyue_errands.policy import KINDS, STATES, TITLE_LENGTH


class ErrandSchema(Schema):
    id = fields.Integer()
    household_id = fields.Integer()
    head_name = fields.String(metadata={"description": "Head of the household"})
    kind = fields.String(metadata={"description": ", ".join(KINDS)})
    title = fields.String()
    state = fields.String(metadata={"description": "open or done"})
    due_on = fields.Date()
    done_on = fields.Date(allow_none=True)
    ask_again = fields.Boolean(metadata={"description": "Ask whether it is still wanted"})
    version = fields.Integer()


class ErrandPageSchema(Schema):
    items = fields.List(fields.Nested(ErrandSchema))
    next = fields.String(allow_none=True, metadata={"description": "`cursor` of the next page"})


class ErrandListArgs(ListArgs):
    state = fields.String(load_default="open", validate=validate.OneOf([*STATES, ""]))
    household = fields.Integer(load_default=0, metadata={"description": "Only those of this household"})


class ErrandCreateSchema(Schema):
    household_id = fields.Integer(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(list(KINDS)))
    title = fields.String(required=True, validate=validate.Length(2, TITLE_LENGTH))
    due_on = fields.Date(load_default=None, allow_none=True)
    client_id = fields.UUID(
        load_default=None, allow_none=True, metadata={"description": "Made by the client: a repeat is the same errand"}
    )
