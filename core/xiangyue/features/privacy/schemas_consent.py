"""Contracts of the API of notices and consents."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from xiangyue.access.lawful import BASES
from xiangyue.api.lists import ListArgs
from xiangyue.features.privacy.policy_consent import ANSWERS, HOWS, KINDS, STANDINGS, STATES

_BASIS = validate.OneOf(list(BASES))


class NoticeWordsSchema(Schema):
    """The words of a version, as PIPL article 17 demands them."""

    title = fields.String(required=True)
    title_en = fields.String()
    body = fields.String(required=True)
    body_en = fields.String()
    purpose = fields.String(required=True, metadata={"description": "What for and how"})
    lawful_basis = fields.String(required=True, validate=_BASIS)
    source = fields.String(metadata={"description": "Law or document behind it"})
    fields_ = fields.List(fields.String(), required=True, data_key="fields", attribute="fields")
    retention = fields.String(required=True)
    handler = fields.String(required=True, metadata={"description": "Who handles it and how to reach them"})
    consequence = fields.String(metadata={"description": "What follows from a refusal or withdrawal"})
    change_note = fields.String(metadata={"description": "What is different; needed from version 2 on"})
    again = fields.Boolean(metadata={"description": "Who consented before is asked again"})


class NoticeInputSchema(NoticeWordsSchema):
    """A new notice, as a draft."""

    kind = fields.String(required=True, validate=validate.OneOf(list(KINDS)))
    whom = fields.String(
        load_default="all", metadata={"description": "Who is asked: `all`, `under_14`, `phone`, `mark:<key>`"}
    )


class NoticeVersionSchema(NoticeWordsSchema):
    """One version. What is published is never changed. ``version`` of a draft goes into If-Match."""

    id = fields.Integer()
    number = fields.Integer()
    state = fields.String(validate=validate.OneOf(list(STATES)))
    published_on = fields.Date(allow_none=True)
    ended_on = fields.Date(allow_none=True)
    version = fields.Integer()


class NoticeSchema(Schema):
    """A notice or form of consent with its versions, the newest first."""

    id = fields.Integer()
    kind = fields.String(validate=validate.OneOf(list(KINDS)))
    whom = fields.String()
    title = fields.String()
    title_en = fields.String()
    state = fields.String(validate=validate.OneOf(["draft", "published", "withdrawn"]))
    versions = fields.List(fields.Nested(NoticeVersionSchema))
    version = fields.Integer()


class NoticePageSchema(Schema):
    """All notices that match."""

    items = fields.List(fields.Nested(NoticeSchema))
    next = fields.String(allow_none=True)


class NoticeListArgs(ListArgs):
    """Arguments of the list; it has one order and one page."""

    q = fields.String(load_default="", metadata={"description": "Part of the title"})
    kind = fields.String(load_default="", validate=validate.OneOf(["", *KINDS]))
    state = fields.String(load_default="", validate=validate.OneOf(["", *STATES]))


class ConsentSchema(Schema):
    """What a person, or the guardian, said to one version."""

    id = fields.Integer()
    notice_id = fields.Integer()
    version_id = fields.Integer()
    number = fields.Integer(metadata={"description": "Of the version"})
    kind = fields.String(validate=validate.OneOf(list(KINDS)))
    answer = fields.String(validate=validate.OneOf(list(ANSWERS)))
    on = fields.Date()
    how = fields.String(validate=validate.OneOf(list(HOWS)))
    witness = fields.String()
    guardian_name = fields.String()
    guardian_relation = fields.String()
    note = fields.String()
    current = fields.Boolean(metadata={"description": "The last word on this notice"})
    outdated = fields.Boolean(metadata={"description": "Consented to a version that is asked again"})
    created_by_name = fields.String()


class ConsentsSchema(Schema):
    """All that a person said, the newest first."""

    items = fields.List(fields.Nested(ConsentSchema))


class ConsentInputSchema(Schema):
    """An answer. A withdrawal is of the version that was consented to; otherwise the published one where
    ``version_id`` is missing."""

    notice_id = fields.Integer(required=True)
    version_id = fields.Integer(load_default=None, allow_none=True)
    answer = fields.String(required=True, validate=validate.OneOf(list(ANSWERS)))
    on = fields.Date(load_default=None, allow_none=True, metadata={"description": "Today when missing"})
    how = fields.String(required=True, validate=validate.OneOf(list(HOWS)))
    witness = fields.String(load_default="")
    guardian_name = fields.String(load_default="", metadata={"description": "Needed under 14"})
    guardian_relation = fields.String(load_default="")
    note = fields.String(load_default="")


class StanderSchema(Schema):
    """A person and how he or she stands to a notice."""

    id = fields.Integer()
    name = fields.String()
    area_code = fields.Integer()
    household = fields.String()
    standing = fields.String(validate=validate.OneOf(list(STANDINGS)))
    on = fields.Date(allow_none=True)
    number = fields.Integer(allow_none=True)


class StanderPageSchema(Schema):
    """One page of persons."""

    items = fields.List(fields.Nested(StanderSchema))
    next = fields.String(allow_none=True)


class StanderArgs(ListArgs):
    """Arguments of the list, by place or name; ``standing``: ``open`` is whoever is to be asked."""

    q = fields.String(
        load_default="",
        validate=validate.Length(max=60),
        metadata={"description": "Part of the name, pinyin or initials; start of the household's code"},
    )
    standing = fields.String(load_default="", validate=validate.OneOf(["", "open", *STANDINGS]))
    area = fields.Integer(load_default=0, metadata={"description": "15-digit code; everything below it"})
