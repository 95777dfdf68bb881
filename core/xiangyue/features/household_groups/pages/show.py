"""One group as of a day: its households, its head, its history; undo of a change, reason for its size."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import redirect, request, url_for

from xiangyue.errors import Conflict, Invalid, NotFound, Stale
from xiangyue.features.areas.queries import paths
from xiangyue.features.household_groups import queries, service, service_heads
from xiangyue.features.household_groups.models import HouseholdGroupChange, HouseholdGroupHead
from xiangyue.features.household_groups.pages import bp
from xiangyue.features.household_groups.pages.lists import day_asked
from xiangyue.features.household_groups.policy import CHANGES, GROUP_EDIT, GROUP_VIEW, PROBLEMS, STATES
from xiangyue.features.household_groups.sizes import group_size
from xiangyue.features.households.person_input import today
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.text.whole import whole_number
from xiangyue.web.access import requires
from xiangyue.web.components import FormView
from xiangyue.web.pipeline import current_actor, current_uow
from xiangyue.web.shell import flash, page


def found_group(id: int) -> dict[str, Any]:
    """At the address's day. Raises NotFound."""
    found = queries.find_group(current_uow(), id, day_asked())
    if found is None:
        raise NotFound(_l("There is no such entry, or it lies outside your area."))
    return found


@bp.get("/ten-household-groups/<int:id>")
@requires(GROUP_VIEW)
def show_group(id: int) -> Any:
    return group_page(id)


def group_page(id: int, *, status: int = 200, explain: FormView | None = None) -> Any:
    uow, on = current_uow(), day_asked()
    group = found_group(id)
    history = queries.changes_of(uow, id, group["area_code"])
    return page(
        "household_groups/show.html",
        status,
        group=group,
        on=on,
        today=today(),
        path=paths(uow, [group["area_code"]]).get(group["area_code"], []),
        households=queries.households_in(uow, id, on),
        heads=queries.heads_of(uow, id),
        history=history,
        why=next((c for c in history if c["state"] == "done" and id in c["sizes"].get("groups", [])), None),
        size=group_size(uow),
        changes=CHANGES,
        states=STATES,
        problems=PROBLEMS,
        may_edit=on == today() and current_actor().scope(GROUP_EDIT).contains(group["area_code"]),
        explain=explain or FormView(action=url_for("household_groups.explain", id=id), values={}, id="explain"),
    )


@bp.post("/ten-household-groups/<int:id>/explain")
@requires(GROUP_EDIT)
def explain(id: int) -> Any:
    """Grids or the register made the group larger or smaller: why it stays so."""
    url = url_for("household_groups.explain", id=id)
    try:
        service.explain_size(current_uow(), group_id=id, reason=request.form.get("reason", ""))
    except Invalid as invalid:
        view = FormView(action=url, values=request.form, errors=invalid.fields, id="explain")
        return group_page(id, status=422, explain=view)
    except Conflict as error:
        flash(str(error.message), "warning")
    else:
        flash(_("Saved"), "success")
    return redirect(url_for("household_groups.show_group", id=id), 303)


@contextmanager
def _said(done: str) -> Iterator[None]:
    """What was done, or why not, stands on the page that follows."""
    try:
        yield
    except Invalid as invalid:
        flash(str(next(iter(invalid.fields.values()))[0]), "warning")
    except (Stale, Conflict) as error:
        flash(str(error.message), "warning")
    else:
        flash(done, "success")


def _given() -> dict[str, Any]:
    return {"version": whole_number(request.form.get("version", "")) or 0, "reason": request.form.get("reason", "")}


@bp.post("/ten-household-groups/changes/<int:id>/undo")
@requires(GROUP_EDIT)
def undo(id: int) -> Any:
    uow = current_uow()
    change = uow.get(HouseholdGroupChange, id)
    groups = change.rows["groups"]
    with _said(_("Undone: everything is as it was before.")):
        service.undo_change(uow, change_id=id, **_given())
    return redirect(url_for("household_groups.show_group", id=groups[0]) if groups else
                    url_for("household_groups.list_groups"), 303)  # fmt: skip


@bp.post("/ten-household-groups/heads/<int:id>/end")
@requires(GROUP_EDIT)
def end_head(id: int) -> Any:
    uow = current_uow()
    group = uow.get(HouseholdGroupHead, id).group_id
    with _said(_("Saved")):
        service_heads.end_head(uow, head_id=id, on=today(), **_given())
    return redirect(url_for("household_groups.show_group", id=group), 303)
