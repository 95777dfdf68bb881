"""Contracts of the API about personal information."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from xiangyue.access.lawful import BASES
from xiangyue.api.lists import ListArgs
from xiangyue.tenancy.field_owners import DEPARTMENTS


class FieldOwnerSchema(Schema):
    """A field of the register, who answers for it and why it is kept."""

    field = fields.String(metadata={"description": "`person.phone`, `custom.household.water`, `mark.disabled` …"})
    label = fields.String()
    department = fields.String(
        metadata={
            "description": f"One of {', '.join(DEPARTMENTS)}; of marks the county's own words; empty: nobody said"
        }
    )
    department_label = fields.String()
    basis = fields.String(validate=validate.OneOf(["", *BASES]), metadata={"description": "PIPL article 13"})
    law = fields.String()
    stays = fields.Boolean(
        metadata={"description": "Kept as long as the person is on the register, whoever asks for erasure"}
    )


class FieldOwnerArgs(ListArgs):
    """Arguments of the list; it has one order and one page."""


class FieldOwnerPageSchema(Schema):
    """All fields."""

    items = fields.List(fields.Nested(FieldOwnerSchema))
    next = fields.String(allow_none=True)
