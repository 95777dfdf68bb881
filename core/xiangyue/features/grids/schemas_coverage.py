"""What the API of the coverage takes and gives."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from xiangyue.api.lists import ListArgs
from xiangyue.features.grids.schemas import DayArgs
from xiangyue.features.households.schemas import AreaCode


class CoverageArgs(DayArgs):
    area = AreaCode(load_default=0, metadata={"description": "Only this area; all of the caller's when missing"})
    days = fields.Integer(
        load_default=90, validate=validate.Range(1, 3_650),
        metadata={"description": "How far ahead a leader's term is looked at"},
    )  # fmt: skip


class OwedSchema(Schema):
    """Numbers of an area on a day. Those of organisations are null for whoever may not see them."""

    households = fields.Integer(metadata={"description": "On the register"})
    waiting = fields.Integer(metadata={"description": "Households in no grid"})
    since = fields.Date(allow_none=True, metadata={"description": "Since when the longest of them waits"})
    twice = fields.Integer(metadata={"description": "Households in several grids; the database refuses it"})
    grids = fields.Integer()
    leaves = fields.Integer(metadata={"description": "Grids in which households lie"})
    leaves2 = fields.Integer(metadata={"description": "Those of level 2 among them"})
    to_divide = fields.Integer(metadata={"description": "Of these larger than a grid of level 3 may be"})
    unexplained = fields.Integer(metadata={"description": "Leaves outside the size rule, no reason given"})
    explained = fields.Integer(metadata={"description": "Leaves outside the size rule, with a reason"})
    leaderless = fields.Integer(metadata={"description": "Grids without a leader who is here"})
    no_principal = fields.Integer(metadata={"description": "Grids with leaders of whom none is the principal"})
    term_over = fields.Integer(metadata={"description": "Grids of which a leader's term is over"})
    term_soon = fields.Integer(metadata={"description": "Grids of which a leader's term ends within `days`"})
    leader_gone = fields.Integer(metadata={"description": "Grids of which a leader has died or moved away"})
    org_late = fields.Integer(allow_none=True, metadata={"description": "Organisations whose term is over"})
    org_soon = fields.Integer(allow_none=True, metadata={"description": "Whose term ends within six months"})
    org_vacant = fields.Integer(allow_none=True, metadata={"description": "With a vacant post"})
    org_gone = fields.Integer(allow_none=True, metadata={"description": "Of which a holder died or moved away"})


class CoverageLineSchema(OwedSchema):
    area_code = fields.String()
    name = fields.String()
    level = fields.String(metadata={"description": "town or village; county or town for what belongs to none below it"})


class CoverageSchema(Schema):
    on = fields.Date()
    days = fields.Integer()
    total = fields.Nested(OwedSchema)
    items = fields.List(fields.Nested(CoverageLineSchema))


class HomesArgs(ListArgs):
    on = fields.Date(load_default=None, metadata={"description": "On this day; today when missing"})
    area = AreaCode(load_default=0, metadata={"description": "Only households of this area"})
    state = fields.String(load_default="none", validate=validate.OneOf(["none", "two"]))
    sort = fields.String(load_default="code", validate=validate.OneOf(["code", "-code", "head", "-head"]))


class HomeSchema(Schema):
    id = fields.Integer()
    code = fields.String()
    head_name = fields.String()
    address = fields.String()
    area_code = fields.Integer()
    area_name = fields.String()
    since = fields.Date(metadata={"description": "Since when it lies in no grid"})


class HomesSchema(Schema):
    items = fields.List(fields.Nested(HomeSchema))
    next = fields.String(allow_none=True)
