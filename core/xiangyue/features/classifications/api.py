"""API of classifications."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify, make_response

from xiangyue.api.lists import chosen_fields, list_response, required_version, set_etag, takes_version
from xiangyue.api.setup import ApiBlueprint
from xiangyue.errors import Invalid, PreconditionFailed, Stale
from xiangyue.features.classifications import queries, rules, schemas, service, service_compute
from xiangyue.features.classifications.as_json import classifier_json, row_json, why_json
from xiangyue.features.classifications.list_query import ListFilter, list_classifications
from xiangyue.features.classifications.policy import CLASSIFICATION_COMPUTE, CLASSIFICATION_VIEW
from xiangyue.web.access import requires
from xiangyue.web.pipeline import current_uow

bp = ApiBlueprint(
    "classifications",
    __name__,
    url_prefix="/classifications",
    description="What rules propose for households, who confirmed it, and why",
)

FIELDS = tuple(schemas.ClassificationSchema().fields)


@bp.route("", methods=["GET"])
@bp.arguments(schemas.ClassificationListArgs, location="query")
@bp.response(200, schemas.ClassificationListSchema)
@requires(CLASSIFICATION_VIEW)
def list_all(args: dict[str, Any]) -> Response:
    """Classifications in the caller's area, without grounds that need a right of their own"""
    fields = chosen_fields(args["fields_"], FIELDS)
    names = ("area", "classifier", "outcome", "state", "step", "due", "mine", "household")
    rows, page = list_classifications(
        current_uow(),
        ListFilter(**{name: args[name] for name in names}),
        sort=args["sort"],
        limit=args["limit"],
        after=args["cursor"],
    )
    whole = (row_json(row) for row in rows)
    return list_response(({name: item[name] for name in fields} for item in whole), page.next)


@bp.route("/classifiers", methods=["GET"])
@bp.response(200, schemas.ClassifierListSchema)
@requires(CLASSIFICATION_VIEW)
def list_classifiers() -> Response:
    """The county's classifications by rule: outcomes, inputs, steps, and the clauses each version rests on"""
    return list_response((classifier_json(c) for c in rules.classifiers(current_uow()).values()), None)


@bp.route("/<int:id>", methods=["GET"])
@bp.response(200, schemas.ClassificationRecordSchema)
@requires(CLASSIFICATION_VIEW)
def show(id: int) -> Response:
    """One classification with why and its history. Sensitive inputs need their right and a purpose (X-Purpose)"""
    return _one(id)


def _one(id: int) -> Response:
    uow = current_uow()
    row, _classifier = queries.get(uow, id)
    found = queries.explain(uow, row)
    service.note_read(uow, found=found)
    return set_etag(make_response(jsonify(why_json(uow, found))), row.version)


@bp.route("/<int:id>/decide", methods=["POST"])
@bp.arguments(schemas.Decision)
@bp.response(200, schemas.ClassificationRecordSchema)
@requires(CLASSIFICATION_VIEW)
@takes_version
def decide(data: dict[str, Any], id: int) -> Response:
    """Do the step that is owed: confirm, or decide otherwise with a note; needs If-Match"""
    uow, version = current_uow(), required_version()
    row, _classifier = queries.get(uow, id)
    try:
        service.decide(uow, household_id=row.household_id, classifier=row.classifier, version=version, **data)
    except Stale as error:
        raise PreconditionFailed(error.message, theirs=error.theirs) from None
    return _one(id)


@bp.route("/<int:id>/reopen", methods=["POST"])
@bp.arguments(schemas.Reopening)
@bp.response(200, schemas.ClassificationRecordSchema)
@requires(CLASSIFICATION_VIEW)
@takes_version
def reopen(data: dict[str, Any], id: int) -> Response:
    """Have it decided again, or send it back to the first step; needs If-Match"""
    version = required_version()
    try:
        service.reopen(current_uow(), id=id, version=version, **data)
    except Stale as error:
        raise PreconditionFailed(error.message, theirs=error.theirs) from None
    return _one(id)


@bp.route("/confirm", methods=["POST"])
@bp.arguments(schemas.Confirmation)
@bp.response(200, schemas.ConfirmedSchema)
@requires(CLASSIFICATION_VIEW)
def confirm(data: dict[str, Any]) -> dict[str, Any]:
    """Confirm many proposals that follow the rule at one step: the items given, or all of an area or outcome"""
    items = data["items"]
    if items is None and data["as_of"] is None:
        raise Invalid({"as_of": [service.AS_OF_NEEDED]})
    done = service.confirm_many(
        current_uow(),
        classifier=data["classifier"],
        step=data["step"],
        wanted=ListFilter(area=data["area"], outcome=data["outcome"]),
        versions=None if items is None else {item["id"]: item["version"] for item in items},
        as_of=data["as_of"],
    )
    return {"ids": done.ids, "changed": done.changed, "left": done.left, "more": done.more}


@bp.route("/compute", methods=["POST"])
@bp.arguments(schemas.ComputeArgs)
@bp.response(202, schemas.ComputeJobSchema)
@requires(CLASSIFICATION_COMPUTE)
def compute(data: dict[str, Any]) -> dict[str, int]:
    """Compute a classifier anew for an area, as a job; decisions in force stay"""
    return {"job_id": service_compute.request_compute(current_uow(), **data).id}
