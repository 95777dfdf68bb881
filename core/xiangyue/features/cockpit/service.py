"""The download of the cockpit's table: an entry of the audit trail."""

from __future__ import annotations

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit
from xiangyue.db.uow import Uow
from xiangyue.features.cockpit import policy
from xiangyue.features.cockpit.board import look, table
from xiangyue.files.workbook import Written, write_table
from xiangyue.i18n import gettext as _


@acts(policy.COCKPIT_VIEW)
def export_cockpit(uow: Uow, *, area: int = 0, format: str = "xlsx") -> Written:
    """The table by area as .xlsx or .csv; an entry of the audit trail."""
    cockpit = look(uow, area)
    headers, rows = table(cockpit)
    audit(
        uow,
        action="cockpit.export",
        object_type="cockpit",
        area_code=area or _own_area(uow),
        after={"format": format, "rows": len(rows)},
    )
    return write_table(_("Overview"), headers, rows, format=format)


def _own_area(uow: Uow) -> int:
    """Where an export of "all that I may see" belongs in the trail."""
    ranges = uow.scope.ranges
    return ranges[0][0] if ranges else 0
