"""Pages of the audit trail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, redirect, request, url_for

from xiangyue.access.models import AuditEntry
from xiangyue.access.seal import seal_state
from xiangyue.access.seal_report import read_back
from xiangyue.features.audit import queries, view
from xiangyue.features.audit.policy import AUDIT_VIEW, COUNT_LIMIT, EXPORT_LIMIT
from xiangyue.features.audit.service import note_export, start_verify
from xiangyue.features.jobs import view as job_view
from xiangyue.i18n import gettext as _
from xiangyue.i18n import ngettext
from xiangyue.jobs.models import FINAL_STATES
from xiangyue.web.access import requires
from xiangyue.web.components import ListView
from xiangyue.web.exporting import Taken, export_list
from xiangyue.web.pipeline import current_uow, is_fragment
from xiangyue.web.shell import page, without_problems

bp = Blueprint("audit", __name__, template_folder="templates")

PAGE = 50


def _view(**state: Any) -> ListView:
    return ListView(
        columns=view.COLUMNS,
        filters=view.filters(),
        args=request.args,
        path=url_for("audit.list_entries"),
        default_sort="-at",
        page_size=PAGE,
        export_url=url_for("audit.export"),
        **state,
    )


def _count_text(count: int) -> str:
    if count > COUNT_LIMIT:
        return _("more than %(n)s entries", n=f"{COUNT_LIMIT:,}")
    return ngettext("%(n)d entry", "%(n)d entries", count)


@bp.get("/audit")
@requires(AUDIT_VIEW)
def list_entries() -> Any:
    uow = current_uow()
    wanted = view.wanted(request.args)
    asked = _view()
    if onward := without_problems(asked):
        return onward
    found = queries.find_entries(
        uow,
        wanted,
        limit=PAGE,
        oldest_first=not asked.sort[1],
        after=asked.after,
        before=asked.before,
    )
    count = queries.count_entries(uow, wanted)
    shown = _view(
        count=count if count <= COUNT_LIMIT else None,
        count_text=_count_text(count),
        shown=len(found.entries),
        next_cursor=found.next,
        back_cursor=found.back,
    )
    return page(
        "audit/list.html",
        view=shown,
        rows=view.rows(uow, found.entries),
        state=seal_state(uow),
        county_wide=uow.scope.ranges is None,
    )


@bp.get("/audit/<int:id>")
@requires(AUDIT_VIEW)
def show_entry(id: int) -> Any:
    uow = current_uow()
    entry = queries.get_entry(uow, id)
    return page("audit/entry.html", entry=entry, row=view.rows(uow, [entry])[0])


@bp.get("/audit/verify")
@requires(AUDIT_VIEW)
def check() -> Any:
    """The check under way, if there is one, and what the last one found."""
    uow = current_uow()
    queries.need_whole_county(uow.scope.ranges)
    newest, found = queries.last_checks(uow)
    if is_fragment() and newest is not None and newest.state in FINAL_STATES:
        return Response(headers={"HX-Refresh": "true"})  # the card asked how far it is: there is a result to show
    return page(
        "audit/verify.html",
        card=job_view.card(uow, newest, url=url_for("audit.check"), result=False)
        if newest is not None and newest is not found
        else None,
        job=found,
        report=read_back(found.result) if found is not None and found.result is not None else None,
        state=seal_state(uow),
    )


@bp.post("/audit/verify")
@requires(AUDIT_VIEW)
def start_check() -> Any:
    """Start a check; a chain of years takes longer than a request should."""
    start_verify(current_uow(), head=request.form.get("head", ""))
    return redirect(url_for("audit.check"), 303)


@bp.route("/audit/export", methods=["GET", "POST"])
@requires(AUDIT_VIEW)
def export() -> Any:
    """What is going to be exported and the question what for; sent, the spreadsheet of the trail at this address."""
    uow, asked = current_uow(), _view()
    spoken = view.words_for(uow, None)

    def cells() -> Iterator[list[Any]]:
        wanted = view.wanted(request.args)
        # Only what stood here before: that it is exported becomes an entry of its own.
        for entry in queries.each_entry(uow, wanted, limit=EXPORT_LIMIT + 1, oldest_first=not asked.sort[1]):
            made = _cells(view.row(spoken, entry), entry)
            yield [made[column.key] for column in asked.visible]

    def note(taken: Taken) -> None:
        note_export(uow, **asdict(taken))

    return export_list(
        asked,
        title=_("Export the audit trail"),
        of=_("Audit trail"),
        back=asked.url(),
        cells=cells,
        note=note,
        most=EXPORT_LIMIT,
    )


def _cells(line: Any, entry: AuditEntry) -> dict[str, Any]:
    return {
        "at": entry.at,
        "who": line.who,
        "action": line.action,
        "thing": f"{line.thing} {line.label}".strip(),
        "area": line.area,
        "changes": "\n".join(view.change_text(c) for c in line.changes),
        "purpose": line.purpose,
        "ip": line.ip,
        "request_id": line.request_id,
    }
