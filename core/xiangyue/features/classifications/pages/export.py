"""Export of exactly what the list shows; the purpose stands in the audit trail. Sensitive grounds are never in it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import request, url_for

from xiangyue.errors import Invalid
from xiangyue.features.areas import switch
from xiangyue.features.areas.queries import code_text
from xiangyue.features.classifications.compute import today
from xiangyue.features.classifications.list_query import Row, each_classification
from xiangyue.features.classifications.pages import bp
from xiangyue.features.classifications.pages.lists import Listing, grounds_text, listing
from xiangyue.features.classifications.policy import CLASSIFICATION_EXPORT, STATES
from xiangyue.features.classifications.service import note_export
from xiangyue.features.households.watermark import new_number, watermark
from xiangyue.files.workbook import write_table
from xiangyue.i18n import gettext as _
from xiangyue.web.access import requires
from xiangyue.web.downloads import send_written
from xiangyue.web.exporting import ask_what_for, chosen_format
from xiangyue.web.pipeline import current_uow


@bp.get("/classifications/export")
@requires(CLASSIFICATION_EXPORT)
def ask_export() -> Any:
    """What is going to be exported, and the question what for."""
    return _ask(listing(current_uow()))


@bp.post("/classifications/export")
@requires(CLASSIFICATION_EXPORT)
def send_export() -> Any:
    """The spreadsheet of the list at this address."""
    uow = current_uow()
    asked = listing(uow)
    wanted = replace(asked.filter, area=switch.asked_area(uow))
    columns = asked.view.visible
    rows = [[_cell(c.key, row) for c in columns] for row in each_classification(uow, wanted, sort=asked.sort)]
    problems = dict(asked.problems)
    purpose, number = request.form.get("purpose", "").strip(), new_number()
    try:
        note_export(
            uow,
            number=number,
            purpose=purpose,
            area=wanted.area,
            rows=len(rows),
            columns=[c.key for c in columns],
            filters={name: asked.view.values(name) for name in asked.view.active_names},
        )
    except Invalid as invalid:
        problems.update(invalid.fields)
    format = chosen_format(problems)
    if problems:
        return _ask(asked, status=422, problems=problems)
    mark = watermark(uow, purpose, number)
    written = write_table(_("Classifications"), [c.label for c in columns], rows, format=format, watermark=mark)
    place = code_text(wanted.area) if wanted.area else ""
    name = "-".join(part for part in (_("Classifications"), place, today().isoformat()) if part)
    return send_written(written, name)


def _ask(asked: Listing, *, status: int = 200, problems: dict[str, list[Any]] | None = None) -> Any:
    return ask_what_for(
        asked.view,
        title=_("Export classifications"),
        of=_("Classifications"),
        back=asked.view.url(url_for("classifications.list_classifications")),
        status=status,
        problems=problems,
    )


def _cell(column: str, row: Row) -> Any:
    """The value of a column as the list shows it."""
    values = row.values
    made: dict[str, Any] = {
        "name": values["head_name"],
        "place": values["area_name"],
        "classifier": str(row.classifier.label),
        "standing": str(row.standing),
        "state": str(STATES[values["state"]]),
        "waits": str(row.waits_for.label) if row.waits_for else "",
        "proposed": str(row.proposed),
        "valid_from": values["valid_from"],
        "due": values["review_due"],
        "computed": values["computed_at"],
        "version": values["rule_version"],
    }
    return grounds_text(row) if column == "grounds" else made[column]
