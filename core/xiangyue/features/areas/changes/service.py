"""Writes on changes of areas: drafts, putting in force, undoing. The work itself is a job's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from sqlalchemy import insert, select

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit, audit_export
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Invalid, Stale
from xiangyue.features.areas.changes import back, dry_run, force, order
from xiangyue.features.areas.changes.asked import Request, clean
from xiangyue.features.areas.changes.dry_run import DryRun
from xiangyue.features.areas.changes.plan import plan_of
from xiangyue.features.areas.changes.planned import Plan
from xiangyue.features.areas.models import AreaChange, AreaChangePart
from xiangyue.features.areas.models_change import KINDS
from xiangyue.features.areas.policy import AREA_RESTRUCTURE, CHANGE_KIND, UNDO_KIND
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.i18n import today
from xiangyue.jobs.service import enqueue_next
from xiangyue.text.dates import parse_date

#: A draft may be dated so far ahead.
AHEAD_DAYS = 366
REASON_LENGTH = 200


@acts(AREA_RESTRUCTURE)
def draft_change(uow: Uow, *, kind: str, on: Any, reason: str = "", request: Mapping[str, Any]) -> AreaChange:
    """Write down a change (``request``: `asked`), without changing anything. Raises Invalid."""
    if kind not in KINDS:
        raise Invalid({"kind": [_l("Choose one of the options.")]})
    change = AreaChange(kind=kind, area_code=0, state="draft", version=1)
    change.made_by, change.made_name = uow.actor.account_id, uow.actor.name or uow.actor.login
    _fill(uow, change, on, reason, request)
    uow.session.add(change)
    audit(uow, action="area.change_draft", obj=change, after=_told(change))
    return change


@acts(AREA_RESTRUCTURE)
def edit_change(
    uow: Uow, *, id: int, version: int, on: Any, reason: str = "", request: Mapping[str, Any]
) -> AreaChange:
    """Another day, reason or request for a draft. Raises Invalid, Stale, Conflict for what is no draft."""
    change = _draft(uow, id, version)
    before = _told(change)
    _fill(uow, change, on, reason, request)
    change.version += 1
    audit(uow, action="area.change_edit", obj=change, before=before, after=_told(change))
    uow.session.flush()
    return change


@acts(AREA_RESTRUCTURE)
def set_households(uow: Uow, *, id: int, version: int, households: Mapping[int, int]) -> AreaChange:
    """Say of households (id -> 15-digit code, 0: no longer) where they go; of all others nothing changes."""
    change = _draft(uow, id, version)
    said = {**change.request.get("households", {}), **{str(k): v for k, v in households.items()}}
    return _with(uow, change, {"households": {k: v for k, v in said.items() if v}})


@acts(AREA_RESTRUCTURE)
def set_rules(uow: Uow, *, id: int, version: int, rules: Iterable[Mapping[str, Any]]) -> AreaChange:
    """All rules of a merge or split, the first that fits counts."""
    return _with(uow, _draft(uow, id, version), {"rules": list(rules)})


@acts(AREA_RESTRUCTURE)
def set_children(uow: Uow, *, id: int, version: int, children: Mapping[str, Mapping[str, Any]]) -> AreaChange:
    """New codes and names of what lies below the areas that go into another."""
    return _with(uow, _draft(uow, id, version), {"children": dict(children)})


def _with(uow: Uow, change: AreaChange, changed: Request) -> AreaChange:
    before = {name: len(change.request.get(name, ())) for name in changed}
    request = clean(change.kind, {**change.request, **changed})
    plan = plan_of(uow, change.kind, change.on_date, request)
    change.request, change.basis = request, force.basis_of(plan)
    change.version += 1
    after = {name: len(request.get(name, ())) for name in changed}
    audit(uow, action="area.change_edit", obj=change, before=before, after=after)
    uow.session.flush()
    return change


@acts(AREA_RESTRUCTURE)
def drop_change(uow: Uow, *, id: int, version: int) -> None:
    """Throw a draft away."""
    change = _draft(uow, id, version)
    audit(uow, action="area.change_drop", obj=change, before=_told(change))
    uow.session.delete(change)
    uow.session.flush()


@acts(AREA_RESTRUCTURE)
def look(uow: Uow, *, id: int) -> tuple[AreaChange, DryRun]:
    """A draft with what it would do."""
    change = uow.get(AreaChange, id)
    return change, dry_run.dry_run(uow, change)


@acts(AREA_RESTRUCTURE)
def request_change(uow: Uow, *, id: int, version: int) -> AreaChange:
    """Start putting a draft in force, as a job that does everything or nothing. One whose day is to come is arranged:
    the county's own job (`ahead`) starts it on that day, as whoever arranged it.

    Raises Conflict when a household would be in no area, or another change of the same areas is at work; Stale when
    somebody changed it or one of its areas since its dry run; Invalid when it does not fit.
    """
    change = _draft(uow, id, version)
    plan = _ready(uow, change)
    change.refused, change.arranged_by, change.arranged_name = "", None, ""
    if change.on_date <= today():
        return _begin(uow, change, plan)
    change.state = "arranged"
    change.arranged_by, change.arranged_name = uow.actor.account_id, uow.actor.name or uow.actor.login
    change.version += 1
    audit(uow, action="area.change_arrange", obj=change, label=force.label_of(plan, change), after=_told(change))
    uow.session.flush()
    return change


@acts(AREA_RESTRUCTURE)
def start_arranged(uow: Uow, *, id: int) -> AreaChange | None:
    """Start an arranged change whose day has come; None when it is not (any more) to be started. Raises what
    `request_change` does."""
    change = uow.get_for_update(AreaChange, id)
    if change.state != "arranged" or change.on_date > today():
        return None
    return _begin(uow, change, _ready(uow, change))


@acts(AREA_RESTRUCTURE)
def in_the_way(uow: Uow, change: AreaChange) -> str:
    """Why an arranged change would be refused as things stand; "" when nothing stands in its way."""
    try:
        force.check_basis(uow, change)
    except Stale as stale:
        return str(stale.message)
    return ""


@acts(AREA_RESTRUCTURE)
def call_back(uow: Uow, *, id: int, version: int) -> AreaChange:
    """An arranged change is a draft again. Raises Conflict when it is not arranged, Stale."""
    change = uow.get_for_update(AreaChange, id)
    if change.state != "arranged":
        raise Conflict(_l("This change is not arranged for a day to come. Reload its page."))
    _check_version(change, version)
    change.state, change.arranged_by, change.arranged_name = "draft", None, ""
    change.version += 1
    audit(uow, action="area.change_call_back", obj=change, after=_told(change))
    uow.session.flush()
    return change


def _ready(uow: Uow, change: AreaChange) -> Plan:
    """Its plan; the areas are locked. Raises what stands in the way."""
    force.lock_areas(uow, [int(code) for code in change.basis])
    force.check_basis(uow, change)
    plan = plan_of(uow, change.kind, change.on_date, change.request)
    order.check_order(uow, change, plan)
    found = dry_run.dry_run(uow, change)
    force.check_moves(found.moves)
    return plan


def _begin(uow: Uow, change: AreaChange, plan: Plan) -> AreaChange:
    whose = {"tenant_id": uow.tenant_id, "id": change.id}
    uow.session.execute(insert(AreaChangePart), [{**whose, "area_code": code} for code in sorted(plan.touched)])
    change.state = "working"
    _start(uow, change, CHANGE_KIND)
    audit(uow, action="area.change_start", obj=change, label=force.label_of(plan, change), after=_told(change))
    return change


@acts(AREA_RESTRUCTURE)
def request_undo(uow: Uow, *, id: int, version: int, reason: str) -> AreaChange:
    """Start undoing a change in force, as a job. Raises Invalid (reason), Stale, Conflict (``built_on``: what stands
    in the way)."""
    change = uow.get_for_update(AreaChange, id)
    if change.state != "done":
        raise Conflict(_l("Only a change in force can be undone."))
    _check_version(change, version)
    text = " ".join(reason.split())
    if not text or len(text) > REASON_LENGTH:
        raise Invalid({"reason": [_l("Say why, for those who look at it later.")]})
    _check_mine(uow, change)
    found = back.outlook(uow, change)
    if not found.possible:
        raise back.built_on(found)
    change.state, change.undo_reason = "undoing", text
    _start(uow, change, UNDO_KIND)
    audit(uow, action="area.change_undo_start", obj=change, after={"reason": text})
    return change


@acts(AREA_RESTRUCTURE)
def note_export(uow: Uow, **taken: Any) -> None:
    """Put an export of the list of changes into the audit trail."""
    audit_export(uow, action="area.change_export", **taken)


def _fill(uow: Uow, change: AreaChange, on: Any, reason: str, request: Mapping[str, Any]) -> None:
    try:
        day = parse_date(on)
    except ValueError as error:
        raise Invalid({"on": [str(error)]}) from None
    if not date(1949, 10, 1) <= day <= today() + timedelta(days=AHEAD_DAYS):
        raise Invalid({"on": [_l("Enter a day that is at most a year ahead.")]})
    text = " ".join(str(reason).split())
    if len(text) > REASON_LENGTH:
        raise Invalid({"reason": [_l("At most %(n)d characters.", n=REASON_LENGTH)]})
    cleaned = clean(change.kind, request)
    plan = plan_of(uow, change.kind, day, cleaned)
    change.on_date, change.reason, change.request, change.refused = day, text, cleaned, ""
    order.check_order(uow, change, plan)
    change.area_code, change.basis = plan.main, force.basis_of(plan)


def _start(uow: Uow, change: AreaChange, kind: str) -> None:
    job = enqueue_next(uow, kind=kind, params={"change_id": change.id}, unique_key=f"area_change:{change.id}")
    change.job_id = job.id
    change.version += 1
    uow.session.flush()


def _draft(uow: Uow, id: int, version: int) -> AreaChange:
    change = uow.get_for_update(AreaChange, id)
    if change.state != "draft":
        raise Conflict(_l("This change is no draft any more. Reload its page."))
    _check_version(change, version)
    return change


def _check_version(change: AreaChange, version: int) -> None:
    if change.version != version:
        raise Stale(
            _l("Somebody else has changed this in the meantime. Look at it again."),
            theirs={"state": change.state, "version": change.version},
        )


def _check_mine(uow: Uow, change: AreaChange) -> None:
    parts = uow.session.scalars(select(AreaChangePart.area_code).where(AreaChangePart.id == change.id))
    if not all(uow.scope.contains(code) for code in parts):
        raise Conflict(_l("This change touches areas outside yours. Ask the county to undo it."))


def _told(change: AreaChange) -> dict[str, Any]:
    shown = {
        name: value
        for name, value in change.request.items()
        if name not in ("households", "rules", "children", "parts", "keep")
    }
    return {"change": change.kind, "on": change.on_date, "reason": change.reason, **shown}
