"""API of the audit trail."""

from __future__ import annotations

from typing import Any

from flask import Response

from xiangyue.api.lists import chosen_fields, list_response
from xiangyue.api.setup import ApiBlueprint
from xiangyue.features.audit import queries, schemas
from xiangyue.features.audit.policy import AUDIT_VIEW
from xiangyue.web.access import requires
from xiangyue.web.pipeline import current_uow

bp = ApiBlueprint("audit", __name__, url_prefix="/audit", description="Who did what; sealed into a hash chain")

_FIELDS = tuple(schemas.AuditEntrySchema().fields)
_CONDITIONS = ("who", "action", "object_type", "object_id", "since", "until", "purpose", "number")


@bp.route("", methods=["GET"])
@bp.arguments(schemas.AuditArgs, location="query")
@bp.response(200, schemas.AuditListSchema)
@requires(AUDIT_VIEW)
def list_entries(args: dict[str, Any]) -> Response:
    """Entries of the audit trail inside the caller's area"""
    uow = current_uow()
    fields = chosen_fields(args["fields_"], _FIELDS)
    wanted = queries.EntryFilter(**{name: args[name] for name in _CONDITIONS})
    found = queries.find_entries(
        uow, wanted, limit=args["limit"], oldest_first=args["sort"] == "at", after=args["cursor"]
    )
    return list_response([queries.plain_entry(e, fields) for e in found.entries], found.next)


@bp.route("/verify", methods=["GET"])
@bp.arguments(schemas.VerifyArgs, location="query")
@bp.response(200, schemas.VerifySchema)
@requires(AUDIT_VIEW)
def verify_trail(args: dict[str, Any]) -> Any:
    """Compute every seal again; names what was changed, missing or slipped in. Needs the right for the whole county"""
    return queries.checked_trail(current_uow(), head=args["head"])
