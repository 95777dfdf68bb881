"""Grids of the demonstration: three levels in every village that has households, by house order."""

from __future__ import annotations

from datetime import timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import select

from xiangyue.db.uow import Uow
from xiangyue.features.areas import queries as areas
from xiangyue.features.grids.service import apply_division
from xiangyue.features.households.models import Household
from xiangyue.features.households.person_input import today
from xiangyue.i18n import gettext as _

#: Households of a grid of level 3; a group with fewer than twice that stays one grid of level 2.
CHUNK = 25
#: How long ago they were made.
SINCE = timedelta(days=300)


def villages_with_households(uow: Uow) -> list[int]:
    codes = uow.session.scalars(select(Household.area_code).where(Household.state == "active").distinct())
    return sorted({code - code % 1000 for code in codes})


def divide(uow: Uow, village: int) -> int:
    """Divide one village; returns how many grids it has now."""
    rows = uow.session.execute(
        select(Household.id, Household.area_code)
        .where(Household.area_code.between(village, village + 999), Household.state == "active")
        .order_by(Household.area_code, Household.code)
    ).all()
    names = areas.names(uow, [village, *(row.area_code for row in rows)])
    parts: list[dict[str, Any]] = [{"key": "1", "name": names[village], "level": 1, "area_code": village}]
    for area, members in groupby(rows, key=lambda row: row.area_code):
        ids, name = [row.id for row in members], names.get(area, "") if area % 1000 else _("Other households")
        second = {"key": f"2.{area}", "name": name, "level": 2, "area_code": area, "parent": "1"}
        pieces = len(ids) // CHUNK
        if pieces < 2:
            parts.append({**second, "household_ids": ids})
            continue
        parts.append(second)
        for n in range(pieces):
            mine = ids[len(ids) * n // pieces : len(ids) * (n + 1) // pieces]
            label = _("%(group)s grid %(n)d", group=name, n=n + 1)
            parts.append({"key": f"3.{area}.{n}", "name": label, "level": 3, "area_code": area,
                          "parent": second["key"], "household_ids": mine})  # fmt: skip
    made = _("Made up for the demonstration")
    apply_division(uow, village=village, on=today() - SINCE, parts=parts, reason=made, size_reason=made)
    return len(parts)
