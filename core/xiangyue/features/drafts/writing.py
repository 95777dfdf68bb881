"""Parts of the services: look at a draft's version, write its parts, count them, say who did what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import delete, insert

from xiangyue.access.audit import audit
from xiangyue.db.base import Json
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Stale
from xiangyue.features.drafts.models import GridDraft, GridDraftHousehold, GridDraftPart
from xiangyue.features.drafts.policy import EDITABLE, NAME_LENGTH, STATES
from xiangyue.features.drafts.queries import LiveDraft, live_draft
from xiangyue.features.drafts.register import Row, fingerprint, rule_of
from xiangyue.features.grids.planning.plan import plan_village
from xiangyue.features.grids.planning.problem import Joining
from xiangyue.features.grids.planning.result import VillagePlan
from xiangyue.features.households.person_input import today
from xiangyue.i18n import lazy_gettext as _l


@dataclass(slots=True)
class Sketch:
    """A part that is to be written. ``by_hand``: ids in it that somebody had moved."""

    name: str
    homes: Sequence[int]
    leader: str = ""
    fixed: bool = False
    by_hand: Collection[int] = ()


def locked(uow: Uow, draft_id: int, version: int, states: Collection[str] = EDITABLE) -> GridDraft:
    """The draft, for writing. Raises NotFound, Stale with what was done last and by whom, Conflict for its state."""
    draft = uow.get_for_update(GridDraft, draft_id)
    if draft.version != version:
        raise Stale(
            _l("Somebody else has changed this draft in the meantime."),
            theirs={**draft.last, "version": draft.version, "state": draft.state},
        )
    if draft.state not in states:
        raise Conflict(_l("This cannot be done with a draft in the state “%(state)s”.", state=STATES[draft.state]))
    return draft


def planned(rows: Sequence[Row], rule: Json, fixed: Mapping[int, str] | None = None) -> VillagePlan:
    """The planner's answer; ``fixed``: key of the part by household id."""
    kept = fixed or {}
    homes = [row.home(kept.get(row.id)) for row in rows]
    return plan_village(homes, rule_of(rule), joining=Joining(rule.get("joining", "none")))


def plan_json(plan: VillagePlan) -> Json:
    """What stays known of it with the draft."""
    return {
        "figures": asdict(plan.figures),
        "unmet": [
            {"why": unmet.why.value, "group": unmet.group, "part": unmet.part, "params": unmet.params}
            for unmet in plan.unmet
        ],
    }


def sketches(plan: VillagePlan, places: Mapping[int, str], kept: Mapping[str, Sketch] | None = None) -> list[Sketch]:
    """The parts of a plan by name: the group's, with a number where the group is in several."""
    pieces = Counter(part.groups for part in plan.parts if part.level == 3 or len(part.groups) > 1)
    turn: Counter[tuple[int, ...]] = Counter()
    found = []
    for part in plan.parts:
        old = (kept or {}).get(part.fixed or "")
        if old is not None:
            found.append(Sketch(old.name, part.homes, old.leader, True, old.by_hand))
            continue
        turn[part.groups] += 1
        number = turn[part.groups] if part.level == 3 or pieces[part.groups] > 1 else 0
        found.append(Sketch(part_name([places.get(group, "") for group in part.groups], number), part.homes))
    return found


def part_name(groups: Sequence[str], number: int = 0) -> str:
    """Data, not words: names of groups joined by a plus, then a number."""
    tail = f"-{number}" if number else ""
    joined = "+".join(name for name in groups if name) or "?"
    if len(joined) + len(tail) > NAME_LENGTH:
        joined = f"{groups[0][: NAME_LENGTH // 2 - 1]}…{groups[-1][: NAME_LENGTH // 2 - 6]}"
    return joined + tail


def write_parts(uow: Uow, draft: GridDraft, parts: Iterable[Sketch], rows: Sequence[Row]) -> LiveDraft:
    """Put these in the place of whatever parts it had; its base is the register as it is now."""
    groups = {row.id: row.group for row in rows}
    uow.session.execute(delete(GridDraftPart).where(GridDraftPart.draft_id == draft.id))
    homes: list[dict[str, Any]] = []
    for position, sketch in enumerate(parts):
        part = GridDraftPart(
            area_code=draft.area_code,
            draft_id=draft.id,
            position=position,
            name=sketch.name,
            leader=sketch.leader,
            fixed=sketch.fixed,
        )
        uow.session.add(part)
        uow.session.flush()
        homes += [
            {
                "tenant_id": uow.tenant_id, "area_code": groups[id], "draft_id": draft.id, "part_id": part.id,
                "household_id": id, "moved": id in sketch.by_hand,
            }
            for id in sketch.homes
        ]  # fmt: skip
    if homes:
        uow.session.execute(insert(GridDraftHousehold), homes)
    draft.base_date = today()
    draft.fingerprint = fingerprint(groups.items())
    return counted(uow, draft, rows)


def counted(uow: Uow, draft: GridDraft, rows: Sequence[Row] | None = None) -> LiveDraft:
    """Write down how many grids it has and how many of them are within the rule."""
    uow.session.flush()
    live = live_draft(uow, draft, rows)
    draft.grids, draft.in_rule = len(live.parts), live.in_rule
    draft.households = sum(part.households for part in live.parts)
    return live


def done(
    uow: Uow, draft: GridDraft, what: str, *, before: Json | None = None, after: Json | None = None, new: bool = False
) -> GridDraft:
    """One version on, who did it, and the line of the trail. ``what``: of the action after ``grid_draft.``."""
    if not new:
        draft.version += 1
    draft.last = {"by": uow.actor.name or uow.actor.login, "what": what, **(after or {})}
    uow.session.flush()
    audit(uow, action=f"grid_draft.{what}", obj=draft, label=draft.name, before=before, after=after)
    return draft
