"""API of the coverage, and of the households that lie in no grid."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify

from xiangyue.api.lists import list_response
from xiangyue.features.areas.queries import code_text
from xiangyue.features.grids import queries_coverage, queries_households, schemas_coverage
from xiangyue.features.grids.api import bp
from xiangyue.features.grids.policy import GRID_VIEW
from xiangyue.features.households.person_input import today
from xiangyue.web.access import requires
from xiangyue.web.pipeline import current_uow

__all__ = ["bp"]


@bp.route("/coverage", methods=["GET"])
@bp.arguments(schemas_coverage.CoverageArgs, location="query")
@bp.response(200, schemas_coverage.CoverageSchema)
@requires(GRID_VIEW)
def coverage(args: dict[str, Any]) -> Response:
    """What is owed for grids and organisations in an area on a day, and in the areas below it"""
    on = args["on"] or today()
    lines = queries_coverage.coverage(current_uow(), args["area"], on, args["days"])
    return jsonify(
        {
            "on": on.isoformat(),
            "days": args["days"],
            "total": queries_coverage.summed(lines).plain(),
            "items": [
                {"area_code": code_text(line.code), "name": line.name, "level": line.level, **line.owed.plain()}
                for line in lines
            ],
        }
    )


@bp.route("/households", methods=["GET"])
@bp.arguments(schemas_coverage.HomesArgs, location="query")
@bp.response(200, schemas_coverage.HomesSchema)
@requires(GRID_VIEW)
def homes(args: dict[str, Any]) -> Response:
    """Households that lie in no grid on a day (or in several, which the database refuses)"""
    page = queries_households.list_households(
        current_uow(), args["state"], args["area"], args["on"] or today(), sort=args["sort"], limit=args["limit"],
        after=args["cursor"],
    )  # fmt: skip
    return list_response(({**row, "since": row["since"].isoformat()} for row in page.items), page.next)
