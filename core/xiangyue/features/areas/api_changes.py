"""API of changes of areas: drafts with their dry run, putting in force, undoing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Response, jsonify

from xiangyue.api.lists import chosen_fields, list_response, required_version, set_etag, takes_version
from xiangyue.db.paging import decode_ids, encode_cursor
from xiangyue.errors import Invalid, PreconditionFailed, Stale
from xiangyue.features.areas import policy
from xiangyue.features.areas.api import bp
from xiangyue.features.areas.changes import back, official, queries, refusal, service, taking
from xiangyue.features.areas.changes.dry_run import DryRun
from xiangyue.features.areas.models import AreaChange
from xiangyue.features.areas.queries import code_text, parse_code
from xiangyue.features.areas.schemas_changes import (
    AreaChangeArgs,
    AreaChangeDetailSchema,
    AreaChangeItemSchema,
    AreaChangePageSchema,
    AskedChangeSchema,
    DifferencesSchema,
    DraftedChangeSchema,
    OfficialListSchema,
    TakenOverSchema,
    TakeOverSchema,
    UndoOutlookSchema,
    UndoReasonSchema,
)
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.i18n import pick
from xiangyue.web.access import requires
from xiangyue.web.pipeline import current_uow

FIELDS = tuple(AreaChangeItemSchema().fields)
__all__ = ["bp"]


def shown(change: AreaChange) -> dict[str, Any]:
    """A change as AreaChangeItemSchema has it."""
    return {
        "id": change.id,
        "kind": change.kind,
        "state": change.state,
        "on": change.on_date.isoformat(),
        "reason": change.reason,
        "area": code_text(change.area_code),
        "request": change.request,
        "counts": change.counts,
        "job_id": change.job_id,
        "made_by": change.made_name,
        "arranged_by": change.arranged_name,
        "refused": refusal.shown(change.refused),
        "done_at": change.done_at.isoformat() if change.done_at else None,
        "done_by": change.done_name,
        "undone_at": change.undone_at.isoformat() if change.undone_at else None,
        "undone_by": change.undone_name,
        "undo_reason": change.undo_reason,
        "version": change.version,
    }


def shown_run(found: DryRun) -> dict[str, Any]:
    """A dry run as DryRunSchema has it."""
    plan = found.plan
    return {
        "possible": found.possible,
        "problems": {name: [str(text) for text in texts] for name, texts in found.problems.items()},
        "households": found.households,
        "closed": found.closed,
        "persons": found.persons,
        "without": [row.code for row in found.moves.without],
        "steps": [
            {"source": code_text(old), "to": code_text(new), "households": count} for old, new, count in found.steps
        ],
        "made": [
            {"code": code_text(made.code), "name": made.name, "kind": made.kind}
            for made in (plan.made.values() if plan else ())
        ],
        "ended": {code_text(old): code_text(new) if new else "" for old, new in (plan.retired if plan else {}).items()},
        "tables": [{"table": t.table, "label": t.label, "moves": t.moves, "stays": t.stays} for t in found.tables],
        "grants": [
            {
                "account": grant.account,
                "role": pick(grant.role, grant.role_en),
                "code": code_text(grant.code),
                "to": [code_text(code) for code in grant.to],
            }
            for grant in found.grants
        ],
    }


@contextmanager
def _fresh() -> Iterator[None]:
    try:
        yield
    except Stale as stale:
        raise PreconditionFailed(stale.message, theirs=stale.theirs) from None


def _answer(change: AreaChange, status: int = 200) -> Response:
    body = {**shown(change), "dry_run": None}
    if change.state in ("draft", "arranged"):
        _change, found = service.look(current_uow(), id=change.id)
        body["dry_run"] = shown_run(found)
    response = jsonify(body)
    response.status_code = status
    return set_etag(response, change.version)


def _asked(values: dict[str, Any]) -> dict[str, Any]:
    """Of the fields those of a request."""
    request = {name: value for name, value in values.items() if name not in ("kind", "on", "reason", "kind_of_group")}
    return {**request, "kind": values["kind_of_group"]}


@bp.get("/changes")
@bp.arguments(AreaChangeArgs, location="query")
@bp.response(200, AreaChangePageSchema)
@requires(policy.AREA_RESTRUCTURE)
def list_changes(args: dict[str, Any]) -> Response:
    """Changes of areas, the latest first"""
    wanted = chosen_fields(args["fields_"], FIELDS)
    if args["sort"] not in (None, "-id"):
        raise Invalid({"sort": [_l("Changes are listed by time only.")]})
    before = decode_ids(args["cursor"])[0] if args["cursor"] else 0
    under = parse_code(args["area"]) if args["area"] else 0
    found = queries.list_changes(
        current_uow(), state=args["state"], kind=args["kind"], under=under, before=before, limit=args["limit"] + 1
    )
    rows = found[: args["limit"]]
    items = [{name: value for name, value in shown(change).items() if name in wanted} for change in rows]
    return list_response(items, encode_cursor(rows[-1].id) if len(found) > len(rows) else None)


@bp.post("/changes")
@bp.arguments(DraftedChangeSchema)
@bp.response(201, AreaChangeDetailSchema)
@requires(policy.AREA_RESTRUCTURE)
def draft_change(values: dict[str, Any]) -> Response:
    """Draft a change and see what it would do; nothing changes yet"""
    change = service.draft_change(
        current_uow(), kind=values["kind"], on=values["on"], reason=values["reason"], request=_asked(values)
    )
    return _answer(change, 201)


@bp.get("/changes/<int:id>")
@bp.response(200, AreaChangeDetailSchema)
@requires(policy.AREA_RESTRUCTURE)
def show_change(id: int) -> Response:
    """One change; of a draft what it would do"""
    return _answer(current_uow().get(AreaChange, id))


@bp.put("/changes/<int:id>")
@bp.arguments(AskedChangeSchema)
@bp.response(200, AreaChangeDetailSchema)
@requires(policy.AREA_RESTRUCTURE)
@takes_version
def edit_change(values: dict[str, Any], id: int) -> Response:
    """Say anew what a draft does, with the areas as they are now. Needs If-Match"""
    with _fresh():
        change = service.edit_change(
            current_uow(),
            id=id,
            version=required_version(),
            on=values["on"],
            reason=values["reason"],
            request=_asked(values),
        )
    return _answer(change)


@bp.delete("/changes/<int:id>")
@bp.response(204)
@requires(policy.AREA_RESTRUCTURE)
@takes_version
def drop_change(id: int) -> None:
    """Throw a draft away. Needs If-Match"""
    with _fresh():
        service.drop_change(current_uow(), id=id, version=required_version())


@bp.post("/changes/<int:id>/force")
@bp.response(202, AreaChangeDetailSchema)
@requires(policy.AREA_RESTRUCTURE)
@takes_version
def put_in_force(id: int) -> Response:
    """Put a draft in force, in the background; one whose day is to come, on that day (state arranged). 409 when a
    household would be in no area. Needs If-Match"""
    with _fresh():
        change = service.request_change(current_uow(), id=id, version=required_version())
    return _answer(change, 202)


@bp.post("/changes/<int:id>/call-back")
@bp.response(200, AreaChangeDetailSchema)
@requires(policy.AREA_RESTRUCTURE)
@takes_version
def call_back(id: int) -> Response:
    """An arranged change is a draft again. Needs If-Match"""
    with _fresh():
        change = service.call_back(current_uow(), id=id, version=required_version())
    return _answer(change)


@bp.get("/changes/<int:id>/undo")
@bp.response(200, UndoOutlookSchema)
@requires(policy.AREA_RESTRUCTURE)
def show_undo(id: int) -> Response:
    """What an undo of a change in force would do, and what stands in the way"""
    uow = current_uow()
    change = uow.get(AreaChange, id)
    found = back.outlook(uow, change)
    body = {
        "possible": found.possible and change.state == "done",
        "households": found.households,
        "persons": found.persons,
        "in_the_way": [str(text) for text in found.against],
        "later": [one.id for one in found.later],
    }
    return set_etag(jsonify(body), change.version)


@bp.post("/changes/<int:id>/undo")
@bp.arguments(UndoReasonSchema)
@bp.response(202, AreaChangeDetailSchema)
@requires(policy.AREA_RESTRUCTURE)
@takes_version
def undo(values: dict[str, Any], id: int) -> Response:
    """Undo a change in force, in the background. 409 when something was built on it. Needs If-Match"""
    with _fresh():
        change = service.request_undo(current_uow(), id=id, version=required_version(), reason=values["reason"])
    return _answer(change, 202)


@bp.post("/official/compare")
@bp.arguments(OfficialListSchema)
@bp.response(200, DifferencesSchema)
@requires(policy.AREA_RESTRUCTURE)
def compare_official(values: dict[str, Any]) -> Response:
    """What the yearly official list of division codes has otherwise; nothing changes"""
    table = [[official.CODE[0], official.NAME[0]], *([row["code"], row["name"]] for row in values["areas"])]
    lines = taking.compare(current_uow(), table=table)
    return jsonify({"items": [_as_line(line) for line in lines]})


def _as_line(line: official.Line) -> dict[str, str]:
    to = code_text(line.to) if line.to else ""
    return {"kind": line.kind, "code": code_text(line.code), "name": line.name, "to": to, "to_name": line.to_name}


@bp.post("/official/take")
@bp.arguments(TakeOverSchema)
@bp.response(200, TakenOverSchema)
@requires(policy.AREA_RESTRUCTURE)
def take_official(values: dict[str, Any]) -> Response:
    """Take differences over, each as a draft of a change, or at once"""
    lines = [
        official.Line(
            one["kind"],
            parse_code(one["code"]),
            one["name"],
            parse_code(one["to"]) if one["to"] else 0,
            one["to_name"],
        )
        for one in values["lines"]
    ]
    made = taking.take_over(current_uow(), lines=lines, on=values["on"], reason=values["reason"], force=values["force"])
    failed = [{"code": code_text(line.code), "why": why} for line, why in made.failed]
    return jsonify({"changes": [shown(change) for change in made.changes], "failed": failed})
