"""Contracts of the API of carers, helpers and referrals."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from xiangyue.features.privacy.policy_care import CONSENTS, LEFT_BEHIND

_LEFT = validate.OneOf(["", *LEFT_BEHIND])
_HOW = validate.OneOf(["", *CONSENTS])


class ReferralSchema(Schema):
    """A child made known to the village's children's director. ``version`` goes into If-Match."""

    id = fields.Integer()
    referred_on = fields.Date()
    director = fields.String()
    reason = fields.String()
    state = fields.String(validate=validate.OneOf(["open", "closed"]))
    closed_on = fields.Date(allow_none=True)
    outcome = fields.String()
    version = fields.Integer()


class CareChangeSchema(Schema):
    """What is left out stays; "" empties."""

    carer_name = fields.String(metadata={"description": "Who looks after the child day by day"})
    carer_relation = fields.String()
    guardian_name = fields.String()
    guardian_relation = fields.String()
    guardian_phone = fields.String(metadata={"description": "Of a child under 14 with the guardian's consent only"})
    consent_on = fields.Date(allow_none=True)
    consent_how = fields.String(validate=_HOW)
    left_behind = fields.String(validate=_LEFT)
    helper_name = fields.String(metadata={"description": "Who acts on an old person's behalf"})
    helper_relation = fields.String()
    note = fields.String()


class CareSchema(CareChangeSchema):
    """Who cares for a person, the guardian's phone masked, and what follows from age and household."""

    person_id = fields.Integer()
    child = fields.Boolean(metadata={"description": "Under 18"})
    old = fields.Boolean(metadata={"description": "60 or older"})
    alone = fields.Boolean(metadata={"description": "Nobody else lives in the household"})
    old_only = fields.Boolean(metadata={"description": "Nobody under 60 lives in the household"})
    consent_missing = fields.Boolean(
        metadata={"description": "A phone of a child under 14 is kept without the guardian's consent"}
    )
    referrals = fields.List(fields.Nested(ReferralSchema))
    version = fields.Integer()


class ReferralInputSchema(Schema):
    """A referral as it is made."""

    director = fields.String(required=True)
    reason = fields.String(required=True)
    referred_on = fields.Date(load_default=None, allow_none=True, metadata={"description": "Today when missing"})


class ReferralOutcomeSchema(Schema):
    """What came of it."""

    outcome = fields.String(required=True)
