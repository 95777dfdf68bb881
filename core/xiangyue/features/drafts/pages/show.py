"""One draft on its board, and two of a village side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import redirect, request, url_for

from xiangyue.errors import Stale
from xiangyue.features.areas.queries import paths
from xiangyue.features.drafts.leaders import Proposal, proposals, verdicts
from xiangyue.features.drafts.models import GridDraft
from xiangyue.features.drafts.pages import bp
from xiangyue.features.drafts.policy import (
    ACTIONS,
    APPROVED,
    GRID_APPROVE,
    GRID_PLAN,
    IN_FORCE,
    JOININGS,
    ORIGINS,
    OVER,
    STATES,
    SUBMITTED,
)
from xiangyue.features.drafts.queries import LiveDraft, live_draft, of_village
from xiangyue.features.drafts.reasons import unmet_of
from xiangyue.features.grids import boards
from xiangyue.features.grids.maps import drawing
from xiangyue.features.grids.policy import BASES, GRID_EDIT, GRID_PRINT, GRID_VIEW
from xiangyue.features.grids.queries_boundaries import outlines
from xiangyue.features.grids.sizes import rule_text
from xiangyue.features.households.person_input import today
from xiangyue.features.households.policy import HOUSEHOLD_VIEW
from xiangyue.web.access import requires
from xiangyue.web.components import FormView
from xiangyue.web.pipeline import current_actor, current_uow
from xiangyue.web.shell import page

#: Colours of the strip; a part after the last begins again.
COLOURS = 8


@bp.get("/grid-drafts/<int:id>")
@requires(GRID_PLAN)
def show(id: int) -> Any:
    return draft_page(id)


def draft_page(
    id: int,
    *,
    status: int = 200,
    forms: dict[str, FormView] | None = None,
    stale: Stale | None = None,
    mine: dict[str, Any] | None = None,
    warnings: Sequence[Mapping[str, Any]] = (),
) -> Any:
    """The board. ``forms``: those that came back with errors; ``stale``, ``mine``: what somebody else did first, and
    what this reader wanted to do; ``warnings``: what rules have against proposed leaders."""
    uow, actor = current_uow(), current_actor()
    draft = uow.get(GridDraft, id)
    live = live_draft(uow, draft)
    proposed = proposals(uow, live, today()) if draft.state not in OVER else []
    asked = proposed if draft.state == APPROVED else []
    against = verdicts(uow, live, proposed, today())
    return page(
        "drafts/show.html",
        status=status,
        draft=draft,
        live=live,
        colours={part.id: number % COLOURS for number, part in enumerate(live.parts)},
        strip=_strip(live),
        path=paths(uow, [draft.area_code]).get(draft.area_code, []),
        others=[other for other in of_village(uow, draft.area_code) if other.id != draft.id],
        unmet=unmet_of(draft),
        figures=draft.planned.get("figures"),
        states=STATES,
        origins=ORIGINS,
        joinings=list(JOININGS.items()),
        rule_text=rule_text(live.rule),  # type: ignore[arg-type]
        basis=BASES[live.rule.basis],
        names_shown=actor.can(HOUSEHOLD_VIEW),
        map=_map(live) if actor.can(HOUSEHOLD_VIEW) else None,
        may_approve=actor.can(GRID_APPROVE),
        may_force=actor.can(GRID_APPROVE) and actor.can(GRID_EDIT),
        waits=draft.state == SUBMITTED,
        approved=draft.state == APPROVED,
        stale_error=stale,
        mine=mine,
        warnings=warnings or [{**said, "part_id": id} for id, one in against.items() for said in one.warnings],
        against=against,
        actions=ACTIONS,
        proposals=asked,
        boards=_boards(draft),
        may_print=actor.can(GRID_PRINT),
        today=today(),
        forms={**_forms(draft, asked), **(forms or {})},
    )


def _boards(draft: GridDraft) -> list[dict[str, Any]]:
    """The grids of a draft in force that have households, each with whoever is in charge."""
    if draft.state != IN_FORCE or draft.on_date is None or not current_actor().can(GRID_VIEW):
        return []
    uow, on = current_uow(), max(draft.on_date, today())
    grids = boards.standing(uow, boards.Boards(on, draft.area_code, leaf_only=True))
    people = boards.people(uow, [grid["id"] for grid in grids], on)
    return [{**grid, "people": people[grid["id"]]} for grid in grids]


def _map(live: LiveDraft) -> dict[str, Any] | None:
    """Located households by the part that they are in, within the village's outline where there is one; None where no
    household is located. ``left_out``: how many are not."""
    points = [
        {"id": row.id, "x": row.at[0], "y": row.at[1], "mark": str(number), "colour": (number - 1) % COLOURS,
         "label": f"{row.code[12:]} {row.head} · {part.name}"}
        for number, part in enumerate(live.parts, 1) for row in part.homes if row.at is not None
    ]  # fmt: skip
    if not points:
        return None
    around = [grid for grid in outlines(current_uow(), live.draft.area_code, today())
              if grid.level == 1 and grid.boundary is not None]  # fmt: skip
    shapes = [{"id": grid.id, "label": grid.name, "text": "", "state": "edge", "geometry": grid.boundary}
              for grid in around]  # fmt: skip
    every = sum(part.households for part in live.parts)
    return {**drawing(shapes, points=points), "left_out": every - len(points)}


def _strip(live: LiveDraft) -> dict[int, list[int]]:
    """For each villager group the part of every house, in house order."""
    houses = sorted((row.number, row.group, part.id) for part in live.parts for row in part.homes)
    found: dict[int, list[int]] = {}
    for _number, group, part in houses:
        found.setdefault(group, []).append(part)
    return found


def _forms(draft: GridDraft, asked: list[Proposal]) -> dict[str, FormView]:
    answers = {f"leader.{one.part_id}": one.answer for one in asked}

    def form(name: str, endpoint: str, **values: Any) -> FormView:
        return FormView(action=url_for(endpoint, id=draft.id), values=values, version=draft.version, id=name)

    return {
        "copy": form("copy", "drafts.copy"),
        "return": form("return", "drafts.give_back"),
        "approve": form("approve", "drafts.approve"),
        "force": form("force", "drafts.force", on=today().isoformat(), **answers),
        "replan": form("replan", "drafts.replan", joining=draft.rule.get("joining", "none")),
    }


@bp.get("/grid-drafts/<int:id>/parts/<int:part>")
@requires(GRID_PLAN)
def part(id: int, part: int) -> Any:
    return part_page(id, part)


def part_page(id: int, part_id: int, *, form: FormView | None = None, status: int = 200) -> Any:
    """Name, proposed leader and whether it is fixed. A part that is no longer there leads back to the draft."""
    uow = current_uow()
    draft = uow.get(GridDraft, id)
    live = live_draft(uow, draft)
    found = next((one for one in live.parts if one.id == part_id), None)
    if found is None or not live.editable:
        return redirect(url_for("drafts.show", id=id), 303)
    values = {"name": found.name, "leader": found.leader, "fixed": found.fixed}
    return page(
        "drafts/part.html",
        status=status,
        draft=draft,
        part=found,
        form=form
        or FormView(
            action=url_for("drafts.edit_part", id=id, part=part_id),
            values=values,
            version=draft.version,
            cancel_url=url_for("drafts.show", id=id),
            id="part",
        ),
    )


@bp.get("/grid-drafts/<int:id>/compare")
@requires(GRID_PLAN)
def compare(id: int) -> Any:
    """Two drafts of a village side by side: ``?with=`` the other."""
    uow = current_uow()
    draft = uow.get(GridDraft, id)
    other = uow.get(GridDraft, request.args.get("with", type=int) or 0)
    if other.area_code != draft.area_code:
        return redirect(url_for("drafts.show", id=id), 303)
    sides: list[LiveDraft] = [live_draft(uow, one) for one in (draft, other)]
    where = [{row.id: part.name for part in side.parts for row in part.homes} for side in sides]
    return page(
        "drafts/compare.html",
        sides=sides,
        states=STATES,
        path=paths(uow, [draft.area_code]).get(draft.area_code, []),
        basis=BASES[sides[0].rule.basis],
        apart=_apart(sides, where),
    )


def _apart(sides: list[LiveDraft], where: list[dict[int, str]]) -> int:
    """Households whose neighbours in the grid are not the same in both."""
    neighbours = [
        {row.id: frozenset(other.id for other in part.homes) for part in side.parts for row in part.homes}
        for side in sides
    ]
    return sum(neighbours[0].get(id) != neighbours[1].get(id) for id in {*where[0], *where[1]})
