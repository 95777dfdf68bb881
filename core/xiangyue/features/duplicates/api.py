"""API of possible duplicates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, jsonify, make_response

from xiangyue.api.lists import list_response, required_version, set_etag, takes_version
from xiangyue.api.setup import ApiBlueprint
from xiangyue.errors import PreconditionFailed, Stale
from xiangyue.features.duplicates import queries, schemas, service, service_merge
from xiangyue.features.duplicates.facts import Fact, Side, facts_of
from xiangyue.features.duplicates.policy import DUPLICATE_MERGE
from xiangyue.features.households.api_common import tenant_keys
from xiangyue.web.access import requires
from xiangyue.web.pipeline import current_uow

bp = ApiBlueprint(
    "duplicates", __name__, url_prefix="/duplicates", description="Records that may be the same person or household"
)


def pair_json(item: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the list as ``PairSchema`` says."""
    found = {name: item[name] for name in queries.NAMES if not name.startswith(("first_", "second_"))}
    for side in ("first", "second"):
        found[side] = {
            "id": item[f"{side}_id"],
            "name": item[f"{side}_name"],
            "household_code": item[f"{side}_code"],
            "area_code": item[f"{side}_area_code"],
            "area_name": item[f"{side}_area_name"],
            "state": item[f"{side}_state"],
        }
    return found


@bp.route("", methods=["GET"])
@bp.arguments(schemas.PairListArgs, location="query")
@bp.response(200, schemas.PairListSchema)
@requires(DUPLICATE_MERGE)
def list_all(args: dict[str, Any]) -> Response:
    """Pairs of which the caller may see both records"""
    names = ("area", "kind", "state", "reason", "least", "record")
    wanted = queries.PairFilter(**{name: args[name] for name in names})
    page = queries.list_pairs(current_uow(), wanted, sort=args["sort"], limit=args["limit"], after=args["cursor"])
    return list_response((pair_json(item) for item in page.items), page.next)


@bp.route("", methods=["POST"])
@bp.arguments(schemas.NewPair)
@bp.response(201, schemas.PairSchema)
@requires(DUPLICATE_MERGE)
def take_up(data: dict[str, Any]) -> Response:
    """Take two records up as a possible duplicate"""
    pair = service.name_pair(current_uow(), kind=data["kind"], one=data["one_id"], other=data["other_id"])
    return one_pair(pair.id, 201)


@bp.route("/find", methods=["POST"])
@bp.response(202, schemas.FindJobSchema)
@requires(DUPLICATE_MERGE)
def find() -> dict[str, int]:
    """Look through the register now, as a job"""
    return {"job_id": service.request_find(current_uow()).id}


@bp.route("/<int:id>", methods=["GET"])
@bp.response(200, schemas.PairSchema)
@requires(DUPLICATE_MERGE)
def show(id: int) -> Response:
    """One pair"""
    return one_pair(id)


def one_pair(id: int, status: int = 200) -> Response:
    """Answer with a pair. Raises NotFound."""
    uow = current_uow()
    pair, _first, _second = queries.get_pair(uow, id)
    item = queries.row_of(uow, pair)
    return set_etag(make_response(jsonify(pair_json(item)), status), pair.version)


@bp.route("/<int:id>/different", methods=["POST"])
@bp.arguments(schemas.Difference)
@bp.response(200, schemas.PairSchema)
@requires(DUPLICATE_MERGE)
@takes_version
def different(data: dict[str, Any], id: int) -> Response:
    """The two are not one; needs If-Match"""
    version = required_version()
    try:
        service.say_different(current_uow(), id=id, version=version, note=data["note"])
    except Stale as error:
        raise PreconditionFailed(error.message, theirs=error.theirs) from None
    return one_pair(id)


@bp.route("/<int:id>/open", methods=["POST"])
@bp.response(200, schemas.PairSchema)
@requires(DUPLICATE_MERGE)
@takes_version
def open_again(id: int) -> Response:
    """Take back that the two are different; needs If-Match"""
    version = required_version()
    try:
        service.open_again(current_uow(), id=id, version=version)
    except Stale as error:
        raise PreconditionFailed(error.message, theirs=error.theirs) from None
    return one_pair(id)


@bp.route("/<int:id>/preview", methods=["GET"])
@bp.arguments(schemas.PreviewArgs, location="query")
@bp.response(200, schemas.PreviewSchema)
@requires(DUPLICATE_MERGE)
def preview(args: dict[str, Any], id: int) -> Response:
    """What a merge would take from each record, and what would go along"""
    uow, keep = current_uow(), args["keep"]
    pair, first, second = queries.get_pair(uow, id)
    found = service_merge.preview(uow, id=id, keep=keep)
    return jsonify(
        {
            "keep": keep,
            "facts": [fact_json(fact, keep) for fact in facts_of(uow, tenant_keys(), pair.kind, first, second)],
            "rows": [
                {
                    "key": row.follows.key,
                    "label": str(row.follows.label),
                    "move": len(row.move),
                    "stay": len(row.stay),
                }
                for row in found.following
            ],
            "members": found.members,
        }
    )


def fact_json(fact: Fact, keep: str) -> dict[str, Any]:
    """A fact as ``FactSchema`` says."""

    def side(one: Side) -> dict[str, Any]:
        origin = one.origin
        told = None if origin is None else {"what": str(origin.what), "who": origin.who, "batch": origin.batch}
        return {"text": str(one.text), "origin": told and {**told, "at": origin.at if origin else None}}

    return {
        "key": fact.key,
        "label": str(fact.label),
        "same": fact.same,
        "better": fact.better(keep),
        "first": side(fact.first),
        "second": side(fact.second),
    }


@bp.route("/<int:id>/merge", methods=["POST"])
@bp.arguments(schemas.Merging)
@bp.response(200, schemas.PairSchema)
@requires(DUPLICATE_MERGE)
@takes_version
def merge(data: dict[str, Any], id: int) -> Response:
    """Make one of the two; can be undone until something is built on it. Needs If-Match"""
    version = required_version()
    try:
        service_merge.merge_pair(current_uow(), keys=tenant_keys(), id=id, version=version, **data)
    except Stale as error:
        raise PreconditionFailed(error.message, theirs=error.theirs) from None
    return one_pair(id)


@bp.route("/<int:id>/undo", methods=["POST"])
@bp.response(200, schemas.PairSchema)
@requires(DUPLICATE_MERGE)
@takes_version
def undo(id: int) -> Response:
    """Both records as they were; 409 when something was built on the merge. Needs If-Match"""
    version = required_version()
    try:
        service_merge.undo_merge(current_uow(), id=id, version=version)
    except Stale as error:
        raise PreconditionFailed(error.message, theirs=error.theirs) from None
    return one_pair(id)
