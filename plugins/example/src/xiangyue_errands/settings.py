"""What a county sets for the plugin; the settings form and the API's schema are made from it."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from xiangyue.sdk.i18n import _l
from xiangyue_errands.queries import towns


class Settings(Schema):
    days = fields.Integer(
        load_default=7,
        validate=validate.Range(1, 60),
        metadata={
            "label": _l("Days for an errand"),
            "help": _l("An errand is due so many days after it was taken on, unless a day was agreed."),
            "unit": _l("days"),
        },
    )
    often = fields.Integer(
        load_default=3,
        validate=validate.Range(1, 50),
        metadata={
            "label": _l("Errands of a household that asks often"),
            "help": _l("From so many errands in twelve months on, a household is proposed for visits at home."),
        },
    )
    imports_closed = fields.Boolean(
        load_default=False,
        metadata={
            "label": _l("No rosters for now"),
            "help": _l("While the yearly figures are drawn up, no roster is written into the register."),
        },
    )
    closed_towns = fields.List(
        fields.Integer(),
        load_default=list,
        metadata={
            "label": _l("Towns that take on no errands"),
            "help": _l("For households there no new errand is taken on. A roster's wishes and open errands stay."),
            "choices": towns,
        },
    )
