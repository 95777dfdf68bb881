"""API of conflicting values."""

from __future__ import annotations

from typing import Any

from flask import Response

from xiangyue.api.lists import list_response
from xiangyue.api.setup import ApiBlueprint
from xiangyue.features.facts import queries, schemas, service
from xiangyue.features.facts.policy import FACT_DECIDE
from xiangyue.features.households.api_common import allow_synthetic, tenant_keys
from xiangyue.web.access import requires
from xiangyue.web.pipeline import current_uow

bp = ApiBlueprint(
    "facts", __name__, url_prefix="/facts", description="Values of imports that wait beside those set by hand"
)


@bp.route("", methods=["GET"])
@bp.arguments(schemas.FactListArgs, location="query")
@bp.response(200, schemas.FactListSchema)
@requires(FACT_DECIDE)
def list_all(args: dict[str, Any]) -> Response:
    """Values that wait for a decision in the caller's area"""
    wanted = queries.FactFilter(
        **{name: args[name] for name in ("area", "state", "field", "batch", "person", "household")}
    )
    page = queries.list_facts(
        current_uow(), tenant_keys(), wanted, sort=args["sort"], limit=args["limit"], after=args["cursor"]
    )
    return list_response((queries.plain(item) for item in page.items), page.next)


@bp.route("/decide", methods=["POST"])
@bp.arguments(schemas.Decisions)
@bp.response(200, schemas.DecidedSchema)
@requires(FACT_DECIDE)
def decide(data: dict[str, Any]) -> dict[str, Any]:
    """Keep what stands, or take what was offered; taking needs the right to change households too"""
    done, failed = service.decide_facts(
        current_uow(), keys=tenant_keys(), ids=data["ids"], way=data["way"], allow_synthetic=allow_synthetic()
    )
    return {"decided": done, "failed": [{"name": name, "why": str(why)} for name, why in failed]}
