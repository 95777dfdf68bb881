"""The ledger of acts and the reports as a file, with what for and the number of the audit entry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import request, url_for

from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid
from xiangyue.features.areas import queries as areas
from xiangyue.features.areas import switch
from xiangyue.features.households import policy
from xiangyue.features.households.pages import bp
from xiangyue.features.households.pages.addresses import args_without_all
from xiangyue.features.households.pages.register_acts import (
    ACT_COLUMNS,
    act_filter,
    act_filters,
    sort_of,
)
from xiangyue.features.households.person_input import today
from xiangyue.features.households.queries_acts import ActFilter, ActRow, count_ledger, ledger
from xiangyue.features.households.register.words import KIND_LABELS, STATE_LABELS
from xiangyue.features.households.service_export import note_export
from xiangyue.features.households.watermark import new_number, watermark
from xiangyue.features.households.writing import required_text
from xiangyue.files.workbook import write_table
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.web.access import requires
from xiangyue.web.components import Filter, ListView
from xiangyue.web.downloads import send_written
from xiangyue.web.exporting import ask_what_for, chosen_format
from xiangyue.web.pipeline import current_actor, current_uow

STEP = 500


@bp.get("/register/acts/export")
@requires(policy.HOUSEHOLD_EXPORT)
def export_acts() -> Any:
    """What is going to be exported of the ledger, and the question what for."""
    return _ask(reports=False)


@bp.post("/register/acts/export")
@requires(policy.HOUSEHOLD_EXPORT)
def send_acts() -> Any:
    """The ledger at this address as a spreadsheet."""
    return _send(reports=False)


@bp.get("/register/reports/export")
@requires(policy.HOUSEHOLD_EXPORT)
def export_reports() -> Any:
    """What is going to be exported of the reports, and the question what for."""
    return _ask(reports=True)


@bp.post("/register/reports/export")
@requires(policy.HOUSEHOLD_EXPORT)
def send_reports() -> Any:
    """The reports at this address as a spreadsheet."""
    return _send(reports=True)


def _view(reports: bool) -> ListView:
    path = url_for("households.list_reports" if reports else "households.list_acts")
    mine = Filter("mine", _l("Reported by"), choices=[("yes", _l("me"))])
    filters = (*act_filters(reports=reports), *((mine,) if reports else ()))
    return ListView(ACT_COLUMNS, args_without_all(), path, filters, default_sort="-recorded" if reports else "-day")


def _wanted(view: ListView, reports: bool) -> ActFilter:
    by = current_actor().account_id if reports and view.value("mine") else None
    return act_filter(view, switch.asked_area(current_uow()), reports=reports, by=by)


def _ask(*, reports: bool, status: int = 200, errors: dict[str, list[Any]] | None = None) -> Any:
    view = _view(reports)
    usable = not view.problems
    errors = {**{str(spec.label): [why] for spec, why in view.problems}, **(errors or {})}
    return ask_what_for(
        view,
        title=_("Export changes of the register"),
        of=_("Changes of the register"),
        back=view.url(),
        status=status,
        problems=errors,
        rows=count_ledger(current_uow(), _wanted(view, reports)) if usable else None,
    )


def _send(*, reports: bool) -> Any:
    uow, view = current_uow(), _view(reports)
    errors: dict[str, list[Any]] = {}
    purpose, format = "", chosen_format(errors)
    try:
        purpose = required_text(request.form.get("purpose"), "purpose", least=2)
    except Invalid as invalid:
        errors.update(invalid.fields)
    if errors or view.problems:
        return _ask(reports=reports, status=422, errors=errors)
    wanted, number = _wanted(view, reports), new_number()
    title = _("Reports of changes") if reports else _("Changes of the register")
    mark = watermark(uow, purpose, number)
    cells = ([_cell(column.key, row) for column in view.visible] for row in _each(uow, wanted, sort_of(view)))
    written = write_table(title, [c.label for c in view.visible], cells, format=format, watermark=mark)
    note_export(
        uow,
        entity="register",
        number=number,
        purpose=purpose,
        area_code=wanted.area,
        rows=written.rows,
        columns=[c.key for c in view.visible],
        conditions={name: view.values(name) for name in view.active_names},
    )
    place = areas.code_text(wanted.area) if wanted.area else ""
    return send_written(written, "-".join(part for part in (title, place, today().isoformat()) if part))


def _each(uow: Uow, wanted: ActFilter, sort: str) -> Iterator[ActRow]:
    after = None
    while True:
        found = ledger(uow, wanted, sort=sort, limit=STEP, after=after)
        yield from found.rows
        after = found.next
        if after is None:
            return


def _cell(column: str, row: ActRow) -> Any:
    act = row.act
    if column in ("household", "other"):
        home = row.household if column == "household" else row.other
        return f"{home.head_name} {home.code}".strip() if home else ""
    return {
        "who": row.names,
        "kind": str(KIND_LABELS[act.kind]),
        "day": act.on_date,
        "place": row.area_name,
        "state": str(STATE_LABELS[act.state]),
        "by": act.reported_name,
        "recorded": act.reported_at,
        "reason": act.reason,
        "decided": act.decided_name if row.told or act.state == "undone" else "",
        "decision": act.decision,
    }[column]
