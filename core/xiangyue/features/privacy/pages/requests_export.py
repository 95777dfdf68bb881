"""Export of exactly the list of requests; what for stands in the audit trail and in the log of everybody in it."""

from __future__ import annotations

from typing import Any

from flask import request, url_for

from xiangyue.access.permissions import lacking
from xiangyue.errors import Invalid
from xiangyue.features.areas import switch
from xiangyue.features.households.person_input import today
from xiangyue.features.households.policy import HOUSEHOLD_EXPORT
from xiangyue.features.households.watermark import new_number, watermark
from xiangyue.features.households.writing import required_text
from xiangyue.features.privacy import policy, queries, service, view
from xiangyue.features.privacy.access_log import Ids
from xiangyue.features.privacy.pages import bp
from xiangyue.features.privacy.pages.requests import request_view, sort_of
from xiangyue.files.workbook import write_table
from xiangyue.i18n import gettext as _
from xiangyue.web.access import requires
from xiangyue.web.downloads import send_written
from xiangyue.web.exporting import ask_what_for, chosen_format
from xiangyue.web.pipeline import current_actor, current_uow


@bp.get("/privacy/requests/export")
@requires(policy.REQUEST)
def ask_export() -> Any:
    """What is going to be exported, and the question what for."""
    _may()
    return _ask()


@bp.post("/privacy/requests/export")
@requires(policy.REQUEST)
def send_export() -> Any:
    """The spreadsheet of the list at this address."""
    _may()
    uow, asked = current_uow(), request_view()
    problems: dict[str, list[Any]] = {spec.name: [why] for spec, why in asked.problems}
    purpose, format, number = "", chosen_format(problems), new_number()
    try:
        purpose = required_text(request.form.get("purpose"), "purpose", least=2)
    except Invalid as invalid:
        problems.update(invalid.fields)
    if problems:
        return _ask(422, problems)
    wanted, seen = view.wanted(request.args, switch.asked_area(uow)), Ids()

    def cells() -> Any:
        lines = queries.each_request(
            uow, wanted, soon_until=view.soon_until(), sort=sort_of(asked), limit=policy.EXPORT_LIMIT
        )
        for line in lines:
            seen.add(line.person.id)
            yield [_cell(line, column.key) for column in asked.visible]

    title, columns = _("Requests about personal information"), asked.visible
    mark = watermark(uow, purpose, number)
    written = write_table(title, [column.label for column in columns], cells(), format=format, watermark=mark)
    service.note_export(
        uow,
        number=number,
        purpose=purpose,
        rows=written.rows,
        seen=seen,
        columns=[column.key for column in columns],
        conditions={name: asked.values(name) for name in asked.active_names if name != "q"},
    )
    return send_written(written, f"{title}-{today().isoformat()}")


def _may() -> None:
    """Personal data go out only with the right to that too."""
    if not current_actor().can(HOUSEHOLD_EXPORT):
        raise lacking(HOUSEHOLD_EXPORT)


def _ask(status: int = 200, problems: dict[str, list[Any]] | None = None) -> Any:
    asked = request_view()
    return ask_what_for(
        asked,
        title=_("Export requests"),
        of=_("Requests about personal information"),
        back=asked.url(url_for("privacy.list_requests")),
        status=status,
        problems=problems,
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
