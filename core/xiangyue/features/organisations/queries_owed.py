"""Organisations whose term is over or ends soon, or in which a post is vacant, counted by area in one statement."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import func, select

from xiangyue.db.scope import area_range
from xiangyue.db.uow import Uow
from xiangyue.features.organisations.models import Organisation
from xiangyue.features.organisations.queries import OrganisationFilter, conditions_of

#: What is counted -> the conditions of the list that shows exactly these.
OWED: dict[str, dict[str, str]] = {
    "late": {"term": "late"},
    "soon": {"term": "soon"},
    "vacant": {"open": "vacant"},
    "gone": {"open": "gone"},
}


def owed_by(uow: Uow, width: int, area: int, on: date) -> dict[int, dict[str, int]]:
    """By area code at a ``width`` of codes: how many organisations stand, and those of each of ``OWED``, on a day.
    Whose holders are gone is known as of today alone."""
    place: Any = Organisation.area_code - Organisation.area_code % width
    columns = [func.count().label("organisations")]
    for key, asked in OWED.items():
        own = conditions_of(uow, OrganisationFilter(on=on, **asked))  # type: ignore[arg-type]
        columns.append(func.count().filter(*own).label(key))
    wanted = select(place, *columns).where(*conditions_of(uow, OrganisationFilter(on=on)))
    if area:
        wanted = wanted.where(Organisation.area_code.between(*area_range(area)))
    found: dict[int, dict[str, int]] = {}
    for code, *numbers in uow.session.execute(wanted.group_by(place)):
        found[int(code)] = dict(zip(("organisations", *OWED), numbers, strict=True))
    return found
