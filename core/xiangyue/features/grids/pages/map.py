"""The grids of an area on a map, with a table that says the same."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import redirect, url_for

from xiangyue.features.areas import switch
from xiangyue.features.areas.queries import names
from xiangyue.features.grids import queries, queries_posts
from xiangyue.features.grids.maps import drawing, misfit_rows
from xiangyue.features.grids.pages import bp
from xiangyue.features.grids.pages.lists import day_asked
from xiangyue.features.grids.policy import GRID_EDIT, GRID_EXPORT, GRID_VIEW
from xiangyue.features.grids.queries_boundaries import MOST, Outline, drawn, drawn_villages, fits, numbers
from xiangyue.features.grids.standing import village_of
from xiangyue.features.grids.words import breach_words, kind_words
from xiangyue.features.households.person_input import today
from xiangyue.i18n import gettext as _
from xiangyue.i18n import ngettext
from xiangyue.web.access import requires
from xiangyue.web.pipeline import current_actor, current_uow
from xiangyue.web.shell import page


@bp.get("/grids/map")
@requires(GRID_VIEW)
def show_map() -> Any:
    """Outlines of the area's grids on a day, how large they are and whether somebody leads them."""
    uow, on = current_uow(), day_asked()
    area, elsewhere = switch.page_area(uow)
    if elsewhere:
        return redirect(elsewhere)
    known = numbers(uow, area, on)
    level = 1 if known.drawn > MOST else None
    few = known.drawn <= MOST or known.villages <= MOST
    rows = table_rows(drawn(uow, area, on, level=level) if few else [], on)
    # How the outlines of a whole county fit together is looked at village by village.
    fitting = fits(uow, drawn_villages(uow, area, on), on) if level is None else {}
    places = names(uow, [*fitting, area])
    called = queries.name_of(uow, {id for fit in fitting.values() for misfit in fit.misfits for id in misfit.grids})
    misfits = misfit_rows(fitting, called, places)
    return page(
        "grids/map.html",
        area=area,
        area_name=places.get(area, "") if area else "",
        on=on,
        today=today(),
        rows=rows,
        misfits=misfits,
        left_out=known.drawn - len(rows),
        most=MOST,
        without=known.without,
        any_grid=bool(known.grids),
        map=drawing([row["shape"] for row in rows], misfits),
        may_edit=current_actor().can(GRID_EDIT),
        may_export=current_actor().can(GRID_EXPORT) and bool(known.drawn),
    )


def map_of(grid: Mapping[str, Any], on: date) -> dict[str, Any] | None:
    """A grid among those around it on a day; None where it has no outline."""
    every = drawn(current_uow(), village_of(grid["area_code"]), on)
    if grid["id"] not in {one.id for one in every}:
        return None
    # What lies above and below it would cover it.
    shown = [one for one in every if one.id == grid["id"] or one.leaf]
    rows = table_rows([one for one in shown if one.id == grid["id"] or one.parent_id != grid["id"]], on)
    return drawing([{**row["shape"], "state": "chosen" if row["id"] == grid["id"] else row["state"]} for row in rows])


def table_rows(grids: list[Outline], on: date) -> list[dict[str, Any]]:
    """Each grid with its size, state in words and what the map draws."""
    uow = current_uow()
    sized = {item["id"]: item for item in queries.with_sizes(uow, [_item(grid) for grid in grids], on)}
    posts = queries_posts.posts_on(uow, list(sized), on)
    found = []
    for grid in grids:
        item = sized[grid.id]
        led = any(post["role"] == "leader" and post["problem"] not in ("died", "moved") for post in posts[grid.id])
        says = [breach_words(item)] if item["breaches"] else []
        says += [] if led else [_("no leader")]
        state = "edge" if not grid.leaf else "out" if item["breaches"] else "fits" if led else "unled"
        households = item["size"].households
        size = ngettext("%(n)s household", "%(n)s households", households, n=f"{households:,}")
        url = url_for("grids.show_grid", id=grid.id, on=on.isoformat() if on != today() else None)
        item |= {"url": url, "kind_words": kind_words(item), "says": says, "state": state}
        item["shape"] = {
            "id": grid.id, "label": grid.name, "text": size, "state": state, "url": url,
            "geometry": grid.boundary,
        }  # fmt: skip
        found.append(item)
    return found


def _item(grid: Outline) -> dict[str, Any]:
    names = ("id", "code", "kind", "name", "level", "leaf", "area_code", "parent_id")
    return {**{name: getattr(grid, name) for name in names}, "special_kind": ""}
