"""API of the cockpit."""

from __future__ import annotations

from typing import Any

from xiangyue.api.setup import ApiBlueprint
from xiangyue.features.areas.queries import parse_code
from xiangyue.features.cockpit import schemas
from xiangyue.features.cockpit.board import as_json, look
from xiangyue.features.cockpit.policy import COCKPIT_VIEW
from xiangyue.web.access import requires
from xiangyue.web.pipeline import current_uow

bp = ApiBlueprint("cockpit", __name__, url_prefix="/cockpit", description="Counts by area")


@bp.route("", methods=["GET"])
@bp.arguments(schemas.CockpitArgs, location="query")
@bp.response(200, schemas.CockpitSchema)
@requires(COCKPIT_VIEW)
def show_cockpit(args: dict[str, Any]) -> Any:
    """Households, persons, marks and income data of an area and of those below it"""
    area = parse_code(args["area"]) if args["area"] else 0
    return as_json(look(current_uow(), area))
