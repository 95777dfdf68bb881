"""API under ``/api/v1/p/errands/``."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import jsonify

from xiangyue.sdk.access import requires
from xiangyue.sdk.api import ApiBlueprint, chosen_fields, list_response, required_version, set_etag, takes_version
from xiangyue.sdk.db import decode_as, encode_cursor
from xiangyue.sdk.errors import PreconditionFailed, Stale
from xiangyue.sdk.web import current_uow
from xiangyue_errands import policy, queries, service
from xiangyue_errands.schemas import ErrandCreateSchema, ErrandListArgs, ErrandPageSchema, ErrandSchema

bp = ApiBlueprint("errands", __name__, description="Errands run for households")

FIELDS = tuple(ErrandSchema().fields)


def shown(line: queries.Line) -> dict[str, Any]:
    """An errand as ErrandSchema has it."""
    own = {name: getattr(line.errand, name) for name in FIELDS if name != "head_name"}
    return {**own, "head_name": line.head_name}


@bp.get("/")
@bp.arguments(ErrandListArgs, location="query")
@bp.response(200, ErrandPageSchema)
@requires(policy.VIEW)
def list_errands(args: dict[str, Any]) -> Any:
    """Errands by day due"""
    wanted = chosen_fields(args["fields_"], FIELDS)
    after = decode_as(args["cursor"], date, int) if args["cursor"] else None
    limit = args["limit"]
    found = queries.list_errands(
        current_uow(), state=args["state"], household_id=args["household"], after=after, limit=limit + 1
    )
    items = [{k: v for k, v in shown(line).items() if k in wanted} for line in found[:limit]]
    last = found[limit - 1].errand if len(found) > limit else None
    return list_response(items, encode_cursor(last.due_on, last.id) if last else None)


@bp.post("/")
@bp.arguments(ErrandCreateSchema)
@bp.response(201, ErrandSchema)
@requires(policy.EDIT)
def open_errand(values: dict[str, Any]) -> Any:
    """Take an errand on"""
    errand = service.open_errand(current_uow(), **values)
    answer = _one(errand.id)
    answer.status_code = 201
    return answer


@bp.get("/<int:id>")
@bp.response(200, ErrandSchema)
@requires(policy.VIEW)
def show_errand(id: int) -> Any:
    """One errand"""
    return _one(id)


@bp.post("/<int:id>/finish")
@bp.response(200, ErrandSchema)
@requires(policy.EDIT)
@takes_version
def finish_errand(id: int) -> Any:
    """Mark an errand as done. Needs If-Match."""
    uow = current_uow()
    queries.find_errand(uow, id)
    try:
        service.finish_errand(uow, id=id, version=required_version())
    except Stale as stale:
        raise PreconditionFailed(stale.message, theirs=stale.theirs) from None
    return _one(id)


def _one(id: int) -> Any:
    line = queries.find_errand(current_uow(), id)
    return set_etag(jsonify(shown(line)), line.errand.version)
