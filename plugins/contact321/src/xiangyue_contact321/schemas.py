"""What the API gives."""

from __future__ import annotations

from marshmallow import Schema, fields

from xiangyue.sdk.api import ListArgs
from xiangyue_contact321.queries import COLOURS


class OverviewArgs(ListArgs):
    class Meta:
        exclude = ("sort",)

    area = fields.String(
        load_default=None, metadata={"description": "Code of a town or village (6 to 15 digits); all when missing"}
    )


class ColoursSchema(Schema):
    """Households by colour: what is in force, else what is proposed."""

    green = fields.Integer()
    yellow = fields.Integer()
    red = fields.Integer()
    undetermined = fields.Integer()


assert tuple(ColoursSchema().fields) == COLOURS


class VillageSchema(Schema):
    """A village with its colours and what they lack."""

    area_code = fields.Integer(metadata={"description": "15 digits"})
    name = fields.String()
    town = fields.String()
    households = fields.Integer(metadata={"description": "On the register"})
    colours = fields.Nested(ColoursSchema)
    in_force = fields.Integer(metadata={"description": "Confirmed by village and town"})
    waits_for_village = fields.Integer()
    waits_for_town = fields.Integer()
    uncomputed = fields.Integer(metadata={"description": "On the register and without a colour yet"})
    income_year = fields.Integer(allow_none=True, metadata={"description": "Of the incomes that are compared"})
    mean = fields.Integer(allow_none=True, metadata={"description": "Whole yuan, rounded up; null without incomes"})
    coverage = fields.Integer(metadata={"description": "Households with an income of that year, in percent"})
    too_few = fields.Boolean(metadata={"description": "Too few incomes: what rests on income is undetermined"})
    without_income = fields.Integer()
    without_awards = fields.Integer(metadata={"description": "Undetermined for want of records of the award"})


class OverviewSchema(Schema):
    items = fields.List(fields.Nested(VillageSchema))
    next = fields.String(allow_none=True)
