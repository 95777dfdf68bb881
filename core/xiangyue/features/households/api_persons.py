"""API of persons, their marks and full identifiers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response, jsonify, make_response, request
from sqlalchemy import select

from xiangyue.api.lists import list_response, required_version, takes_version
from xiangyue.api.setup import ApiBlueprint
from xiangyue.errors import Stale
from xiangyue.features.households import inputs, schemas, service_persons, service_records
from xiangyue.features.households.api_common import (
    allow_synthetic,
    lost_update,
    moved_on,
    nest_own,
    note_sensitive_list,
    one_person,
    read_person,
    take_ids,
    tenant_keys,
    with_own,
)
from xiangyue.features.households.api_words import mark_json
from xiangyue.features.households.filters import person_conditions
from xiangyue.features.households.list_query import PERSON_DEFAULT, PERSON_FIELDS, list_persons
from xiangyue.features.households.models import MarkKind, PersonMark
from xiangyue.features.households.policy import HOUSEHOLD_EDIT, HOUSEHOLD_VIEW, IDENTIFIER_REVEAL
from xiangyue.features.households.queries_persons import MarkView, PartOfAnother
from xiangyue.web.access import requires
from xiangyue.web.pipeline import current_uow

bp = ApiBlueprint("persons", __name__, description="Persons, their marks and identifiers")

_ALL = tuple(PERSON_FIELDS)


@bp.route("/persons", methods=["GET"])
@bp.arguments(schemas.PersonListArgs, location="query")
@bp.response(200, schemas.PersonListSchema)
@requires(HOUSEHOLD_VIEW)
def list_all(args: dict[str, Any]) -> Response:
    """Persons in the caller's area; citizen number and phone masked"""
    custom: list[str] = []
    fields: Sequence[str] = PERSON_DEFAULT
    if args["fields_"]:
        fields, custom = with_own("person", args["fields_"], _ALL)
    wanted = person_conditions(args, request.args)
    page = list_persons(
        current_uow(),
        wanted,
        sort=args["sort"],
        limit=args["limit"],
        after=args["cursor"],
        fields=[*fields, *custom, "id"],
        keys=tenant_keys(),
    )
    ids = take_ids(page.items, keep="id" in fields)
    if custom:
        nest_own(page.items, custom)
    note_sensitive_list(page.items, args["area"], wanted.marks, ids=ids, of_persons=True)
    return list_response(page.items, page.next)


@bp.route("/persons/<int:person_id>", methods=["GET"])
@bp.response(200, schemas.PersonRecordSchema)
@requires(HOUSEHOLD_VIEW)
def show(person_id: int) -> Response:
    """One person with marks and own fields; 307 to the record that a merged one is part of"""
    try:
        return one_person(person_id)
    except PartOfAnother as merged:
        return moved_on("api-persons.show", "person_id", merged)


@bp.route("/persons/<int:person_id>", methods=["PATCH"])
@bp.arguments(inputs.PersonPatch)
@bp.response(200, schemas.PersonRecordSchema)
@requires(HOUSEHOLD_EDIT)
@takes_version
def edit(data: dict[str, Any], person_id: int) -> Response:
    """Change a person or own fields, or move them into another household; needs If-Match"""
    version = required_version()
    try:
        service_persons.edit_person(
            current_uow(),
            keys=tenant_keys(),
            person_id=person_id,
            version=version,
            changes=data,
            allow_synthetic=allow_synthetic(),
        )
    except Stale as error:
        raise lost_update(error) from None
    return one_person(person_id)


@bp.route("/persons/<int:person_id>/left", methods=["POST"])
@bp.arguments(inputs.Leaving)
@bp.response(200, schemas.PersonRecordSchema)
@requires(HOUSEHOLD_EDIT)
@takes_version
def left(data: dict[str, Any], person_id: int) -> Response:
    """A person moved away or died; needs If-Match"""
    version = required_version()
    try:
        service_persons.person_left(current_uow(), person_id=person_id, version=version, **data)
    except Stale as error:
        raise lost_update(error) from None
    return one_person(person_id)


@bp.route("/persons/<int:person_id>/back", methods=["POST"])
@bp.arguments(inputs.Reason)
@bp.response(200, schemas.PersonRecordSchema)
@requires(HOUSEHOLD_EDIT)
@takes_version
def back(data: dict[str, Any], person_id: int) -> Response:
    """A person came back, or was never gone; needs If-Match"""
    version = required_version()
    try:
        service_persons.person_back(current_uow(), person_id=person_id, version=version, **data)
    except Stale as error:
        raise lost_update(error) from None
    return one_person(person_id)


@bp.route("/persons/<int:person_id>/reveal", methods=["POST"])
@bp.arguments(inputs.RevealInput)
@bp.response(200, inputs.Revealed)
@requires(IDENTIFIER_REVEAL)
def reveal(data: dict[str, Any], person_id: int) -> Response:
    """Citizen number and phone in full; the purpose stands in the audit trail"""
    id_number, phone = service_persons.reveal_identifier(
        current_uow(), keys=tenant_keys(), person_id=person_id, purpose=data["purpose"]
    )
    response = jsonify({"id_number": id_number, "phone": phone})
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.route("/persons/<int:person_id>/marks", methods=["GET"])
@bp.response(200, schemas.MarkListSchema)
@requires(HOUSEHOLD_VIEW)
def list_marks(person_id: int) -> Response:
    """Marks of a person, standing ones first"""
    view = read_person(person_id)
    return list_response([mark_json(m) for m in (*view.marks, *view.ended)], None)


@bp.route("/persons/<int:person_id>/marks", methods=["POST"])
@bp.arguments(inputs.NewMark)
@bp.response(201, schemas.MarkSchema)
@requires(HOUSEHOLD_EDIT)
def add_mark(data: dict[str, Any], person_id: int) -> Response:
    """Give a person a mark; sensitive ones need their own right"""
    key = data.pop("mark")
    mark = service_records.add_mark(current_uow(), person_id=person_id, key=key, **data)
    return make_response(_mark(mark), 201)


@bp.route("/marks/<int:mark_id>/end", methods=["POST"])
@bp.arguments(inputs.EndMark)
@bp.response(200, schemas.MarkSchema)
@requires(HOUSEHOLD_EDIT)
def end_mark(data: dict[str, Any], mark_id: int) -> Response:
    """End a mark; it stays on record"""
    mark = service_records.end_mark(current_uow(), mark_id=mark_id, **data)
    return _mark(mark)


def _mark(mark: PersonMark) -> Response:
    """What was just written is no reading, so a sensitive one needs no purpose."""
    kind = current_uow().session.scalars(select(MarkKind).where(MarkKind.key == mark.mark_key)).one()
    return jsonify(mark_json(MarkView(mark, kind)))
