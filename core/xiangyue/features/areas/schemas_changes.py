"""Contracts of the API of changes of areas."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from xiangyue.api.lists import ListArgs
from xiangyue.features.areas.changes import official
from xiangyue.features.areas.models_change import KINDS, STATES

_CODE = {"description": "Code of an area: 9, 12 or 15 digits"}
_FREE = {"description": "Code of the new area; the next free one of its kind when missing"}


class PartSchema(Schema):
    """One of the areas that another is split into."""

    code = fields.String(load_default="", metadata=_FREE)
    name = fields.String(required=True, validate=validate.Length(1, 60))
    kind = fields.String(load_default="", metadata={"description": "group or hamlet, of a villager group"})
    children = fields.List(
        fields.String(), load_default=list, metadata={"description": "Codes of what lies below and goes to this part"}
    )


class RuleSchema(Schema):
    """Households that go to an area: those of some groups, with house numbers from first to last."""

    groups = fields.List(fields.String(), load_default=list, metadata={"description": "Codes; all when empty"})
    first = fields.Integer(load_default=None, allow_none=True, metadata={"description": "House number in the address"})
    last = fields.Integer(load_default=None, allow_none=True)
    to = fields.String(required=True, metadata=_CODE)


class ChildSchema(Schema):
    """What an area below one that goes becomes."""

    code = fields.String(load_default="")
    name = fields.String(load_default="")


class AskedChangeSchema(Schema):
    """What a change does; each kind takes some of the fields."""

    on = fields.Date(required=True, metadata={"description": "From this day on"})
    reason = fields.String(
        load_default="", validate=validate.Length(max=200), metadata={"description": "Number and day of the document"}
    )
    area = fields.String(load_default="", metadata={"description": "rename, recode, move, split, close: which area"})
    areas = fields.List(fields.String(), load_default=list, metadata={"description": "merge: those that go"})
    into = fields.String(load_default="", metadata={"description": "merge: the one that stays, or a new one's code"})
    parent = fields.String(load_default="", metadata={"description": "move, create: the area above"})
    code = fields.String(load_default="", metadata=_FREE)
    name = fields.String(load_default="", validate=validate.Length(max=60))
    kind_of_group = fields.String(load_default="", metadata={"description": "rename, create: group or hamlet"})
    keep = fields.Boolean(load_default=True, metadata={"description": "split: the area itself stays, with the rest"})
    parts = fields.List(fields.Nested(PartSchema), load_default=list)
    children = fields.Dict(
        keys=fields.String(),
        values=fields.Nested(ChildSchema),
        load_default=dict,
        metadata={"description": "merge: new codes and names of what lies below, by their codes of today"},
    )
    rules = fields.List(fields.Nested(RuleSchema), load_default=list)
    households = fields.Dict(
        keys=fields.Integer(),
        values=fields.String(),
        load_default=dict,
        metadata={"description": "merge, split: code of the area by id of the household; goes before rules"},
    )


class DraftedChangeSchema(AskedChangeSchema):
    """A draft."""

    kind = fields.String(required=True, validate=validate.OneOf(KINDS))


class MovedTableSchema(Schema):
    """Rows of one kind."""

    table = fields.String()
    label = fields.String()
    moves = fields.Integer()
    stays = fields.Integer(metadata={"description": "One is there already, and an area has one at most"})


class MovedGrantSchema(Schema):
    """A role that follows its area."""

    account = fields.String()
    role = fields.String()
    code = fields.String()
    to = fields.List(fields.String(), metadata={"description": "Where it holds then; empty: it ends"})


class StepSchema(Schema):
    """Households that go from one area to another."""

    source = fields.String()
    to = fields.String()
    households = fields.Integer()


class DryRunSchema(Schema):
    """What a draft would do."""

    possible = fields.Boolean()
    problems = fields.Dict(keys=fields.String(), values=fields.List(fields.String()))
    households = fields.Integer(metadata={"description": "Open households that move"})
    closed = fields.Integer(metadata={"description": "Closed ones that move along"})
    persons = fields.Integer()
    without = fields.List(fields.String(), metadata={"description": "Numbers of households that would be in no area"})
    steps = fields.List(fields.Nested(StepSchema))
    made = fields.List(fields.Dict(), metadata={"description": "New areas: code, name, kind"})
    ended = fields.Dict(keys=fields.String(), values=fields.String(), metadata={"description": "code -> what leads on"})
    tables = fields.List(fields.Nested(MovedTableSchema))
    grants = fields.List(fields.Nested(MovedGrantSchema))


class AreaChangeItemSchema(Schema):
    """A change of areas."""

    id = fields.Integer()
    kind = fields.String(validate=validate.OneOf(KINDS))
    state = fields.String(validate=validate.OneOf(STATES))
    on = fields.Date()
    reason = fields.String()
    area = fields.String(metadata=_CODE)
    request = fields.Dict()
    counts = fields.Dict()
    job_id = fields.Integer(allow_none=True)
    made_by = fields.String()
    arranged_by = fields.String(metadata={"description": "Who arranged it for a day to come"})
    refused = fields.String(metadata={"description": "Why it could not be put in force when its day came"})
    done_at = fields.DateTime(allow_none=True)
    done_by = fields.String()
    undone_at = fields.DateTime(allow_none=True)
    undone_by = fields.String()
    undo_reason = fields.String()
    version = fields.Integer()


class AreaChangeDetailSchema(AreaChangeItemSchema):
    """The same; a draft with what it would do."""

    dry_run = fields.Nested(DryRunSchema, allow_none=True)


class AreaChangeArgs(ListArgs):
    """Arguments of the list."""

    state = fields.String(load_default="", validate=validate.OneOf(["", *STATES]))
    kind = fields.String(load_default="", validate=validate.OneOf(["", *KINDS]))
    area = fields.String(load_default="", metadata={"description": "In this area"})


class AreaChangePageSchema(Schema):
    """One page of changes."""

    items = fields.List(fields.Nested(AreaChangeItemSchema))
    next = fields.String(allow_none=True)


class UndoOutlookSchema(Schema):
    """What an undo would do."""

    possible = fields.Boolean()
    households = fields.Integer()
    persons = fields.Integer()
    in_the_way = fields.List(fields.String())
    later = fields.List(fields.Integer(), metadata={"description": "Changes to undo first"})


class UndoReasonSchema(Schema):
    """Why."""

    reason = fields.String(required=True, validate=validate.Length(1, 200))


class ListedAreaSchema(Schema):
    """A town or village of the official list."""

    code = fields.String(required=True, validate=validate.Regexp(r"^(\d{9}|\d{12})$"), metadata=_CODE)
    name = fields.String(required=True, validate=validate.Length(1, 60))


class OfficialListSchema(Schema):
    """The official list of a county."""

    areas = fields.List(
        fields.Nested(ListedAreaSchema), required=True, validate=validate.Length(min=1, max=official.MOST_LINES)
    )


class DifferenceSchema(Schema):
    """What the official list has otherwise than the county."""

    kind = fields.String(required=True, validate=validate.OneOf(["new", "gone", "renamed", "recoded"]))
    code = fields.String(required=True, metadata={"description": "The county's code; of a new area the list's"})
    name = fields.String(required=True, validate=validate.Length(1, 60))
    to = fields.String(load_default="", metadata={"description": "recoded: the list's code"})
    to_name = fields.String(load_default="", validate=validate.Length(max=60))


class DifferencesSchema(Schema):
    """All differences, towns first."""

    items = fields.List(fields.Nested(DifferenceSchema))


class TakeOverSchema(Schema):
    """Differences to take over as changes of areas."""

    on = fields.Date(required=True, metadata={"description": "From this day on"})
    reason = fields.String(load_default="", validate=validate.Length(max=200))
    force = fields.Boolean(load_default=False, metadata={"description": "Put in force what nothing hinders"})
    lines = fields.List(fields.Nested(DifferenceSchema), required=True, validate=validate.Length(min=1, max=500))


class NotTakenSchema(Schema):
    """A line that was not taken, or not put in force, and why."""

    code = fields.String()
    why = fields.String()


class TakenOverSchema(Schema):
    """What was taken over."""

    changes = fields.List(fields.Nested(AreaChangeItemSchema))
    failed = fields.List(fields.Nested(NotTakenSchema))
