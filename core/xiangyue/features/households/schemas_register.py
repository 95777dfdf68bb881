"""What the API of the register takes and gives."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from xiangyue.api.lists import ListArgs
from xiangyue.features.households.inputs import NewPerson
from xiangyue.features.households.models_register import ACT_STATES, KINDS
from xiangyue.features.households.schemas import AreaCode

_CODE = {"description": "GB/T 4761, as code, label or synonym"}


class NewcomerInput(NewPerson):
    """Who is born or moves in; the household stands beside it."""

    class Meta:
        exclude = ("household_id", "client_id", "away")


class ActRequest(Schema):
    """What an act needs besides its day, by kind:

    birth, move_in: household_id, values (move_in: or person_id of somebody who had left), registered, living · move:
    person_id, household_id, relation, registered, living · move_out: person_id, registered, living · leave, death:
    person_id · return: person_id, household_id (where registered, when missing), relation · head_change: household_id,
    person_id, relations · split: household_id, persons, person_id (the new head), relations, address, area_code,
    registered, living · merge: household_id, other_household_id (the one that stays), relations · close, reopen:
    household_id.
    """

    household_id = fields.Integer(strict=True)
    other_household_id = fields.Integer(strict=True)
    person_id = fields.Integer(strict=True)
    persons = fields.List(fields.Integer(strict=True))
    relation = fields.String(metadata=_CODE)
    relations = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        metadata={"description": "GB/T 4761 to the new head, by person id"},
    )
    registered = fields.Boolean(metadata={"description": "By the household register; true when missing"})
    living = fields.Boolean(metadata={"description": "By where the person lives; true when missing"})
    values = fields.Nested(NewcomerInput)
    address = fields.String()
    area_code = AreaCode(metadata={"description": "15 digits of a village or group"})


class NewAct(ActRequest):
    """An act. The same ``client_id`` with the same values is the same act; with others it is refused (409)."""

    kind = fields.String(required=True, validate=validate.OneOf(KINDS))
    on = fields.Date(required=True, metadata={"description": "Not to come, nor before what it would be built on"})
    reason = fields.String(load_default="")
    client_id = fields.UUID(load_default=None)


class Confirming(Schema):
    """What corrects or completes a report."""

    on = fields.Date(load_default=None)
    values = fields.Nested(NewcomerInput, load_default=None)


class ActPersonSchema(Schema):
    id = fields.Integer()
    name = fields.String()


class ActSchema(Schema):
    """An act (变动). Those reported have changed nothing yet."""

    id = fields.Integer()
    kind = fields.String(validate=validate.OneOf(KINDS))
    on = fields.Date()
    state = fields.String(validate=validate.OneOf(ACT_STATES))
    household_id = fields.Integer()
    other_household_id = fields.Integer(allow_none=True)
    area_code = fields.Integer(metadata={"description": "15 digits"})
    persons = fields.List(fields.Nested(ActPersonSchema))
    reason = fields.String()
    reported_by = fields.String(metadata={"description": "Name of who did or reported it"})
    reported_at = fields.DateTime(allow_none=True)
    decided_by = fields.String(metadata={"description": "Name of who did, confirmed, refused or undid it"})
    decided_at = fields.DateTime(allow_none=True)
    decision = fields.String(metadata={"description": "Why it was refused or undone"})
    version = fields.Integer()


class ActListSchema(Schema):
    items = fields.List(fields.Nested(ActSchema))
    next = fields.String(allow_none=True)


class ActListArgs(ListArgs):
    state = fields.String(load_default="", validate=validate.OneOf(["", *ACT_STATES]))
    kind = fields.String(load_default="", validate=validate.OneOf(["", *KINDS]))
    area = AreaCode(load_default=0, metadata={"description": "6, 9, 12 or 15 digits: the area and all below it"})
    sort = fields.String(load_default=None, validate=validate.OneOf([]), metadata={"description": "Newest first"})

    class Meta:
        exclude = ("sort", "fields_")


class DayArgs(Schema):
    on = fields.Date(load_default=None, metadata={"description": "As of the end of that day; today when missing"})


class CountArgs(DayArgs):
    area = AreaCode(load_default=0, metadata={"description": "6, 9, 12 or 15 digits: the area and all below it"})


class CountSchema(Schema):
    on = fields.Date()
    registered = fields.Integer(metadata={"description": "By the household register"})
    living = fields.Integer(metadata={"description": "By where they live"})


class PlaceSchema(Schema):
    household_id = fields.Integer()
    code = fields.String()
    head_name = fields.String()
    area_name = fields.String()


class MemberSchema(Schema):
    """Who belonged to the household on that day, and on which base."""

    person_id = fields.Integer()
    name = fields.String()
    sex = fields.Integer()
    birth_date = fields.Date(allow_none=True)
    relation = fields.String(metadata={"description": "GB/T 4761 to the head of that day"})
    registered = fields.Boolean()
    living = fields.Boolean()
    away = fields.Boolean(metadata={"description": "Registered here, living in no household of the county"})
    since = fields.Date(allow_none=True, metadata={"description": "null: since it was first recorded"})
    lives_at = fields.Nested(PlaceSchema, allow_none=True)
    registered_at = fields.Nested(PlaceSchema, allow_none=True)


class HouseholdOnSchema(Schema):
    household_id = fields.Integer()
    on = fields.Date()
    state = fields.String(validate=validate.OneOf(["not_yet", "active", "closed"]))
    registered = fields.Integer()
    living = fields.Integer()
    members = fields.List(fields.Nested(MemberSchema))


def request_of(data: dict[str, Any]) -> dict[str, Any]:
    """The part of a new act's body that the service takes as ``request``."""
    return {name: value for name, value in data.items() if name in ActRequest().fields}
