"""API of notices and consents."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify

from xiangyue.api.lists import chosen_fields, list_response, required_version, set_etag, takes_version
from xiangyue.api.setup import ApiBlueprint
from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid, PreconditionFailed, Stale
from xiangyue.features.households.models import Person
from xiangyue.features.privacy import queries_consent as queries
from xiangyue.features.privacy import schemas_consent as schemas
from xiangyue.features.privacy import service_consent, service_notice
from xiangyue.features.privacy.policy_consent import CONSENT_EDIT, CONSENT_VIEW, NOTICE_MANAGE, NOTICE_VIEW
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.web.access import requires
from xiangyue.web.pipeline import current_uow

bp = ApiBlueprint("notices", __name__, description="Notices, forms of consent, and what people said to them")

NOTICE_FIELDS = tuple(schemas.NoticeSchema().fields)
STANDER_FIELDS = tuple(schemas.StanderSchema().fields)
_VERSION = ("id", "number", "state", "published_on", "ended_on", "version", *service_notice.WORDS)
_CONSENT = (
    "id", "notice_id", "version_id", "kind", "answer", "on", "how", "witness", "guardian_name", "guardian_relation",
    "note", "current", "created_by_name",
)  # fmt: skip


def _plain(row: Any, names: tuple[str, ...]) -> dict[str, Any]:
    found = {name: getattr(row, name) for name in names}
    return {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in found.items()}


def _shown(view: queries.NoticeView) -> dict[str, Any]:
    plain = _plain(view.notice, tuple(name for name in NOTICE_FIELDS if name != "versions"))
    return {**plain, "versions": [_plain(version, _VERSION) for version in view.versions]}


def _one(id: int, status: int = 200) -> Response:
    view = queries.get_notice(current_uow(), id)
    response = jsonify(_shown(view))
    response.status_code = status
    return set_etag(response, (view.draft or view.notice).version)


def _one_order(sort: str | None) -> None:
    if sort:
        raise Invalid({"sort": [_l("This list has one order only.")]})


@bp.get("/notices")
@bp.arguments(schemas.NoticeListArgs, location="query")
@bp.response(200, schemas.NoticePageSchema)
@requires(NOTICE_VIEW)
def list_notices(args: dict[str, Any]) -> Response:
    """Notices and forms of consent with their versions, by title"""
    wanted = chosen_fields(args["fields_"], NOTICE_FIELDS)
    _one_order(args["sort"])
    asked = queries.NoticeFilter(q=args["q"].strip(), kind=args["kind"], state=args["state"])
    rows = [_shown(view) for view in queries.list_notices(current_uow(), asked)]
    return list_response([{name: value for name, value in row.items() if name in wanted} for row in rows], None)


@bp.post("/notices")
@bp.arguments(schemas.NoticeInputSchema)
@bp.response(201, schemas.NoticeSchema)
@requires(NOTICE_MANAGE)
def add_notice(values: dict[str, Any]) -> Response:
    """Draft a notice"""
    return _one(service_notice.add_notice(current_uow(), values=values).id, 201)


@bp.get("/notices/<int:id>")
@bp.response(200, schemas.NoticeSchema)
@requires(NOTICE_VIEW)
def show_notice(id: int) -> Response:
    """One notice; its ETag is of the draft where there is one, else of the notice"""
    return _one(id)


@bp.put("/notices/<int:id>/draft")
@bp.arguments(schemas.NoticeWordsSchema)
@bp.response(200, schemas.NoticeSchema)
@requires(NOTICE_MANAGE)
@takes_version
def save_draft(values: dict[str, Any], id: int) -> Response:
    """Change the draft, or begin one from what is published; published words are never changed. Needs If-Match"""
    uow, version = current_uow(), required_version()
    view = queries.get_notice(uow, id)
    if view.draft is None:
        if version != view.notice.version:
            raise PreconditionFailed(_l("Somebody else has saved this in the meantime."), theirs={})
        version = 0
    try:
        service_notice.edit_draft(uow, id=id, version=version, values=values)
    except Stale as error:
        raise PreconditionFailed(error.message, theirs=error.theirs) from None
    return _one(id)


@bp.post("/notices/<int:id>/publish")
@bp.response(200, schemas.NoticeSchema)
@requires(NOTICE_MANAGE)
@takes_version
def publish(id: int) -> Response:
    """Publish the draft; the version before is replaced. Needs If-Match"""
    version = required_version()
    try:
        service_notice.publish_draft(current_uow(), id=id, version=version)
    except Stale as error:
        raise PreconditionFailed(error.message, theirs=error.theirs) from None
    return _one(id)


@bp.post("/notices/<int:id>/withdraw")
@bp.response(200, schemas.NoticeSchema)
@requires(NOTICE_MANAGE)
@takes_version
def withdraw(id: int) -> Response:
    """Take a notice back; what people said stays on record. A draft goes. Needs If-Match"""
    uow, version = current_uow(), required_version()
    view = queries.get_notice(uow, id)
    if version != (view.draft or view.notice).version:
        raise PreconditionFailed(_l("Somebody else has saved this in the meantime."), theirs={})
    service_notice.withdraw_notice(uow, id=id, version=view.notice.version)
    return _one(id)


@bp.get("/notices/<int:id>/persons")
@bp.arguments(schemas.StanderArgs, location="query")
@bp.response(200, schemas.StanderPageSchema)
@requires(CONSENT_VIEW)
def list_standers(args: dict[str, Any], id: int) -> Response:
    """Persons in the caller's area by how they stand to a notice: to be asked, refused, withdrawn, consented"""
    uow = current_uow()
    wanted = chosen_fields(args["fields_"], STANDER_FIELDS)
    view = queries.get_notice(uow, id)
    asked = queries.StanderFilter(args["standing"], args["area"], args["q"].strip())
    found = queries.list_standers(
        uow, view, asked, sort=args["sort"] or "place", limit=args["limit"], after=args["cursor"]
    )
    seen = [row.id for row in found.rows]
    service_consent.note_standers_read(uow, notice=view.notice, area=args["area"], persons=seen)
    return list_response([_plain(row, tuple(wanted)) for row in found.rows], found.next)


@bp.get("/persons/<int:id>/consents")
@bp.response(200, schemas.ConsentsSchema)
@requires(CONSENT_VIEW)
def list_consents(id: int) -> Response:
    """What a person said, the newest first"""
    uow = current_uow()
    person = uow.get(Person, id)
    said = queries.shown_of(uow, person)
    service_consent.note_asked_read(uow, person=person, notices=[one.notice for one in said])
    return jsonify({"items": _as_json(uow, said)})


def _as_json(uow: Uow, said: list[queries.Said]) -> list[dict[str, Any]]:
    views = {one.notice.id: queries.get_notice(uow, one.notice.id) for one in said}
    return [
        {
            **_plain(one.consent, _CONSENT),
            "number": one.version.number,
            "outdated": one.consent.current and one.outdated(views),
        }
        for one in said
    ]


@bp.post("/persons/<int:id>/consents")
@bp.arguments(schemas.ConsentInputSchema)
@bp.response(201, schemas.ConsentSchema)
@requires(CONSENT_EDIT)
def add_consent(values: dict[str, Any], id: int) -> Response:
    """Record a consent, a refusal or a withdrawal; a scan of the paper is added on the page"""
    notice_id = values.pop("notice_id")
    uow = current_uow()
    row = service_consent.record_consent(uow, person_id=id, notice_id=notice_id, values=values)
    response = jsonify(*_as_json(uow, [said for said in queries.said_by(uow, [id]) if said.consent.id == row.id]))
    response.status_code = 201
    return response
