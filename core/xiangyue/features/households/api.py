"""API of households, their members and records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from flask import Response, jsonify, request

from xiangyue.api.lists import list_response, may_take_version, required_version, set_etag, takes_version
from xiangyue.api.setup import ApiBlueprint
from xiangyue.errors import Invalid, Stale
from xiangyue.features.households import inputs, schemas, service, service_persons, service_records
from xiangyue.features.households.api_common import (
    allow_synthetic,
    lost_update,
    moved_on,
    nest_own,
    note_sensitive_list,
    one_household,
    one_person,
    read_household,
    take_ids,
    tenant_keys,
    with_own,
)
from xiangyue.features.households.api_words import award_json, household_json, income_json
from xiangyue.features.households.filters import household_conditions
from xiangyue.features.households.identifiers import id_number_of
from xiangyue.features.households.list_query import HOUSEHOLD_DEFAULT, HOUSEHOLD_FIELDS, list_households
from xiangyue.features.households.offered import (
    asked_conditions,
    fill,
    offered_columns,
    refuse,
    run_strictly,
    takes,
)
from xiangyue.features.households.policy import HOUSEHOLD_EDIT, HOUSEHOLD_VIEW
from xiangyue.features.households.queries_persons import PartOfAnother
from xiangyue.web.access import requires
from xiangyue.web.pipeline import current_uow

bp = ApiBlueprint("households", __name__, url_prefix="/households", description="Households and what is known of them")

_ALL = tuple(HOUSEHOLD_FIELDS)


class HouseholdListArgs(schemas.HouseholdListArgs):
    """With the conditions of the county's plugins."""

    def takes(self, name: str) -> bool:
        return super().takes(name) or takes(current_uow(), name)


@bp.route("", methods=["GET"])
@bp.arguments(HouseholdListArgs, location="query")
@bp.response(200, schemas.HouseholdListSchema)
@requires(HOUSEHOLD_VIEW)
def list_all(args: dict[str, Any]) -> Response:
    """Households in the caller's area"""
    uow = current_uow()
    fields: Sequence[str] = HOUSEHOLD_DEFAULT
    custom: list[str] = []
    columns: list[Any] = []
    if args["fields_"]:
        columns = offered_columns(uow)
        known = (*_ALL, *(item.key for _whose, item in columns))
        fields, custom = with_own("household", args["fields_"], known)
        columns = [pair for pair in columns if pair[1].key in fields]
    asked = asked_conditions(uow, request.args)
    if asked.problems:
        raise Invalid(asked.problems)
    refuse(asked.failed)
    wanted = household_conditions(args, request.args)
    if asked.conditions:
        wanted = replace(wanted, offered=tuple(asked.conditions))
    own = [name for name in fields if name in HOUSEHOLD_FIELDS]
    read = partial(
        list_households,
        sort=args["sort"],
        limit=args["limit"],
        after=args["cursor"],
        fields=[*own, *custom, "id", *(["area_code"] if columns else [])],
        keys=tenant_keys() if id_number_of(args["q"]) else None,
    )
    page = run_strictly(uow, wanted, lambda tried: read(uow, tried))
    if columns:
        refuse(fill(uow, page.items, columns))
    ids = take_ids(page.items, keep="id" in own)
    if columns:
        page.items = [{name: row[name] for name in (*fields, *custom)} for row in page.items]
    if custom:
        nest_own(page.items, custom)
    note_sensitive_list(page.items, args["area"], wanted.marks, ids=ids, of_persons=False)
    return list_response(page.items, page.next)


@bp.route("", methods=["POST"])
@bp.arguments(inputs.NewHousehold)
@bp.response(201, schemas.HouseholdRecordSchema)
@requires(HOUSEHOLD_EDIT)
def register(data: dict[str, Any]) -> Response:
    """Register a household with its head; it gets the village's next number"""
    household = service.register_household(current_uow(), keys=tenant_keys(), allow_synthetic=allow_synthetic(), **data)
    return one_household(household.id, 201)


@bp.route("/<int:household_id>", methods=["GET"])
@bp.response(200, schemas.HouseholdRecordSchema)
@requires(HOUSEHOLD_VIEW)
def show(household_id: int) -> Response:
    """One household with members, marks, incomes, awards and own fields; 307 where it was merged into another"""
    try:
        return one_household(household_id)
    except PartOfAnother as merged:
        return moved_on("api-households.show", "household_id", merged)


@bp.route("/<int:household_id>", methods=["PATCH"])
@bp.arguments(inputs.HouseholdPatch)
@bp.response(200, schemas.HouseholdRecordSchema)
@requires(HOUSEHOLD_EDIT)
@takes_version
def edit(data: dict[str, Any], household_id: int) -> Response:
    """Change a household or its own fields, or move it to another area; needs If-Match"""
    version = required_version()
    try:
        service.edit_household(current_uow(), household_id=household_id, version=version, changes=data)
    except Stale as error:
        raise lost_update(error) from None
    return one_household(household_id)


@bp.route("/<int:household_id>/close", methods=["POST"])
@bp.arguments(inputs.Closing)
@bp.response(200, schemas.HouseholdRecordSchema)
@requires(HOUSEHOLD_EDIT)
@takes_version
def close(data: dict[str, Any], household_id: int) -> Response:
    """The household has left as a whole; needs If-Match"""
    version = required_version()
    try:
        service.close_household(current_uow(), household_id=household_id, version=version, **data)
    except Stale as error:
        raise lost_update(error) from None
    return one_household(household_id)


@bp.route("/<int:household_id>/reopen", methods=["POST"])
@bp.arguments(inputs.Reason)
@bp.response(200, schemas.HouseholdRecordSchema)
@requires(HOUSEHOLD_EDIT)
@takes_version
def reopen(data: dict[str, Any], household_id: int) -> Response:
    """Take a closing back; needs If-Match"""
    version = required_version()
    try:
        service.reopen_household(current_uow(), household_id=household_id, version=version, **data)
    except Stale as error:
        raise lost_update(error) from None
    return one_household(household_id)


@bp.route("/<int:household_id>/persons", methods=["GET"])
@bp.response(200, schemas.PersonRecordListSchema)
@requires(HOUSEHOLD_VIEW)
def list_members(household_id: int) -> Response:
    """All members, present ones first with the head in front"""
    return list_response(household_json(read_household(household_id))["persons"], None)


@bp.route("/<int:household_id>/persons", methods=["POST"])
@bp.arguments(inputs.NewPerson)
@bp.response(201, schemas.PersonRecordSchema)
@requires(HOUSEHOLD_EDIT)
def add_member(data: dict[str, Any], household_id: int) -> Response:
    """Register a member"""
    client_id = data.pop("client_id")
    person = service_persons.add_person(
        current_uow(),
        keys=tenant_keys(),
        household_id=household_id,
        values=data,
        client_id=client_id,
        allow_synthetic=allow_synthetic(),
    )
    return one_person(person.id, 201)


def record_version() -> int | None:
    """Version in If-Match where it is optional: a record that is put whole."""
    return required_version() if request.headers.get("If-Match") else None


@bp.route("/<int:household_id>/incomes/<int:year>", methods=["PUT"])
@bp.arguments(inputs.IncomeInput)
@bp.response(200, schemas.IncomeSchema)
@requires(HOUSEHOLD_EDIT)
@may_take_version
def put_income(data: dict[str, Any], household_id: int, year: int) -> Response:
    """Record a year's income; null takes it away. If-Match may name the record's version, 0 for none yet"""
    try:
        row = service_records.set_income(
            current_uow(), household_id=household_id, year=year, version=record_version(), **data
        )
    except Stale as error:
        raise lost_update(error) from None
    if row is None:
        return Response(status=204)
    return set_etag(jsonify(income_json(row)), row.version)


@bp.route("/<int:household_id>/awards/<key>/<int:year>", methods=["PUT"])
@bp.arguments(inputs.AwardInput)
@bp.response(200, schemas.AwardSchema)
@requires(HOUSEHOLD_EDIT)
@may_take_version
def put_award(data: dict[str, Any], household_id: int, key: str, year: int) -> Response:
    """Record a year's judgement; null takes it away. If-Match may name the record's version, 0 for none yet"""
    try:
        row = service_records.set_award(
            current_uow(), household_id=household_id, key=key, year=year, version=record_version(), **data
        )
    except Stale as error:
        raise lost_update(error) from None
    if row is None:
        return Response(status=204)
    return set_etag(jsonify(award_json(row)), row.version)
