"""API of the outlines of grids."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify

from xiangyue.api.lists import required_version, takes_version
from xiangyue.features.grids import schemas
from xiangyue.features.grids.api import change_json, versioned
from xiangyue.features.grids.api_posts import bp
from xiangyue.features.grids.boundaries.fit import Fit
from xiangyue.features.grids.boundaries.geojson import MAX_FEATURES, Reading
from xiangyue.features.grids.models import GridChange
from xiangyue.features.grids.policy import GRID_EDIT, GRID_VIEW
from xiangyue.features.grids.queries_boundaries import MOST, at_most, collection, drawn, drawn_villages, fits
from xiangyue.features.grids.service_boundaries import import_boundaries, look_at_boundaries, remove_boundary
from xiangyue.features.households.person_input import today
from xiangyue.web.access import requires
from xiangyue.web.pipeline import current_uow

__all__ = ["bp"]


@bp.route("/boundaries", methods=["GET"])
@bp.arguments(schemas.AreaDayArgs, location="query")
@bp.response(200, schemas.OutlinesSchema)
@requires(GRID_VIEW)
def boundaries(args: dict[str, Any]) -> Response:
    """Outlines of the area's grids on a day as a GeoJSON collection, at most as many as one takes over at once"""
    uow, area, on = current_uow(), args["area"], args["on"] or today()
    at_most(uow, area, on, MAX_FEATURES)
    return jsonify(collection(drawn(uow, area, on)))


@bp.route("/boundaries", methods=["POST"])
@bp.arguments(schemas.NewOutlines)
@bp.response(200, schemas.TakenOutlinesSchema)
@requires(GRID_EDIT)
def take_boundaries(data: dict[str, Any]) -> Response:
    """Take outlines over from a day on, or only say what would be done; lines with faults are left out"""
    uow, how = current_uow(), Reading(data["system"], data["swapped"], data["simplify"])
    changes: list[GridChange] = []
    asked = {"data": data["collection"], "how": how, "on": data["on"], "chosen": data["property"]}
    if data["dry_run"]:
        plan = look_at_boundaries(uow, **asked)
    else:
        plan, changes = import_boundaries(uow, **asked, reason=data["reason"], source="API")
    lines = [
        {"number": line.feature.number, "label": line.feature.label, "code": line.value,
         "grid_id": line.meant.id if line.meant else None, "state": line.state, "says": [str(t) for t in line.says]}
        for line in plan.lines
    ]  # fmt: skip
    return jsonify(
        {
            "property": plan.chosen,
            "lines": lines,
            "misfits": _misfits(plan.fits),
            "changes": [change_json(change) for change in changes],
        }
    )


@bp.route("/<int:grid_id>/boundary/remove", methods=["POST"])
@bp.arguments(schemas.Undrawing)
@bp.response(200, schemas.ChangeSchema)
@requires(GRID_EDIT)
@takes_version
def remove(data: dict[str, Any], grid_id: int) -> Response:
    """The grid has no outline from a day on, until one is taken over anew; needs If-Match"""
    version = required_version()
    return versioned(lambda: remove_boundary(current_uow(), grid_id=grid_id, version=version, **data))


@bp.route("/boundaries/fit", methods=["GET"])
@bp.arguments(schemas.AreaDayArgs, location="query")
@bp.response(200, schemas.FitSchema)
@requires(GRID_VIEW)
def fit(args: dict[str, Any]) -> Response:
    """Where outlines of the area's villages overlap, leave land out or reach beyond the village"""
    uow, on = current_uow(), args["on"] or today()
    at_most(uow, args["area"], on, MOST)
    found = fits(uow, drawn_villages(uow, args["area"], on), on)
    without = [id for one in found.values() for id in one.without]
    return jsonify({"misfits": _misfits(found), "without": without})


def _misfits(found: dict[int, Fit]) -> list[dict[str, Any]]:
    return [
        {"village": village, "kind": one.kind, "grids": list(one.grids), "area": round(one.area, 1),
         "geometry": one.geometry}
        for village, fit in found.items()
        for one in fit.misfits
    ]  # fmt: skip
