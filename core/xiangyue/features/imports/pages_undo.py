"""Pages of the undo of a whole import: what it would do, what stands in the way, and the button."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import redirect, request, url_for

from xiangyue.access.permissions import lacking
from xiangyue.db.paging import decode_as, encode_cursor, unreadable
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Invalid
from xiangyue.features.households.policy import HOUSEHOLD_EXPORT
from xiangyue.features.households.service_export import start_export
from xiangyue.features.households.undo import WHATS, Built
from xiangyue.features.imports import policy, queries, undo_list, undoing, view
from xiangyue.features.imports.pages import PAGE, bp, do_act
from xiangyue.features.imports.schemas_undo import WHAT
from xiangyue.features.privacy.access_log import Ids
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.i18n import ngettext
from xiangyue.web.access import requires
from xiangyue.web.components import Column, Filter, ListView
from xiangyue.web.exporting import Taken, export_list
from xiangyue.web.pipeline import current_actor, current_uow
from xiangyue.web.shell import flash, page
from xiangyue.web.watermark import new_number

__all__ = ["bp"]

_COLUMNS = (
    Column("name", _l("Who"), primary=True),
    Column("what", _l("What was built on it")),
    Column("place", _l("Village or group")),
    Column("at", _l("When")),
)
BUILT: dict[str, Any] = {**WHATS, WHAT: _l("Told by the register")}


@bp.get("/imports/<int:id>/undo")
@requires(policy.IMPORT_RUN)
def show_undo(id: int) -> Any:
    """What an undo of this import would do; where something was built on it, the rows and what it is."""
    uow = current_uow()
    batch = queries.get_batch(uow, id)
    try:
        outlook = undoing.outlook(uow, batch)
    except Conflict as conflict:
        flash(conflict.message, "warning")
        return redirect(url_for("imports.show_import", id=id))
    state = _state(id, outlook.built)
    asked = ListView(**state)
    what = asked.value("what")
    listed = bool(outlook.built or outlook.unseen)
    rows, onward = undoing.built_on(uow, batch, what=what, after=_place(asked), limit=PAGE) if listed else ([], None)
    total = outlook.built.get(what, 0) if what else sum(outlook.built.values())
    shown = ListView(
        **state,
        count=None if outlook.unseen else total,
        count_text="" if outlook.unseen else ngettext("%(n)d row in the way", "%(n)d rows in the way", total),
        next_cursor=None if onward is None else encode_cursor(*onward),
    )
    return page(
        "imports/undo.html",
        batch=batch,
        show=view,
        outlook=outlook,
        lines=view.undone_lines(outlook.counts),
        view=shown,
        rows=_shown(uow, rows),
        listed=listed,
    )


def _state(id: int, built: Iterable[str]) -> dict[str, Any]:
    """The list of what is in the way; ``built``: kinds of it."""
    may = current_actor().can(HOUSEHOLD_EXPORT)
    return {
        "columns": _COLUMNS,
        "filters": (Filter("what", _l("What was built on it"), choices=[(what, BUILT[what]) for what in built]),),
        "args": request.args,
        "path": url_for("imports.show_undo", id=id),
        "page_size": PAGE,
        "export_url": url_for("imports.export_undo", id=id) if may else None,
    }


def _place(asked: ListView) -> undoing.Place | None:
    direction, cursor = asked.cursor
    if direction != "after" or cursor is None:
        return None
    try:
        entity, id, what, detail = decode_as(cursor, str, int, str, str)
    except Invalid:
        raise unreadable("after") from None
    return entity, id, what, detail


def _shown(uow: Uow, rows: Iterable[Built]) -> list[dict[str, Any]]:
    rows = list(rows)
    where = undo_list.places(uow, rows)
    return [
        {
            "id": "-".join(str(part) for part in row.key),
            "name": row.label or row.code,
            "code": row.code,
            "entity": undo_list.ENTITIES[row.entity],
            "url": _url(row),
            "what": undo_list.what_of(uow, row),
            "place": where.get(row.area_code, ""),
            "at": row.at,
        }
        for row in rows
    ]


def _url(row: Built) -> str:
    """The page on which it can be looked at; none for what is gone or lies outside the area."""
    if row.household_id is None:
        return ""
    if row.entity == "person":
        return url_for("households.show_person", id=row.id)
    return url_for("households.show_household", id=row.id)


@bp.route("/imports/<int:id>/undo/export", methods=["GET", "POST"])
@requires(policy.IMPORT_RUN)
def export_undo(id: int) -> Any:
    """What is going to be exported of the rows in the way and the question what for; sent, the file."""
    if not current_actor().can(HOUSEHOLD_EXPORT):  # personal data go out only with the right to that too
        raise lacking(HOUSEHOLD_EXPORT)
    uow, seen = current_uow(), Ids()
    batch = queries.get_batch(uow, id)
    undoing.written_of(batch)
    outlook = undoing.outlook(uow, batch)
    view = ListView(**_state(id, outlook.built))
    what = view.value("what")

    def note(taken: Taken) -> None:
        undoing.note_export(
            uow, batch, number=taken.number, purpose=taken.purpose, what=what, rows=taken.rows, seen=seen
        )

    def later(format: str, purpose: str) -> int:
        asked = undo_list.Asked(id, what, format, purpose, new_number())
        return start_export(uow, params=asked.as_params(), kind=policy.UNDO_LIST_KIND).id

    return export_list(
        view,
        title=_("Export what is in the way"),
        of=undo_list.title(id),
        back=view.url(url_for("imports.show_undo", id=id)),
        headings=undo_list.HEADINGS,
        cells=lambda: undo_list.cells(uow, undoing.each_built_on(uow, batch, what=what), seen),
        note=note,
        rows=None if outlook.unseen else outlook.built.get(what, 0) if what else sum(outlook.built.values()),
        later=later,
        long=outlook.unseen,
    )


@bp.post("/imports/<int:id>/undo")
@requires(policy.IMPORT_RUN)
def undo(id: int) -> Any:
    uow = current_uow()
    version = request.form.get("version", type=int) or 0
    return do_act(id, lambda: undoing.request_undo(uow, batch_id=id, version=version))
