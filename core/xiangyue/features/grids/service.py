"""Changes of grids: each is thought out on the village's division, checked whole, and written. Nothing here commits.

``on`` may lie in the past or up to a year ahead, but not before a change of the same grids or households.
``size_reason``: why a grid is larger or smaller than the rule; needed only where the change makes it so.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import select

from xiangyue.access.acts import acts
from xiangyue.db.base import Json
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Invalid, NotFound, Stale
from xiangyue.features.grids import codes, rules, sizes, undoing
from xiangyue.features.grids.boundaries.rings import united
from xiangyue.features.grids.division import Cell, Division, Part, divided
from xiangyue.features.grids.models import Grid, GridChange, GridSizeNote
from xiangyue.features.grids.policy import AREA, GRID_EDIT, GRID_VIEW, SizeRule
from xiangyue.features.grids.standing import WIDE, Divisions, check_day, division_on, lock_village, village_of
from xiangyue.features.grids.writing import Writer, new_change, note
from xiangyue.features.households.person_input import today
from xiangyue.i18n import join_words
from xiangyue.i18n import lazy_gettext as _l

REASON_LENGTH = 500


@acts(GRID_EDIT)
def create_grid(
    uow: Uow,
    *,
    area_code: int,
    name: str,
    level: int,
    on: date,
    parent_id: int | None = None,
    household_ids: Collection[int] = (),
    kind: str = AREA,
    special_kind: str = "",
    reason: str = "",
    size_reason: str = "",
    code: str = "",
    divisions: Divisions | None = None,
) -> GridChange:
    """A new grid, with these households of the village in it. ``code``: its own, where it has one; else the next by the
    template. ``divisions``: of one who makes many changes. Raises Invalid by field, ReasonNeeded, NotFound, Conflict
    for a code that was given before."""
    given: dict[int, str] = {}

    def change(division: Division) -> None:
        word = special_kind.strip() if kind != AREA else ""
        id = division.add(Cell(_name(name), level, area_code, parent_id, kind, word))
        given.update({id: code} if code else {})
        division.put(household_ids, id)

    request = {
        "name": name, "level": level, "area_code": area_code, "parent_id": parent_id, "kind": kind,
        "household_ids": sorted(household_ids),
    }  # fmt: skip
    return carry_out(uow, "create", area_code, on, change, reason, size_reason, request, label=name, given=given,
                      divisions=divisions)  # fmt: skip


@acts(GRID_EDIT)
def rename_grid(
    uow: Uow, *, grid_id: int, version: int, name: str, on: date, reason: str = "", divisions: Divisions | None = None
) -> GridChange:
    """Another name from a day on. Raises NotFound, Stale, Invalid."""
    grid = _grid(uow, grid_id, version)

    def change(division: Division) -> None:
        division.cells[grid_id] = replace(division.cell(grid_id), name=_name(name))

    return carry_out(uow, "rename", grid.area_code, on, change, reason, "", {"grid_id": grid_id, "name": name},
                      label=name, divisions=divisions)  # fmt: skip


@acts(GRID_EDIT)
def recode_grid(uow: Uow, *, grid_id: int, version: int, code: str, reason: str) -> GridChange:
    """Another code, from today on; the old one still finds the grid and is never given to another. Raises NotFound,
    Stale, Invalid, Conflict for a code that another grid has or had."""
    grid = _grid(uow, grid_id, version)
    reason = _reason(reason, needed=True)
    village, on, old = village_of(grid.area_code), today(), grid.code
    if code.strip().upper() == old:
        raise Invalid({"code": [_l("This is its code already.")]})
    with uow.tenant_wide(WIDE):
        lock_village(uow, village)
        codes.give_code(uow, grid, code, on)
        made = new_change(uow, "recode", village, on, reason=reason, request={"grid_id": grid_id, "code": grid.code})
        made.changes = {**made.changes, "grids": [grid_id], "code": old}
        grid.version += 1
        note(
            uow, made, "grid.recode", label=grid.code, before={"code": old}, after={"code": grid.code, "reason": reason}
        )
        uow.session.flush()
    return made


@acts(GRID_EDIT)
def close_grid(
    uow: Uow, *, grid_id: int, version: int, on: date, into_id: int | None = None, reason: str, size_reason: str = ""
) -> GridChange:
    """The grid ends; its households go into another. Raises NotFound, Stale, Invalid (``into_id``), ReasonNeeded."""
    grid = _grid(uow, grid_id, version)

    def change(division: Division) -> None:
        division.cell(grid_id)
        if into_id is not None:
            division.cell(into_id, "into_id")
        division.close(grid_id, into_id)

    request = {"grid_id": grid_id, "into_id": into_id}
    return carry_out(uow, "close", grid.area_code, on, change, _reason(reason, needed=True), size_reason, request,
                      label=grid.code)  # fmt: skip


@acts(GRID_EDIT)
def split_grid(
    uow: Uow,
    *,
    grid_id: int,
    version: int,
    on: date,
    parts: Sequence[Mapping[str, Any]],
    below: bool = False,
    reason: str = "",
    size_reason: str = "",
) -> GridChange:
    """Some of its households make new grids (``parts``: ``name``, ``household_ids``) beside it, or ``below`` it, where
    every household must be in a part. Raises NotFound, Stale, Invalid, ReasonNeeded."""
    grid = _grid(uow, grid_id, version)
    given = [
        (_name(str(part.get("name") or "")), {int(id) for id in part.get("household_ids") or ()}) for part in parts
    ]

    def change(division: Division) -> None:
        division.split(grid_id, given, below)

    request = {
        "grid_id": grid_id, "below": below,
        "parts": [{"name": name, "household_ids": sorted(ids)} for name, ids in given],
    }  # fmt: skip
    return carry_out(uow, "split", grid.area_code, on, change, reason, size_reason, request, label=grid.code)


@acts(GRID_EDIT)
def merge_grids(
    uow: Uow, *, grid_ids: Collection[int], into_id: int, on: date, reason: str, size_reason: str = ""
) -> GridChange:
    """Grids end and their households go into one of them, or into the one above. Raises NotFound, Invalid,
    ReasonNeeded."""
    into = uow.get(Grid, into_id)
    wanted = set(grid_ids)
    if len(set(uow.session.scalars(select(Grid.id).where(Grid.id.in_(wanted))))) < len(wanted):
        raise NotFound(_l("There is no such entry, or it lies outside your area."))

    def change(division: Division) -> None:
        leaves, cells = division.leaves(), dict(division.cells)
        division.merge(sorted(wanted), into_id)
        if into_id in leaves and cells[into_id].boundary is not None:
            # Where one of them was never drawn nobody knows what they cover together.
            joined = united([cells[id].boundary for id in sorted(wanted | {into_id})])
            division.cells[into_id] = replace(division.cells[into_id], boundary=joined)

    request = {"grid_ids": sorted(wanted), "into_id": into_id}
    return carry_out(uow, "merge", into.area_code, on, change, _reason(reason, needed=True), size_reason, request,
                      label=into.code)  # fmt: skip


@acts(GRID_EDIT)
def move_households(
    uow: Uow, *, grid_id: int, household_ids: Collection[int], on: date, reason: str = "", size_reason: str = "",
    divisions: Divisions | None = None,
) -> GridChange:  # fmt: skip
    """Households of the village, of other grids or waiting, into this one from a day on. Raises NotFound, Invalid,
    ReasonNeeded."""
    grid = uow.get(Grid, grid_id)
    if not household_ids:
        raise Invalid({"household_ids": [_l("Choose the households.")]})

    def change(division: Division) -> None:
        division.cell(grid_id)
        division.put(household_ids, grid_id)

    request = {"grid_id": grid_id, "household_ids": sorted(household_ids)}
    return carry_out(uow, "move_households", grid.area_code, on, change, reason, size_reason, request,
                      label=grid.code, divisions=divisions)  # fmt: skip


@acts(GRID_EDIT)
def apply_division(
    uow: Uow, *, village: int, on: date, parts: Sequence[Mapping[str, Any]], reason: str, size_reason: str = "",
    posts: bool = False,
) -> GridChange:  # fmt: skip
    """Divide a village anew from a day on: afterwards its area grids are those of ``parts`` and no others (special
    grids stay). A part: ``key`` (how the plan calls it; its number where left out), ``name``, ``level``, ``parent``
    (key of the part above, or None), ``area_code`` (15 digits, the village or a group), ``household_ids``,
    ``keep_grid_id`` (the grid that it goes on being, with its code; None: a new one). Every household that lies in a
    grid must be in exactly one part; those that wait may be left out and go on waiting.

    ``posts``: the caller gives posts with it, so that the grids themselves may stay as they are.

    ``village``: 15 digits. Raises NotFound, ReasonNeeded, Invalid (``parts``, ``parts.<number>``, ``on``) for a plan
    that the village does not fit any more.
    """
    plan = [Part.of(part, number) for number, part in enumerate(parts)]

    def change(division: Division) -> None:
        after = divided(division, plan)
        division.cells, division.homes = after.cells, after.homes

    request = {"parts": [_plain_part(part) for part in plan]}
    return carry_out(uow, "plan", village, on, change, _reason(reason, needed=True), size_reason, request, posts=posts)


def _plain_part(part: Part) -> Json:
    return {
        "key": part.key, "name": part.name, "level": part.level, "area_code": part.area_code, "parent": part.parent,
        "keep_grid_id": part.keep_grid_id, "household_ids": list(part.household_ids),
    }  # fmt: skip


@acts(GRID_EDIT)
def explain_size(uow: Uow, *, grid_id: int, reason: str) -> GridSizeNote:
    """Why a grid is outside the rule today, given afterwards: the register made it so. Raises NotFound, Invalid,
    Conflict when it is within."""
    grid = uow.get(Grid, grid_id)
    reason = _reason(reason, needed=True)
    division = division_on(uow, village_of(grid.area_code), today())
    cell = division.cell(grid_id)
    rule = rules.size_rules(uow).get(cell.level, SizeRule())
    size = sizes.sizes(uow, [grid_id], today()).get(grid_id, sizes.Size())
    what = size.breaches(rule)
    if not what or grid_id not in division.leaves():
        raise Conflict(_l("This grid is within the rule."))
    breach = sizes.Breach(grid_id, cell.name, size, rule, what)
    sizes.keep_reason(uow, breach, grid_id, cell.area_code, reason, None, today())
    uow.session.flush()
    sizes.audit_reason(uow, grid, breach, reason)
    return uow.session.scalars(
        select(GridSizeNote).where(GridSizeNote.grid_id == grid_id).order_by(GridSizeNote.id.desc()).limit(1)
    ).one()


@acts(GRID_EDIT)
def undo_change(uow: Uow, *, change_id: int, version: int, reason: str) -> GridChange:
    """Take a change back, exactly; it stays in the history as undone. Codes that it gave stay given.

    Raises NotFound, Stale, Invalid (reason), Conflict with what was built on it (``built_on`` in ``details``).
    """
    change = uow.get_for_update(GridChange, change_id)
    if change.version != version:
        raise Stale(_l("Somebody else has saved this in the meantime."), theirs={"state": change.state})
    if change.state != "done":
        raise Conflict(_l("This has been undone already."))
    if change.kind == "register":
        raise Conflict(_l("This followed from the register: undo the change of the register instead."))
    reason = _reason(reason, needed=True)
    with uow.tenant_wide(WIDE):
        lock_village(uow, change.area_code)
        against = undoing.built_on(uow, change)
        if against:
            raise Conflict(
                _l(
                    "This can no longer be undone, for something was built on it: %(what)s.",
                    what=join_words(against, "; "),
                ),
                built_on=against,
            )
        undoing.put_back(uow, change)
        undoing.mark_undone(uow, change, reason)
        uow.session.flush()
        note(uow, change, "grid.undo", before={"state": "done"},
             after={"state": "undone", "reason": reason})  # fmt: skip
    return change


@acts(GRID_VIEW)
def standing_against(uow: Uow, *, change_id: int) -> list[str]:
    """What was built on a change, in words; empty: it can be undone. Raises NotFound."""
    change = uow.get(GridChange, change_id)
    with uow.tenant_wide(WIDE):
        return undoing.built_on(uow, change)


@acts(GRID_EDIT)
def carry_out(
    uow: Uow,
    kind: str,
    area_code: int,
    on: date,
    change: Callable[[Division], None],
    reason: str,
    size_reason: str,
    request: Json,
    label: str = "",
    given: Mapping[int, str] | None = None,
    posts: bool = False,
    divisions: Divisions | None = None,
) -> GridChange:
    """Do what ``change`` does to the division of the village in which ``area_code`` lies. Raises Invalid when nothing
    would change, and as the acts above do."""
    village = village_of(area_code)
    check_day(on)
    if not uow.scope.contains(area_code):
        raise NotFound(_l("There is no such area, or it lies outside yours."))
    reason = _reason(reason)
    scope = uow.scope
    with uow.tenant_wide(WIDE):
        lock_village(uow, village)
        known = divisions or Divisions(uow)
        before = known.on(village, on)
        after = before.copy()
        change(after)
        after.check(before)
        _inside(scope, before, after)
        if after.cells == before.cells and after.homes == before.homes and not posts:
            raise Invalid({"": [_l("This changes nothing.")]})
        breaches = sizes.new_breaches(uow, before, after, on, rules.size_rules(uow))
        why = sizes.need_reason(breaches, size_reason)
        made = new_change(uow, kind, village, on, reason=reason, request=request)
        writer = Writer(uow, made, given)
        ids = writer.apply(before, after, rules.code_template(uow))
        for breach in breaches:
            area = after.cells[breach.grid_id].area_code
            sizes.keep_reason(uow, breach, ids.get(breach.grid_id, breach.grid_id), area, why, made, on)
        known.keep(on, after, ids)
        told = {"on": on, "reason": reason, "grids": len(writer.grids), "households": len(writer.touched),
                "size_reason": why if breaches else ""}  # fmt: skip
        return writer.finish(f"grid.{kind}", label=label, after={k: v for k, v in told.items() if v})


def _inside(scope: Any, before: Division, after: Division) -> None:
    """Who may change a group's grids only may not change another group's. Raises NotFound."""
    changed = {id for id in {*before.cells, *after.cells} if before.cells.get(id) != after.cells.get(id)}
    moved = {h for h in {*before.homes, *after.homes} if before.homes.get(h) != after.homes.get(h)}
    codes_changed = {cell.area_code for id in changed for cell in (before.cells.get(id), after.cells.get(id)) if cell}
    codes_changed |= {after.areas[h] for h in moved if h in after.areas}
    if not all(scope.contains(code) for code in codes_changed):
        raise NotFound(_l("There is no such entry, or it lies outside your area."))


def _grid(uow: Uow, grid_id: int, version: int) -> Grid:
    # The village before the grid, as every writer does: two that wait for each other would never end.
    found = uow.get(Grid, grid_id)
    with uow.tenant_wide(WIDE):
        lock_village(uow, village_of(found.area_code))
    grid = uow.get_for_update(Grid, grid_id)
    if grid.version != version:
        raise Stale(_l("Somebody else has saved this in the meantime."), theirs={"version": grid.version})
    return grid


def _name(name: str) -> str:
    return " ".join(name.split())


def _reason(reason: str, *, needed: bool = False) -> str:
    text = reason.strip()
    if needed and not text:
        raise Invalid({"reason": [_l("Say why.")]})
    if len(text) > REASON_LENGTH:
        raise Invalid({"reason": [_l("At most %(n)d characters.", n=REASON_LENGTH)]})
    return text
