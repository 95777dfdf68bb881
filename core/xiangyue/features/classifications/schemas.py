"""What the API takes and gives. Grounds the reader may not see are left out, and ``restricted`` says so."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from xiangyue.api.lists import ListArgs
from xiangyue.features.classifications.policy import MOST_AT_ONCE, NOTE_LENGTH, STATES
from xiangyue.features.households.schemas import BIGINT, AreaCode

SORTS = ("place", "name", "due", "computed")


def _text(description: str, **options: Any) -> fields.String:
    return fields.String(metadata={"description": description}, **options)


class OutcomeSchema(Schema):
    """An outcome: colour and word. ``text`` says too when grounds are restricted."""

    outcome = _text("Key of the outcome")
    text = _text("What people read")
    tone = _text("green, yellow, red, blue, grey or undetermined")
    restricted = fields.Boolean(metadata={"description": "It rests on grounds that the caller may not see"})


class GroundSchema(Schema):
    """One input that the caller may see."""

    input = fields.String()
    label = fields.String()
    value = fields.Raw(allow_none=True)
    text = fields.String()


class ClassificationSchema(Schema):
    """A line of the list; never with a ground that needs a right of its own."""

    id = fields.Integer()
    household_id = fields.Integer()
    household_code = fields.String()
    head_name = fields.String()
    area_code = fields.Integer()
    area_name = fields.String()
    classifier = fields.String()
    standing = fields.Nested(OutcomeSchema, metadata={"description": "What is in force, else what is proposed"})
    in_force = fields.Nested(OutcomeSchema, allow_none=True)
    proposed = fields.Nested(OutcomeSchema)
    state = fields.String(validate=validate.OneOf(list(STATES)))
    waits_for = _text("Key of the step that is owed", allow_none=True)
    rule_version = fields.String()
    valid_from = fields.Date(allow_none=True)
    valid_to = fields.Date(allow_none=True)
    review_due = fields.Date(allow_none=True)
    computed_at = fields.DateTime()
    version = fields.Integer()


class ClassificationListSchema(Schema):
    items = fields.List(fields.Nested(ClassificationSchema))
    next = fields.String(allow_none=True)


class ClauseSchema(Schema):
    """What a rule rests on, as published."""

    clause = fields.String()
    source = fields.String()
    text = fields.String()


class ReasonSchema(Schema):
    """Why: inputs, clause and rule version. ``clause`` is null where a ground is left out."""

    outcome = fields.Nested(OutcomeSchema)
    inputs = fields.List(fields.Nested(GroundSchema))
    restricted = fields.Boolean(metadata={"description": "Inputs are left out: the caller lacks their right"})
    closed = fields.Boolean(metadata={"description": "Inputs are left out until a purpose is stated (X-Purpose)"})
    clause = fields.Nested(ClauseSchema, allow_none=True)
    rule_version = fields.String()


class EventSchema(Schema):
    """A line of the history. ``note`` is null where a ground of that moment is left out."""

    at = fields.DateTime()
    event = fields.String()
    step = fields.String()
    outcome = fields.Nested(OutcomeSchema, allow_none=True)
    state = fields.String()
    note = fields.String(allow_none=True)
    who = fields.String()
    reason = fields.Nested(ReasonSchema)


class ClassificationRecordSchema(ClassificationSchema):
    """A classification with why and its history."""

    why = fields.Nested(ReasonSchema, metadata={"description": "Of what the household counts as"})
    proposal = fields.Nested(ReasonSchema, metadata={"description": "Of what the rule says now"})
    otherwise = fields.Boolean(metadata={"description": "People decided otherwise than the rule proposed"})
    history = fields.List(fields.Nested(EventSchema))


class ClassificationListArgs(ListArgs):
    """Conditions, order and fields of the list."""

    area = AreaCode(load_default=0, metadata={"description": "6, 9, 12 or 15 digits: the area and all below it"})
    classifier = _text("Key of a classifier", load_default="")
    outcome = _text("Key of an outcome, or <classifier>:<outcome>: in force, else proposed", load_default="")
    state = fields.String(load_default="", validate=validate.OneOf(["", "open", *STATES]))
    step = _text("Key of the step that is owed", load_default="")
    due = fields.String(load_default="", validate=validate.OneOf(["", "late", "soon"]))
    mine = fields.Boolean(load_default=False, metadata={"description": "A step that the caller may do is owed"})
    household = fields.Integer(load_default=None, validate=validate.Range(1, BIGINT))
    sort = fields.String(load_default="place", validate=validate.OneOf([*SORTS, *(f"-{key}" for key in SORTS)]))


class Decision(Schema):
    """A step of a decision; another outcome than proposed needs a note."""

    step = fields.String(required=True)
    outcome = fields.String(required=True)
    note = fields.String(load_default="", validate=validate.Length(max=NOTE_LENGTH))


class Reopening(Schema):
    note = fields.String(required=True, validate=validate.Length(min=1, max=NOTE_LENGTH))


class Seen(Schema):
    """A classification as it was looked at."""

    id = fields.Integer(required=True, strict=True, validate=validate.Range(1, BIGINT))
    version = fields.Integer(required=True, strict=True)


class Confirmation(Schema):
    """What is confirmed together: ``items``, or all of a list that follow the rule and have not changed since
    ``as_of``."""

    classifier = fields.String(required=True)
    step = fields.String(required=True)
    items = fields.List(fields.Nested(Seen), load_default=None, validate=validate.Length(max=MOST_AT_ONCE))
    area = AreaCode(load_default=0)
    outcome = fields.String(load_default="")
    as_of = fields.AwareDateTime(load_default=None)


class ConfirmedSchema(Schema):
    """``changed`` since they were looked at, ``left`` to decisions of their own, ``more`` than go in one lot."""

    ids = fields.List(fields.Integer())
    changed = fields.Integer()
    left = fields.Integer()
    more = fields.Integer()


class ComputeArgs(Schema):
    classifier = fields.String(required=True)
    area = AreaCode(load_default=0)


class ComputeJobSchema(Schema):
    """The job that computes: its state is at /api/v1/jobs/<id>."""

    job_id = fields.Integer()


class OutcomeKindSchema(Schema):
    key = fields.String()
    label = fields.String()
    tone = fields.String()
    undetermined = fields.Boolean()


class InputKindSchema(Schema):
    key = fields.String()
    label = fields.String()
    kind = fields.String()
    permission = _text("Right that it needs, empty for none")


class StepSchema(Schema):
    key = fields.String()
    label = fields.String()
    permission = fields.String()


class RuleVersionSchema(Schema):
    key = fields.String()
    valid_from = fields.Date()
    clauses = fields.List(fields.Nested(ClauseSchema))


class ClassifierSchema(Schema):
    """A classification by rule that the county has."""

    key = fields.String()
    label = fields.String()
    outcomes = fields.List(fields.Nested(OutcomeKindSchema))
    inputs = fields.List(fields.Nested(InputKindSchema))
    steps = fields.List(fields.Nested(StepSchema))
    versions = fields.List(fields.Nested(RuleVersionSchema))
    valid_months = fields.Integer()


class ClassifierListSchema(Schema):
    items = fields.List(fields.Nested(ClassifierSchema))
    next = fields.String(allow_none=True)
