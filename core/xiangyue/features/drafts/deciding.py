"""A draft is sent to the town, returned or approved there, and put in force."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import select

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Invalid
from xiangyue.features.areas.queries import names
from xiangyue.features.drafts.leaders import Chosen, put_in_charge
from xiangyue.features.drafts.models import GridDraft, GridDraftPart
from xiangyue.features.drafts.policy import (
    APPROVED,
    DISCARDED,
    DRAFT,
    EDITABLE,
    GRID_APPROVE,
    GRID_PLAN,
    IN_FORCE,
    REASON_LENGTH,
    RETURNED,
    SUBMITTED,
)
from xiangyue.features.drafts.queries import LiveDraft, kept_part, live_draft
from xiangyue.features.drafts.writing import done, locked
from xiangyue.features.grids.division import Division
from xiangyue.features.grids.models import GridChange
from xiangyue.features.grids.service import apply_division, undo_change
from xiangyue.features.grids.standing import division_on, lock_village
from xiangyue.features.households.person_input import today
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l

#: Key of the village's own grid in what is put in force.
_VILLAGE = "village"


@acts(GRID_PLAN)
def submit(uow: Uow, *, draft_id: int, version: int) -> GridDraft:
    """For approval. Raises NotFound, Stale, Conflict when households moved since it was drawn."""
    draft = locked(uow, draft_id, version)
    _fresh(uow, draft)
    before, draft.state = draft.state, SUBMITTED
    return done(uow, draft, "submit", before={"state": before}, after={"state": SUBMITTED})


@acts(GRID_APPROVE)
def return_draft(uow: Uow, *, draft_id: int, version: int, reason: str) -> GridDraft:
    """To be drawn further, with the reason. Raises NotFound, Stale, Conflict, Invalid (``reason``)."""
    draft = locked(uow, draft_id, version, {SUBMITTED, APPROVED})
    draft.answer = _reason(reason, needed=True)
    draft.answered_by = uow.actor.name or uow.actor.login
    before, draft.state = draft.state, RETURNED
    return done(uow, draft, "return", before={"state": before}, after={"state": RETURNED, "reason": draft.answer})


@acts(GRID_APPROVE)
def approve(uow: Uow, *, draft_id: int, version: int, answer: str = "") -> GridDraft:
    """Raises NotFound, Stale, Conflict when households moved since it was drawn, Invalid (``answer``)."""
    draft = locked(uow, draft_id, version, {SUBMITTED})
    _fresh(uow, draft)
    draft.answer = _reason(answer)
    draft.answered_by = uow.actor.name or uow.actor.login
    draft.state = APPROVED
    return done(uow, draft, "approve", before={"state": SUBMITTED}, after={"state": APPROVED})


@acts(GRID_APPROVE)
def put_in_force(
    uow: Uow,
    *,
    draft_id: int,
    version: int,
    on: date,
    reason: str,
    size_reason: str = "",
    term_until: date | None = None,
    leaders: Mapping[int, Chosen] | None = None,
) -> GridDraft:
    """The village's grids are those of the draft from a day on (needs the right to edit grids too).

    Who is proposed as leader is put in charge with it, for a term until the last day ``term_until``, if any;
    ``leaders`` by part id says who it is, where the name alone does not. Whoever answers for a grid that goes on stays
    unless somebody else is proposed; posts of grids that end are over. The undo of the change puts all of that back.

    Raises NotFound, Stale, Conflict, Forbidden, Invalid (``reason``, ``on``, ``term_until``, ``leader.<part id>``),
    ReasonNeeded (``size_reason``) where grids are out of the rule, WarningReasonNeeded (``reason.<part id>``).
    """
    draft = locked(uow, draft_id, version, {APPROVED})
    live = _fresh(uow, draft)
    places = names(uow, [draft.area_code])
    parts = parts_in_force(live, division_on(uow, draft.area_code, on), places.get(draft.area_code, draft.name))
    change = apply_division(
        uow, village=draft.area_code, on=on, parts=parts, reason=_reason(reason, needed=True), size_reason=size_reason,
        posts=any(part.leader.strip() for part in live.parts),
    )  # fmt: skip
    given = put_in_charge(uow, live, change, term_until=term_until, chosen=leaders or {})
    if not given and not change.changes["near"]:
        raise Invalid({"": [_l("This changes nothing.")]})
    for part in live.parts:
        uow.get(GridDraftPart, part.id).kept = kept_part(part)
    draft.state, draft.on_date, draft.change_id = IN_FORCE, on, change.id
    after = {"state": IN_FORCE, "on": on.isoformat(), **({"leaders": given} if given else {})}
    return done(uow, draft, "force", before={"state": APPROVED}, after=after)


@acts(GRID_APPROVE)
def call_back(uow: Uow, *, draft_id: int, version: int) -> GridDraft:
    """A draft whose day is to come is approved again, and the grids stay as they are (needs the right to edit grids
    too). Raises NotFound, Stale, Conflict when its day has come or something was built on it, Forbidden."""
    seen = uow.get(GridDraft, draft_id)
    # In the order in which the undo of a change does: the change, the village, the draft.
    change = None if seen.change_id is None else uow.get_for_update(GridChange, seen.change_id)
    with uow.tenant_wide("one writer a village at a time"):
        lock_village(uow, seen.area_code)
    draft = locked(uow, draft_id, version, {IN_FORCE})
    if change is None or draft.on_date is None or draft.on_date <= today():
        raise Conflict(_l("Its day has come. Undo the change of the grids instead."))
    undo_change(uow, change_id=change.id, version=change.version, reason=_("Called back before its day"))
    return draft


def follow_grids(uow: Uow, change: GridChange, *, undone: bool) -> None:
    """A draft whose change of grids is undone is approved again, and may be put in force anew."""
    if not undone or change.kind != "plan":
        return
    wanted = select(GridDraft).where(GridDraft.change_id == change.id, GridDraft.state == IN_FORCE)
    draft = uow.session.scalars(wanted.with_for_update()).one_or_none()
    if draft is not None:
        draft.state, draft.on_date, draft.change_id = APPROVED, None, None
        done(uow, draft, "undo", before={"state": IN_FORCE}, after={"state": APPROVED})


@acts(GRID_PLAN)
def discard(uow: Uow, *, draft_id: int, version: int) -> GridDraft:
    """No longer wanted; it can still be read and copied. Raises NotFound, Stale, Conflict."""
    draft = locked(uow, draft_id, version, EDITABLE)
    before, draft.state = draft.state, DISCARDED
    return done(uow, draft, "discard", before={"state": before}, after={"state": DISCARDED})


@acts(GRID_PLAN)
def remove(uow: Uow, *, draft_id: int, version: int) -> None:
    """A discarded draft for good; that there was one stays in the trail. Raises NotFound, Stale, Conflict."""
    draft = locked(uow, draft_id, version, {DISCARDED})
    audit(uow, action="grid_draft.remove", obj=draft, label=draft.name, before={"state": DISCARDED})
    uow.session.delete(draft)
    uow.session.flush()


@acts(GRID_PLAN)
def take_back(uow: Uow, *, draft_id: int, version: int) -> GridDraft:
    """A submitted draft, to draw it further. Raises NotFound, Stale, Conflict."""
    draft = locked(uow, draft_id, version, {SUBMITTED})
    draft.state = DRAFT
    return done(uow, draft, "edit", before={"state": SUBMITTED}, after={"state": DRAFT})


def _fresh(uow: Uow, draft: GridDraft) -> LiveDraft:
    live = live_draft(uow, draft)
    if live.stale:
        raise Conflict(
            _l(
                "Households came, moved or left since this was drawn (%(n)d). Bring it up to the register first; what"
                " you did by hand stays.",
                n=len(live.gone) + len(live.new) + len(live.moved),
            )
        )
    return live


def parts_in_force(live: LiveDraft, now: Division, village_name: str) -> list[dict[str, Any]]:
    """What `apply_division` takes: the village, each group that is in pieces, the parts of the draft. A grid that
    stands today goes on being the part that has most of its households, at the same level and area."""
    village = live.draft.area_code
    found: list[dict[str, Any]] = [
        {"key": _VILLAGE, "name": village_name, "level": 1, "area_code": village, "parent": None, "household_ids": []}
    ]
    for group in sorted({part.area_code for part in live.parts if part.level == 3}):
        found.append(
            {
                "key": f"group {group}", "name": live.places.get(group, village_name), "level": 2, "area_code": group,
                "parent": _VILLAGE, "household_ids": [],
            }
        )  # fmt: skip
    for part in live.parts:
        parent = f"group {part.area_code}" if part.level == 3 else _VILLAGE
        found.append(
            {
                "key": f"part {part.id}", "name": part.name, "level": part.level, "area_code": part.area_code,
                "parent": parent, "household_ids": [row.id for row in part.homes],
            }
        )  # fmt: skip
    return _kept(found, now)


def _kept(parts: Sequence[dict[str, Any]], now: Division) -> list[dict[str, Any]]:
    """Each part with ``keep_grid_id``: pairs by households in common, the most first."""
    pairs = []
    for number, part in enumerate(parts):
        mine = set(part["household_ids"])
        for id, cell in now.cells.items():
            if (cell.level, cell.area_code) != (part["level"], part["area_code"]):
                continue
            shared = len(mine & set(now.households(id)))
            if shared or not mine:
                pairs.append((-shared, number, id))
    kept: dict[int, int] = {}
    for _shared, number, id in sorted(pairs):
        if number not in kept and id not in kept.values():
            kept[number] = id
    return [{**part, "keep_grid_id": kept.get(number)} for number, part in enumerate(parts)]


def _reason(reason: str, *, needed: bool = False) -> str:
    text = reason.strip()
    if needed and not text:
        raise Invalid({"reason": [_l("Say why.")]})
    if len(text) > REASON_LENGTH:
        raise Invalid({"reason": [_l("At most %(n)d characters.", n=REASON_LENGTH)]})
    return text
