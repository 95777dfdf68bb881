"""Ten-household groups of one village of the demonstration, with heads, and a drill that is over."""

from __future__ import annotations

import uuid

from sqlalchemy import select

from xiangyue.access.models import Account
from xiangyue.db.uow import Uow
from xiangyue.features.callouts.queries import groups_of_call
from xiangyue.features.callouts.service import answer, end_callout, send_callout
from xiangyue.features.grids.models import GridVersion
from xiangyue.features.household_groups.queries import persons_in, suggest
from xiangyue.features.household_groups.service import create_groups
from xiangyue.features.household_groups.service_heads import name_head
from xiangyue.features.households.person_input import today
from xiangyue.i18n import gettext as _

#: The account of the demonstration that is head of the first group, and its village.
LOGIN, VILLAGE = "shihu", 610921107202000


def fill_groups(uow: Uow, village: int) -> int:
    """Groups in every leaf grid of the village, and one drill; returns how many groups."""
    leaves = select(GridVersion.grid_id, GridVersion.name).where(
        GridVersion.leaf, GridVersion.valid_to.is_(None), GridVersion.level > 0,
        GridVersion.area_code.between(village, village + 999),
    )  # fmt: skip
    made: list[int] = []
    why = _("Made up for the demonstration")
    for grid, name in uow.session.execute(leaves.order_by(GridVersion.grid_id)).all():
        parts = [
            {"name": _("%(grid)s group %(n)d", grid=name, n=n + 1)[:40], "household_ids": [row["id"] for row in rows]}
            for n, rows in enumerate(suggest(uow, grid, today()))
        ]
        if parts:
            change = create_groups(uow, grid_id=grid, on=today(), parts=parts, size_reason=why)
            made += change.rows["groups"]
    known = uow.session.scalars(select(Account.id).where(Account.login == LOGIN)).one_or_none() is not None
    for number, group in enumerate(made):
        persons = persons_in(uow, group, today())
        if persons:
            login = LOGIN if known and number == 0 else ""
            name_head(uow, group_id=group, person_id=int(persons[0][0]), valid_from=today(), login=login)
    if made:
        _drill(uow, village)
    return len(made)


def _drill(uow: Uow, village: int) -> None:
    text = _("Drill: heavy rain tonight, everybody below the slope goes to the school")
    call = send_callout(uow, client_id=uuid.uuid4(), kind="evacuation", message=text, area_code=village, drill=True)
    for row in groups_of_call(uow, call.id)[:-1]:
        answer(uow, callout_group_id=row["id"], client_id=uuid.uuid4(), states={}, rest="reached")
    end_callout(uow, callout_id=call.id, version=call.version, note=_("Made up for the demonstration"))
