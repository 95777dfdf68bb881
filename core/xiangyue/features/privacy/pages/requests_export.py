"""Export of exactly the list of requests; what for stands in the audit trail and in the log of everybody in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from flask import request, url_for

from xiangyue.access.permissions import lacking
from xiangyue.features.areas import switch
from xiangyue.features.households.policy import HOUSEHOLD_EXPORT
from xiangyue.features.privacy import policy, queries, service, view
from xiangyue.features.privacy.access_log import Ids
from xiangyue.features.privacy.pages import bp
from xiangyue.features.privacy.pages.requests import request_view
from xiangyue.i18n import gettext as _
from xiangyue.web.access import requires
from xiangyue.web.exporting import Taken, export_list
from xiangyue.web.pipeline import current_actor, current_uow


@bp.route("/privacy/requests/export", methods=["GET", "POST"])
@requires(policy.REQUEST)
def export() -> Any:
    """What is going to be exported and the question what for; sent, the spreadsheet of the list at this address."""
    if not current_actor().can(HOUSEHOLD_EXPORT):  # personal data go out only with the right to that too
        raise lacking(HOUSEHOLD_EXPORT)
    uow, asked, seen = current_uow(), request_view(), Ids()

    def cells() -> Iterator[list[Any]]:
        wanted = view.wanted(request.args, switch.asked_area(uow))
        lines = queries.each_request(
            uow, wanted, soon_until=view.soon_until(), sort=asked.order, limit=policy.EXPORT_LIMIT + 1
        )
        for line in lines:
            seen.add(line.person.id)
            yield [_cell(line, column.key) for column in asked.visible]

    def note(taken: Taken) -> None:
        # What was searched for may be a name.
        told = {**asdict(taken), "conditions": {k: v for k, v in taken.conditions.items() if k != "q"}}
        service.note_export(uow, **told, seen=seen)

    return export_list(
        asked,
        title=_("Export requests"),
        of=_("Requests about personal information"),
        back=asked.url(url_for("privacy.list_requests")),
        cells=cells,
        note=note,
        most=policy.EXPORT_LIMIT,
    )


def _cell(line: queries.Line, column: str) -> Any:
    row = line.request
    values = {
        "number": row.number,
        "person": line.person.name,
        "kind": policy.KINDS_SHORT[row.kind],
        "received": row.received_on,
        "due": row.due_on,
        "state": policy.STATES[row.state],
        "agent": view.asked_by(line),
        "channel": policy.CHANNELS.get(row.channel, row.channel),
        "ended": row.ended_on,
    }
    value = values[column]
    return str(value) if column in ("kind", "state", "channel") else value
