"""API of saved views."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify

from xiangyue.api.lists import list_response, required_version, set_etag, takes_version
from xiangyue.api.setup import ApiBlueprint
from xiangyue.errors import PreconditionFailed, Stale
from xiangyue.features.views import queries, schemas, service
from xiangyue.features.views.models import SavedView
from xiangyue.web.access import signed_in
from xiangyue.web.pipeline import current_actor, current_uow

bp = ApiBlueprint("views", __name__, url_prefix="/views", description="Saved views of lists")


def _shown(view: SavedView) -> dict[str, Any]:
    names = ("id", "list", "name", "query", "shared", "version")
    return {**{n: getattr(view, n) for n in names}, "mine": view.account_id == current_actor().account_id}


def _answer(view: SavedView, status: int = 200) -> Response:
    response = jsonify(_shown(view))
    response.status_code = status
    return set_etag(response, view.version)


@bp.route("", methods=["GET"])
@bp.arguments(schemas.ViewListArgs, location="query")
@bp.response(200, schemas.SavedViewListSchema)
@signed_in
def list_all(args: dict[str, Any]) -> Response:
    """My views and those shared with the county"""
    return list_response([_shown(view) for view in queries.views_of(current_uow(), args["list"])], None)


@bp.route("", methods=["POST"])
@bp.arguments(schemas.SavedViewSchema)
@bp.response(201, schemas.SavedViewSchema)
@signed_in
def add(values: dict[str, Any]) -> Response:
    """Save the conditions of a list under a name"""
    return _answer(service.save_view(current_uow(), **values), 201)


@bp.route("/<int:id>", methods=["GET"])
@bp.response(200, schemas.SavedViewSchema)
@signed_in
def show(id: int) -> Response:
    """A view"""
    return _answer(queries.get_view(current_uow(), id))


@bp.route("/<int:id>", methods=["PATCH"])
@bp.arguments(schemas.SavedViewChangeSchema)
@bp.response(200, schemas.SavedViewSchema)
@signed_in
@takes_version
def edit(values: dict[str, Any], id: int) -> Response:
    """Rename a view, give it other conditions, share it or not; needs If-Match"""
    try:
        view = service.edit_view(current_uow(), id=id, version=required_version(), values=values)
    except Stale as error:
        raise PreconditionFailed(error.message, theirs=error.theirs) from None
    return _answer(view)


@bp.route("/<int:id>", methods=["DELETE"])
@bp.response(204)
@signed_in
def remove(id: int) -> None:
    """Take a view away"""
    service.remove_view(current_uow(), id=id)
