"""Export of exactly what the list shows; the purpose stands in the audit trail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import request, url_for

from xiangyue.access.permissions import lacking
from xiangyue.errors import Invalid
from xiangyue.features.areas import switch
from xiangyue.features.areas.queries import code_text
from xiangyue.features.duplicates.pages import bp
from xiangyue.features.duplicates.pages.lists import Listing, listing
from xiangyue.features.duplicates.policy import DUPLICATE_MERGE, REASONS, STATES
from xiangyue.features.duplicates.queries import each_pair
from xiangyue.features.duplicates.service import note_export
from xiangyue.features.households.policy import HOUSEHOLD_EXPORT
from xiangyue.features.households.watermark import new_number, watermark
from xiangyue.files.workbook import write_table
from xiangyue.i18n import gettext as _
from xiangyue.i18n import today
from xiangyue.web.access import requires
from xiangyue.web.downloads import send_written
from xiangyue.web.exporting import ask_what_for, chosen_format
from xiangyue.web.pipeline import current_actor, current_uow


@bp.get("/duplicates/export")
@requires(DUPLICATE_MERGE)
def ask_export() -> Any:
    """What is going to be exported, and the question what for."""
    _may()
    return _ask(listing(current_uow()))


@bp.post("/duplicates/export")
@requires(DUPLICATE_MERGE)
def send_export() -> Any:
    """The spreadsheet of the list at this address."""
    _may()
    uow = current_uow()
    asked = listing(uow)
    wanted = replace(asked.filter, area=switch.asked_area(uow))
    columns = asked.view.visible
    rows = [[_cell(c.key, row) for c in columns] for row in each_pair(uow, wanted, sort=asked.sort)]
    problems = dict(asked.problems)
    purpose, number = request.form.get("purpose", "").strip(), new_number()
    try:
        note_export(
            uow,
            number=number,
            purpose=purpose,
            area=wanted.area,
            rows=len(rows),
            filters={name: asked.view.values(name) for name in asked.view.active_names},
        )
    except Invalid as invalid:
        problems.update(invalid.fields)
    format = chosen_format(problems)
    if problems:
        return _ask(asked, status=422, problems=problems)
    mark = watermark(uow, purpose, number)
    written = write_table(_("Possible duplicates"), [c.label for c in columns], rows, format=format, watermark=mark)
    place = code_text(wanted.area) if wanted.area else ""
    name = "-".join(part for part in (_("Possible duplicates"), place, today().isoformat()) if part)
    return send_written(written, name)


def _may() -> None:
    """Personal data go out only with the right to that too."""
    if not current_actor().can(HOUSEHOLD_EXPORT):
        raise lacking(HOUSEHOLD_EXPORT)


def _ask(asked: Listing, *, status: int = 200, problems: dict[str, list[Any]] | None = None) -> Any:
    return ask_what_for(
        asked.view,
        title=_("Export possible duplicates"),
        of=_("Possible duplicates"),
        back=asked.view.url(url_for("duplicates.list_pairs")),
        status=status,
        problems=problems,
    )


def _cell(column: str, row: Mapping[str, Any]) -> Any:
    """The value of a column as the list shows it."""
    made: dict[str, Any] = {
        "name": f"{row['first_name']} {row['first_code']}",
        "second": f"{row['second_name']} {row['second_code']}",
        "reasons": _(", ").join(str(REASONS[reason]) for reason in row["reasons"]),
        "score": row["score"],
        "state": str(STATES[row["state"]]),
        "found": row["found_at"],
        "place": row["first_area_name"],
        "decided": row["decided_name"],
        "note": row["note"],
    }
    return made[column]
