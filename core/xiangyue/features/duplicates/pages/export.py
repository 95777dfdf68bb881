"""Export of exactly what the list shows; the purpose stands in the audit trail and in the log of everybody in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from typing import Any

from flask import url_for

from xiangyue.access.permissions import lacking
from xiangyue.features.areas import switch
from xiangyue.features.areas.queries import code_text
from xiangyue.features.duplicates.pages import bp
from xiangyue.features.duplicates.pages.lists import listing
from xiangyue.features.duplicates.policy import DUPLICATE_MERGE, PERSON, REASONS, STATES
from xiangyue.features.duplicates.queries import each_pair
from xiangyue.features.duplicates.service import note_export
from xiangyue.features.households.policy import HOUSEHOLD_EXPORT
from xiangyue.features.privacy.access_log import Ids, members_of
from xiangyue.i18n import gettext as _
from xiangyue.web.access import requires
from xiangyue.web.exporting import Taken, export_list
from xiangyue.web.pipeline import current_actor, current_uow


@bp.route("/duplicates/export", methods=["GET", "POST"])
@requires(DUPLICATE_MERGE)
def export() -> Any:
    """What is going to be exported and the question what for; sent, the spreadsheet of the list at this address."""
    if not current_actor().can(HOUSEHOLD_EXPORT):  # personal data go out only with the right to that too
        raise lacking(HOUSEHOLD_EXPORT)
    uow = current_uow()
    asked = listing(uow)
    wanted = replace(asked.filter, area=switch.asked_area(uow))
    seen = Ids()

    def cells() -> Iterator[list[Any]]:
        for row in each_pair(uow, wanted, sort=asked.view.order):
            seen.add(row["first_id"])
            seen.add(row["second_id"])
            yield [_cell(column.key, row) for column in asked.view.visible]

    def note(taken: Taken) -> None:
        persons = seen if wanted.kind == PERSON else members_of(uow, seen)
        note_export(uow, **asdict(taken), area=wanted.area, seen=persons)

    return export_list(
        asked.view,
        title=_("Export possible duplicates"),
        of=_("Possible duplicates"),
        back=asked.view.url(url_for("duplicates.list_pairs")),
        cells=cells,
        note=note,
        place=code_text(wanted.area) if wanted.area else "",
        problems=asked.problems,
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
