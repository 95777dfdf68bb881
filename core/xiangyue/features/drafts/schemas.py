"""What the API takes and answers."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from xiangyue.api.lists import ListArgs
from xiangyue.features.drafts.policy import JOININGS, LEADER_LENGTH, NAME_LENGTH, ORIGINS, REASON_LENGTH, STATES
from xiangyue.features.grids.schemas import VerdictSchema
from xiangyue.features.households.schemas import AreaCode


class DraftListArgs(ListArgs):
    """Conditions and order of the list."""

    area = AreaCode(load_default=0, metadata={"description": "Only drafts of villages of this area"})
    state = fields.String(
        load_default="",
        validate=validate.OneOf(["", "all", *STATES]),
        metadata={"description": "empty: those that are not over"},
    )
    sort = fields.String(
        load_default="-changed",
        validate=validate.OneOf([way + key for key in ("changed", "village", "name", "state") for way in ("", "-")]),
    )


class DraftSchema(Schema):
    id = fields.Integer()
    area_code = fields.Integer()
    area_name = fields.String()
    name = fields.String()
    base_date = fields.Date()
    state = fields.String(validate=validate.OneOf(list(STATES)))
    origin = fields.String(validate=validate.OneOf(list(ORIGINS)))
    grids = fields.Integer()
    in_rule = fields.Integer()
    households = fields.Integer()
    by_name = fields.String()
    on_date = fields.Date(allow_none=True)
    change_id = fields.Integer(allow_none=True)
    version = fields.Integer()
    updated_at = fields.DateTime()


class DraftListSchema(Schema):
    items = fields.List(fields.Nested(DraftSchema))
    next = fields.String(allow_none=True)


class DraftPartSchema(Schema):
    id = fields.Integer()
    name = fields.String()
    leader = fields.String()
    fixed = fields.Boolean()
    level = fields.Integer(metadata={"description": "2: whole groups, 3: a piece of a group"})
    area_code = fields.Integer()
    households = fields.Integer()
    registered = fields.Integer()
    living = fields.Integer()
    care = fields.Integer(metadata={"description": "old people and children who live here"})
    in_rule = fields.Boolean()
    household_ids = fields.List(fields.Integer())


class UnmetSchema(Schema):
    why = fields.String()
    group = fields.Integer(allow_none=True)
    text = fields.String(metadata={"description": "in the language of the request"})


class LeaderRuleSchema(VerdictSchema):
    """What rules have against the leader that a part proposes."""

    part_id = fields.Integer()


class DraftDetailSchema(DraftSchema):
    rule = fields.Dict()
    stale = fields.Boolean(metadata={"description": "households moved since it was drawn"})
    answer = fields.String()
    parts = fields.List(fields.Nested(DraftPartSchema))
    unmet = fields.List(fields.Nested(UnmetSchema))
    leader_rules = fields.List(fields.Nested(LeaderRuleSchema))


class NewDraft(Schema):
    area = AreaCode(required=True, metadata={"description": "Code of a village"})
    name = fields.String(load_default="", validate=validate.Length(max=NAME_LENGTH))
    origin = fields.String(load_default="planner", validate=validate.OneOf(["planner", "present"]))
    joining = fields.String(load_default="none", validate=validate.OneOf(list(JOININGS)))


class NewPlans(Schema):
    area = AreaCode(required=True, metadata={"description": "Code of a town or the county"})
    name = fields.String(load_default="", validate=validate.Length(max=NAME_LENGTH))
    joining = fields.String(load_default="none", validate=validate.OneOf(list(JOININGS)))


class PlanJobSchema(Schema):
    job_id = fields.Integer()


class Copying(Schema):
    name = fields.String(load_default="", validate=validate.Length(max=NAME_LENGTH))


class Moving(Schema):
    household_ids = fields.List(fields.Integer(), required=True, validate=validate.Length(1, 5000))
    part_id = fields.Integer(load_default=None, allow_none=True, metadata={"description": "null: a new grid"})
    name = fields.String(load_default="", validate=validate.Length(max=NAME_LENGTH))


class PartChange(Schema):
    name = fields.String(required=True, validate=validate.Length(1, NAME_LENGTH))
    leader = fields.String(load_default="", validate=validate.Length(max=LEADER_LENGTH))
    fixed = fields.Boolean(load_default=False)


class Replanning(Schema):
    joining = fields.String(load_default="", validate=validate.OneOf(["", *JOININGS]))


class Answer(Schema):
    answer = fields.String(load_default="", validate=validate.Length(max=REASON_LENGTH))


class Returning(Schema):
    reason = fields.String(required=True, validate=validate.Length(1, REASON_LENGTH))


class LeaderOfPart(Schema):
    part_id = fields.Integer(required=True)
    person_id = fields.Integer(
        load_default=None, allow_none=True, metadata={"description": "Of the register; null: from outside it"}
    )
    nobody = fields.Boolean(load_default=False, metadata={"description": "Nobody is put in charge yet"})
    office_phone = fields.String(load_default="", validate=validate.Length(max=20))
    reason = fields.String(
        load_default="", validate=validate.Length(max=200),
        metadata={"description": "Needed where a rule warns of it; the answer 422 has `warnings` by part"},
    )  # fmt: skip


class Forcing(Schema):
    on = fields.Date(required=True)
    reason = fields.String(required=True, validate=validate.Length(1, REASON_LENGTH))
    size_reason = fields.String(load_default="", validate=validate.Length(max=REASON_LENGTH))
    term_until = fields.Date(
        load_default=None, allow_none=True, metadata={"description": "Last day of the term of leaders proposed"}
    )
    leaders = fields.List(
        fields.Nested(LeaderOfPart), load_default=list, validate=validate.Length(max=500),
        metadata={"description": "Who the proposed leaders are, where a name alone does not say it"},
    )  # fmt: skip
