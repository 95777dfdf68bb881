"""One grid as of a day: what lies in it, its size against the rule, its history."""

from __future__ import annotations

from typing import Any

from flask import redirect, request, url_for

from xiangyue.errors import Invalid, NotFound
from xiangyue.features.areas.queries import paths
from xiangyue.features.grids import queries, queries_posts, rules, service, service_posts
from xiangyue.features.grids.following import panels
from xiangyue.features.grids.pages import bp
from xiangyue.features.grids.pages.lists import day_asked
from xiangyue.features.grids.pages.map import map_of
from xiangyue.features.grids.policy import CHANGE_STATES, CHANGES, GRID_EDIT, GRID_PRINT, GRID_VIEW, PROBLEMS, ROLES
from xiangyue.features.grids.queries_boundaries import outline_ended
from xiangyue.features.grids.words import breach_words, kind_words, rule_words
from xiangyue.features.households.person_input import today
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.web.access import requires
from xiangyue.web.components import FormView
from xiangyue.web.pipeline import current_actor, current_uow
from xiangyue.web.points import drawn
from xiangyue.web.shell import flash, page


@bp.get("/grids/<int:id>")
@requires(GRID_VIEW)
def show_grid(id: int) -> Any:
    return grid_page(id)


def found_grid(id: int) -> dict[str, Any]:
    """At the address's day. Raises NotFound."""
    found = queries.find_grid(current_uow(), id, day_asked())
    if found is None:
        raise NotFound(_l("There is no such entry, or it lies outside your area."))
    return found


def grid_page(id: int, *, status: int = 200, explain: FormView | None = None) -> Any:
    uow, on = current_uow(), day_asked()
    grid = found_grid(id)
    above = queries.name_of(uow, [grid["parent_id"]]) if grid["parent_id"] else {}
    return page(
        "grids/show.html",
        status,
        grid=grid,
        on=on,
        today=today(),
        parent=above.get(grid["parent_id"]),
        path=paths(uow, [grid["area_code"]]).get(grid["area_code"], []),
        below=queries.children(uow, id, on),
        households=queries.households_in(uow, id, on) if grid["leaf"] else [],
        notes=queries.size_notes(uow, id),
        panels=[drawn(view) for view in panels(uow, grid, on)],
        posts=queries_posts.posts_on(uow, [id], on)[id],
        posts_ahead=queries_posts.posts_ahead(uow, id, today()) if on == today() else [],
        spoken=service_posts.spoken,
        duties=rules.duty_lists(uow).get(grid["level"]),
        token=queries_posts.token_of(uow, id),
        roles=ROLES,
        problems=PROBLEMS,
        history=queries.changes_of(uow, id, grid["area_code"]),
        codes=queries.codes_of(uow, id),
        may_edit=current_actor().scope(GRID_EDIT).contains(grid["area_code"]),
        may_print=current_actor().scope(GRID_PRINT).contains(grid["area_code"]),
        explain=explain or FormView(action=url_for("grids.explain", id=id), values={}, id="explain"),
        breach_words=breach_words,
        kind_words=kind_words,
        rule_words=rule_words,
        map=map_of(grid, on) if grid["standing"] and grid["has_boundary"] else None,
        outline_ended=None if grid["has_boundary"] else outline_ended(uow, id, on),
        changes=CHANGES,
        states=CHANGE_STATES,
    )


@bp.post("/grids/<int:id>/explain")
@requires(GRID_EDIT)
def explain(id: int) -> Any:
    """The register made the grid larger or smaller than the rule: why it stays so."""
    try:
        service.explain_size(current_uow(), grid_id=id, reason=request.form.get("reason", ""))
    except Invalid as invalid:
        form = FormView(
            action=url_for("grids.explain", id=id), values=request.form, errors=invalid.fields, id="explain"
        )
        return grid_page(id, status=422, explain=form)
    flash(_("Saved"), "success")
    return redirect(url_for("grids.show_grid", id=id), 303)
