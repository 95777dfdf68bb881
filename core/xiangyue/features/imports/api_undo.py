"""API of the undo of a whole import."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify

from xiangyue.api.lists import chosen_fields, list_response, required_version, set_etag, takes_version
from xiangyue.db.paging import decode_as, encode_cursor
from xiangyue.errors import PreconditionFailed, Stale
from xiangyue.features.areas.queries import code_text
from xiangyue.features.imports import policy, queries, undoing
from xiangyue.features.imports.api import bp, one_order, shown_import
from xiangyue.features.imports.schemas import ImportSchema
from xiangyue.features.imports.schemas_undo import WHAT, BuiltArgs, BuiltPageSchema, BuiltSchema, UndoSchema
from xiangyue.web.access import requires
from xiangyue.web.pipeline import current_uow

BUILT_FIELDS = tuple(BuiltSchema().fields)

__all__ = ["bp"]


@bp.get("/<int:id>/undo")
@bp.response(200, UndoSchema)
@requires(policy.IMPORT_RUN)
def show_undo(id: int) -> Response:
    """What an undo of a written import would do, and what stands in the way"""
    uow = current_uow()
    batch = queries.get_batch(uow, id)
    found = undoing.outlook(uow, batch)
    elsewhere = [{"plugin": plugin, "column": column} for plugin, column in found.elsewhere]
    body = {
        "possible": found.possible,
        "counts": found.counts,
        "built": found.built,
        "elsewhere": elsewhere,
        "unseen": found.unseen,
    }
    return set_etag(jsonify(body), batch.version)


@bp.get("/<int:id>/undo/built")
@bp.arguments(BuiltArgs, location="query")
@bp.response(200, BuiltPageSchema)
@requires(policy.IMPORT_RUN)
def list_built(args: dict[str, Any], id: int) -> Response:
    """Rows on which something was built since, households first: while there are any, the import cannot be undone"""
    uow = current_uow()
    wanted = chosen_fields(args["fields_"], BUILT_FIELDS)
    one_order(args["sort"])
    batch = queries.get_batch(uow, id)
    rows, onward = undoing.built_on(uow, batch, what=args["what"], after=_place(args["cursor"]), limit=args["limit"])
    items = [
        {
            "what": row.what,
            "entity": row.entity,
            "id": row.id,
            "household_id": row.household_id,
            "name": row.label,
            "code": row.code,
            "area_code": code_text(row.area_code) if row.area_code else None,
            "at": row.at.isoformat() if row.at else None,
            "table": "" if row.what == WHAT else row.detail,
            "reason": row.detail if row.what == WHAT else "",
        }
        for row in rows
    ]
    items = [{name: value for name, value in item.items() if name in wanted} for item in items]
    return list_response(items, None if onward is None else encode_cursor(*onward))


def _place(text: str | None) -> undoing.Place | None:
    if not text:
        return None
    entity, id, what, detail = decode_as(text, str, int, str, str)
    return entity, id, what, detail


@bp.post("/<int:id>/undo")
@bp.response(202, ImportSchema)
@requires(policy.IMPORT_RUN)
@takes_version
def undo(id: int) -> Response:
    """Undo a written import as a whole, in the background. 409 when something was built on it. Needs If-Match"""
    version = required_version()
    try:
        batch = undoing.request_undo(current_uow(), batch_id=id, version=version)
    except Stale as stale:
        raise PreconditionFailed(stale.message, theirs=stale.theirs) from None
    return shown_import(batch, 202)
