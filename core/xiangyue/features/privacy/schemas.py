"""Contracts of the API about personal information."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from xiangyue.access.lawful import BASES
from xiangyue.api.lists import ListArgs
from xiangyue.features.privacy.policy import CHANNELS, IDENTITIES, KINDS, SEEN, STATES, WAYS
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


class PrivacyRequestInputSchema(Schema):
    """A request as it is registered."""

    person_id = fields.Integer(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(list(KINDS)))
    asked = fields.String(load_default="", metadata={"description": "In the person's own words"})
    channel = fields.String(required=True, validate=validate.OneOf(list(CHANNELS)))
    identity = fields.String(
        required=True,
        validate=validate.OneOf(list(IDENTITIES)),
        metadata={"description": "How it was made sure who asks"},
    )
    identity_note = fields.String(load_default="")
    by_agent = fields.Boolean(load_default=False, metadata={"description": "Somebody asks on the person's behalf"})
    agent_name = fields.String(load_default="")
    agent_relation = fields.String(load_default="")
    received_on = fields.Date(load_default=None, allow_none=True, metadata={"description": "Today when missing"})


class PrivacyRequestSchema(Schema):
    """A request about personal information and how far it is. ``version`` goes into If-Match."""

    id = fields.Integer()
    number = fields.String()
    person_id = fields.Integer()
    person_name = fields.String()
    kind = fields.String(validate=validate.OneOf(list(KINDS)))
    asked = fields.String()
    channel = fields.String(validate=validate.OneOf(list(CHANNELS)))
    identity = fields.String(validate=validate.OneOf(list(IDENTITIES)))
    by_agent = fields.Boolean()
    agent_name = fields.String()
    agent_relation = fields.String()
    received_on = fields.Date()
    due_on = fields.Date()
    due_provisional = fields.Boolean(
        metadata={"description": "Counted by weekdays: the holidays of that year are not announced yet"}
    )
    extended_from = fields.Date(allow_none=True, metadata={"description": "Its day before it was put off"})
    late = fields.Boolean()
    state = fields.String(validate=validate.OneOf(list(STATES)))
    answer = fields.String(metadata={"description": "What the person was told; of one refused, the reason"})
    erased = fields.List(fields.String(), metadata={"description": "What went"})
    kept = fields.List(fields.String(), metadata={"description": "What stays, as keys of the documentation"})
    files = fields.List(
        fields.Nested(lambda: KeptFileSchema()),
        metadata={"description": "Uploaded files that still held the person at the erasure"},
    )
    ended_on = fields.Date(allow_none=True)
    version = fields.Integer()


class KeptFileSchema(Schema):
    """A file of an import that holds an erased person until its day."""

    import_id = fields.Integer(attribute="import", data_key="import")
    name = fields.String()
    until = fields.Date(allow_none=True, metadata={"description": "None: kept until somebody deletes it"})
    sure = fields.Boolean(metadata={"description": "False: its rows are gone, so that it may hold the person"})


class PrivacyRequestPageSchema(Schema):
    """One page of requests."""

    items = fields.List(fields.Nested(PrivacyRequestSchema))
    next = fields.String(allow_none=True)


class PrivacyRequestListArgs(ListArgs):
    """Arguments of the list; ``sort``: received or due, with - for descending."""

    q = fields.String(load_default="", metadata={"description": "Start of the number, or part of the person's name"})
    kind = fields.String(load_default="", validate=validate.OneOf(["", *KINDS]))
    state = fields.String(load_default="", validate=validate.OneOf(["", "open", *STATES]))
    due = fields.String(load_default="", validate=validate.OneOf(["", "late", "soon"]))
    since = fields.Date(load_default=None, metadata={"description": "Received from"})
    until = fields.Date(load_default=None, metadata={"description": "Received up to"})
    person_id = fields.Integer(load_default=None)


class PersonLookSchema(Schema):
    """Somebody saw protected data of the person."""

    at = fields.DateTime()
    account_id = fields.Integer(allow_none=True)
    actor_name = fields.String()
    way = fields.String(validate=validate.OneOf(list(WAYS)))
    seen = fields.String(validate=validate.OneOf(list(SEEN)))
    detail = fields.String(metadata={"description": "Keys of the marks or columns, with commas"})
    purpose = fields.String()
    number = fields.String(metadata={"description": "Of an export, as on its file"})
    persons = fields.Integer(metadata={"description": "How many were seen together"})


class PersonLookPageSchema(Schema):
    """One page of a person's access log, newest first."""

    items = fields.List(fields.Nested(PersonLookSchema))
    next = fields.String(allow_none=True)


class PersonLookArgs(ListArgs):
    """Arguments of the log; it has one order."""

    who = fields.String(load_default="", metadata={"description": "Part of the name of whoever looked"})
    way = fields.String(load_default="", validate=validate.OneOf(["", *WAYS]))
    seen = fields.String(load_default="", validate=validate.OneOf(["", *SEEN]))
    since = fields.Date(load_default=None)
    until = fields.Date(load_default=None)


class PrivacyAnswerSchema(Schema):
    """What the person was told."""

    answer = fields.String(required=True)


class PrivacyReasonSchema(Schema):
    """Why."""

    reason = fields.String(required=True)


class PrivacyEraseSchema(Schema):
    """The person's version as it was read, and what the person is told."""

    person_version = fields.Integer(required=True)
    answer = fields.String(required=True)
