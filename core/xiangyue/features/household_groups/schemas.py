"""What the API takes and gives."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from xiangyue.api.lists import ListArgs
from xiangyue.features.household_groups.policy import CHANGES, HEADS, SIZES, STATES
from xiangyue.features.households.schemas import AreaCode


class DayArgs(Schema):
    on = fields.Date(load_default=None, metadata={"description": "As of this day; today when missing"})


class GroupListArgs(ListArgs):
    """Conditions and order of the list."""

    on = fields.Date(load_default=None, metadata={"description": "As of this day; today when missing"})
    area = AreaCode(load_default=0, metadata={"description": "Only groups of this area"})
    grid = fields.Integer(load_default=0, metadata={"description": "Only groups of this grid"})
    size = fields.String(
        load_default="", validate=validate.OneOf(["", *SIZES]),
        metadata={"description": "out: outside the county's size; fits: within it"},
    )  # fmt: skip
    head = fields.String(
        load_default="", validate=validate.OneOf(["", *HEADS]),
        metadata={"description": "none: without a head; problem: the head has died, moved away or lives elsewhere"},
    )  # fmt: skip
    q = fields.String(load_default="", metadata={"description": "Name of the group, its pinyin, or name of its head"})
    sort = fields.String(
        load_default="area", validate=validate.OneOf([way + key for key in ("area", "name") for way in ("", "-")])
    )


class GroupSchema(Schema):
    """A ten-household group as of a day."""

    id = fields.Integer()
    name = fields.String()
    grid_id = fields.Integer(allow_none=True)
    area_code = fields.Integer()
    area_name = fields.String()
    valid_from = fields.Date(allow_none=True)
    valid_to = fields.Date(allow_none=True)
    households = fields.Integer()
    fits = fields.Boolean(metadata={"description": "Whether it is within the county's size"})
    head_id = fields.Integer(allow_none=True)
    person_id = fields.Integer(allow_none=True, metadata={"description": "The head"})
    head_name = fields.String(allow_none=True)
    head_since = fields.Date(allow_none=True)
    head_problem = fields.String(metadata={"description": "died, moved, left (lives elsewhere), or nothing"})
    version = fields.Integer()


class GroupListSchema(Schema):
    items = fields.List(fields.Nested(GroupSchema))
    next = fields.String(allow_none=True)


class GroupInsideSchema(Schema):
    id = fields.Integer()
    code = fields.String()
    head_name = fields.String()
    address = fields.String()
    area_code = fields.Integer()
    since = fields.Date()
    until = fields.Date(allow_none=True)
    living = fields.Integer()


class GroupDetailSchema(GroupSchema):
    standing = fields.Boolean(metadata={"description": "Whether it stands on that day"})
    members = fields.List(fields.Nested(GroupInsideSchema))


class GroupChangeSchema(Schema):
    """A change of a village's groups."""

    id = fields.Integer()
    kind = fields.String(validate=validate.OneOf([*CHANGES]))
    on = fields.Date()
    state = fields.String(validate=validate.OneOf([*STATES]))
    area_code = fields.Integer(metadata={"description": "The village"})
    reason = fields.String()
    size_reason = fields.String()
    groups = fields.List(fields.Integer())
    households = fields.Integer(metadata={"description": "How many households it put elsewhere"})
    by_name = fields.String()
    version = fields.Integer()


def _ids() -> fields.List[Any]:
    return fields.List(fields.Integer(strict=True), required=True, validate=validate.Length(1, 500))


class _OnADay(Schema):
    on = fields.Date(required=True, metadata={"description": "The day it takes effect, at most a year ahead"})
    reason = fields.String(load_default="")


class _WithSize(_OnADay):
    size_reason = fields.String(
        load_default="",
        metadata={"description": "Why a group is outside the county's size; 422 `reason_needed` asks for it"},
    )


class PartOfGroups(Schema):
    name = fields.String(required=True)
    household_ids = _ids()


class NewGroups(_WithSize):
    grid_id = fields.Integer(required=True)
    parts = fields.List(fields.Nested(PartOfGroups), required=True, validate=validate.Length(1, 100))


class SettingMembers(_WithSize):
    household_ids = _ids()


class RenamingGroup(_OnADay):
    name = fields.String(required=True)


class ClosingGroup(_OnADay):
    reason = fields.String(required=True)


class UndoingGroups(Schema):
    reason = fields.String(required=True)


class NewHead(Schema):
    person_id = fields.Integer(required=True)
    valid_from = fields.Date(required=True)
    login = fields.String(load_default="", metadata={"description": "Of the head's account, where there is one"})


class HeadSchema(Schema):
    id = fields.Integer()
    group_id = fields.Integer()
    person_id = fields.Integer()
    name = fields.String()
    since = fields.Date()
    until = fields.Date(allow_none=True)
    version = fields.Integer()


class EndOfHead(Schema):
    on = fields.Date(required=True)
    reason = fields.String(required=True)


class SuggestionSchema(Schema):
    parts = fields.List(fields.List(fields.Integer()), metadata={"description": "Households of each group, by id"})


class SuggestArgs(DayArgs):
    grid = fields.Integer(required=True)


class GroupSizeSchema(Schema):
    min_households = fields.Integer(required=True)
    max_households = fields.Integer(required=True)
