"""API of posts and who holds them."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify

from xiangyue.api.lists import set_etag, takes_version
from xiangyue.api.setup import ApiBlueprint
from xiangyue.features.households.person_input import today
from xiangyue.features.organisations import as_json, queries, schemas, service_holders, service_posts
from xiangyue.features.organisations.api import acted, detail, may_edit
from xiangyue.features.organisations.holders import Holding, people
from xiangyue.features.organisations.policy import EDIT
from xiangyue.web.access import requires
from xiangyue.web.pipeline import current_uow

bp = ApiBlueprint(
    "organisation_posts",
    __name__,
    url_prefix="/organisations",
    description="Posts of organisations: seats, and who takes them up and leaves them",
)


def _holder(id: int, status: int = 200) -> Response:
    uow = current_uow()
    row, post, organisation = queries.get_holder(uow, id)
    who = people(uow, [row.person_id]).get(row.person_id) if row.person_id is not None else None
    body = as_json.holder(Holding(row, post, who, today()), full=may_edit(organisation))
    response = jsonify(body)
    response.status_code = status
    return set_etag(response, row.version)


@bp.post("/<int:id>/posts")
@bp.arguments(schemas.PostInputSchema)
@bp.response(201, schemas.OrganisationDetailSchema)
@requires(EDIT)
def add_post(values: dict[str, Any], id: int) -> Response:
    """Another post of the organisation's own"""
    service_posts.add_post(current_uow(), organisation_id=id, values=values)
    return detail(id, status=201)


@bp.patch("/posts/<int:id>")
@bp.arguments(schemas.PostChangeSchema)
@bp.response(200, schemas.OrganisationDetailSchema)
@requires(EDIT)
@takes_version
def edit_post(values: dict[str, Any], id: int) -> Response:
    """Another name, more or fewer seats. Needs If-Match of the post"""
    post = acted(lambda version: service_posts.edit_post(current_uow(), id=id, version=version, values=values))
    return detail(post.organisation_id)


@bp.post("/posts/<int:id>/close")
@bp.response(200, schemas.OrganisationDetailSchema)
@requires(EDIT)
@takes_version
def close_post(id: int) -> Response:
    """Nobody takes it up any more. Needs If-Match of the post"""
    post = acted(lambda version: service_posts.close_post(current_uow(), id=id, version=version))
    return detail(post.organisation_id)


@bp.post("/posts/<int:id>/holders")
@bp.arguments(schemas.HolderInputSchema)
@bp.response(201, schemas.HolderSchema)
@requires(EDIT)
def appoint(values: dict[str, Any], id: int) -> Response:
    """Somebody takes the post up"""
    return _holder(service_holders.appoint(current_uow(), post_id=id, values=values).id, 201)


@bp.patch("/holders/<int:id>")
@bp.arguments(schemas.HolderChangeSchema)
@bp.response(200, schemas.HolderSchema)
@requires(EDIT)
@takes_version
def edit_holder(values: dict[str, Any], id: int) -> Response:
    """Put an entry right. Needs If-Match"""
    acted(lambda version: service_holders.edit_holder(current_uow(), id=id, version=version, values=values))
    return _holder(id)


@bp.post("/holders/<int:id>/end")
@bp.arguments(schemas.HolderEndSchema)
@bp.response(200, schemas.HolderSchema)
@requires(EDIT)
@takes_version
def end_holder(values: dict[str, Any], id: int) -> Response:
    """The post is no longer held from a day on. Needs If-Match"""
    acted(lambda version: service_holders.end_holder(current_uow(), id=id, version=version, **values))
    return _holder(id)


@bp.post("/holders/<int:id>/remove")
@bp.arguments(schemas.RemoveSchema)
@bp.response(204)
@requires(EDIT)
@takes_version
def remove_holder(values: dict[str, Any], id: int) -> Response:
    """Take out an entry made by mistake. Needs If-Match"""
    acted(lambda version: service_holders.remove_holder(current_uow(), id=id, version=version, **values))
    return Response(status=204)
