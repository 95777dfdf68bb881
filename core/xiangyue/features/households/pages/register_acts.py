"""The ledger of acts (变动台账), one act with what came of it, and the decisions on it: confirm, refuse, undo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

from flask import redirect, request, url_for

from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Invalid, Refused, Stale
from xiangyue.features.areas import queries as areas
from xiangyue.features.areas import switch
from xiangyue.features.households import policy
from xiangyue.features.households.models import RegisterAct
from xiangyue.features.households.pages import bp
from xiangyue.features.households.pages.common import keys, synthetic_ok
from xiangyue.features.households.pages.household_forms import form_errors
from xiangyue.features.households.pages.register_common import can_do, register_words
from xiangyue.features.households.queries_acts import (
    ActFilter,
    LedgerPage,
    UndoView,
    act_rows,
    count_ledger,
    ledger,
    undo_view,
)
from xiangyue.features.households.register.reports import REPORTABLE
from xiangyue.features.households.register.words import KIND_LABELS, STATE_LABELS
from xiangyue.features.households.service_register import confirm_act, refuse_act, undo_act
from xiangyue.features.households.words import HOUSEHOLD_STATES, PERSON_STATES
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.i18n import ngettext
from xiangyue.text.codes import HEAD, RELATIONS
from xiangyue.text.dates import parse_date
from xiangyue.text.problems import TextProblem
from xiangyue.web.access import requires
from xiangyue.web.components import Column, Filter, FormView, ListView
from xiangyue.web.pipeline import current_actor, current_uow
from xiangyue.web.shell import flash, page, without_problems

PAGE_SIZE = 50
ACT_COLUMNS = (
    Column("who", _l("Who"), primary=True),
    Column("kind", _l("Kind of change")),
    Column("day", _l("Day"), sort=True),
    Column("household", _l("Household")),
    Column("other", _l("Other household")),
    Column("place", _l("Village · group")),
    Column("state", _l("State")),
    Column("by", _l("Done or reported by")),
    Column("recorded", _l("Recorded"), sort=True),
    Column("reason", _l("Reason")),
    Column("decided", _l("Handled by"), default=False),
    Column("decision", _l("Why refused or undone"), default=False),
)
_VALUES = ("name", "relation", "sex", "id_number")


def act_filters(*, reports: bool = False) -> tuple[Filter, ...]:
    kinds = [(k, label) for k, label in KIND_LABELS.items() if not reports or k in REPORTABLE]
    states = [(s, label) for s, label in STATE_LABELS.items() if not reports or s != "undone"]
    return (
        Filter("q", _l("Person, head or household number"), kind="text"),
        Filter("kind", _l("Kind of change"), choices=kinds),
        Filter("state", _l("State"), choices=states),
        Filter("from", _l("Day from"), kind="date"),
        Filter("to", _l("Day up to"), kind="date"),
    )


def act_filter(view: ListView, area: int, *, reports: bool = False, by: int | None = None) -> ActFilter:
    """The conditions of the address, which were found usable."""

    def day(name: str) -> date | None:
        return date.fromisoformat(view.value(name)) if view.value(name) else None

    return ActFilter(
        kind=view.value("kind"),
        state=view.value("state"),
        since=day("from"),
        until=day("to"),
        q=view.value("q"),
        area=area,
        reports=reports,
        by=by,
    )


def read_ledger(uow: Uow, view: ListView, wanted: ActFilter) -> LedgerPage:
    """A page of the ledger; a cursor that is none begins anew."""
    _direction, cursor = view.cursor
    try:
        return ledger(uow, wanted, sort=view.order, limit=PAGE_SIZE, after=cursor)
    except Invalid:
        return ledger(uow, wanted, sort=view.order, limit=PAGE_SIZE)


@bp.get("/register/acts")
@requires(policy.HOUSEHOLD_VIEW)
def list_acts() -> Any:
    """Everything that happened to the register in the area, by day."""
    uow = current_uow()
    code, elsewhere = switch.page_area(uow)
    if elsewhere:
        return redirect(elsewhere)
    view = ListView(ACT_COLUMNS, switch.args_without_all(), request.path, act_filters(), default_sort="-day")
    if view.problems:
        return without_problems(view)
    wanted = act_filter(view, code)
    found = read_ledger(uow, view, wanted)
    count = count_ledger(uow, wanted)
    may_export = current_actor().can(policy.HOUSEHOLD_EXPORT)
    view = replace(
        view,
        count=count,
        count_text=ngettext("%(n)d change of the register", "%(n)d changes of the register", count, n=count),
        next_cursor=found.next,
        page_size=PAGE_SIZE,
        export_url=url_for("households.export_acts") if may_export else None,
    )
    return page(
        "households/register_acts.html",
        view=view,
        rows=found.rows,
        area_name=areas.names(uow, [code]).get(code, "") if code else "",
        **register_words(),
    )


@bp.get("/register/acts/<int:id>")
@requires(policy.HOUSEHOLD_VIEW)
def show_act(id: int) -> Any:
    """One act: who, when, why, what came of it; what an undo would put back, or what stands against it."""
    return _act_page(id)


def _act_page(id: int, *, status: int = 200, forms: dict[str, FormView] | None = None) -> Any:
    uow = current_uow()
    act = uow.get(RegisterAct, id)
    (row,) = act_rows(uow, [act])
    doing = can_do(act.area_code)
    undo: UndoView | None = undo_view(uow, act) if doing and act.state == "done" else None
    return page(
        "households/register_act.html",
        status=status,
        row=row,
        act=act,
        doing=doing,
        undo=undo,
        newcomer=act.kind in ("birth", "move_in") and not act.request.get("person_id"),
        relations=[(entry.code, entry.label) for entry in RELATIONS if entry.code != HEAD],
        states={**HOUSEHOLD_STATES, **PERSON_STATES},
        forms={**_forms(act), **(forms or {})},
        path=areas.paths(uow, [act.area_code]).get(act.area_code, []),
        **register_words(),
    )


def _forms(act: RegisterAct) -> dict[str, FormView]:
    told = {f"values.{name}": value for name, value in (act.request.get("values") or {}).items()}

    def form(name: str, endpoint: str, **values: Any) -> FormView:
        action = url_for(f"households.{endpoint}", id=act.id)
        return FormView(action=action, values=values, version=act.version, id=name)

    return {
        "confirm": form("confirm", "confirm_report", on=act.on_date.isoformat(), **told),
        "refuse": form("refuse", "refuse_report"),
        "undo": form("undo", "undo_one"),
    }


def decide(id: int, name: str, act: Callable[[Uow], RegisterAct], done: Any) -> Any:
    """Carry a decision out; its faults come back on the act's page with what was typed."""
    uow = current_uow()
    try:
        with uow.session.begin_nested():
            act(uow)
    except (Invalid, Stale, Conflict, Refused) as error:
        errors = {"": [error.message]} if isinstance(error, Stale) else form_errors(error, "values.id_number")
        uow.session.expire_all()
        version = uow.get(RegisterAct, id).version
        form = FormView(action=request.path, values=request.form, errors=errors, version=version, id=name)
        return _act_page(id, status=422 if isinstance(error, Invalid) else 409, forms={name: form})
    flash(done, "success")
    return redirect(url_for("households.show_act", id=id), 303)


@bp.post("/register/acts/<int:id>/confirm")
@requires(policy.HOUSEHOLD_EDIT)
def confirm_report(id: int) -> Any:
    """What was reported is so: do it, corrected or completed as typed."""
    typed = request.form

    def act(uow: Uow) -> RegisterAct:
        values: dict[str, Any] = {n: typed[f"values.{n}"] for n in _VALUES if f"values.{n}" in typed}
        if "different" in typed:
            values["different"] = True
        return confirm_act(
            uow,
            keys=keys(),
            act_id=id,
            version=typed.get("version", type=int) or 0,
            on=_day(typed.get("on", "")),
            values=values or None,
            allow_synthetic=synthetic_ok(),
        )

    return decide(id, "confirm", act, _("Confirmed. It counts in the register now."))


@bp.post("/register/acts/<int:id>/refuse")
@requires(policy.HOUSEHOLD_EDIT)
def refuse_report(id: int) -> Any:
    """What was reported is not so."""
    typed = request.form
    version = typed.get("version", type=int) or 0
    return decide(
        id,
        "refuse",
        lambda uow: refuse_act(uow, act_id=id, version=version, reason=typed.get("reason", "")),
        _("Refused. Whoever reported it sees the reason."),
    )


@bp.post("/register/acts/<int:id>/undo")
@requires(policy.HOUSEHOLD_EDIT)
def undo_one(id: int) -> Any:
    """Take an act back."""
    typed = request.form
    version = typed.get("version", type=int) or 0
    return decide(
        id,
        "undo",
        lambda uow: undo_act(uow, act_id=id, version=version, reason=typed.get("reason", "")),
        _("Undone. The register is as it was before."),
    )


def _day(text: str) -> date | None:
    try:
        return parse_date(text) if text.strip() else None
    except TextProblem as problem:
        raise Invalid({"on": [str(problem)]}) from None
