"""Terms on the calendar: the day on which something holds, and how far its end is."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, or_

from xiangyue.features.organisations.models import Organisation, PostHolder
from xiangyue.features.organisations.policy import SOON_DAYS


def holds_on(day: date) -> ColumnElement[bool]:
    """Of ``PostHolder``: in the post on the day."""
    return and_(PostHolder.valid_from <= day, or_(PostHolder.valid_to.is_(None), PostHolder.valid_to > day))


def stands_on(day: date) -> ColumnElement[bool]:
    """Of ``Organisation``: not dissolved on the day. Where its beginning is not known it was there before."""
    began = or_(Organisation.founded_on.is_(None), Organisation.founded_on <= day)
    return and_(began, or_(Organisation.dissolved_on.is_(None), Organisation.dissolved_on > day))


def add_years(day: date, years: int) -> date:
    """The same day years later; of 29 February the 28th."""
    if day.year + years > date.max.year:
        return date.max
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def term_state(until: Any, day: date) -> str:
    """How far the end of a term is: late (it is over), soon, ok, or "" without one. ``until``: its last day."""
    if until is None:
        return ""
    if until < day:
        return "late"
    return "soon" if until <= day + timedelta(days=SOON_DAYS) else "ok"
