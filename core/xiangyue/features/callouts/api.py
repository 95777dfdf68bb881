"""API of calls in an emergency."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify, make_response

from xiangyue.api.lists import list_response, required_version, set_etag, takes_version
from xiangyue.api.setup import ApiBlueprint
from xiangyue.errors import Stale
from xiangyue.features.callouts import queries, schemas, service
from xiangyue.features.callouts.models import Callout
from xiangyue.features.callouts.phones import reveal_phones
from xiangyue.features.callouts.policy import CALLOUT_ANSWER, CALLOUT_PHONES, CALLOUT_SEND, CALLOUT_VIEW
from xiangyue.features.households.api_common import lost_update
from xiangyue.web.access import requires
from xiangyue.web.pipeline import current_uow, runtime

bp = ApiBlueprint(
    "callouts", __name__, url_prefix="/calls", description="Calls in an emergency to the heads of ten-household groups"
)
_FIELDS = ("id", "kind", "drill", "message", "state", "area_code", "by_name", "at", "ended_at", "summary", "version")


@bp.route("", methods=["GET"])
@bp.arguments(schemas.CallListArgs, location="query")
@bp.response(200, schemas.CallListSchema)
@requires(CALLOUT_VIEW)
def list_all(args: dict[str, Any]) -> Response:
    """Calls in the caller's area, the newest first"""
    wanted = queries.CallFilter(area=args["area"], kind=args["kind"], state=args["state"], drill=args["drill"])
    page = queries.list_calls(current_uow(), wanted, limit=args["limit"], after=args["cursor"])
    return list_response(({name: _plain(item[name]) for name in _FIELDS} for item in page.items), page.next)


@bp.route("", methods=["POST"])
@bp.arguments(schemas.NewCall)
@bp.response(201, schemas.CallDetailSchema)
@requires(CALLOUT_SEND)
def send(data: dict[str, Any]) -> Response:
    """Send one message to the heads of the groups of an area, of grids, or of these groups"""
    return _one(service.send_callout(current_uow(), **data), 201)


@bp.route("/<int:callout_id>", methods=["GET"])
@bp.response(200, schemas.CallDetailSchema)
@requires(CALLOUT_VIEW)
def show(callout_id: int) -> Response:
    """A call with its groups and what is known of their households"""
    return _one(current_uow().get(Callout, callout_id))


@bp.route("/<int:callout_id>/end", methods=["POST"])
@bp.arguments(schemas.EndOfCall)
@bp.response(200, schemas.CallDetailSchema)
@requires(CALLOUT_SEND)
@takes_version
def end(data: dict[str, Any], callout_id: int) -> Response:
    """The call is over; needs If-Match"""
    version = required_version()
    try:
        return _one(service.end_callout(current_uow(), callout_id=callout_id, version=version, **data))
    except Stale as error:
        raise lost_update(error) from None


@bp.route("/groups/<int:callout_group_id>/answers", methods=["POST"])
@bp.arguments(schemas.NewAnswer)
@bp.response(200, schemas.CallGroupSchema)
@requires(CALLOUT_ANSWER)
def answer(data: dict[str, Any], callout_group_id: int) -> Response:
    """What is known of a group's households; the head's own group, or in the head's place"""
    uow = current_uow()
    service.answer(
        uow, callout_group_id=callout_group_id, client_id=data["client_id"], rest=data["rest"],
        states={one["household_id"]: one["state"] for one in data["households"]},
    )  # fmt: skip
    group = queries.call_group(uow, callout_group_id)
    assert group is not None
    return jsonify(_group(group, queries.households_of(uow, [callout_group_id])))


@bp.route("/groups/<int:callout_group_id>/phones", methods=["POST"])
@bp.arguments(schemas.WhosePhones)
@bp.response(200, schemas.PhonesSchema)
@requires(CALLOUT_PHONES)
def show_phones(data: dict[str, Any], callout_group_id: int) -> Response:
    """Telephones of a household in a call that is under way, or of its group's head; each goes into the audit trail and
    the person's access log"""
    uow = current_uow()
    found = reveal_phones(uow, keys=runtime().tenant_keys(uow), callout_group_id=callout_group_id, **data)
    return jsonify({"phones": [{"name": name, "phone": phone} for name, phone in found]})


def _one(call: Callout, status: int = 200) -> Response:
    uow = current_uow()
    groups = queries.groups_of_call(uow, call.id)
    inside: dict[int, list[dict[str, Any]]] = {}
    for row in queries.households_of(uow, [group["id"] for group in groups]):
        inside.setdefault(row["callout_group_id"], []).append(row)
    body = {name: _plain(call.created_at if name == "at" else getattr(call, name)) for name in _FIELDS}
    body["groups"] = [_group(group, inside.get(group["id"], [])) for group in groups]
    return set_etag(make_response(jsonify(body), status), call.version)


def _group(group: dict[str, Any], households: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": group["id"], "group_id": group["group_id"], "name": group["name"], "head_name": group["head_name"],
        "answered": group["answered_at"] is not None, "escalated": group["escalated_at"] is not None,
        "households": [{k: row[k] for k in ("household_id", "state", "on_behalf", "alone")} for row in households],
    }  # fmt: skip


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
