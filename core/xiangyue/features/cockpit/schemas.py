"""What the API gives of the cockpit."""

from __future__ import annotations

from marshmallow import Schema, fields


class CockpitArgs(Schema):
    area = fields.String(
        load_default="", metadata={"description": "Code of 6, 9, 12 or 15 digits; all of one's own area without"}
    )


class CockpitTotalsSchema(Schema):
    """Numbers of one area; shares are percent, null where there is nobody."""

    households = fields.Integer()
    households_new = fields.Integer(metadata={"description": "Registered in the last 30 days"})
    persons = fields.Integer()
    registered = fields.Integer(metadata={"description": "By the household register"})
    living = fields.Integer(metadata={"description": "By where they live"})
    away = fields.Integer()
    marked = fields.Integer(metadata={"description": "Households with marks the caller may see"})
    income = fields.Integer(metadata={"description": "Households with income data of `income_year`"})
    income_before = fields.Integer(metadata={"description": "The same of the year before"})
    away_share = fields.Float(allow_none=True)
    marked_share = fields.Float(allow_none=True)
    income_share = fields.Float(allow_none=True)


class CockpitAreaSchema(CockpitTotalsSchema):
    area_code = fields.Integer()
    name = fields.String()


class CockpitMarkSchema(Schema):
    key = fields.String()
    name = fields.String()
    name_en = fields.String()
    sensitive = fields.Boolean()
    persons = fields.Integer()
    households = fields.Integer()


class CockpitSchema(Schema):
    area_code = fields.Integer(metadata={"description": "15 digits, 0 for all of the caller's area"})
    level = fields.String(metadata={"description": "What `areas` are: town, village or group"})
    income_year = fields.Integer()
    totals = fields.Nested(CockpitTotalsSchema)
    around = fields.Nested(
        CockpitTotalsSchema, allow_none=True, metadata={"description": "All that the caller may see, to compare with"}
    )
    areas = fields.List(fields.Nested(CockpitAreaSchema))
    marks = fields.List(fields.Nested(CockpitMarkSchema))
