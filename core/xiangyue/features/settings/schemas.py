"""What the API takes and gives for settings."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from xiangyue.features.settings.checks import CHOICES

_KEY = {"description": "Lower-case letters, digits and _; made from the name when missing; never changes"}


class SettingsKindSchema(Schema):
    """What marks, awards and own fields have in common. ``version`` goes into If-Match."""

    id = fields.Integer(dump_only=True)
    key = fields.String(load_default="", metadata=_KEY)
    name = fields.String(required=True)
    name_en = fields.String(load_default="")
    active = fields.Boolean(dump_only=True, metadata={"description": "False: retired, not offered any more"})
    position = fields.Integer(dump_only=True)
    used = fields.Integer(dump_only=True, metadata={"description": "How many records have it"})
    version = fields.Integer(dump_only=True)


class MarkKindSchema(SettingsKindSchema):
    sensitivity = fields.String(load_default="normal", validate=validate.OneOf(["normal", "sensitive"]))
    follows_to_household = fields.Boolean(load_default=True)
    source = fields.String(load_default="", metadata={"description": "The department that answers for it"})


class AwardKindSchema(SettingsKindSchema):
    pass


class CustomFieldOptionSchema(Schema):
    key = fields.String(load_default="", metadata=_KEY)
    name = fields.String(required=True)
    name_en = fields.String(load_default="")


class CustomFieldSchema(SettingsKindSchema):
    entity = fields.String(required=True, validate=validate.OneOf(["household", "person"]))
    type = fields.String(required=True, validate=validate.OneOf(CHOICES["type"]))
    help = fields.String(load_default="")
    help_en = fields.String(load_default="")
    required = fields.Boolean(load_default=False)
    lacking = fields.Integer(
        dump_only=True,
        allow_none=True,
        metadata={"description": "Records on the register without a value, of a field that must be filled in"},
    )
    options = fields.List(fields.Nested(CustomFieldOptionSchema), load_default=list)
    from_profile = fields.Boolean(
        dump_only=True,
        metadata={"description": "The county's profile sets its words, kind and choices whenever it is applied"},
    )


class CustomFieldOrderSchema(Schema):
    entity = fields.String(required=True, validate=validate.OneOf(["household", "person"]))
    keys = fields.List(
        fields.String(), required=True, metadata={"description": "Of all fields in use, in the order wanted"}
    )


class MarkKindChangeSchema(Schema):
    """Fields left out stay as they are."""

    name = fields.String()
    name_en = fields.String()
    sensitivity = fields.String(validate=validate.OneOf(["normal", "sensitive"]))
    follows_to_household = fields.Boolean()
    source = fields.String()
    active = fields.Boolean()


class AwardKindChangeSchema(Schema):
    name = fields.String()
    name_en = fields.String()
    active = fields.Boolean()


class CustomFieldChangeSchema(Schema):
    """The entity never changes; the type only while no record has a value; choices that records have stay."""

    type = fields.String(validate=validate.OneOf(CHOICES["type"]))
    name = fields.String()
    name_en = fields.String()
    help = fields.String()
    help_en = fields.String()
    required = fields.Boolean()
    options = fields.List(fields.Nested(CustomFieldOptionSchema))
    active = fields.Boolean()


class MarkKindListSchema(Schema):
    items = fields.List(fields.Nested(MarkKindSchema))
    next = fields.String(allow_none=True)


class AwardKindListSchema(Schema):
    items = fields.List(fields.Nested(AwardKindSchema))
    next = fields.String(allow_none=True)


class CustomFieldListSchema(Schema):
    items = fields.List(fields.Nested(CustomFieldSchema))
    next = fields.String(allow_none=True)


class InstalledFeatureSchema(Schema):
    key = fields.String()
    core = fields.Boolean()


class SettingsSchema(Schema):
    """The county as its profile was applied."""

    slug = fields.String()
    name = fields.String()
    name_en = fields.String()
    area_code = fields.Integer()
    locale = fields.String()
    addresses = fields.List(fields.String())
    allow_synthetic_people = fields.Boolean()
    session_hours = fields.Integer()
    require_totp_roles = fields.List(fields.String())
    features = fields.List(fields.Nested(InstalledFeatureSchema))
