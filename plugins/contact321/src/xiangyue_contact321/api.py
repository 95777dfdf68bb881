"""API under ``/api/v1/p/contact321/``."""

from __future__ import annotations

from typing import Any

from flask import Response

from xiangyue.sdk.access import requires
from xiangyue.sdk.api import ApiBlueprint, chosen_fields, list_response
from xiangyue.sdk.db import decode_ids, encode_cursor
from xiangyue.sdk.register import parse_code
from xiangyue.sdk.web import current_uow
from xiangyue_contact321 import policy, queries
from xiangyue_contact321.schemas import OverviewArgs, OverviewSchema, VillageSchema

bp = ApiBlueprint("contact321", __name__, description="Three-colour households")

FIELDS = tuple(VillageSchema().fields)


def shown(line: queries.Line) -> dict[str, Any]:
    """A village as VillageSchema has it."""
    return {
        "area_code": line.code,
        "name": line.name,
        "town": line.town,
        "households": line.households,
        "colours": line.colours,
        "in_force": line.in_force,
        "waits_for_village": line.for_village,
        "waits_for_town": line.for_town,
        "uncomputed": line.uncomputed,
        "income_year": line.year or None,
        "mean": line.mean if line.year else None,
        "coverage": line.coverage,
        "too_few": line.too_few,
        "without_income": line.no_income,
        "without_awards": line.no_awards,
    }


@bp.get("/overview")
@bp.arguments(OverviewArgs, location="query")
@bp.response(200, OverviewSchema)
@requires(policy.VIEW)
def overview(args: dict[str, Any]) -> Response:
    """Villages in the caller's area by code: colours, and what is missing"""
    wanted = chosen_fields(args["fields_"], FIELDS)
    after = decode_ids(args["cursor"])[0] if args["cursor"] else 0
    area = parse_code(args["area"]) if args["area"] else 0
    lines = [line for line in queries.overview(current_uow(), area) if line.code > after]
    limit = args["limit"]
    items = [{name: value for name, value in shown(line).items() if name in wanted} for line in lines[:limit]]
    return list_response(items, encode_cursor(lines[limit - 1].code) if len(lines) > limit else None)
