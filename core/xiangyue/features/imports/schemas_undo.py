"""Contracts of the undo of an import."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from xiangyue.api.lists import ListArgs
from xiangyue.features.households.undo import WHATS

#: What stands in the way in a declared register: what that itself says.
WHAT = "register"
ENTITY = "record"


class ElsewhereSchema(Schema):
    """Values that a plugin keeps by itself."""

    plugin = fields.String()
    column = fields.String()


class UndoSchema(Schema):
    """What an undo would do."""

    possible = fields.Boolean()
    counts = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        metadata={
            "description": "(of another register: records) households, persons, marks, incomes, awards, values, groups "
            "that would go, and …_back: those that get back what stood before"
        },
    )
    built = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        metadata={"description": f"Rows in the way, by what was built: {', '.join((*WHATS, WHAT))}"},
    )
    elsewhere = fields.List(fields.Nested(ElsewhereSchema))
    unseen = fields.Boolean(
        metadata={
            "description": "Of a large import into another register only some thousand records were looked at; the "
            "list of what is in the way goes on, and the undo looks at all before it changes anything"
        }
    )


class BuiltSchema(Schema):
    """A household, person or record on which something was built since the import."""

    what = fields.String(validate=validate.OneOf([*WHATS, WHAT]))
    entity = fields.String(validate=validate.OneOf(("household", "person", ENTITY)))
    id = fields.Integer()
    household_id = fields.Integer(allow_none=True, metadata={"description": "None: gone, or outside your area"})
    name = fields.String()
    code = fields.String(metadata={"description": "A household's number"})
    area_code = fields.String(allow_none=True)
    at = fields.DateTime(allow_none=True)
    table = fields.String(metadata={"description": "Of a record: the table that holds it"})
    reason = fields.String(metadata={"description": "Of `register`: why it cannot be taken back"})


class BuiltArgs(ListArgs):
    """Arguments of the list."""

    what = fields.String(load_default="", validate=validate.OneOf(["", *WHATS, WHAT]))


class BuiltPageSchema(Schema):
    """One page of rows in the way."""

    items = fields.List(fields.Nested(BuiltSchema))
    next = fields.String(allow_none=True)
