"""Pages of the audit trail."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request, send_file, url_for

from xiangyue.access.models import AuditEntry
from xiangyue.access.seal import seal_state
from xiangyue.features.audit import queries, view
from xiangyue.features.audit.policy import AUDIT_VIEW, COUNT_LIMIT
from xiangyue.features.audit.service import export_entries
from xiangyue.files.workbook import MEDIA_TYPE
from xiangyue.i18n import gettext as _
from xiangyue.i18n import ngettext
from xiangyue.web.access import requires
from xiangyue.web.components import ListView
from xiangyue.web.pipeline import current_tenant, current_uow
from xiangyue.web.shell import page

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
    direction, cursor = asked.cursor
    found = queries.find_entries(
        uow,
        wanted,
        limit=PAGE,
        oldest_first=not asked.sort[1],
        after=cursor if direction == "after" else None,
        before=cursor if direction == "before" else None,
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
    uow = current_uow()
    return page("audit/verify.html", report=queries.checked_trail(uow, head=request.args.get("head", "")))


@bp.get("/audit/export")
@requires(AUDIT_VIEW)
def export() -> Any:
    uow = current_uow()
    asked = _view()
    spoken = view.words_for(uow, None)

    def cells(entry: AuditEntry) -> dict[str, Any]:
        line = view.row(spoken, entry)
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

    stream = export_entries(
        uow,
        wanted=view.wanted(request.args),
        columns=[(c.key, c.label) for c in asked.visible],
        cells=cells,
        oldest_first=not asked.sort[1],
    )
    name = f"audit-{current_tenant().slug}.xlsx"
    return send_file(stream, mimetype=MEDIA_TYPE, as_attachment=True, download_name=name)
