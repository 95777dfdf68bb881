"""What the API takes and gives."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from xiangyue.api.lists import ListArgs
from xiangyue.features.grids.boundaries.fit import MISFITS
from xiangyue.features.grids.boundaries.geojson import STATES, SYSTEMS
from xiangyue.features.grids.policy import (
    AREA,
    BASES,
    CHANGE_STATES,
    CHANGES,
    KINDS,
    LEADER_CONDITIONS,
    ROLES,
    SIZE_CONDITIONS,
)
from xiangyue.features.households.schemas import AreaCode

_MOST = 5_000
_SORTS = ("code", "name", "level")


class DayArgs(Schema):
    on = fields.Date(load_default=None, metadata={"description": "As of this day; today when missing"})


class GridListArgs(ListArgs):
    """Conditions and order of the list."""

    on = fields.Date(load_default=None, metadata={"description": "As of this day; today when missing"})
    area = AreaCode(load_default=0, metadata={"description": "Only grids of this area"})
    level = fields.Integer(
        load_default=None, validate=validate.Range(0, 3), metadata={"description": "0: special grids"}
    )
    kind = fields.String(load_default="", validate=validate.OneOf(["", *KINDS]))
    size = fields.String(
        load_default="", validate=validate.OneOf(["", *SIZE_CONDITIONS]),
        metadata={"description": "out: outside the county's rule; unexplained, explained: out without and with a"
                  " reason; fits: within it, or without one; to_divide: leaves of level 2 larger than level 3 may be"},
    )  # fmt: skip
    leader = fields.String(
        load_default="", validate=validate.OneOf(["", *LEADER_CONDITIONS]),
        metadata={"description": "none: without a leader; no_principal; over, soon: a leader's term; gone: a leader has"
                  " died or moved away"},
    )  # fmt: skip
    days = fields.Integer(
        load_default=90, validate=validate.Range(1, 3_650), metadata={"description": "Of leader=soon"}
    )
    leaf = fields.Boolean(load_default=False, metadata={"description": "Only those in which households lie"})
    q = fields.String(load_default="", metadata={"description": "Name, pinyin, or how a code of it begins"})
    sort = fields.String(
        load_default="code", validate=validate.OneOf([way + key for key in _SORTS for way in ("", "-")])
    )


class RuleSchema(Schema):
    basis = fields.String(load_default="living", validate=validate.OneOf([*BASES]))
    min_households = fields.Integer(load_default=None, allow_none=True)
    max_households = fields.Integer(load_default=None, allow_none=True)
    min_persons = fields.Integer(load_default=None, allow_none=True)
    max_persons = fields.Integer(load_default=None, allow_none=True)
    source = fields.String(load_default="")


class GridSchema(Schema):
    """A grid as of a day."""

    id = fields.Integer()
    code = fields.String()
    name = fields.String()
    kind = fields.String(validate=validate.OneOf([*KINDS]))
    special_kind = fields.String()
    level = fields.Integer(metadata={"description": "1 to 3; 0 of a special grid"})
    leaf = fields.Boolean(metadata={"description": "Whether households may lie in it"})
    area_code = fields.Integer()
    area_name = fields.String()
    parent_id = fields.Integer(allow_none=True)
    valid_from = fields.Date(allow_none=True)
    valid_to = fields.Date(allow_none=True)
    households = fields.Integer()
    registered = fields.Integer(metadata={"description": "Persons by the household register"})
    living = fields.Integer(metadata={"description": "Persons by where they live"})
    leader = fields.String(metadata={"description": "Who leads it, of several the principal one; empty for nobody"})
    leader_term_until = fields.Date(allow_none=True)
    breaches = fields.List(
        fields.String(), metadata={"description": "households_below, households_above, persons_below, persons_above"}
    )
    version = fields.Integer()


class GridListSchema(Schema):
    items = fields.List(fields.Nested(GridSchema))
    next = fields.String(allow_none=True)


class GridDetailSchema(GridSchema):
    on = fields.Date()
    standing = fields.Boolean(metadata={"description": "Whether it stands on that day"})
    rule = fields.Nested(RuleSchema)
    codes = fields.List(fields.String(), metadata={"description": "All codes it ever had, the newest first"})
    below = fields.List(fields.Integer(), metadata={"description": "Ids of the grids directly below"})
    size_notes = fields.List(fields.Dict(), metadata={"description": "Reasons for a size outside the rule"})


class InsideSchema(Schema):
    id = fields.Integer()
    code = fields.String()
    head_name = fields.String()
    address = fields.String()
    area_code = fields.Integer()
    area_name = fields.String()
    since = fields.Date()
    until = fields.Date(allow_none=True)
    registered = fields.Integer()
    living = fields.Integer()


class InsideListSchema(Schema):
    items = fields.List(fields.Nested(InsideSchema))
    next = fields.String(allow_none=True)


class ChangeSchema(Schema):
    """A change of a village's grids."""

    id = fields.Integer()
    kind = fields.String(validate=validate.OneOf([*CHANGES]))
    on = fields.Date()
    state = fields.String(validate=validate.OneOf([*CHANGE_STATES]))
    area_code = fields.Integer(metadata={"description": "The village"})
    reason = fields.String()
    grids = fields.List(fields.Integer(), metadata={"description": "Grids that have another version by it"})
    made = fields.List(fields.Integer(), metadata={"description": "New grids among them"})
    households = fields.Integer(metadata={"description": "How many households it put elsewhere"})
    by_name = fields.String()
    undone_by_name = fields.String()
    undone_reason = fields.String()
    version = fields.Integer()


class _Dated(Schema):
    on = fields.Date(required=True, metadata={"description": "The day it takes effect, at most a year ahead"})
    reason = fields.String(load_default="")


class _Sized(_Dated):
    size_reason = fields.String(
        load_default="",
        metadata={"description": "Why a grid is outside the size rule; 422 `reason_needed` asks for it"},
    )


def _ids(*, required: bool = False) -> fields.List[Any]:
    inner = fields.Integer(strict=True)
    if required:
        return fields.List(inner, required=True, validate=validate.Length(1, _MOST))
    return fields.List(inner, load_default=list, validate=validate.Length(max=_MOST))


class NewGrid(_Sized):
    area_code = AreaCode(required=True, metadata={"description": "The village or one of its groups"})
    name = fields.String(required=True)
    level = fields.Integer(required=True, validate=validate.Range(0, 3))
    parent_id = fields.Integer(load_default=None, allow_none=True)
    kind = fields.String(load_default=AREA, validate=validate.OneOf([*KINDS]))
    special_kind = fields.String(load_default="")
    household_ids = _ids()


class Renaming(_Dated):
    name = fields.String(required=True)


class Undrawing(_Dated):
    """From which day on the grid has no outline."""


class Recoding(Schema):
    code = fields.String(required=True)
    reason = fields.String(required=True)


class Closing(_Sized):
    into_id = fields.Integer(load_default=None, allow_none=True, metadata={"description": "Where its households go"})


class PartOfGrid(Schema):
    name = fields.String(required=True)
    household_ids = _ids(required=True)


class Splitting(_Sized):
    parts = fields.List(fields.Nested(PartOfGrid), required=True, validate=validate.Length(1, 50))
    below = fields.Boolean(load_default=False, metadata={"description": "Below it; every household must be in a part"})


class Merging(_Sized):
    grid_ids = _ids(required=True)
    into_id = fields.Integer(required=True)


class Moving(_Sized):
    household_ids = _ids(required=True)


class PartOfPlan(Schema):
    key = fields.String(required=True, metadata={"description": "How `parent` of another part calls it"})
    name = fields.String(required=True)
    level = fields.Integer(required=True, validate=validate.Range(1, 3))
    area_code = AreaCode(required=True)
    parent = fields.String(load_default=None, allow_none=True)
    keep_grid_id = fields.Integer(load_default=None, allow_none=True)
    household_ids = _ids()


class Dividing(_Sized):
    village = AreaCode(required=True)
    parts = fields.List(fields.Nested(PartOfPlan), required=True, validate=validate.Length(1, 500))


class Undoing(Schema):
    reason = fields.String(required=True)


class TemplateSchema(Schema):
    template = fields.String(required=True)
    width = fields.Integer(required=True)


class DutiesSchema(Schema):
    """What whoever leads a grid of a level sees to."""

    title = fields.String(load_default="")
    items = fields.List(fields.String(), load_default=list)
    source = fields.String(load_default="", metadata={"description": "The paper that says so"})


class RulesSchema(Schema):
    duties = fields.Dict(
        keys=fields.Integer(), values=fields.Nested(DutiesSchema), metadata={"description": "By level"}
    )
    sizes = fields.Dict(keys=fields.Integer(), values=fields.Nested(RuleSchema), metadata={"description": "By level"})
    code = fields.Nested(TemplateSchema)


class WarningSchema(Schema):
    """What a plugin's rule had against a post."""

    plugin = fields.String()
    text = fields.String()
    source = fields.String(metadata={"description": "The clause"})


class PostSchema(Schema):
    """Somebody in charge of a grid."""

    id = fields.Integer()
    grid_id = fields.Integer()
    role = fields.String(validate=validate.OneOf([*ROLES]))
    principal = fields.Boolean(metadata={"description": "Of several leaders the one who answers for the grid"})
    person_id = fields.Integer(allow_none=True)
    name = fields.String()
    unit = fields.String()
    office_phone = fields.String(metadata={"description": "Made known on the public board"})
    since = fields.Date()
    term_until = fields.Date(allow_none=True)
    until = fields.Date(allow_none=True)
    ended_reason = fields.String()
    problem = fields.String(metadata={"description": "died, moved, term_over, or nothing"})
    warnings = fields.List(fields.Nested(WarningSchema), metadata={"description": "What rules had against it then"})
    warning_reason = fields.String(metadata={"description": "Why it was done all the same"})
    version = fields.Integer()


class PostListSchema(Schema):
    items = fields.List(fields.Nested(PostSchema))
    next = fields.String(allow_none=True)


class LookAheadArgs(DayArgs):
    role = fields.String(load_default="leader", validate=validate.OneOf([*ROLES]))
    person_id = fields.Integer(load_default=None, metadata={"description": "Of the register; missing: from outside it"})


class VerdictSchema(Schema):
    """What rules of plugins have against somebody in charge."""

    refused = fields.String(metadata={"description": "Why it is not allowed; empty when it is"})
    warnings = fields.List(fields.Nested(WarningSchema), metadata={"description": "It takes a reason then"})


class NewPost(Schema):
    role = fields.String(required=True, validate=validate.OneOf([*ROLES]))
    valid_from = fields.Date(required=True)
    term_until = fields.Date(load_default=None, allow_none=True)
    principal = fields.Boolean(load_default=False)
    person_id = fields.Integer(load_default=None, allow_none=True)
    name = fields.String(load_default="")
    unit = fields.String(load_default="")
    office_phone = fields.String(load_default="")
    reason = fields.String(
        load_default="",
        metadata={"description": "Needed where a rule warns; the answer 422 names the field and has `warnings`"},
    )
    login = fields.String(
        load_default="", metadata={"description": "Of the holder's account, who is told there when the term ends"}
    )


class EndOfPost(Schema):
    on = fields.Date(required=True)
    reason = fields.String(required=True)


class AreaDayArgs(DayArgs):
    area = AreaCode(load_default=0, metadata={"description": "Only grids of this area"})


class OutlinesSchema(Schema):
    """A GeoJSON collection (RFC 7946) in degrees of WGS 84 or CGCS2000; ``properties`` of a feature: code, name, level,
    area_code."""

    type = fields.String(metadata={"description": "FeatureCollection"})
    features = fields.List(fields.Dict())


class NewOutlines(_Dated):
    collection = fields.Dict(required=True, metadata={"description": "A GeoJSON collection of polygons in degrees"})
    system = fields.String(
        required=True, validate=validate.OneOf([*SYSTEMS]),
        metadata={"description": "How it was drawn; only wgs84 (which CGCS2000 equals) is taken over"},
    )  # fmt: skip
    property = fields.String(
        load_default="", metadata={"description": "Which property holds the grid's code; suggested when missing"}
    )
    swapped = fields.Boolean(load_default=False, metadata={"description": "Latitude comes first"})
    simplify = fields.Boolean(load_default=False, metadata={"description": "Leave points out where there are too many"})
    dry_run = fields.Boolean(load_default=False, metadata={"description": "Only say what would be done"})


class OutlineLineSchema(Schema):
    number = fields.Integer(metadata={"description": "Its place in the collection, from 1"})
    label = fields.String()
    code = fields.String(metadata={"description": "What the property says"})
    grid_id = fields.Integer(allow_none=True)
    state = fields.String(validate=validate.OneOf([*STATES]))
    says = fields.List(fields.String(), metadata={"description": "Faults, and what was done to it"})


class MisfitSchema(Schema):
    village = fields.Integer(metadata={"description": "15 digits"})
    kind = fields.String(
        validate=validate.OneOf([*MISFITS]),
        metadata={"description": "overlap of two grids; gap: land in none; beyond: reaches out of the village"},
    )
    grids = fields.List(fields.Integer())
    area = fields.Float(metadata={"description": "m²"})
    geometry = fields.Dict(metadata={"description": "Where, as GeoJSON"})


class TakenOutlinesSchema(Schema):
    property = fields.String(metadata={"description": "The property that held the code"})
    lines = fields.List(fields.Nested(OutlineLineSchema))
    misfits = fields.List(fields.Nested(MisfitSchema), metadata={"description": "Once it is taken over"})
    changes = fields.List(fields.Nested(ChangeSchema), metadata={"description": "One for each village"})


class FitSchema(Schema):
    misfits = fields.List(fields.Nested(MisfitSchema))
    without = fields.List(fields.Integer(), metadata={"description": "Leaf grids without outline: gaps are not told"})
