"""API of grids: the list as of a day, changes and their undo, the county's rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response, jsonify, make_response

from xiangyue.api.lists import list_response, required_version, set_etag, takes_version
from xiangyue.api.setup import ApiBlueprint
from xiangyue.errors import NotFound, Stale
from xiangyue.features.grids import queries, rules, schemas, service, service_rules
from xiangyue.features.grids.models import GridChange
from xiangyue.features.grids.policy import GRID_EDIT, GRID_SETTINGS, GRID_VIEW
from xiangyue.features.households.api_common import lost_update
from xiangyue.features.households.person_input import today
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.web.access import requires
from xiangyue.web.pipeline import current_uow

bp = ApiBlueprint(
    "grids", __name__, url_prefix="/grids", description="Grids of a village, what lies in them and since when"
)

_PLAIN = (
    "id", "code", "name", "kind", "special_kind", "level", "leaf", "area_code", "area_name", "parent_id", "valid_from",
    "valid_to", "version",
)  # fmt: skip


@bp.route("", methods=["GET"])
@bp.arguments(schemas.GridListArgs, location="query")
@bp.response(200, schemas.GridListSchema)
@requires(GRID_VIEW)
def list_all(args: dict[str, Any]) -> Response:
    """Grids in the caller's area as of a day"""
    wanted = queries.GridFilter(
        on=args["on"] or today(), area=args["area"], level=args["level"], kind=args["kind"], size=args["size"],
        leader=args["leader"], days=args["days"], leaf=args["leaf"], q=args["q"],
    )  # fmt: skip
    page = queries.list_grids(current_uow(), wanted, sort=args["sort"], limit=args["limit"], after=args["cursor"])
    return list_response((_plain(item) for item in page.items), page.next)


@bp.route("", methods=["POST"])
@bp.arguments(schemas.NewGrid)
@bp.response(201, schemas.ChangeSchema)
@requires(GRID_EDIT)
def create(data: dict[str, Any]) -> Response:
    """Make a grid from a day on, with households of the village in it"""
    return _done(service.create_grid(current_uow(), **data), 201)


@bp.route("/<int:grid_id>", methods=["GET"])
@bp.arguments(schemas.DayArgs, location="query")
@bp.response(200, schemas.GridDetailSchema)
@requires(GRID_VIEW)
def show(args: dict[str, Any], grid_id: int) -> Response:
    """One grid as of a day"""
    uow, on = current_uow(), args["on"] or today()
    found = queries.find_grid(uow, grid_id, on)
    if found is None:
        raise NotFound(_l("There is no such entry, or it lies outside your area."))
    body = {
        **_plain(found),
        "on": on.isoformat(),
        "standing": found["standing"],
        "rule": found["rule"].plain(),
        "codes": [code for code, _since in queries.codes_of(uow, grid_id)],
        "below": [one["id"] for one in queries.children(uow, grid_id, on)],
        "size_notes": [{**note, "on": note["on"].isoformat()} for note in queries.size_notes(uow, grid_id)],
    }
    return set_etag(make_response(jsonify(body)), found["version"])


@bp.route("/<int:grid_id>/households", methods=["GET"])
@bp.arguments(schemas.DayArgs, location="query")
@bp.response(200, schemas.InsideListSchema)
@requires(GRID_VIEW)
def households(args: dict[str, Any], grid_id: int) -> Response:
    """Households in a leaf grid on a day, with their persons on both bases"""
    uow, on = current_uow(), args["on"] or today()
    if queries.find_grid(uow, grid_id, on) is None:
        raise NotFound(_l("There is no such entry, or it lies outside your area."))
    return list_response(({k: v for k, v in row.items() if k != "state"} for row in
                          queries.households_in(uow, grid_id, on)), None)  # fmt: skip


@bp.route("/<int:grid_id>/households", methods=["POST"])
@bp.arguments(schemas.Moving)
@bp.response(200, schemas.ChangeSchema)
@requires(GRID_EDIT)
def move(data: dict[str, Any], grid_id: int) -> Response:
    """Put households of the village into a grid from a day on, from others or from none"""
    return _done(service.move_households(current_uow(), grid_id=grid_id, **data))


@bp.route("/<int:grid_id>/rename", methods=["POST"])
@bp.arguments(schemas.Renaming)
@bp.response(200, schemas.ChangeSchema)
@requires(GRID_EDIT)
@takes_version
def rename(data: dict[str, Any], grid_id: int) -> Response:
    """Another name from a day on; needs If-Match"""
    version = required_version()
    return versioned(lambda: service.rename_grid(current_uow(), grid_id=grid_id, version=version, **data))


@bp.route("/<int:grid_id>/recode", methods=["POST"])
@bp.arguments(schemas.Recoding)
@bp.response(200, schemas.ChangeSchema)
@requires(GRID_EDIT)
@takes_version
def recode(data: dict[str, Any], grid_id: int) -> Response:
    """Another code; the old one goes on finding the grid and is never given to another; needs If-Match"""
    version = required_version()
    return versioned(lambda: service.recode_grid(current_uow(), grid_id=grid_id, version=version, **data))


@bp.route("/<int:grid_id>/close", methods=["POST"])
@bp.arguments(schemas.Closing)
@bp.response(200, schemas.ChangeSchema)
@requires(GRID_EDIT)
@takes_version
def close(data: dict[str, Any], grid_id: int) -> Response:
    """The grid ends and its households go into another; needs If-Match"""
    version = required_version()
    return versioned(lambda: service.close_grid(current_uow(), grid_id=grid_id, version=version, **data))


@bp.route("/<int:grid_id>/split", methods=["POST"])
@bp.arguments(schemas.Splitting)
@bp.response(200, schemas.ChangeSchema)
@requires(GRID_EDIT)
@takes_version
def split(data: dict[str, Any], grid_id: int) -> Response:
    """Some households make grids of their own, beside it or below it; needs If-Match"""
    version = required_version()
    return versioned(lambda: service.split_grid(current_uow(), grid_id=grid_id, version=version, **data))


@bp.route("/merge", methods=["POST"])
@bp.arguments(schemas.Merging)
@bp.response(200, schemas.ChangeSchema)
@requires(GRID_EDIT)
def merge(data: dict[str, Any]) -> Response:
    """Grids end and their households go into one of them, or into the one above"""
    return _done(service.merge_grids(current_uow(), **data))


@bp.route("/divisions", methods=["POST"])
@bp.arguments(schemas.Dividing)
@bp.response(200, schemas.ChangeSchema)
@requires(GRID_EDIT)
def divide(data: dict[str, Any]) -> Response:
    """Divide a village anew: afterwards its area grids are those of the parts and no others"""
    return _done(service.apply_division(current_uow(), **data))


@bp.route("/changes/<int:change_id>", methods=["GET"])
@bp.response(200, schemas.ChangeSchema)
@requires(GRID_VIEW)
def show_change(change_id: int) -> Response:
    """One change of grids"""
    return _done(current_uow().get(GridChange, change_id))


@bp.route("/changes/<int:change_id>/undo", methods=["POST"])
@bp.arguments(schemas.Undoing)
@bp.response(200, schemas.ChangeSchema)
@requires(GRID_EDIT)
@takes_version
def undo(data: dict[str, Any], change_id: int) -> Response:
    """Take a change back, as long as nothing was built on it; needs If-Match"""
    version = required_version()
    return versioned(lambda: service.undo_change(current_uow(), change_id=change_id, version=version, **data))


@bp.route("/rules", methods=["GET"])
@bp.response(200, schemas.RulesSchema)
@requires(GRID_VIEW)
def show_rules() -> Response:
    """The county's size rules and duty lists by level, and its template of codes"""
    return _rules()


@bp.route("/rules", methods=["PATCH"])
@bp.arguments(schemas.RulesSchema)
@bp.response(200, schemas.RulesSchema)
@requires(GRID_SETTINGS)
def set_rules(data: dict[str, Any]) -> Response:
    """Change them; levels that are left out stay as they are"""
    service_rules.set_rules(
        current_uow(), sizes=data.get("sizes") or {}, code=data.get("code"), duties=data.get("duties")
    )
    return _rules()


def _rules() -> Response:
    uow = current_uow()
    template = rules.code_template(uow)
    return jsonify(
        {
            "sizes": {str(level): rule.plain() for level, rule in rules.size_rules(uow).items()},
            "duties": {str(level): duties.plain() for level, duties in rules.duty_lists(uow).items()},
            "code": {"template": template.template, "width": template.width},
        }
    )


def versioned(act: Callable[[], GridChange]) -> Response:
    try:
        return _done(act())
    except Stale as error:
        raise lost_update(error) from None


def _plain(item: dict[str, Any]) -> dict[str, Any]:
    size, lead, found = item["size"], item["lead"], {name: item[name] for name in _PLAIN}
    dates = {name: item[name] and item[name].isoformat() for name in ("valid_from", "valid_to")}
    return {
        **found, **dates, "households": size.households, "registered": size.registered, "living": size.living,
        "breaches": list(item["breaches"]), "leader": lead["name"] if lead else "",
        "leader_term_until": lead["term_until"].isoformat() if lead and lead["term_until"] else None,
    }  # fmt: skip


def _done(change: GridChange, status: int = 200) -> Response:
    return set_etag(make_response(jsonify(change_json(change)), status), change.version)


def change_json(change: GridChange) -> dict[str, Any]:
    """As ``ChangeSchema`` says."""
    return {
        "id": change.id,
        "kind": change.kind,
        "on": change.on_date.isoformat(),
        "state": change.state,
        "area_code": change.area_code,
        "reason": change.reason,
        "grids": change.changes["grids"],
        "made": change.changes["made"],
        "households": len(change.changes["touched"]),
        "by_name": change.by_name,
        "undone_by_name": change.undone_by_name,
        "undone_reason": change.undone_reason,
        "version": change.version,
    }
