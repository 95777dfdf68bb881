"""API of the register: acts, reports, undoing, and households as of a day."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response, jsonify, make_response

from xiangyue.api.lists import list_response, required_version, set_etag, takes_version
from xiangyue.api.setup import ApiBlueprint
from xiangyue.errors import Stale
from xiangyue.features.households import inputs, schemas_register
from xiangyue.features.households import queries_register as register
from xiangyue.features.households.api_common import allow_synthetic, lost_update, tenant_keys
from xiangyue.features.households.api_words import place_name
from xiangyue.features.households.models import RegisterAct
from xiangyue.features.households.person_input import today
from xiangyue.features.households.policy import HOUSEHOLD_EDIT, HOUSEHOLD_VIEW, REGISTER_REPORT
from xiangyue.features.households.service_register import confirm_act, do_act, refuse_act, report_act, undo_act
from xiangyue.web.access import requires
from xiangyue.web.pipeline import current_uow

bp = ApiBlueprint("register", __name__, description="Births, moves, splits and all that changes who belongs where")


@bp.route("/register/acts", methods=["GET"])
@bp.arguments(schemas_register.ActListArgs, location="query")
@bp.response(200, schemas_register.ActListSchema)
@requires(HOUSEHOLD_VIEW)
def list_all(args: dict[str, Any]) -> Response:
    """Acts and reports in the caller's area, newest first"""
    page = register.list_acts(
        current_uow(),
        state=args["state"],
        kind=args["kind"],
        area=args["area"],
        limit=args["limit"],
        after=args["cursor"],
    )
    return list_response(_acts_json(page.items), page.next)


@bp.route("/register/acts", methods=["POST"])
@bp.arguments(schemas_register.NewAct)
@bp.response(201, schemas_register.ActSchema)
@requires(HOUSEHOLD_EDIT)
def do(data: dict[str, Any]) -> Response:
    """Do an act: it changes the register from its day on"""
    act = do_act(
        current_uow(),
        keys=tenant_keys(),
        kind=data["kind"],
        on=data["on"],
        request=schemas_register.request_of(data),
        reason=data["reason"],
        client_id=data["client_id"],
        allow_synthetic=allow_synthetic(),
    )
    return _one(act, 201)


@bp.route("/register/reports", methods=["POST"])
@bp.arguments(schemas_register.NewAct)
@bp.response(201, schemas_register.ActSchema)
@requires(REGISTER_REPORT)
def report(data: dict[str, Any]) -> Response:
    """Report a birth, a death, leaving or coming: it waits until somebody of the village confirms it"""
    act = report_act(
        current_uow(),
        keys=tenant_keys(),
        kind=data["kind"],
        on=data["on"],
        request=schemas_register.request_of(data),
        reason=data["reason"],
        client_id=data["client_id"],
    )
    return _one(act, 201)


@bp.route("/register/acts/<int:act_id>", methods=["GET"])
@bp.response(200, schemas_register.ActSchema)
@requires(HOUSEHOLD_VIEW)
def show(act_id: int) -> Response:
    """One act or report"""
    return _one(current_uow().get(RegisterAct, act_id))


@bp.route("/register/acts/<int:act_id>/confirm", methods=["POST"])
@bp.arguments(schemas_register.Confirming)
@bp.response(200, schemas_register.ActSchema)
@requires(HOUSEHOLD_EDIT)
@takes_version
def confirm(data: dict[str, Any], act_id: int) -> Response:
    """Do what was reported, corrected or completed where that is given; needs If-Match"""
    version = required_version()
    try:
        act = confirm_act(
            current_uow(),
            keys=tenant_keys(),
            act_id=act_id,
            version=version,
            allow_synthetic=allow_synthetic(),
            **data,
        )
    except Stale as error:
        raise lost_update(error) from None
    return _one(act)


@bp.route("/register/acts/<int:act_id>/refuse", methods=["POST"])
@bp.arguments(inputs.Reason)
@bp.response(200, schemas_register.ActSchema)
@requires(HOUSEHOLD_EDIT)
@takes_version
def refuse(data: dict[str, Any], act_id: int) -> Response:
    """What was reported is not so; needs If-Match"""
    version = required_version()
    try:
        act = refuse_act(current_uow(), act_id=act_id, version=version, **data)
    except Stale as error:
        raise lost_update(error) from None
    return _one(act)


@bp.route("/register/acts/<int:act_id>/undo", methods=["POST"])
@bp.arguments(inputs.Reason)
@bp.response(200, schemas_register.ActSchema)
@requires(HOUSEHOLD_EDIT)
@takes_version
def undo(data: dict[str, Any], act_id: int) -> Response:
    """Take an act back, as long as nothing was built on it; needs If-Match"""
    version = required_version()
    try:
        act = undo_act(current_uow(), act_id=act_id, version=version, **data)
    except Stale as error:
        raise lost_update(error) from None
    return _one(act)


@bp.route("/register/counts", methods=["GET"])
@bp.arguments(schemas_register.CountArgs, location="query")
@bp.response(200, schemas_register.CountSchema)
@requires(HOUSEHOLD_VIEW)
def counts(args: dict[str, Any]) -> Response:
    """Persons in an area on both bases: registered there, and living there"""
    registered, living = register.counts_by_base(current_uow(), args["area"], args["on"])
    day = args["on"] or today()
    return jsonify({"on": day.isoformat(), "registered": registered, "living": living})


@bp.route("/households/<int:household_id>/members", methods=["GET"])
@bp.arguments(schemas_register.DayArgs, location="query")
@bp.response(200, schemas_register.HouseholdOnSchema)
@requires(HOUSEHOLD_VIEW)
def members(args: dict[str, Any], household_id: int) -> Response:
    """Who belonged to a household on a day, on which base, and where those live who live elsewhere"""
    found = register.household_on(current_uow(), household_id, args["on"])
    return jsonify(
        {
            "household_id": found.household.id,
            "on": found.on.isoformat(),
            "state": found.state,
            "registered": found.registered,
            "living": found.living,
            "members": [_member_json(member) for member in found.members],
        }
    )


@bp.route("/households/<int:household_id>/acts", methods=["GET"])
@bp.response(200, schemas_register.ActListSchema)
@requires(HOUSEHOLD_VIEW)
def of_household(household_id: int) -> Response:
    """What happened to a household and its members, the latest day first"""
    return list_response(_acts_json(register.acts_of(current_uow(), "household", household_id)), None)


@bp.route("/persons/<int:person_id>/acts", methods=["GET"])
@bp.response(200, schemas_register.ActListSchema)
@requires(HOUSEHOLD_VIEW)
def of_person(person_id: int) -> Response:
    """What happened to a person, the latest day first"""
    return list_response(_acts_json(register.acts_of(current_uow(), "person", person_id)), None)


def _one(act: RegisterAct, status: int = 200) -> Response:
    (found,) = _acts_json([act])
    return set_etag(make_response(jsonify(found), status), act.version)


def _acts_json(acts: Sequence[RegisterAct]) -> list[dict[str, Any]]:
    persons = register.persons_of_acts(current_uow(), acts)
    return [
        {
            "id": act.id,
            "kind": act.kind,
            "on": act.on_date.isoformat(),
            "state": act.state,
            "household_id": act.household_id,
            "other_household_id": act.other_household_id,
            "area_code": act.area_code,
            "persons": [{"id": id, "name": name} for id, name in persons[act.id]],
            "reason": act.reason,
            "reported_by": act.reported_name,
            "reported_at": act.reported_at and act.reported_at.isoformat(),
            "decided_by": act.decided_name,
            "decided_at": act.decided_at and act.decided_at.isoformat(),
            "decision": act.decision,
            "version": act.version,
        }
        for act in acts
    ]


def _member_json(member: register.MemberOn) -> dict[str, Any]:
    return {
        "person_id": member.person_id,
        "name": member.name,
        "sex": member.sex,
        "birth_date": member.birth_date and member.birth_date.isoformat(),
        "relation": member.relation,
        "registered": member.registered,
        "living": member.living,
        "away": member.away,
        "since": member.since and member.since.isoformat(),
        "lives_at": _place_json(member.lives),
        "registered_at": _place_json(member.registered_at),
    }


def _place_json(place: register.Elsewhere | None) -> dict[str, Any] | None:
    if place is None:
        return None
    return {
        "household_id": place.household_id,
        "code": place.code,
        "head_name": place.head_name,
        "area_name": place_name(place.area_path),
    }
