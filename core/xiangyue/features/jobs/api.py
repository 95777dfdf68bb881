"""API of background jobs."""

from __future__ import annotations

from typing import Any

from flask import Response

from xiangyue.api.lists import chosen_fields, list_response
from xiangyue.api.setup import ApiBlueprint
from xiangyue.features.jobs import queries, service, view
from xiangyue.features.jobs.schemas import JobListArgs, JobListSchema, JobSchema
from xiangyue.jobs.models import Job
from xiangyue.web.access import signed_in
from xiangyue.web.pipeline import current_uow

bp = ApiBlueprint("jobs", __name__, url_prefix="/jobs", description="Long work: how far it is, cancel, repeat")

_FIELDS = tuple(JobSchema().fields)


def plain_job(job: Job, wanted: tuple[str, ...] | list[str] = _FIELDS) -> dict[str, Any]:
    """A job as the schema has it, cut down to the ``wanted`` fields."""
    made = {"label": str(view.label_of(job)), "step": view.step_of(job), "result_url": view.result_url(job)}
    return {name: made[name] if name in made else getattr(job, name) for name in wanted}


@bp.route("", methods=["GET"])
@bp.arguments(JobListArgs, location="query")
@bp.response(200, JobListSchema)
@signed_in
def list_jobs(args: dict[str, Any]) -> Response:
    """Jobs the caller started, or everyone's with the right to see them"""
    wanted = chosen_fields(args["fields_"], _FIELDS)
    found = queries.find_jobs(
        current_uow(),
        state=args["state"],
        kind=args["kind"],
        mine=args["mine"],
        limit=args["limit"],
        after=args["cursor"],
    )
    return list_response([plain_job(job, wanted) for job in found.jobs], found.next)


@bp.route("/<int:id>", methods=["GET"])
@bp.response(200, JobSchema)
@signed_in
def show_job(id: int) -> Any:
    """One job"""
    return plain_job(queries.get_job(current_uow(), id))


@bp.route("/<int:id>/cancel", methods=["POST"])
@bp.response(202, JobSchema)
@signed_in
def cancel_job(id: int) -> Any:
    """Stop a job: at once when it waits, at its next step when it runs"""
    return plain_job(service.cancel_job(current_uow(), job_id=id))


@bp.route("/<int:id>/repeat", methods=["POST"])
@bp.response(202, JobSchema)
@signed_in
def repeat_job(id: int) -> Any:
    """Run a failed or cancelled job again"""
    return plain_job(service.repeat_job(current_uow(), job_id=id))
