"""API of requests about personal information."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response, jsonify

from xiangyue.api.lists import chosen_fields, list_response, required_version, set_etag, takes_version
from xiangyue.api.setup import ApiBlueprint
from xiangyue.errors import Invalid, PreconditionFailed, Stale
from xiangyue.features.privacy import queries, schemas, service, service_erase, view
from xiangyue.features.privacy.models import PrivacyRequest
from xiangyue.features.privacy.policy import ERASE, REQUEST
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.web.access import requires
from xiangyue.web.pipeline import current_uow

bp = ApiBlueprint(
    "privacy_requests",
    __name__,
    url_prefix="/privacy/requests",
    description="What people ask of their record: see, copy, correct, complete, erase",
)

FIELDS = tuple(schemas.PrivacyRequestSchema().fields)


def shown(line: queries.Line) -> dict[str, Any]:
    """A request as PrivacyRequestSchema has it."""
    row = line.request
    made = {
        "person_name": line.person.name,
        "late": line.late,
        "erased": row.outcome.get("erased", []),
        "kept": row.outcome.get("kept", []),
        "files": row.outcome.get("files", []),
    }
    plain = {name: made[name] if name in made else getattr(row, name) for name in FIELDS}
    return {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in plain.items()}


def _one(id: int, status: int = 200) -> Response:
    line = queries.get_request(current_uow(), id)
    response = jsonify(shown(line))
    response.status_code = status
    return set_etag(response, line.request.version)


def _acted(id: int, act: Callable[[int], PrivacyRequest]) -> Response:
    try:
        act(required_version())
    except Stale as error:
        raise PreconditionFailed(error.message, theirs=error.theirs) from None
    return _one(id)


@bp.get("")
@bp.arguments(schemas.PrivacyRequestListArgs, location="query")
@bp.response(200, schemas.PrivacyRequestPageSchema)
@requires(REQUEST)
def list_requests(args: dict[str, Any]) -> Response:
    """Requests about persons in the caller's area, newest first"""
    wanted = chosen_fields(args["fields_"], FIELDS)
    sort = args["sort"] or "-received"
    if sort.removeprefix("-") not in queries.SORTS:
        known = ", ".join(queries.SORTS)
        raise Invalid({"sort": [_l("Unknown: %(unknown)s. Known: %(known)s.", unknown=sort, known=known)]})
    conditions = {name: args[name] for name in ("kind", "state", "due", "since", "until", "person_id")}
    found = queries.list_requests(
        current_uow(),
        queries.RequestFilter(q=args["q"].strip(), **conditions),
        soon_until=view.soon_until(),
        sort=sort,
        limit=args["limit"],
        after=args["cursor"],
    )
    items = [{name: value for name, value in shown(line).items() if name in wanted} for line in found.lines]
    return list_response(items, found.next)


@bp.post("")
@bp.arguments(schemas.PrivacyRequestInputSchema)
@bp.response(201, schemas.PrivacyRequestSchema)
@requires(REQUEST)
def register(values: dict[str, Any]) -> Response:
    """Register a request; it is due so many working days later as the county says"""
    person_id = values.pop("person_id")
    return _one(service.register_request(current_uow(), person_id=person_id, values=values).id, 201)


@bp.get("/<int:id>")
@bp.response(200, schemas.PrivacyRequestSchema)
@requires(REQUEST)
def show_request(id: int) -> Response:
    """One request"""
    return _one(id)


@bp.post("/<int:id>/take")
@bp.response(200, schemas.PrivacyRequestSchema)
@requires(REQUEST)
@takes_version
def take(id: int) -> Response:
    """Begin to work on it. Needs If-Match"""
    return _acted(id, lambda version: service.take_up(current_uow(), id=id, version=version))


@bp.post("/<int:id>/extend")
@bp.arguments(schemas.PrivacyReasonSchema)
@bp.response(200, schemas.PrivacyRequestSchema)
@requires(REQUEST)
@takes_version
def extend(values: dict[str, Any], id: int) -> Response:
    """Put its day off, once. Needs If-Match"""
    return _acted(id, lambda version: service.extend(current_uow(), id=id, version=version, **values))


@bp.post("/<int:id>/answer")
@bp.arguments(schemas.PrivacyAnswerSchema)
@bp.response(200, schemas.PrivacyRequestSchema)
@requires(REQUEST)
@takes_version
def answer(values: dict[str, Any], id: int) -> Response:
    """Close it as answered; a correction must have changed something. Needs If-Match"""
    return _acted(id, lambda version: service.answer(current_uow(), id=id, version=version, text=values["answer"]))


@bp.post("/<int:id>/refuse")
@bp.arguments(schemas.PrivacyReasonSchema)
@bp.response(200, schemas.PrivacyRequestSchema)
@requires(REQUEST)
@takes_version
def refuse(values: dict[str, Any], id: int) -> Response:
    """Close it as refused, with the reason. Needs If-Match"""
    return _acted(id, lambda version: service.refuse(current_uow(), id=id, version=version, **values))


@bp.post("/<int:id>/withdraw")
@bp.arguments(schemas.PrivacyReasonSchema)
@bp.response(200, schemas.PrivacyRequestSchema)
@requires(REQUEST)
@takes_version
def withdraw(values: dict[str, Any], id: int) -> Response:
    """Close it because the person no longer asks. Needs If-Match"""
    return _acted(id, lambda version: service.withdraw(current_uow(), id=id, version=version, **values))


@bp.post("/<int:id>/erase")
@bp.arguments(schemas.PrivacyEraseSchema)
@bp.response(200, schemas.PrivacyRequestSchema)
@requires(ERASE)
@takes_version
def erase(values: dict[str, Any], id: int) -> Response:
    """Erase what has no lawful ground to stay, and close it; there is no way back. Needs If-Match"""
    return _acted(
        id,
        lambda version: service_erase.erase_person(
            current_uow(), id=id, version=version, person_version=values["person_version"], text=values["answer"]
        ),
    )
