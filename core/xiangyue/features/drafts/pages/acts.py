"""What is done with a draft. Whoever was slower sees what the other did and what they wanted themselves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from flask import redirect, request, url_for

from xiangyue.errors import Conflict, Invalid, Refused, Stale
from xiangyue.features.drafts import deciding, service
from xiangyue.features.drafts.leaders import Chosen
from xiangyue.features.drafts.models import GridDraft
from xiangyue.features.drafts.pages import bp
from xiangyue.features.drafts.pages.show import draft_page, part_page
from xiangyue.features.drafts.policy import GRID_APPROVE, GRID_PLAN
from xiangyue.features.households.person_input import today
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.text.whole import whole_number
from xiangyue.web.access import requires
from xiangyue.web.components import FormView
from xiangyue.web.pipeline import current_uow
from xiangyue.web.shell import flash


def _version() -> int:
    return request.form.get("version", type=int) or 0


def _do(
    id: int,
    act: Callable[..., GridDraft],
    told: str,
    *,
    form: str = "",
    mine: dict[str, Any] | None = None,
    **values: Any,
) -> Any:
    """Do it and go back to the board; ``form``: which of the page's forms gets the errors."""
    uow = current_uow()
    try:
        act(uow, draft_id=id, version=_version(), **values)
    except Stale as error:
        uow.rollback()
        return draft_page(id, status=409, stale=error, mine=mine)
    except Conflict as error:
        uow.rollback()
        flash(error.message, "warning")
        return draft_page(id, status=409)
    except (Invalid, Refused) as error:
        uow.rollback()
        if not form:
            fields = error.fields if isinstance(error, Invalid) else {"": [error.message]}
            flash(" ".join(str(m) for messages in fields.values() for m in messages), "warning")
            return draft_page(id, status=422)
        errors = error.fields if isinstance(error, Invalid) else {"": [error.message]}
        version = uow.get(GridDraft, id).version
        back = FormView(action=request.path, values=request.form, errors=errors, version=version, id=form)
        warnings = error.details.get("warnings", [])
        return draft_page(id, status=422, forms={form: back}, warnings=warnings)
    flash(told, "success")
    return redirect(url_for("drafts.show", id=id), 303)


@bp.post("/grid-drafts/<int:id>/move")
@requires(GRID_PLAN)
def move(id: int) -> Any:
    """The chosen households into another grid of the draft."""
    chosen = request.form.getlist("household", type=int)
    part = request.form.get("part", "")
    return _do(
        id,
        service.move_households,
        _("Moved."),
        mine={"households": chosen, "part": part},
        household_ids=chosen,
        part_id=None if part == "new" else request.form.get("part", 0, type=int),
        name=request.form.get("name", "") if part == "new" else "",
    )


@bp.post("/grid-drafts/<int:id>/parts/<int:part>")
@requires(GRID_PLAN)
def edit_part(id: int, part: int) -> Any:
    uow, typed = current_uow(), request.form
    values = {"name": typed.get("name", ""), "leader": typed.get("leader", ""), "fixed": "fixed" in typed}
    try:
        service.edit_part(uow, draft_id=id, version=_version(), part_id=part, **values)
    except (Invalid, Stale, Conflict) as error:
        uow.rollback()
        back = FormView(
            action=request.path,
            values=values,
            errors=error.fields if isinstance(error, Invalid) else {"": [error.message]},
            version=uow.get(GridDraft, id).version,
            cancel_url=url_for("drafts.show", id=id),
            id="part",
        )
        return part_page(id, part, form=back, status=422 if isinstance(error, Invalid) else 409)
    flash(_("Saved."), "success")
    return redirect(url_for("drafts.show", id=id, _anchor=f"part-{part}"), 303)


@bp.post("/grid-drafts/<int:id>/copy")
@requires(GRID_PLAN)
def copy(id: int) -> Any:
    """Another draft to try something with."""
    uow = current_uow()
    try:
        made = service.copy_draft(uow, draft_id=id, name=request.form.get("name", ""))
    except (Invalid, Conflict) as error:
        uow.rollback()
        errors = error.fields if isinstance(error, Invalid) else {"": [error.message]}
        back = FormView(action=request.path, values=request.form, errors=errors, id="copy")
        return draft_page(id, status=422, forms={"copy": back})
    flash(_("Copied. What you do here leaves the other draft as it is."), "success")
    return redirect(url_for("drafts.show", id=made.id), 303)


@bp.post("/grid-drafts/<int:id>/replan")
@requires(GRID_PLAN)
def replan(id: int) -> Any:
    return _do(
        id, service.replan, _("Planned anew; fixed grids are as they were."), form="replan",
        joining=request.form.get("joining", ""),
    )  # fmt: skip


@bp.post("/grid-drafts/<int:id>/refresh")
@requires(GRID_PLAN)
def refresh(id: int) -> Any:
    return _do(id, service.refresh, _("Brought up to the register; what was done by hand stayed."))


@bp.post("/grid-drafts/<int:id>/submit")
@requires(GRID_PLAN)
def submit(id: int) -> Any:
    return _do(id, deciding.submit, _("Submitted. The town approves it or returns it with a reason."))


@bp.post("/grid-drafts/<int:id>/take-back")
@requires(GRID_PLAN)
def take_back(id: int) -> Any:
    return _do(id, deciding.take_back, _("Taken back. It can be drawn further."))


@bp.post("/grid-drafts/<int:id>/discard")
@requires(GRID_PLAN)
def discard(id: int) -> Any:
    return _do(id, deciding.discard, _("Discarded. It can still be read and copied."))


@bp.post("/grid-drafts/<int:id>/remove")
@requires(GRID_PLAN)
def remove(id: int) -> Any:
    uow = current_uow()
    try:
        deciding.remove(uow, draft_id=id, version=_version())
    except (Conflict, Stale) as late:
        uow.rollback()
        flash(late.message, "warning")
        return draft_page(id, status=409)
    flash(_("Removed for good."), "success")
    return redirect(url_for("drafts.list_drafts"), 303)


@bp.post("/grid-drafts/<int:id>/return")
@requires(GRID_APPROVE)
def give_back(id: int) -> Any:
    reason = request.form.get("reason", "")
    return _do(id, deciding.return_draft, _("Returned with your reason."), form="return", reason=reason)


@bp.post("/grid-drafts/<int:id>/approve")
@requires(GRID_APPROVE)
def approve(id: int) -> Any:
    answer = request.form.get("answer", "")
    return _do(id, deciding.approve, _("Approved. Now it can be put in force."), form="approve", answer=answer)


@bp.post("/grid-drafts/<int:id>/call-back")
@requires(GRID_APPROVE)
def call_back(id: int) -> Any:
    """A draft whose day is to come is approved again."""
    return _do(id, deciding.call_back, _("Called back. The grids stay as they are; the draft is approved."))


@bp.post("/grid-drafts/<int:id>/force")
@requires(GRID_APPROVE)
def force(id: int) -> Any:
    """In force on a day; where grids are out of the rule the form asks why."""
    typed = request.form
    try:
        field = "on"
        on = date.fromisoformat(typed.get("on", ""))
        field = "term_until"
        term = date.fromisoformat(typed["term_until"]) if typed.get("term_until") else None
    except ValueError:
        version = current_uow().get(GridDraft, id).version
        errors = {field: [_l("Give a day as year-month-day.")]}
        back = FormView(action=request.path, values=typed, errors=errors, version=version, id="force")
        return draft_page(id, status=422, forms={"force": back})
    return _do(
        id, deciding.put_in_force, _told_of(on), form="force",
        on=on, reason=typed.get("reason", ""), size_reason=typed.get("size_reason", ""), term_until=term,
        leaders={
            part: Chosen(answer, typed.get(f"phone.{name[7:]}", ""), typed.get(f"reason.{name[7:]}", ""))
            for name, answer in typed.items()
            if name.startswith("leader.") and (part := whole_number(name[7:])) is not None
        },
    )  # fmt: skip


def _told_of(on: date) -> str:
    if on > today():
        return _("Will be in force on %(day)s. Until then it can be called back.", day=on.isoformat())
    return _("In force from %(day)s.", day=on.isoformat())
