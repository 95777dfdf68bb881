"""Contracts of the areas API."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from xiangyue.api.lists import ListArgs
from xiangyue.features.areas.policy import LEVELS

_CODE = {"description": "12 digits (national division code), 15 for a villager group"}


class AreaSchema(Schema):
    """An area."""

    code = fields.String(metadata=_CODE)
    level = fields.String(validate=validate.OneOf(LEVELS))
    kind = fields.String(metadata={"description": "By the code's range: town, township, subdistrict, community …"})
    name = fields.String()
    official_name = fields.String()
    former_names = fields.List(
        fields.String(), metadata={"description": "What it was called before; imports and searches find it by these"}
    )
    parent = fields.String(allow_none=True, metadata=_CODE)
    active = fields.Boolean()
    valid_from = fields.Date(allow_none=True, metadata={"description": "Made by a change on this day"})
    valid_to = fields.Date(allow_none=True, metadata={"description": "Ended by a change on this day"})
    succeeded_by = fields.String(allow_none=True, metadata={"description": "What took its place"})
    version = fields.Integer()


class AreaDetailSchema(AreaSchema):
    """An area with where it lies and how many live there."""

    former_codes = fields.List(fields.String(), metadata={"description": "Codes whose place it took"})
    path = fields.List(fields.Nested({"code": fields.String(), "name": fields.String()}))
    households = fields.Integer(metadata={"description": "Active households in the area, as far as you may see them"})
    persons = fields.Integer()
    registered = fields.Integer(metadata={"description": "By the household register"})
    living = fields.Integer(metadata={"description": "By where they live"})


class AreaListArgs(ListArgs):
    """Arguments of the list."""

    level = fields.String(load_default="", validate=validate.OneOf(["", *LEVELS]))
    parent = fields.String(load_default="", metadata={"description": "Code of the area directly above"})
    q = fields.String(load_default="", metadata={"description": "Part of the name, pinyin, initials, or code"})
    retired = fields.Boolean(load_default=False, metadata={"description": "Also areas out of use"})
    on = fields.Date(
        load_default=None, metadata={"description": "As they were on this day: names, kinds, and which there were"}
    )


class AreaPageSchema(Schema):
    """One page of areas."""

    items = fields.List(fields.Nested(AreaSchema))
    next = fields.String(allow_none=True)


class GroupCreateSchema(Schema):
    """A new villager group."""

    number = fields.Integer(required=True, validate=validate.Range(1, 999))
    name = fields.String(load_default="", validate=validate.Length(max=30))


class AreaChangeSchema(Schema):
    """A group's new name, or whether it is in use; former names of a town or village."""

    name = fields.String(validate=validate.Length(1, 30))
    former_names = fields.List(
        fields.String(validate=validate.Length(1, 60)),
        validate=validate.Length(max=20),
        metadata={"description": "All of them; for towns and villages"},
    )
    active = fields.Boolean()
    reason = fields.String(load_default="", metadata={"description": "Needed with active=false"})
