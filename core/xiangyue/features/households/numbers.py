"""Numbers of households in their village."""

from __future__ import annotations

from sqlalchemy import select

from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict
from xiangyue.features.areas.models import Area
from xiangyue.i18n import lazy_gettext as _l

#: Households of a village are numbered with four digits.
LAST_NUMBER = 9999


def next_code(uow: Uow, village: int) -> str:
    """12-digit village code and the next number. The village's row is locked: two at once get different numbers, and
    a change of areas waits. Raises Conflict when there is none left, or such a change was first."""
    with uow.tenant_wide("the village of a group may lie above the actor's area; its numbers are the whole village's"):
        # Not the key: who registers holds that already (``writing.check_area``), and two would wait for each other.
        standing = select(Area.id).where(Area.area_code == village, Area.active.is_(True))
        standing = standing.with_for_update(key_share=True)
        if uow.session.scalars(standing).one_or_none() is None:
            raise Conflict(_l("This village has just been merged, split or given another code. Choose the area again."))
        start = str(village // 1000)
        rows = scoped_rows(
            uow.session,
            "SELECT h.code FROM household h WHERE {tenant:h} AND h.code >= :first AND h.code <= :last",
            {"first": f"{start}0000", "last": f"{start}{LAST_NUMBER}"},
        )
    used = {int(code[12:]) for (code,) in rows if len(code) == 16 and code[12:].isdecimal()}
    number = max(used, default=0) + 1
    if number > LAST_NUMBER:
        number = next((n for n in range(1, LAST_NUMBER + 1) if n not in used), 0)
    if not number:
        raise Conflict(_l("The village has no household number left."))
    return f"{start}{number:04}"
