"""Export of exactly what the list shows; the purpose stands in the audit trail. Sensitive grounds are never in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

from flask import url_for

from xiangyue.features.areas import switch
from xiangyue.features.areas.queries import code_text
from xiangyue.features.classifications.list_query import Row, each_classification
from xiangyue.features.classifications.pages import bp
from xiangyue.features.classifications.pages.lists import grounds_text, listing
from xiangyue.features.classifications.policy import CLASSIFICATION_EXPORT, STATES
from xiangyue.features.classifications.service import note_export
from xiangyue.i18n import gettext as _
from xiangyue.web.access import requires
from xiangyue.web.exporting import Taken, export_list
from xiangyue.web.pipeline import current_uow


@bp.route("/classifications/export", methods=["GET", "POST"])
@requires(CLASSIFICATION_EXPORT)
def export() -> Any:
    """What is going to be exported and the question what for; sent, the spreadsheet of the list at this address."""
    uow = current_uow()
    asked = listing(uow)
    wanted = replace(asked.filter, area=switch.asked_area(uow))

    def cells() -> Iterator[list[Any]]:
        for row in each_classification(uow, wanted, sort=asked.view.order):
            yield [_cell(column.key, row) for column in asked.view.visible]

    def note(taken: Taken) -> None:
        note_export(uow, **asdict(taken), area=wanted.area)

    return export_list(
        asked.view,
        title=_("Export classifications"),
        of=_("Classifications"),
        back=asked.view.url(url_for("classifications.list_classifications")),
        cells=cells,
        note=note,
        place=code_text(wanted.area) if wanted.area else "",
        problems=asked.problems,
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
