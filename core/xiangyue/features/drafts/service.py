"""Drafts are made and changed. Nothing here commits. Every change takes the version that was looked at."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select, update

from xiangyue.access.acts import acts
from xiangyue.db.base import Json
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Invalid, NotFound
from xiangyue.features.areas.models import VILLAGE, Area
from xiangyue.features.areas.queries import names
from xiangyue.features.drafts.models import GridDraft, GridDraftHousehold, GridDraftPart
from xiangyue.features.drafts.policy import COPY, GRID_PLAN, JOININGS, LEADER_LENGTH, NAME_LENGTH, PLANNER, PRESENT
from xiangyue.features.drafts.queries import LiveDraft, live_draft
from xiangyue.features.drafts.register import Row, county_rule, rows_of, rule_json
from xiangyue.features.drafts.writing import Sketch, counted, done, locked, plan_json, planned, sketches, write_parts
from xiangyue.features.grids.standing import division_on
from xiangyue.features.households.person_input import today
from xiangyue.i18n import lazy_gettext as _l


def checked_joining(joining: str) -> str:
    """Raises Invalid."""
    if joining not in JOININGS:
        raise Invalid({"joining": [_l("Choose one of the options.")]})
    return joining


@acts(GRID_PLAN)
def plan_draft(uow: Uow, *, village: int, name: str = "", joining: str = "none") -> GridDraft:
    """A draft by the planner. ``village``: 15 digits. Raises NotFound, Invalid, Conflict for a village where nobody
    is on the register."""
    _find_village(uow, village)
    rows = _rows(uow, village)
    rule, source = county_rule(uow)
    kept = rule_json(rule, source, checked_joining(joining))
    plan = planned(rows, kept)
    draft = _new(uow, village, name, PLANNER, kept, plan_json(plan))
    live = write_parts(uow, draft, sketches(plan, names(uow, {row.group for row in rows})), rows)
    return done(uow, draft, "plan", after={"grids": len(live.parts), "households": draft.households}, new=True)


@acts(GRID_PLAN)
def draft_present(uow: Uow, *, village: int, name: str = "") -> GridDraft:
    """A draft that is the village's leaf grids as they are today; those who wait make a part each group. Raises
    NotFound, Invalid, Conflict for a village without grids."""
    _find_village(uow, village)
    rows = _rows(uow, village)
    division = division_on(uow, village, today())
    here = {row.id for row in rows}
    parts = [
        Sketch(division.cells[leaf].name, [id for id in division.households(leaf) if id in here])
        for leaf in sorted(division.leaves())
    ]
    parts = [part for part in parts if part.homes]
    if not parts:
        raise Conflict(_l("This village has no grids yet: let the planner draw them."))
    placed = {id for part in parts for id in part.homes}
    places = names(uow, {row.group for row in rows})
    waiting: dict[int, list[int]] = {}
    for row in rows:
        if row.id not in placed:
            waiting.setdefault(row.group, []).append(row.id)
    parts += [Sketch(places.get(group, "?"), ids) for group, ids in sorted(waiting.items())]
    rule, source = county_rule(uow)
    draft = _new(uow, village, name, PRESENT, rule_json(rule, source, "none"), {})
    live = write_parts(uow, draft, parts, rows)
    return done(uow, draft, "copy", after={"grids": len(live.parts), "origin": PRESENT}, new=True)


@acts(GRID_PLAN)
def copy_draft(uow: Uow, *, draft_id: int, name: str = "") -> GridDraft:
    """Another draft with the same parts, whatever the state of the first. Raises NotFound, Invalid."""
    old = uow.get(GridDraft, draft_id)
    rows = _rows(uow, old.area_code)
    live = live_draft(uow, old, rows)
    parts = [Sketch(p.name, [row.id for row in p.homes], p.leader, p.fixed, live.by_hand) for p in live.parts]
    draft = _new(uow, old.area_code, name, COPY, dict(old.rule), dict(old.planned))
    write_parts(uow, draft, [part for part in parts if part.homes], rows)
    # Whoever came since the first was drawn is in no part here either: it waits for the same refresh.
    return done(uow, draft, "copy", after={"grids": draft.grids, "of": old.name}, new=True)


@acts(GRID_PLAN)
def move_households(
    uow: Uow, *, draft_id: int, version: int, household_ids: Collection[int], part_id: int | None, name: str = ""
) -> GridDraft:
    """Into another part; ``part_id`` None: into a new one called ``name``. A part that is left empty goes.

    Raises NotFound, Stale, Conflict, Invalid (``household_ids``, ``part_id``, ``name``).
    """
    draft = locked(uow, draft_id, version)
    live = live_draft(uow, draft)
    known = {row.id for part in live.parts for row in part.homes}
    wanted = set(household_ids)
    if not wanted or not wanted <= known:
        raise Invalid({"household_ids": [_l("Choose households of this draft.")]})
    target = next((part for part in live.parts if part.id == part_id), None)
    if part_id is not None and target is None:
        raise Invalid({"part_id": [_l("Choose a grid of this draft.")]})
    if target is not None and wanted <= {row.id for row in target.homes}:
        raise Invalid({"part_id": [_l("They lie in this grid already.")]})
    if target is None:
        title = _name(name) or f"{live.places.get(draft.area_code, '')}-{len(live.parts) + 1}"
        part = GridDraftPart(area_code=draft.area_code, draft_id=draft.id, position=len(live.parts), name=title)
        uow.session.add(part)
        uow.session.flush()
        part_id = part.id
    else:
        title = target.name
    uow.session.execute(
        update(GridDraftHousehold)
        .where(GridDraftHousehold.draft_id == draft.id, GridDraftHousehold.household_id.in_(wanted))
        .values(part_id=part_id, moved=True)
    )
    uow.session.flush()
    _drop_empty(uow, live_draft(uow, draft))
    counted(uow, draft)
    return done(uow, draft, "move", after={"households": len(wanted), "to": title})


@acts(GRID_PLAN)
def edit_part(
    uow: Uow, *, draft_id: int, version: int, part_id: int, name: str, leader: str = "", fixed: bool = False
) -> GridDraft:
    """Name, proposed leader, and whether planning anew leaves it as it is. Raises NotFound, Stale, Conflict, Invalid
    by field."""
    draft = locked(uow, draft_id, version)
    part = uow.get(GridDraftPart, part_id)
    if part.draft_id != draft.id:
        raise NotFound(_l("There is no such entry, or it lies outside your area."))
    title, person = _name(name), " ".join(leader.split())
    errors: dict[str, list[object]] = {}
    if not title:
        errors["name"] = [_l("Give a name of at most %(n)d characters.", n=NAME_LENGTH)]
    if len(person) > LEADER_LENGTH:
        errors["leader"] = [_l("At most %(n)d characters.", n=LEADER_LENGTH)]
    if errors:
        raise Invalid(errors)
    before: Json = {"name": part.name, "leader": part.leader, "fixed": part.fixed}
    part.name, part.leader, part.fixed = title, person, fixed
    return done(uow, draft, "edit", before=before, after={"name": title, "leader": person, "fixed": fixed})


@acts(GRID_PLAN)
def replan(uow: Uow, *, draft_id: int, version: int, joining: str = "") -> GridDraft:
    """Let the planner draw it anew; parts that are fixed stay as they are. Raises NotFound, Stale, Conflict."""
    draft = locked(uow, draft_id, version)
    rows = _rows(uow, draft.area_code)
    live = live_draft(uow, draft, rows)
    kept = {
        str(part.id): Sketch(part.name, [row.id for row in part.homes], part.leader, True, live.by_hand)
        for part in live.parts
        if part.fixed and part.homes
    }
    if joining:
        draft.rule = {**draft.rule, "joining": checked_joining(joining)}
    fixed = {id: key for key, sketch in kept.items() for id in sketch.homes}
    plan = planned(rows, draft.rule, fixed)
    draft.planned = plan_json(plan)
    after = write_parts(uow, draft, sketches(plan, live.places, kept), rows)
    return done(uow, draft, "replan", after={"grids": len(after.parts), "fixed": len(kept)})


@acts(GRID_PLAN)
def refresh(uow: Uow, *, draft_id: int, version: int) -> GridDraft:
    """Bring it up to the register; what was done by hand stays. Who left goes; who came or moved to another group
    goes where the nearest house of that group lies. Raises NotFound, Stale, Conflict when nothing moved."""
    draft = locked(uow, draft_id, version)
    rows = _rows(uow, draft.area_code)
    live = live_draft(uow, draft, rows)
    if not live.stale:
        raise Conflict(_l("Nobody has moved since this was drawn."))
    parts = refreshed(live, rows)
    write_parts(uow, draft, parts, rows)
    told = {"gone": len(live.gone), "new": len(live.new), "moved": len(live.moved)}
    return done(uow, draft, "refresh", after=told)


def refreshed(live: LiveDraft, rows: list[Row]) -> list[Sketch]:
    """The parts with everybody who is on the register now."""
    settled = {
        row.id: part.id for part in live.parts for row in part.homes
        if row.id not in live.moved or row.id in live.by_hand
    }  # fmt: skip
    inside: dict[int | str, list[int]] = {part.id: [] for part in live.parts}
    for row in rows:
        part: int | str | None = settled.get(row.id)
        if part is None:
            near = [other for other in rows if other.group == row.group and other.id in settled]
            nearest = min(near, key=lambda other: abs(other.number - row.number), default=None)
            part = settled[nearest.id] if nearest is not None else f"group {row.group}"
        inside.setdefault(part, []).append(row.id)
    old = {part.id: part for part in live.parts}
    made = []
    for key, homes in inside.items():
        if not homes:
            continue
        if isinstance(key, int):
            made.append(Sketch(old[key].name, homes, old[key].leader, old[key].fixed, live.by_hand))
        else:
            made.append(Sketch(live.places.get(int(key.split()[1]), "?"), homes))
    return made


def _find_village(uow: Uow, village: int) -> None:
    found = uow.session.scalars(select(Area.id).where(Area.area_code == village, Area.level == VILLAGE)).first()
    if found is None or not uow.scope.contains(village):
        raise NotFound(_l("There is no such area, or it lies outside yours."))


def _rows(uow: Uow, village: int) -> list[Row]:
    rows = rows_of(uow, village, today())
    if not rows:
        raise Conflict(_l("No household of this village is on the register."))
    return rows


def _new(uow: Uow, village: int, name: str, origin: str, rule: Json, kept: Json) -> GridDraft:
    draft = GridDraft(
        area_code=village,
        name=_name(name) or f"{names(uow, [village]).get(village, '')} {today().isoformat()}",
        base_date=today(),
        origin=origin,
        rule=rule,
        planned=kept,
        account_id=uow.actor.account_id,
        by_name=uow.actor.name or uow.actor.login,
    )
    uow.session.add(draft)
    uow.session.flush()
    return draft


def _name(name: str) -> str:
    """Raises Invalid when it is too long."""
    text = " ".join(name.split())
    if len(text) > NAME_LENGTH:
        raise Invalid({"name": [_l("Give a name of at most %(n)d characters.", n=NAME_LENGTH)]})
    return text


def _drop_empty(uow: Uow, live: LiveDraft) -> None:
    for part in live.parts:
        if not part.homes:
            uow.session.delete(uow.get(GridDraftPart, part.id))
    uow.session.flush()
