"""What a county sets for its rule; the form and the API's schema are made from it."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from xiangyue.sdk.i18n import _l
from xiangyue.sdk.settings import award_choices, mark_choices

FIRST_YEAR, LAST_YEAR = 1990, 2100
#: Of the kinds of marks that a county has unless it lists its own: 三留守, 残疾, and for the 贫困户 of 2021 脱贫, 监测.
#: People in or after prison are not among them: a county that has the legal ground for such a mark adds its key.
RED_MARKS = ("left_behind_child", "left_behind_woman", "left_behind_elder", "disabled", "out_of_poverty", "monitored")
#: Marks by which somebody may lead a grid of level 3: 中心户长, which a county adds as a mark, and 党员.
LEAD_MARKS = ("center_household_head", "party_member")

_MEASURES: list[Any] = [_l("Income of the household"), _l("Income per member of the household")]


def year_or_none(value: int) -> None:
    """0, or a year in four digits. Raises marshmallow's ValidationError."""
    if value != 0 and not FIRST_YEAR <= value <= LAST_YEAR:
        raise ValidationError(str(_l("0, or a year from %(first)s to %(last)s.", first=FIRST_YEAR, last=LAST_YEAR)))


class Settings(Schema):
    measure = fields.String(
        load_default="household",
        validate=validate.OneOf(["household", "head"], _MEASURES),
        metadata={
            "label": _l("What is compared"),
            "help": _l(
                "The village's mean is taken the same way: over its households, or over their members together."
            ),
        },
    )
    year = fields.Integer(
        load_default=0,
        validate=year_or_none,
        metadata={
            "label": _l("Year of the incomes"),
            "help": _l(
                "0: in each village the newest year for which enough households have an income; where no year has "
                "enough, the newest with any."
            ),
        },
    )
    coverage_percent = fields.Integer(
        load_default=80,
        validate=validate.Range(1, 100),
        metadata={
            "label": _l("Households with income data that a village needs"),
            "help": _l(
                "Below this share a mean says little: whatever rests on income stays undetermined in the whole village."
            ),
            "unit": "%",
        },
    )
    award = fields.String(
        load_default="safe_family",
        validate=validate.Regexp(r"[a-z][a-z0-9_]{0,39}\Z"),
        metadata={
            "label": _l("The award “safe family”"),
            "help": _l("Which of the county's awards the document means by it."),
            "choices": award_choices,
        },
    )
    rating_year = fields.Integer(
        load_default=0,
        validate=year_or_none,
        metadata={
            "label": _l("Last of the three rating years"),
            "help": _l(
                "0: the newest year that has any record in the village. While a new year's results are still coming "
                "in, set the year before: a missing record is never taken for “not awarded”."
            ),
        },
    )
    red_marks = fields.List(
        fields.String(validate=validate.Regexp(r"[a-z][a-z0-9_]{0,39}\Z")),
        load_default=lambda: list(RED_MARKS),
        validate=validate.Length(max=50),
        metadata={
            "label": _l("Marks that make a household red"),
            "help": _l("One member with one of them is enough."),
            "choices": mark_choices,
        },
    )
    red_first = fields.Boolean(
        load_default=True,
        metadata={
            "label": _l("Red goes before green and yellow"),
            "help": _l(
                "The document does not say what holds when a mark and a clause on income meet: confirm this for your "
                "county. Off: such a household is undetermined, and people decide."
            ),
        },
    )
    valid_months = fields.Integer(
        load_default=12,
        validate=validate.Range(1, 60),
        metadata={
            "label": _l("A confirmed colour is reviewed after"),
            "help": _l("Counted from the town's confirmation."),
            "unit": _l("months"),
        },
    )
    lead_marks = fields.List(
        fields.String(validate=validate.Regexp(r"[a-z][a-z0-9_]{0,39}\Z")),
        load_default=lambda: list(LEAD_MARKS),
        validate=validate.Length(max=50),
        metadata={
            "label": _l("Marks by which somebody may lead a grid of level 3"),
            "help": _l("Lead household heads, and Party members where these are too few. Others take a reason."),
            "choices": mark_choices,
        },
    )
