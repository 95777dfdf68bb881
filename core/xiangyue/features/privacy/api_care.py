"""API of carers, helpers and referrals."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify

from xiangyue.api.lists import required_version, set_etag, takes_version
from xiangyue.api.setup import ApiBlueprint
from xiangyue.errors import PreconditionFailed, Stale
from xiangyue.features.privacy import queries_care as queries
from xiangyue.features.privacy import schemas_care as schemas
from xiangyue.features.privacy import service_care as service
from xiangyue.features.privacy.models_care import CareReferral
from xiangyue.features.privacy.policy_care import CARE_EDIT, CARE_VIEW
from xiangyue.web.access import requires
from xiangyue.web.pipeline import current_uow, runtime

bp = ApiBlueprint("care", __name__, description="Who cares for a child, who acts for an old person")

_PLAIN = tuple(name for name in service.COLUMNS if name != "guardian_phone")
_REFERRAL = tuple(schemas.ReferralSchema().fields)


def _referral(row: CareReferral) -> dict[str, Any]:
    shown = {name: getattr(row, name) for name in _REFERRAL}
    return {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in shown.items()}


def _one(person_id: int) -> Response:
    uow = current_uow()
    view = queries.care_of(uow, person_id)
    care = view.care
    plain = {name: getattr(care, name) if care is not None else "" for name in _PLAIN}
    plain["consent_on"] = care.consent_on.isoformat() if care is not None and care.consent_on else None
    version = care.version if care is not None else 0
    body = {
        "person_id": person_id,
        **plain,
        "guardian_phone": queries.masked_phone(runtime().tenant_keys(uow), care),
        "child": view.child,
        "old": view.old,
        "alone": view.alone,
        "old_only": view.old_only,
        "consent_missing": view.consent_missing,
        "referrals": [_referral(row) for row in view.referrals],
        "version": version,
    }
    return set_etag(jsonify(body), version)


@bp.get("/persons/<int:id>/care")
@bp.response(200, schemas.CareSchema)
@requires(CARE_VIEW)
def show_care(id: int) -> Response:
    """Carer, guardian and helper of a person, the guardian's phone masked; version 0: nothing is recorded yet"""
    return _one(id)


@bp.patch("/persons/<int:id>/care")
@bp.arguments(schemas.CareChangeSchema)
@bp.response(200, schemas.CareSchema)
@requires(CARE_EDIT)
@takes_version
def edit_care(values: dict[str, Any], id: int) -> Response:
    """Record who cares for a person or acts for them; needs If-Match"""
    uow = current_uow()
    version = required_version()
    try:
        service.set_care(uow, keys=runtime().tenant_keys(uow), person_id=id, version=version, values=values)
    except Stale as error:
        raise PreconditionFailed(error.message, theirs=error.theirs) from None
    return _one(id)


@bp.post("/persons/<int:id>/referrals")
@bp.arguments(schemas.ReferralInputSchema)
@bp.response(201, schemas.ReferralSchema)
@requires(CARE_EDIT)
def refer(values: dict[str, Any], id: int) -> Response:
    """Make a child known to the village's children's director"""
    row = service.refer_child(
        current_uow(), person_id=id, director=values["director"], reason=values["reason"], on=values["referred_on"]
    )
    response = set_etag(jsonify(_referral(row)), row.version)
    response.status_code = 201
    return response


@bp.post("/referrals/<int:id>/close")
@bp.arguments(schemas.ReferralOutcomeSchema)
@bp.response(200, schemas.ReferralSchema)
@requires(CARE_EDIT)
@takes_version
def close(values: dict[str, Any], id: int) -> Response:
    """Say what came of a referral; needs If-Match"""
    version = required_version()
    try:
        row = service.close_referral(current_uow(), id=id, version=version, outcome=values["outcome"])
    except Stale as error:
        raise PreconditionFailed(error.message, theirs=error.theirs) from None
    return set_etag(jsonify(_referral(row)), row.version)
