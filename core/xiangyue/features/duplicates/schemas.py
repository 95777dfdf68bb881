"""What the API takes and gives."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from xiangyue.api.lists import ListArgs
from xiangyue.features.duplicates import policy
from xiangyue.features.households.schemas import AreaCode


class PairListArgs(ListArgs):
    """Conditions and order of the list."""

    area = AreaCode(load_default=0, metadata={"description": "Only pairs that lie in this area with both"})
    kind = fields.String(load_default=policy.PERSON, validate=validate.OneOf([*policy.KINDS]))
    state = fields.String(load_default="open", validate=validate.OneOf([*policy.STATES, "all"]))
    reason = fields.String(load_default="", validate=validate.OneOf(["", *policy.REASONS]))
    least = fields.Integer(load_default=None, allow_none=True, validate=validate.Range(0, 100))
    record = fields.Integer(load_default=None, allow_none=True, metadata={"description": "Pairs of this record"})
    sort = fields.String(
        load_default="-score",
        validate=validate.OneOf([way + key for key in ("score", "found", "place", "name") for way in ("", "-")]),
    )


class SideSchema(Schema):
    """One of the two."""

    id = fields.Integer()
    name = fields.String(metadata={"description": "Of a household: its head's"})
    household_code = fields.String()
    area_code = fields.Integer()
    area_name = fields.String()
    state = fields.String()


class PairSchema(Schema):
    """Two records that may be one."""

    id = fields.Integer()
    kind = fields.String(validate=validate.OneOf([*policy.KINDS]))
    state = fields.String(validate=validate.OneOf([*policy.STATES]))
    score = fields.Integer(metadata={"description": "0 to 100"})
    reasons = fields.List(fields.String(validate=validate.OneOf([*policy.REASONS])))
    found_at = fields.DateTime()
    decided_at = fields.DateTime(allow_none=True)
    decided_name = fields.String()
    note = fields.String()
    version = fields.Integer()
    first = fields.Nested(SideSchema)
    second = fields.Nested(SideSchema)


class PairListSchema(Schema):
    items = fields.List(fields.Nested(PairSchema))
    next = fields.String(allow_none=True)


class NewPair(Schema):
    """Two records taken up by hand."""

    kind = fields.String(required=True, validate=validate.OneOf([*policy.KINDS]))
    one_id = fields.Integer(required=True, strict=True)
    other_id = fields.Integer(required=True, strict=True)


class Difference(Schema):
    note = fields.String(load_default="", validate=validate.Length(max=policy.NOTE_LENGTH))


class FindJobSchema(Schema):
    job_id = fields.Integer()


class OriginSchema(Schema):
    """Where a value came from."""

    what = fields.String(metadata={"description": "Action of the audit trail"})
    who = fields.String()
    at = fields.DateTime(allow_none=True)
    batch = fields.Integer(allow_none=True, metadata={"description": "Number of the import"})


class ValueSchema(Schema):
    text = fields.String(metadata={"description": "As shown; identifiers masked"})
    origin = fields.Nested(OriginSchema, allow_none=True)


class FactSchema(Schema):
    """What both say of one thing."""

    key = fields.String()
    label = fields.String()
    same = fields.Boolean()
    better = fields.String(metadata={"description": "Side that is taken when nothing else is said"})
    first = fields.Nested(ValueSchema)
    second = fields.Nested(ValueSchema)


class MovingSchema(Schema):
    """Rows of one kind that hang on the record that goes."""

    key = fields.String()
    label = fields.String()
    move = fields.Integer()
    stay = fields.Integer(metadata={"description": "Stay behind, because the survivor has such a row"})


class PreviewSchema(Schema):
    """What a merge would do."""

    keep = fields.String()
    facts = fields.List(fields.Nested(FactSchema))
    rows = fields.List(fields.Nested(MovingSchema))
    members = fields.Integer(metadata={"description": "Members of a household that go along"})


_SIDE = validate.OneOf(["first", "second"])


class PreviewArgs(Schema):
    keep = fields.String(load_default="first", validate=_SIDE, metadata={"description": "Which record stays"})


class Merging(Schema):
    keep = fields.String(required=True, validate=_SIDE, metadata={"description": "Which record stays"})
    take = fields.Dict(
        keys=fields.String(),
        values=fields.String(validate=_SIDE),
        load_default=dict,
        metadata={"description": "Side by fact; otherwise as the preview says"},
    )
