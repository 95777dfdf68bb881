"""Saved views: kept from a list, and the page on which they are put in order."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, redirect, request, url_for

from xiangyue.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from xiangyue.features.areas.queries import names, parse_code
from xiangyue.features.views import queries, service
from xiangyue.features.views.models import SavedView
from xiangyue.features.views.policy import AREA, LISTS, VIEW_SHARE
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.web.access import signed_in
from xiangyue.web.components import ConflictRow, FormView
from xiangyue.web.pipeline import current_actor, current_uow
from xiangyue.web.shell import flash, page

bp = Blueprint("views", __name__, template_folder="templates")

LABELS = {"name": _l("Name of the view"), "shared": _l("For everybody in the county"), "query": _l("Conditions")}


def address(view: SavedView) -> str:
    """Where the view is shown."""
    path = LISTS[view.list].path
    return f"{path}?{view.query}" if view.query else path


@bp.get("/views")
@signed_in
def list_views() -> Any:
    """My views and the shared ones."""
    uow = current_uow()
    found = queries.views_of(uow)
    return page(
        "views/list.html",
        views=found,
        lists=LISTS,
        owners=queries.owners(uow, found),
        address=address,
        me=current_actor().account_id,
        may_clear=current_actor().ranges(VIEW_SHARE) is None,
    )


@bp.post("/views")
@signed_in
def add_view() -> Any:
    """Keep what a list shows, and back to it; refused, the form comes back with what was typed."""
    form = request.form
    query = form.get("query", "")
    area = form.get("area", "")
    if area:
        query = "&".join(part for part in (query, urlencode({AREA: area})) if part)
    try:
        view = service.save_view(
            current_uow(),
            list=form.get("list", ""),
            name=form.get("name", ""),
            query=query,
            shared="shared" in form,
            replace="replace" in form,
        )
    except (Invalid, Conflict) as error:
        fields = error.fields if isinstance(error, Invalid) else {"name": [error.message]}
        return _new_form(form.get("query", ""), fields)
    flash(_("The view “%(name)s” stands above the list.", name=view.name))
    return redirect(address(view), 303)


def _new_form(query: str, errors: dict[str, list[Any]]) -> Any:
    current_uow().rollback()
    values = {name: request.form.get(name, "") for name in ("list", "name", "shared", "replace", "area", "here")}
    list = LISTS.get(values["list"])
    form = FormView(
        action=url_for("views.add_view"),
        values={**values, "query": query},
        errors=errors,
        cancel_url=(f"{list.path}?{query}" if query else list.path) if list else url_for("views.list_views"),
    )
    may_share = current_actor().can(VIEW_SHARE)
    here = _area_name(values["here"])
    return page("views/form.html", 422, form=form, view=None, labels=LABELS, may_share=may_share, here=here)


def _area_name(code: str) -> str:
    """What the area is called in which the list was shown; "" for none."""
    try:
        number = parse_code(code)
    except NotFound:
        return ""
    return names(current_uow(), [number]).get(number, "")


@bp.get("/views/<int:id>")
@signed_in
def show_view(id: int) -> Any:
    """The form to rename, share or unshare one's own view."""
    view = queries.get_view(current_uow(), id)
    if view.account_id != current_actor().account_id:
        raise Forbidden(_l("This view is somebody else's."))
    return _form(view)


@bp.post("/views/<int:id>")
@signed_in
def edit_view(id: int) -> Any:
    uow = current_uow()
    values = {"name": request.form.get("name", ""), "shared": "shared" in request.form}
    version = request.form.get("version", 0, type=int)
    try:
        view = service.edit_view(uow, id=id, version=version, values=values)
    except (Invalid, Conflict) as error:
        uow.rollback()
        fields = error.fields if isinstance(error, Invalid) else {"name": [error.message]}
        return _form(queries.get_view(uow, id), values, fields, version=version, status=422)
    except Stale as error:
        theirs = error.theirs
        rows = [ConflictRow(n, LABELS[n], _flat(values[n]), _flat(theirs[n]), take=theirs[n]) for n in values]
        return _form(queries.get_view(uow, id), values, conflict=rows, status=409)
    flash(_("Saved: %(name)s", name=view.name))
    return redirect(url_for("views.list_views"), 303)


@bp.post("/views/<int:id>/remove")
@signed_in
def remove_view(id: int) -> Any:
    uow = current_uow()
    name = queries.get_view(uow, id).name
    service.remove_view(uow, id=id)
    flash(_("The view “%(name)s” is gone. The households and persons in it are not touched.", name=name))
    return redirect(url_for("views.list_views"), 303)


def _flat(value: Any) -> Any:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return value


def _form(
    view: SavedView,
    values: dict[str, Any] | None = None,
    errors: dict[str, list[Any]] | None = None,
    *,
    version: int | None = None,
    conflict: list[ConflictRow] | None = None,
    status: int = 200,
) -> Any:
    form = FormView(
        action=url_for("views.edit_view", id=view.id),
        values=values or {"name": view.name, "shared": view.shared},
        errors=errors or {},
        version=version or view.version,
        conflict=conflict or [],
        reload_url=url_for("views.show_view", id=view.id),
        cancel_url=url_for("views.list_views"),
    )
    may_share = view.shared or current_actor().can(VIEW_SHARE)
    return page(
        "views/form.html", status, form=form, view=view, address=address(view), labels=LABELS, may_share=may_share
    )
