"""Pages under ``/p/errands/``."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, redirect, request, url_for

from xiangyue.sdk.access import requires
from xiangyue.sdk.db import decode_as, encode_cursor
from xiangyue.sdk.errors import Invalid
from xiangyue.sdk.i18n import _, _l, ngettext
from xiangyue.sdk.register import Household
from xiangyue.sdk.web import Column, Filter, FormView, ListView, current_actor, current_uow, flash, page
from xiangyue_errands import policy, queries, service

bp = Blueprint("errands", __name__, template_folder="templates")

PAGE = 50
COLUMNS = (
    Column("title", _l("Errand"), primary=True),
    Column("household", _l("Household")),
    Column("kind", _l("Kind")),
    Column("due", _l("Due on")),
    Column("state", _l("State")),
)


@bp.get("/")
@requires(policy.VIEW)
def list_errands() -> Any:
    uow = current_uow()
    view = ListView(
        columns=COLUMNS,
        args=request.args,
        path=request.path,
        filters=(Filter("state", _l("State"), choices=list(policy.STATES.items())),),
    )
    state = view.value("state")
    cursor = view.value("after")
    after = decode_as(cursor, date, int, field="after") if cursor else None
    found = queries.list_errands(uow, state=state, after=after, limit=PAGE + 1)
    rows, more = found[:PAGE], len(found) > PAGE
    open_now, late = queries.count_open(uow)
    view = ListView(
        columns=COLUMNS,
        args=request.args,
        path=request.path,
        filters=view.filters,
        count=open_now,
        count_text=ngettext("%(n)d errand is open", "%(n)d errands are open", open_now),
        shown=len(rows),
        next_cursor=encode_cursor(rows[-1].errand.due_on, rows[-1].id) if more else None,
        page_size=PAGE,
    )
    return page("errands/list.html", view=view, rows=rows, late=late, kinds=policy.KINDS, states=policy.STATES)


@bp.get("/<int:id>")
@requires(policy.VIEW)
def show_errand(id: int) -> Any:
    return page(
        "errands/show.html",
        line=queries.find_errand(current_uow(), id),
        kinds=policy.KINDS,
        states=policy.STATES,
        may_edit=current_actor().can(policy.EDIT),
    )


@bp.get("/new/<int:household_id>")
@requires(policy.EDIT)
def new_errand(household_id: int) -> Any:
    return _form(household_id, {"kind": "certificate"}, {})


@bp.post("/new/<int:household_id>")
@requires(policy.EDIT)
def add_errand(household_id: int) -> Any:
    values = {name: request.form.get(name, "") for name in ("kind", "title", "due_on")}
    try:
        errand = service.open_errand(
            current_uow(),
            household_id=household_id,
            kind=values["kind"],
            title=values["title"],
            due_on=_day(values["due_on"]),
        )
    except Invalid as error:
        return _form(household_id, values, error.fields, status=422)
    flash(_("Taken on. Due on %(day)s.", day=errand.due_on.isoformat()))
    return redirect(url_for("errands.show_errand", id=errand.id), 303)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Invalid({"due_on": [_l("This is not a day. Write it like 2026-03-31.")]}) from None


def _form(household_id: int, values: dict[str, Any], errors: Any, *, status: int = 200) -> Any:
    household = current_uow().get(Household, household_id)
    form = FormView(
        action=url_for("errands.add_errand", household_id=household_id),
        values=values,
        errors=errors,
        draft=f"errand-{household_id}",
        cancel_url=url_for("households.show_household", id=household_id),
    )
    return page("errands/new.html", status=status, form=form, household=household, kinds=list(policy.KINDS.items()))


@bp.post("/<int:id>/finish")
@requires(policy.EDIT)
def finish_errand(id: int) -> Any:
    uow = current_uow()
    queries.find_errand(uow, id)
    service.finish_errand(uow, id=id, version=request.form.get("version", type=int) or 0)
    flash(_("Finished."))
    return redirect(url_for("errands.list_errands"), 303)
