"""Contracts of the organisations API."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from xiangyue.api.lists import ListArgs
from xiangyue.features.organisations import policy

_AREA = {"description": "12 digits (national division code), 15 for a villager group"}
_DAY = {"description": "A day as 2026-11-22"}


class HolderSchema(Schema):
    """Somebody in a post."""

    id = fields.Integer()
    post_id = fields.Integer()
    person_id = fields.Integer(allow_none=True, metadata={"description": "null: somebody outside the register"})
    name = fields.String()
    unit = fields.String(metadata={"description": "Of somebody outside: where they belong"})
    valid_from = fields.Date()
    term_until = fields.Date(allow_none=True, metadata={"description": "When the term is due to end"})
    valid_to = fields.Date(allow_none=True, metadata={"description": "First day on which it was over; null: it stands"})
    way = fields.String(validate=validate.OneOf(list(policy.WAYS)))
    decided_on = fields.Date(allow_none=True)
    votes = fields.Integer(allow_none=True)
    votes_cast = fields.Integer(allow_none=True)
    document = fields.String()
    note = fields.String()
    end_reason = fields.String()
    end_note = fields.String()
    gone = fields.String(metadata={"description": "deceased, moved or merged: still in the post and no longer here"})
    doubt = fields.List(fields.String(), metadata={"description": "Relations that may exclude, for those who may edit"})
    doubt_reason = fields.String()
    election_id = fields.Integer(allow_none=True)
    version = fields.Integer()


class PostSchema(Schema):
    """A post with those who hold it on the day."""

    id = fields.Integer()
    key = fields.String()
    name = fields.String()
    name_en = fields.String()
    seats_min = fields.Integer()
    seats_max = fields.Integer(allow_none=True, metadata={"description": "null: no limit"})
    lead = fields.Boolean(metadata={"description": "Who holds it heads the organisation"})
    active = fields.Boolean()
    missing = fields.Integer(metadata={"description": "Seats that must be taken and are not"})
    version = fields.Integer()
    holders = fields.List(fields.Nested(HolderSchema))


class OrganisationSchema(Schema):
    """An organisation."""

    id = fields.Integer()
    kind = fields.String(metadata={"description": "A key of `/organisations/kinds`"})
    level = fields.String(validate=validate.OneOf(list(policy.LEVELS)))
    area = fields.String(metadata=_AREA)
    name = fields.String()
    parent_id = fields.Integer(allow_none=True)
    registration_code = fields.String(metadata={"description": "Unified social credit code (GB 32100)"})
    founded_on = fields.Date(allow_none=True)
    dissolved_on = fields.Date(allow_none=True)
    dissolved_reason = fields.String()
    term_years = fields.Integer(allow_none=True)
    term_from = fields.Date(allow_none=True)
    term_until = fields.Date(allow_none=True)
    card = fields.Boolean(metadata={"description": "Whether its public card is open"})
    card_text = fields.String()
    card_phone = fields.String()
    note = fields.String()
    version = fields.Integer()


class OrganisationDetailSchema(OrganisationSchema):
    """An organisation with its posts as on the day asked for."""

    posts = fields.List(fields.Nested(PostSchema))


class OrganisationPageSchema(Schema):
    """One page of organisations."""

    items = fields.List(fields.Nested(OrganisationSchema))
    next = fields.String(allow_none=True)


class OrganisationListArgs(ListArgs):
    """Arguments of the list."""

    q = fields.String(load_default="", metadata={"description": "Part of the name, its pinyin, registration code"})
    kind = fields.String(load_default="")
    family = fields.String(load_default="", validate=validate.OneOf(["", *policy.FAMILIES]))
    level = fields.String(load_default="", validate=validate.OneOf(["", *policy.LEVELS]))
    open = fields.String(
        load_default="",
        validate=validate.OneOf(["", "vacant", "gone"]),
        metadata={"description": "vacant: too few in a post; gone: a holder died or moved away"},
    )
    term = fields.String(load_default="", validate=validate.OneOf(["", "late", "soon", "none"]))
    until = fields.Date(load_default=None, metadata={"description": "The term ends by this day"})
    on = fields.Date(load_default=None, metadata={"description": "As it was on this day"})
    dissolved = fields.Boolean(load_default=False, metadata={"description": "Those that are no more too"})
    parent_id = fields.Integer(load_default=None)
    area = fields.String(load_default="", metadata=_AREA)


class OnArgs(Schema):
    """As of a day."""

    on = fields.Date(load_default=None, metadata=_DAY)


class OrganisationChangeSchema(Schema):
    """What is said of an organisation; what is left out stays."""

    name = fields.String(validate=validate.Length(1, policy.NAME_LENGTH))
    parent_id = fields.Integer(allow_none=True)
    registration_code = fields.String()
    founded_on = fields.Date(allow_none=True)
    term_years = fields.Integer(allow_none=True)
    term_from = fields.Date(allow_none=True)
    term_until = fields.Date(allow_none=True)
    card_text = fields.String()
    card_phone = fields.String()
    note = fields.String()


class OrganisationInputSchema(OrganisationChangeSchema):
    """A new organisation."""

    kind = fields.String(required=True)
    area = fields.String(required=True, metadata=_AREA)
    name = fields.String(required=True, validate=validate.Length(1, policy.NAME_LENGTH))


class DissolveSchema(Schema):
    """The first day on which it is no more, and why."""

    on = fields.Date(required=True)
    reason = fields.String(required=True)


class CardSchema(Schema):
    """Open the public card or close it."""

    open = fields.Boolean(required=True)


class PostChangeSchema(Schema):
    """A post's name and seats; what is left out stays."""

    name = fields.String(validate=validate.Length(1, policy.NAME_LENGTH))
    name_en = fields.String()
    seats_min = fields.Integer(validate=validate.Range(0, policy.MOST_SEATS))
    seats_max = fields.Integer(allow_none=True, validate=validate.Range(1, policy.MOST_SEATS))
    lead = fields.Boolean()


class PostInputSchema(PostChangeSchema):
    """Another post of an organisation."""

    name = fields.String(required=True, validate=validate.Length(1, policy.NAME_LENGTH))


class HolderChangeSchema(Schema):
    """An entry put right; what is left out stays."""

    valid_from = fields.Date()
    term_until = fields.Date(allow_none=True)
    valid_to = fields.Date(allow_none=True)
    way = fields.String(validate=validate.OneOf(list(policy.WAYS)))
    decided_on = fields.Date(allow_none=True)
    votes = fields.Integer(allow_none=True)
    votes_cast = fields.Integer(allow_none=True)
    document = fields.String()
    note = fields.String()
    doubt_reason = fields.String(metadata={"description": "Why it is allowed where the law leaves a doubt"})


class HolderInputSchema(HolderChangeSchema):
    """Somebody takes a post up: a person of the register, or a name from outside it."""

    person_id = fields.Integer(allow_none=True)
    outsider_name = fields.String()
    outsider_unit = fields.String()
    valid_from = fields.Date(required=True)
    way = fields.String(required=True, validate=validate.OneOf(list(policy.WAYS)))
    end_reason = fields.String(validate=validate.OneOf(list(policy.END_CHOICES)))


class HolderEndSchema(Schema):
    """The first day on which the post is no longer held, and why."""

    on = fields.Date(required=True)
    reason = fields.String(required=True, validate=validate.OneOf(list(policy.END_CHOICES)))
    text = fields.String(load_default="", metadata={"description": "In words; needed with other"})


class RemoveSchema(Schema):
    """Why a wrong entry is taken out."""

    reason = fields.String(required=True)


class ElectionLineSchema(Schema):
    """Who was elected to which post."""

    post_id = fields.Integer(required=True)
    person_id = fields.Integer(allow_none=True)
    outsider_name = fields.String()
    outsider_unit = fields.String()
    votes = fields.Integer(allow_none=True)
    doubt_reason = fields.String()


class ElectionInputSchema(Schema):
    """A new term: everybody leaves, those of the lines take up their posts."""

    term_from = fields.Date(required=True)
    term_until = fields.Date(allow_none=True)
    way = fields.String(required=True, validate=validate.OneOf(list(policy.WAYS)))
    decided_on = fields.Date(allow_none=True)
    voters = fields.Integer(allow_none=True)
    votes_cast = fields.Integer(allow_none=True)
    result = fields.String()
    lines = fields.List(fields.Nested(ElectionLineSchema), required=True)


class ElectionSchema(Schema):
    """A term of an organisation."""

    id = fields.Integer()
    organisation_id = fields.Integer()
    term_from = fields.Date()
    term_until = fields.Date(allow_none=True)
    decided_on = fields.Date(allow_none=True)
    way = fields.String()
    voters = fields.Integer(allow_none=True)
    votes_cast = fields.Integer(allow_none=True)
    result = fields.String()
    state = fields.String(validate=validate.OneOf(["done", "undone"]))
    version = fields.Integer()


class ElectionListSchema(Schema):
    """Terms, newest first."""

    items = fields.List(fields.Nested(ElectionSchema))


class KindSchema(Schema):
    """A kind of organisation."""

    key = fields.String()
    name = fields.String()
    name_en = fields.String()
    family = fields.String(validate=validate.OneOf(list(policy.FAMILIES)))
    levels = fields.List(fields.String())
    term_years = fields.Integer(allow_none=True)
    least = fields.Integer(allow_none=True)
    most = fields.Integer(allow_none=True)
    source = fields.String(metadata={"description": "The rule it rests on, as published"})
    card = fields.Boolean()


class KindListSchema(Schema):
    """Kinds in use, in order."""

    items = fields.List(fields.Nested(KindSchema))


class PersonPostSchema(HolderSchema):
    """A post of a person."""

    organisation_id = fields.Integer()
    organisation = fields.String()
    post = fields.String()


class PersonPostListSchema(Schema):
    """Posts of a person, those that stand first."""

    items = fields.List(fields.Nested(PersonPostSchema))
