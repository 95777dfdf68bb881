"""The ledger of acts and the reports as a file, with what for and the number of the audit entry."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from flask import url_for

from xiangyue.db.uow import Uow
from xiangyue.features.areas import queries as areas
from xiangyue.features.areas import switch
from xiangyue.features.households import policy
from xiangyue.features.households.pages import bp
from xiangyue.features.households.pages.register_acts import (
    ACT_COLUMNS,
    act_filter,
    act_filters,
)
from xiangyue.features.households.queries_acts import ActFilter, ActRow, count_ledger, ledger
from xiangyue.features.households.register.words import KIND_LABELS, STATE_LABELS
from xiangyue.features.households.service_export import note_export
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.web.access import requires
from xiangyue.web.components import Filter, ListView
from xiangyue.web.exporting import Taken, export_list
from xiangyue.web.pipeline import current_actor, current_uow

STEP = 500


@bp.route("/register/acts/export", methods=["GET", "POST"])
@requires(policy.HOUSEHOLD_EXPORT)
def export_acts() -> Any:
    """What is going to be exported of the ledger and the question what for; sent, the file."""
    return _export(reports=False)


@bp.route("/register/reports/export", methods=["GET", "POST"])
@requires(policy.HOUSEHOLD_EXPORT)
def export_reports() -> Any:
    """What is going to be exported of the reports and the question what for; sent, the file."""
    return _export(reports=True)


def _view(reports: bool) -> ListView:
    path = url_for("households.list_reports" if reports else "households.list_acts")
    mine = Filter("mine", _l("Reported by"), choices=[("yes", _l("me"))])
    filters = (*act_filters(reports=reports), *((mine,) if reports else ()))
    return ListView(
        ACT_COLUMNS, switch.args_without_all(), path, filters, default_sort="-recorded" if reports else "-day"
    )


def _wanted(view: ListView, reports: bool) -> ActFilter:
    by = current_actor().account_id if reports and view.value("mine") else None
    return act_filter(view, switch.asked_area(current_uow()), reports=reports, by=by)


def _export(*, reports: bool) -> Any:
    uow, view = current_uow(), _view(reports)
    usable = not view.problems
    wanted = _wanted(view, reports) if usable else ActFilter()

    def cells() -> Iterator[list[Any]]:
        for row in _each(uow, wanted, view.order):
            yield [_cell(column.key, row) for column in view.visible]

    def note(taken: Taken) -> None:
        note_export(uow, entity="register", **asdict(taken), area_code=wanted.area)

    return export_list(
        view,
        title=_("Export changes of the register"),
        of=_("Reports of changes") if reports else _("Changes of the register"),
        back=view.url(),
        cells=cells,
        note=note,
        place=areas.code_text(wanted.area) if wanted.area else "",
        rows=count_ledger(uow, wanted) if usable else None,
    )


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
