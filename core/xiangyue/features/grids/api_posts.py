"""API of who is in charge of grids."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify, make_response

from xiangyue.api.lists import list_response, required_version, set_etag, takes_version
from xiangyue.errors import NotFound, Stale
from xiangyue.features.grids import queries, queries_posts, schemas, service_posts
from xiangyue.features.grids.api import bp
from xiangyue.features.grids.models import GridPost
from xiangyue.features.grids.policy import GRID_EDIT, GRID_VIEW
from xiangyue.features.households.api_common import lost_update
from xiangyue.features.households.person_input import today
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.web.access import requires
from xiangyue.web.pipeline import current_uow

__all__ = ["bp"]


@bp.route("/<int:grid_id>/posts", methods=["GET"])
@bp.arguments(schemas.DayArgs, location="query")
@bp.response(200, schemas.PostListSchema)
@requires(GRID_VIEW)
def posts(args: dict[str, Any], grid_id: int) -> Response:
    """Who is in charge of a grid on a day, with who has died or moved away or whose term is over"""
    uow, on = current_uow(), args["on"] or today()
    if queries.find_grid(uow, grid_id, on) is None:
        raise NotFound(_l("There is no such entry, or it lies outside your area."))
    return list_response((_plain(post) for post in queries_posts.posts_on(uow, [grid_id], on)[grid_id]), None)


@bp.route("/<int:grid_id>/posts", methods=["POST"])
@bp.arguments(schemas.NewPost)
@bp.response(201, schemas.PostSchema)
@requires(GRID_EDIT)
def appoint(data: dict[str, Any], grid_id: int) -> Response:
    """Put somebody in charge from a day on: a person of the register, or somebody from outside by name; where a rule
    warns of it, with a reason"""
    return _one(service_posts.appoint(current_uow(), grid_id=grid_id, **data), 201)


@bp.route("/<int:grid_id>/posts/rules", methods=["GET"])
@bp.arguments(schemas.LookAheadArgs, location="query")
@bp.response(200, schemas.VerdictSchema)
@requires(GRID_EDIT)
def look_ahead(args: dict[str, Any], grid_id: int) -> Response:
    """What rules would have against somebody in charge from a day on, before it is done"""
    on = args["on"] or today()
    found = service_posts.look_ahead(
        current_uow(), grid_id=grid_id, role=args["role"], person_id=args["person_id"], on=on
    )
    return jsonify({"refused": found.refused, "warnings": list(found.warnings)})


@bp.route("/posts/<int:post_id>/end", methods=["POST"])
@bp.arguments(schemas.EndOfPost)
@bp.response(200, schemas.PostSchema)
@requires(GRID_EDIT)
@takes_version
def end(data: dict[str, Any], post_id: int) -> Response:
    """Somebody is no longer in charge; needs If-Match"""
    version = required_version()
    try:
        return _one(service_posts.end_post(current_uow(), post_id=post_id, version=version, **data))
    except Stale as error:
        raise lost_update(error) from None


@bp.route("/posts/<int:post_id>", methods=["DELETE"])
@bp.response(204)
@requires(GRID_EDIT)
@takes_version
def withdraw(post_id: int) -> None:
    """Withdraw a post that begins on a day to come; needs If-Match"""
    try:
        service_posts.withdraw_post(current_uow(), post_id=post_id, version=required_version())
    except Stale as error:
        raise lost_update(error) from None


def _plain(post: dict[str, Any]) -> dict[str, Any]:
    dates = {name: post[name] and post[name].isoformat() for name in ("since", "term_until", "until")}
    own = {name: value for name, value in post.items() if name != "person_state"}
    return {**own, **dates, "warnings": service_posts.spoken(post["warnings"])}


def _one(post: GridPost, status: int = 200) -> Response:
    body = {
        "id": post.id, "grid_id": post.grid_id, "role": post.role, "principal": post.principal,
        "person_id": post.person_id, "name": post.name, "unit": post.unit, "office_phone": post.office_phone,
        "since": post.valid_from.isoformat(), "term_until": post.term_until and post.term_until.isoformat(),
        "until": post.valid_to and post.valid_to.isoformat(), "ended_reason": post.ended_reason, "problem": "",
        "version": post.version, "warnings": service_posts.spoken(post.warnings), "warning_reason": post.warning_reason,
    }  # fmt: skip
    return set_etag(make_response(jsonify(body), status), post.version)
