"""Outlines of grids from a GeoJSON file: sent, looked at on a map with what is wrong, taken over on a day."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from typing import Any

import orjson
from flask import make_response, redirect, request, url_for
from sqlalchemy import select

from xiangyue.errors import Conflict, Invalid, NotFound, Stale, TooLarge
from xiangyue.features.areas import switch
from xiangyue.features.areas.queries import names
from xiangyue.features.grids import queries, service_boundaries
from xiangyue.features.grids.boundaries.geojson import FAULTY, MAX_BYTES, STATES, SYSTEMS, TAKEN, UNMATCHED, Reading
from xiangyue.features.grids.boundaries.matching import Plan
from xiangyue.features.grids.maps import drawing, misfit_rows
from xiangyue.features.grids.models import Grid
from xiangyue.features.grids.pages import bp
from xiangyue.features.grids.pages.lists import day_asked
from xiangyue.features.grids.policy import GRID_EDIT, GRID_EXPORT
from xiangyue.features.households.person_input import today
from xiangyue.files.models import StoredFile
from xiangyue.files.names import content_disposition
from xiangyue.files.service import read_file, store_file
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.i18n import ngettext
from xiangyue.web.access import requires
from xiangyue.web.components import FormView
from xiangyue.web.pipeline import current_uow, runtime
from xiangyue.web.shell import flash, page

_PURPOSE = "grid.boundaries"
_KEPT = timedelta(days=2)
#: Lines of a preview that are shown; the counts are of all.
_SHOWN = 500


def _how() -> Reading:
    typed = request.values
    return Reading(typed.get("system", ""), typed.get("swapped") == "1", typed.get("simplify") == "1")


def _page(form: FormView, status: int = 200) -> Any:
    return page("grids/boundaries.html", status, form=form, systems=list(SYSTEMS.items()), megabytes=MAX_BYTES // 2**20)


@bp.get("/grids/boundaries")
@requires(GRID_EDIT)
def new_boundaries() -> Any:
    """The form that takes the file."""
    first = {"on": today().isoformat()}
    return _page(FormView(action=url_for("grids.send_boundaries"), values=first, multipart=True))


@bp.post("/grids/boundaries")
@requires(GRID_EDIT)
def send_boundaries() -> Any:
    """Keep the file for two days and look at it; what cannot be read at all brings the form back."""
    uow, file = current_uow(), request.files.get("file")
    data = file.stream.read(MAX_BYTES + 1) if file is not None else b""

    def again(errors: dict[str, Any], status: int = 422) -> Any:
        uow.rollback()
        return _page(FormView(action=request.path, values=request.form, errors=errors, multipart=True), status)

    try:
        on = _day()
        if file is None or not data:
            raise Invalid({"file": [_l("Choose the file.")]})
        service_boundaries.look_at_boundaries(uow, data=data, how=_how(), on=on)
        kept = store_file(
            uow, runtime().storage, stream=BytesIO(data), name=file.filename or "grids.geojson",
            media_type="application/geo+json", purpose=_PURPOSE, permission=GRID_EDIT,
            expires_at=datetime.now(UTC) + _KEPT,
        )  # fmt: skip
    except Invalid as invalid:
        return again(invalid.fields)
    except TooLarge as large:
        return again({"file": [large.message]}, 413)
    named = ("system", "swapped", "simplify")
    asked: dict[str, Any] = {name: request.form[name] for name in named if request.form.get(name)}
    return redirect(url_for("grids.preview_boundaries", token=kept.token, on=on.isoformat(), **asked), 303)


def _kept(token: uuid.UUID) -> tuple[StoredFile, bytes]:
    """One's own file. Raises NotFound."""
    uow = current_uow()
    found = uow.session.scalars(select(StoredFile).where(StoredFile.token == token)).one_or_none()
    gone = found is None or found.expires_at is None or found.expires_at <= datetime.now(UTC) or not found.storage_key
    if found is None or gone or found.purpose != _PURPOSE or found.created_by != uow.actor.account_id:
        raise NotFound(_l("This file no longer exists."))
    with read_file(uow, runtime().storage, found.id) as stream:
        return found, stream.read()


@bp.get("/grids/boundaries/<uuid:token>")
@requires(GRID_EDIT)
def preview_boundaries(token: uuid.UUID) -> Any:
    return _preview(token)


@bp.post("/grids/boundaries/<uuid:token>")
@requires(GRID_EDIT)
def take_boundaries(token: uuid.UUID) -> Any:
    """Take over what can be; the rest stays in the preview with its faults."""
    uow = current_uow()
    file, data = _kept(token)
    try:
        _plan, changes = service_boundaries.import_boundaries(
            uow, data=data, how=_how(), on=_day(), chosen=request.form.get("property", ""),
            reason=request.form.get("reason", ""), source=file.name,
        )  # fmt: skip
    except Invalid as invalid:
        uow.rollback()
        return _preview(token, invalid.fields, 422)
    except Conflict as conflict:
        uow.rollback()
        return _preview(token, {"": [conflict.message]}, 409)
    grids = sum(len(change.changes["grids"]) for change in changes)
    flash(ngettext("The outline of %(n)d grid was taken over", "The outlines of %(n)d grids were taken over", grids,
                   n=grids), "success")  # fmt: skip
    if len(changes) == 1:
        return redirect(url_for("grids.show_change", id=changes[0].id), 303)
    return redirect(url_for("grids.show_map", on=request.form.get("on")), 303)


def _day() -> date:
    try:
        return date.fromisoformat(request.values.get("on", ""))
    except ValueError:
        raise Invalid({"on": [_l("Give a day like 2026-05-01.")]}) from None


def _preview(token: uuid.UUID, errors: dict[str, Any] | None = None, status: int = 200) -> Any:
    uow = current_uow()
    file, data = _kept(token)
    on, how = day_asked(request.values.get("on", "")), _how()
    try:
        plan = service_boundaries.look_at_boundaries(
            uow, data=data, how=how, on=on, chosen=request.values.get("property", "")
        )
    except Invalid as invalid:
        plan, errors, status = Plan([], [], ""), {**invalid.fields, **(errors or {})}, 422
    values = {
        "on": request.values.get("on", ""), "reason": request.form.get("reason", ""), "property": plan.chosen,
        "system": how.system, "swapped": "1" if how.swapped else "", "simplify": "1" if how.simplify else "",
    }  # fmt: skip
    grids = queries.name_of(uow, {id for fit in plan.fits.values() for misfit in fit.misfits for id in misfit.grids})
    misfits = misfit_rows(plan.fits, grids, names(uow, [*plan.fits]))
    drawn = [
        {"id": line.meant.id, "label": line.meant.name, "text": "", "geometry": line.feature.geometry,
         "state": "edge" if line.meant.level == 1 else "fits"}
        for line in plan.lines if line.state == TAKEN and line.meant
    ]  # fmt: skip
    order = {FAULTY: 0, UNMATCHED: 1, TAKEN: 2}
    lines = sorted(plan.lines, key=lambda line: (order[line.state], line.feature.number))
    return page(
        "grids/boundaries_preview.html",
        status,
        file=file,
        plan=plan,
        lines=lines[:_SHOWN],
        hidden=max(0, len(lines) - _SHOWN),
        states=STATES,
        counts={state: plan.count(state) for state in STATES},
        misfits=misfits,
        properties=[(key, key) for key in plan.properties],
        choice=FormView(action=request.path, values=values, id="choice"),
        form=FormView(action=request.path, values=values, errors=errors or {}, id="take",
                      cancel_url=url_for("grids.new_boundaries")),
        map=drawing(drawn, misfits),
    )  # fmt: skip


@bp.post("/grids/boundaries.geojson")
@requires(GRID_EXPORT)
def export_boundaries() -> Any:
    """The outlines of the area on a day as a file, which can be taken over again."""
    uow = current_uow()
    area = switch.asked_area(uow)
    try:
        found = service_boundaries.export_boundaries(uow, area=area, on=day_asked())
    except Invalid as many:
        flash(str(next(iter(many.fields.values()))[0]), "warning")
        return redirect(url_for("grids.show_map", area=request.args.get("area"), on=request.args.get("on")), 303)
    name = "-".join(part for part in (_("Outlines of grids"), names(uow, [area]).get(area, ""), day_asked().isoformat())
                    if part)  # fmt: skip
    answer = make_response(orjson.dumps(found))
    answer.mimetype = "application/geo+json"
    answer.headers["Content-Disposition"] = content_disposition(f"{name}.geojson")
    return answer


@bp.post("/grids/<int:id>/outline/remove")
@requires(GRID_EDIT)
def remove_outline(id: int) -> Any:
    """The grid has no outline any more from a day on; the change leads to its undo."""
    uow, version = current_uow(), request.form.get("version", type=int) or 0
    uow.get(Grid, id)
    try:
        change = service_boundaries.remove_boundary(
            uow, grid_id=id, version=version, on=_day(), reason=request.form.get("reason", "")
        )
    except Invalid as invalid:
        said: Any = next(iter(invalid.fields.values()))[0]
    except (Stale, Conflict) as error:
        said = error.message
    else:
        flash(_("The outline was removed"), "success")
        return redirect(url_for("grids.show_change", id=change.id), 303)
    uow.rollback()
    flash(str(said), "warning")
    return redirect(url_for("grids.show_grid", id=id), 303)
