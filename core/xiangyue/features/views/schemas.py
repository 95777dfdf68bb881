"""What the API takes and gives for saved views."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from xiangyue.features.views.policy import LISTS

_QUERY = {"description": "The list's parameters as in its address, for example `mark=five_guarantee&area=610921100`"}


class ViewListArgs(Schema):
    list = fields.String(load_default=None, validate=validate.OneOf(list(LISTS)))


class SavedViewSchema(Schema):
    """A saved view. ``version`` goes into If-Match."""

    id = fields.Integer(dump_only=True)
    list = fields.String(required=True, validate=validate.OneOf(list(LISTS)))
    name = fields.String(required=True)
    query = fields.String(load_default="", metadata=_QUERY)
    shared = fields.Boolean(load_default=False, metadata={"description": "Everybody of the county finds it"})
    mine = fields.Boolean(dump_only=True)
    version = fields.Integer(dump_only=True)


class SavedViewChangeSchema(Schema):
    """Fields left out stay as they are."""

    name = fields.String()
    query = fields.String(metadata=_QUERY)
    shared = fields.Boolean()


class SavedViewListSchema(Schema):
    items = fields.List(fields.Nested(SavedViewSchema))
    next = fields.String(allow_none=True)
