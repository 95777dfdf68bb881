"""API of ten-household groups: the list as of a day, changes and their undo, heads, the county's size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response, jsonify, make_response

from xiangyue.api.lists import list_response, required_version, set_etag, takes_version
from xiangyue.api.setup import ApiBlueprint
from xiangyue.errors import NotFound, Stale
from xiangyue.features.grids.queries import find_grid
from xiangyue.features.household_groups import queries, schemas, service, service_heads
from xiangyue.features.household_groups.models import HouseholdGroupChange, HouseholdGroupHead
from xiangyue.features.household_groups.policy import GROUP_EDIT, GROUP_SETTINGS, GROUP_VIEW
from xiangyue.features.household_groups.sizes import group_size
from xiangyue.features.households.api_common import lost_update
from xiangyue.features.households.person_input import today
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.web.access import requires
from xiangyue.web.pipeline import current_uow

bp = ApiBlueprint(
    "household_groups", __name__, url_prefix="/ten-household-groups",
    description="Ten-household groups: neighbours within one grid, with a head",
)  # fmt: skip
_LEFT_OUT = ("account_id", "grid_name")


@bp.route("", methods=["GET"])
@bp.arguments(schemas.GroupListArgs, location="query")
@bp.response(200, schemas.GroupListSchema)
@requires(GROUP_VIEW)
def list_all(args: dict[str, Any]) -> Response:
    """Groups in the caller's area as of a day"""
    wanted = queries.GroupFilter(
        on=args["on"] or today(), area=args["area"], grid=args["grid"], size=args["size"], head=args["head"],
        q=args["q"],
    )  # fmt: skip
    page = queries.list_groups(current_uow(), wanted, sort=args["sort"], limit=args["limit"], after=args["cursor"])
    return list_response((_plain(item) for item in page.items), page.next)


@bp.route("", methods=["POST"])
@bp.arguments(schemas.NewGroups)
@bp.response(201, schemas.GroupChangeSchema)
@requires(GROUP_EDIT)
def create(data: dict[str, Any]) -> Response:
    """Make groups of households of one grid from a day on"""
    return _done(service.create_groups(current_uow(), **data), 201)


@bp.route("/suggestion", methods=["GET"])
@bp.arguments(schemas.SuggestArgs, location="query")
@bp.response(200, schemas.SuggestionSchema)
@requires(GROUP_EDIT)
def suggestion(args: dict[str, Any]) -> Response:
    """Groups for the households of a grid that are in none, by house order"""
    uow, on = current_uow(), args["on"] or today()
    if find_grid(uow, args["grid"], on) is None:
        raise NotFound(_l("There is no such entry, or it lies outside your area."))
    return jsonify({"parts": [[row["id"] for row in part] for part in queries.suggest(uow, args["grid"], on)]})


@bp.route("/size", methods=["GET"])
@bp.response(200, schemas.GroupSizeSchema)
@requires(GROUP_VIEW)
def show_size() -> Response:
    """How many households a group should have"""
    return jsonify(group_size(current_uow()).plain())


@bp.route("/size", methods=["PUT"])
@bp.arguments(schemas.GroupSizeSchema)
@bp.response(200, schemas.GroupSizeSchema)
@requires(GROUP_SETTINGS)
def set_size(data: dict[str, Any]) -> Response:
    """Change it"""
    return jsonify(service_heads.set_size(current_uow(), values=data).plain())


@bp.route("/<int:group_id>", methods=["GET"])
@bp.arguments(schemas.DayArgs, location="query")
@bp.response(200, schemas.GroupDetailSchema)
@requires(GROUP_VIEW)
def show(args: dict[str, Any], group_id: int) -> Response:
    """One group as of a day, with its households"""
    uow, on = current_uow(), args["on"] or today()
    found = queries.find_group(uow, group_id, on)
    if found is None:
        raise NotFound(_l("There is no such entry, or it lies outside your area."))
    body = {**_plain(found), "members": [_dated(row) for row in queries.households_in(uow, group_id, on)]}
    return set_etag(make_response(jsonify(body)), found["version"])


@bp.route("/<int:group_id>/households", methods=["PUT"])
@bp.arguments(schemas.SettingMembers)
@bp.response(200, schemas.GroupChangeSchema)
@requires(GROUP_EDIT)
@takes_version
def set_members(data: dict[str, Any], group_id: int) -> Response:
    """From a day on the group has exactly these households; needs If-Match"""
    version = required_version()
    return _versioned(lambda: service.set_members(current_uow(), group_id=group_id, version=version, **data))


@bp.route("/<int:group_id>/rename", methods=["POST"])
@bp.arguments(schemas.RenamingGroup)
@bp.response(200, schemas.GroupChangeSchema)
@requires(GROUP_EDIT)
@takes_version
def rename(data: dict[str, Any], group_id: int) -> Response:
    """Another name from a day on; needs If-Match"""
    version = required_version()
    return _versioned(lambda: service.rename_group(current_uow(), group_id=group_id, version=version, **data))


@bp.route("/<int:group_id>/close", methods=["POST"])
@bp.arguments(schemas.ClosingGroup)
@bp.response(200, schemas.GroupChangeSchema)
@requires(GROUP_EDIT)
@takes_version
def close(data: dict[str, Any], group_id: int) -> Response:
    """The group ends; its households are in none; needs If-Match"""
    version = required_version()
    return _versioned(lambda: service.close_group(current_uow(), group_id=group_id, version=version, **data))


@bp.route("/changes/<int:change_id>/undo", methods=["POST"])
@bp.arguments(schemas.UndoingGroups)
@bp.response(200, schemas.GroupChangeSchema)
@requires(GROUP_EDIT)
@takes_version
def undo(data: dict[str, Any], change_id: int) -> Response:
    """Take a change back; needs If-Match. 409 names what was built on it"""
    version = required_version()
    return _versioned(lambda: service.undo_change(current_uow(), change_id=change_id, version=version, **data))


@bp.route("/<int:group_id>/heads", methods=["POST"])
@bp.arguments(schemas.NewHead)
@bp.response(201, schemas.HeadSchema)
@requires(GROUP_EDIT)
def name_head(data: dict[str, Any], group_id: int) -> Response:
    """Somebody who lives in one of its households becomes its head from a day on"""
    return _head(service_heads.name_head(current_uow(), group_id=group_id, **data), 201)


@bp.route("/heads/<int:head_id>/end", methods=["POST"])
@bp.arguments(schemas.EndOfHead)
@bp.response(200, schemas.HeadSchema)
@requires(GROUP_EDIT)
@takes_version
def end_head(data: dict[str, Any], head_id: int) -> Response:
    """Somebody is no longer the head; needs If-Match"""
    version = required_version()
    try:
        return _head(service_heads.end_head(current_uow(), head_id=head_id, version=version, **data))
    except Stale as error:
        raise lost_update(error) from None


def _versioned(act: Callable[[], HouseholdGroupChange]) -> Response:
    try:
        return _done(act())
    except Stale as error:
        raise lost_update(error) from None


def _dated(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in row.items()}


def _plain(item: dict[str, Any]) -> dict[str, Any]:
    return _dated({name: value for name, value in item.items() if name not in _LEFT_OUT})


def _done(change: HouseholdGroupChange, status: int = 200) -> Response:
    body = {
        "id": change.id, "kind": change.kind, "on": change.on_date.isoformat(), "state": change.state,
        "area_code": change.area_code, "reason": change.reason, "size_reason": change.size_reason,
        "groups": change.rows["groups"], "households": len(change.rows["households"]), "by_name": change.by_name,
        "version": change.version,
    }  # fmt: skip
    return set_etag(make_response(jsonify(body), status), change.version)


def _head(head: HouseholdGroupHead, status: int = 200) -> Response:
    body = {
        "id": head.id, "group_id": head.group_id, "person_id": head.person_id, "name": head.name,
        "since": head.valid_from.isoformat(), "until": head.valid_to and head.valid_to.isoformat(),
        "version": head.version,
    }  # fmt: skip
    return set_etag(make_response(jsonify(body), status), head.version)
