"""API of drafts. A change needs If-Match with the version that was looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response, jsonify, make_response

from xiangyue.api.lists import list_response, required_version, set_etag, takes_version
from xiangyue.api.setup import ApiBlueprint
from xiangyue.errors import PreconditionFailed, Stale
from xiangyue.features.areas.queries import names
from xiangyue.features.drafts import deciding, jobs, queries, schemas, service
from xiangyue.features.drafts.leaders import NOBODY, OUTSIDE, Chosen, proposals, verdicts
from xiangyue.features.drafts.models import GridDraft
from xiangyue.features.drafts.policy import GRID_APPROVE, GRID_PLAN, OVER
from xiangyue.features.drafts.reasons import unmet_of
from xiangyue.features.households.person_input import today
from xiangyue.web.access import requires
from xiangyue.web.pipeline import current_uow

bp = ApiBlueprint("drafts", __name__, url_prefix="/grid-drafts", description="Drafts of a village's grids")


def draft_json(id: int) -> tuple[dict[str, Any], int]:
    """A draft as ``DraftDetailSchema`` says, and its version. Raises NotFound."""
    uow = current_uow()
    uow.session.flush()
    draft = uow.get(GridDraft, id)
    uow.session.refresh(draft)
    live = queries.live_draft(uow, draft)
    found = {name: getattr(draft, name) for name in queries.NAMES}
    found["area_name"] = names(uow, [draft.area_code]).get(draft.area_code, "")
    found |= {"rule": draft.rule, "stale": live.stale, "answer": draft.answer}
    own = ("id", "name", "leader", "fixed", "level", "area_code", "households", "registered", "living", "care",
           "in_rule")  # fmt: skip
    found["parts"] = [
        {**{name: getattr(part, name) for name in own}, "household_ids": [row.id for row in part.homes]}
        for part in live.parts
    ]
    found["unmet"] = [{"why": u.why.value, "group": u.group, "text": text} for u, text in unmet_of(draft)]
    asked = proposals(uow, live, today()) if draft.state not in OVER else []
    found["leader_rules"] = [
        {"part_id": id, "refused": said.refused, "warnings": list(said.warnings)}
        for id, said in verdicts(uow, live, asked, today()).items()
    ]
    for name in ("base_date", "on_date", "updated_at"):
        found[name] = found[name].isoformat() if found[name] is not None else None
    return found, draft.version


def one_draft(id: int, status: int = 200) -> Response:
    found, version = draft_json(id)
    return set_etag(make_response(jsonify(found), status), version)


def changed(id: int, act: Callable[..., GridDraft], **values: Any) -> Response:
    """Do it with the version of If-Match. Raises PreconditionFailed for one that is not the present one."""
    try:
        act(current_uow(), draft_id=id, version=required_version(), **values)
    except Stale as error:
        raise PreconditionFailed(error.message, theirs=error.theirs) from None
    return one_draft(id)


@bp.route("", methods=["GET"])
@bp.arguments(schemas.DraftListArgs, location="query")
@bp.response(200, schemas.DraftListSchema)
@requires(GRID_PLAN)
def list_all(args: dict[str, Any]) -> Response:
    """Drafts of the area"""
    wanted = queries.DraftFilter(args["area"], args["state"])
    page = queries.list_drafts(current_uow(), wanted, sort=args["sort"], limit=args["limit"], after=args["cursor"])
    return list_response(page.items, page.next)


@bp.route("", methods=["POST"])
@bp.arguments(schemas.NewDraft)
@bp.response(201, schemas.DraftDetailSchema)
@requires(GRID_PLAN)
def make(data: dict[str, Any]) -> Response:
    """Make a draft of a village, by the planner or from its present grids"""
    uow, village, name = current_uow(), data["area"], data["name"]
    if data["origin"] == "planner":
        draft = service.plan_draft(uow, village=village, name=name, joining=data["joining"])
    else:
        draft = service.draft_present(uow, village=village, name=name)
    return one_draft(draft.id, 201)


@bp.route("/plan", methods=["POST"])
@bp.arguments(schemas.NewPlans)
@bp.response(202, schemas.PlanJobSchema)
@requires(GRID_PLAN)
def plan_area(data: dict[str, Any]) -> dict[str, int]:
    """Plan every village of a town or the county, as a job"""
    return {"job_id": jobs.request_plan(current_uow(), **data).id}


@bp.route("/<int:id>", methods=["GET"])
@bp.response(200, schemas.DraftDetailSchema)
@requires(GRID_PLAN)
def show(id: int) -> Response:
    """One draft with its grids as large as they are today"""
    return one_draft(id)


@bp.route("/<int:id>/copy", methods=["POST"])
@bp.arguments(schemas.Copying)
@bp.response(201, schemas.DraftDetailSchema)
@requires(GRID_PLAN)
def copy(data: dict[str, Any], id: int) -> Response:
    """Another draft with the same grids"""
    return one_draft(service.copy_draft(current_uow(), draft_id=id, **data).id, 201)


@bp.route("/<int:id>/move", methods=["POST"])
@bp.arguments(schemas.Moving)
@bp.response(200, schemas.DraftDetailSchema)
@requires(GRID_PLAN)
@takes_version
def move(data: dict[str, Any], id: int) -> Response:
    """Move households to another grid of the draft, or to a new one; needs If-Match"""
    return changed(id, service.move_households, **data)


@bp.route("/<int:id>/parts/<int:part>", methods=["PUT"])
@bp.arguments(schemas.PartChange)
@bp.response(200, schemas.DraftDetailSchema)
@requires(GRID_PLAN)
@takes_version
def edit_part(data: dict[str, Any], id: int, part: int) -> Response:
    """Name, proposed leader, whether planning anew leaves it; needs If-Match"""
    return changed(id, service.edit_part, part_id=part, **data)


@bp.route("/<int:id>/replan", methods=["POST"])
@bp.arguments(schemas.Replanning)
@bp.response(200, schemas.DraftDetailSchema)
@requires(GRID_PLAN)
@takes_version
def replan(data: dict[str, Any], id: int) -> Response:
    """Plan anew all grids that are not fixed; needs If-Match"""
    return changed(id, service.replan, **data)


@bp.route("/<int:id>/refresh", methods=["POST"])
@bp.response(200, schemas.DraftDetailSchema)
@requires(GRID_PLAN)
@takes_version
def refresh(id: int) -> Response:
    """Bring it up to the register, keeping what was done by hand; needs If-Match"""
    return changed(id, service.refresh)


@bp.route("/<int:id>/submit", methods=["POST"])
@bp.response(200, schemas.DraftDetailSchema)
@requires(GRID_PLAN)
@takes_version
def submit(id: int) -> Response:
    """Send it for approval; needs If-Match"""
    return changed(id, deciding.submit)


@bp.route("/<int:id>/take-back", methods=["POST"])
@bp.response(200, schemas.DraftDetailSchema)
@requires(GRID_PLAN)
@takes_version
def take_back(id: int) -> Response:
    """Take a submitted draft back; needs If-Match"""
    return changed(id, deciding.take_back)


@bp.route("/<int:id>/discard", methods=["POST"])
@bp.response(200, schemas.DraftDetailSchema)
@requires(GRID_PLAN)
@takes_version
def discard(id: int) -> Response:
    """Discard it; needs If-Match"""
    return changed(id, deciding.discard)


@bp.route("/<int:id>", methods=["DELETE"])
@bp.response(204)
@requires(GRID_PLAN)
@takes_version
def remove(id: int) -> None:
    """Remove a discarded draft for good; needs If-Match"""
    try:
        deciding.remove(current_uow(), draft_id=id, version=required_version())
    except Stale as stale:
        raise PreconditionFailed(stale.message, theirs=stale.theirs) from None


@bp.route("/<int:id>/return", methods=["POST"])
@bp.arguments(schemas.Returning)
@bp.response(200, schemas.DraftDetailSchema)
@requires(GRID_APPROVE)
@takes_version
def give_back(data: dict[str, Any], id: int) -> Response:
    """Return it with a reason; needs If-Match"""
    return changed(id, deciding.return_draft, **data)


@bp.route("/<int:id>/approve", methods=["POST"])
@bp.arguments(schemas.Answer)
@bp.response(200, schemas.DraftDetailSchema)
@requires(GRID_APPROVE)
@takes_version
def approve(data: dict[str, Any], id: int) -> Response:
    """Approve it; needs If-Match"""
    return changed(id, deciding.approve, **data)


@bp.route("/<int:id>/call-back", methods=["POST"])
@bp.response(200, schemas.DraftDetailSchema)
@requires(GRID_APPROVE)
@takes_version
def call_back(id: int) -> Response:
    """Call one back that is to be in force on a day to come: it is approved again; needs If-Match"""
    return changed(id, deciding.call_back)


@bp.route("/<int:id>/force", methods=["POST"])
@bp.arguments(schemas.Forcing)
@bp.response(200, schemas.DraftDetailSchema)
@requires(GRID_APPROVE)
@takes_version
def force(data: dict[str, Any], id: int) -> Response:
    """Put it in force on a day; needs If-Match, and a reason where grids are out of the rule"""
    leaders = {
        one["part_id"]: Chosen(
            NOBODY if one["nobody"] else OUTSIDE if one["person_id"] is None else str(one["person_id"]),
            one["office_phone"],
            one["reason"],
        )
        for one in data.pop("leaders")
    }
    return changed(id, deciding.put_in_force, leaders=leaders, **data)
