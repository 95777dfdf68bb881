"""A change of grids and its undo; the changes of a village."""

from __future__ import annotations

from typing import Any

from flask import redirect, request, url_for

from xiangyue.errors import Conflict, Invalid, Stale
from xiangyue.features.areas.queries import find_area, names, parse_code
from xiangyue.features.grids import queries, service
from xiangyue.features.grids.models import GridChange
from xiangyue.features.grids.pages import bp
from xiangyue.features.grids.policy import CHANGE_STATES, CHANGES, GRID_EDIT, GRID_VIEW
from xiangyue.i18n import gettext as _
from xiangyue.web.access import requires
from xiangyue.web.components import FormView
from xiangyue.web.pipeline import current_actor, current_uow
from xiangyue.web.shell import flash, page


@bp.get("/grids/changes")
@requires(GRID_VIEW)
def list_changes() -> Any:
    """What was changed in a village's grids, the newest first."""
    uow = current_uow()
    village = find_area(uow, parse_code(request.args.get("village", "")))
    return page(
        "grids/changes.html", village=village, rows=queries.changes_in(uow, village.area_code), changes=CHANGES,
        states=CHANGE_STATES,
    )  # fmt: skip


@bp.get("/grids/changes/<int:id>")
@requires(GRID_VIEW)
def show_change(id: int) -> Any:
    return _change_page(current_uow().get(GridChange, id))


def _change_page(change: GridChange, status: int = 200, errors: dict[str, Any] | None = None) -> Any:
    uow = current_uow()
    may = (
        change.state == "done"
        and change.kind != "register"
        and current_actor().scope(GRID_EDIT).contains(change.area_code)
    )
    ids = sorted({*change.changes["grids"], *change.changes["made"], *change.changes["near"]})
    return page(
        "grids/change.html",
        status,
        change=change,
        village=names(uow, [change.area_code]).get(change.area_code, ""),
        grids=queries.name_of(uow, ids),
        households=len(change.changes["touched"]),
        against=service.standing_against(uow, change_id=change.id) if may else [],
        may_undo=may,
        kinds=CHANGES,
        states=CHANGE_STATES,
        form=FormView(
            action=url_for("grids.undo", id=change.id), values=request.form, errors=errors or {},
            version=change.version, id="undo",
        ),
    )  # fmt: skip


@bp.post("/grids/changes/<int:id>/undo")
@requires(GRID_EDIT)
def undo(id: int) -> Any:
    uow = current_uow()
    version = request.form.get("version", type=int) or 0
    try:
        service.undo_change(uow, change_id=id, version=version, reason=request.form.get("reason", ""))
    except Invalid as invalid:
        return _change_page(uow.get(GridChange, id), 422, invalid.fields)
    except (Stale, Conflict) as error:
        return _change_page(uow.get(GridChange, id), 409, {"": [error.message]})
    flash(_("Undone: everything is as it was before."), "success")
    return redirect(url_for("grids.show_change", id=id), 303)
