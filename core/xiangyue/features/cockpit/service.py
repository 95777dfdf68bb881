"""The download of the cockpit's table: an entry of the audit trail."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import IO, Any

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit
from xiangyue.db.uow import Uow
from xiangyue.features.cockpit import policy
from xiangyue.features.cockpit.board import look, table
from xiangyue.files.workbook import write_workbook
from xiangyue.i18n import gettext as _


@acts(policy.COCKPIT_VIEW)
def export_cockpit(uow: Uow, *, area: int = 0, format: str = "xlsx") -> IO[bytes] | str:
    """The table by area as .xlsx, or as CSV text; both are entries of the audit trail."""
    cockpit = look(uow, area)
    headers, rows = table(cockpit)
    audit(
        uow,
        action="cockpit.export",
        object_type="cockpit",
        area_code=area or _own_area(uow),
        after={"format": format, "rows": len(rows)},
    )
    if format == "csv":
        return _csv([headers, *rows])
    return write_workbook(_("Overview"), headers, rows)


def _own_area(uow: Uow) -> int:
    """Where an export of "all that I may see" belongs in the trail."""
    ranges = uow.scope.ranges
    return ranges[0][0] if ranges else 0


def _csv(rows: Sequence[Sequence[Any]]) -> str:
    """With a byte order mark, so that Excel reads it as UTF-8; a cell that looks like a formula stays text."""
    text = io.StringIO()
    writer = csv.writer(text)
    for row in rows:
        writer.writerow([f"'{v}" if isinstance(v, str) and v[:1] in "=+-@\t" and v else v for v in row])
    return "\ufeff" + text.getvalue()
