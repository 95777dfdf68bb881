"""Bodies of requests that write."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from xiangyue.features.households.schemas import AreaCode

_CUSTOM = {
    "description": "Values of the county's own fields by key, a decimal with at most two places after the point; null"
    " takes one away"
}


class CodeText(fields.String):
    """A code, or its label; also as the number that answers have, so that what was read can be sent back."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> Any:
        number = isinstance(value, int) and not isinstance(value, bool)
        return super()._deserialize(str(value) if number else value, attr, data, **options)


class PersonPatch(Schema):
    """What may be said of a person. Codes, labels or synonyms are read for relation, sex and nationality."""

    name = fields.String(validate=validate.Length(max=60))
    relation = fields.String(metadata={"description": "GB/T 4761; 02 is the head"})
    sex = CodeText(
        metadata={
            "description": 'GB/T 2261.1, as 1 or "1"; from the citizen number when missing',
            "type": ["integer", "string"],
        }
    )
    birth_date = fields.String(
        allow_none=True, metadata={"description": "Date; from the citizen number when missing", "format": "date"}
    )
    id_number = fields.String(metadata={"description": "18 characters, GB 11643; empty takes it away"})
    phone = fields.String(metadata={"description": "Empty takes it away"})
    nationality = fields.String(metadata={"description": "GB/T 3304"})
    away = fields.Boolean()
    note = fields.String()
    household_id = fields.Integer(strict=True, metadata={"description": "Moves the person into another household"})
    custom = fields.Dict(keys=fields.String(), metadata=_CUSTOM)
    different = fields.Boolean(
        metadata={"description": "Somebody else than those whom an answer 409 (looks_like) named"}
    )


class NewPerson(PersonPatch):
    """A new member. The same ``client_id`` with the same values is the same person; with others it is refused (409)."""

    class Meta:
        exclude = ("household_id",)

    name = fields.String(required=True, validate=validate.Length(max=60))
    client_id = fields.UUID(load_default=None)


class HouseholdPatch(Schema):
    """What may be changed in a household."""

    area_code = AreaCode(metadata={"description": "15 digits of a village or group"})
    address = fields.String()
    location = fields.String(metadata={"description": "Longitude,latitude in degrees of WGS 84 or CGCS2000; or empty"})
    note = fields.String()
    custom = fields.Dict(keys=fields.String(), metadata=_CUSTOM)


class HeadInput(NewPerson):
    """The head of a new household."""

    class Meta:
        exclude = ("household_id", "client_id", "relation")


class NewHousehold(HouseholdPatch):
    """A new household with its head; its code is given by us. The same ``client_id`` with the same values is the same
    household; with others it is refused (409)."""

    area_code = AreaCode(required=True, metadata={"description": "15 digits of a village or group"})
    head = fields.Nested(HeadInput, required=True)
    client_id = fields.UUID(load_default=None)


class Closing(Schema):
    on = fields.Date(required=True)
    reason = fields.String(required=True)


class Leaving(Schema):
    state = fields.String(required=True, validate=validate.OneOf(["moved", "deceased"]))
    on = fields.Date(required=True)
    reason = fields.String(load_default="")


class Reason(Schema):
    reason = fields.String(required=True)


class NewMark(Schema):
    mark = fields.String(required=True, metadata={"description": "Key of the kind"})
    source = fields.String(load_default="")
    valid_from = fields.Date(load_default=None)
    note = fields.String(load_default="")


class EndMark(Schema):
    on = fields.Date(load_default=None, metadata={"description": "Last day; today when missing"})
    reason = fields.String(load_default="")


class IncomeInput(Schema):
    amount = fields.Integer(
        required=True, strict=True, allow_none=True, metadata={"description": "Whole yuan; null takes the record away"}
    )
    source = fields.String(load_default="")


class AwardInput(Schema):
    awarded = fields.Boolean(
        required=True,
        allow_none=True,
        metadata={"description": "null takes the record away: unrecorded is not the same as not awarded"},
    )
    source = fields.String(load_default="")


class RevealInput(Schema):
    purpose = fields.String(required=True, metadata={"description": "Why; it stands in the audit trail"})


class Revealed(Schema):
    id_number = fields.String()
    phone = fields.String()
