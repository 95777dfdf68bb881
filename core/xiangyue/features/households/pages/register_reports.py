"""Reports of the grid leaders (变动上报): confirmed or refused by the village, one or many; and what came of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from flask import redirect, request, url_for
from sqlalchemy import select

from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid, XiangyueError
from xiangyue.features.areas import queries as areas
from xiangyue.features.areas import switch
from xiangyue.features.households import policy
from xiangyue.features.households.models import RegisterAct
from xiangyue.features.households.pages import bp
from xiangyue.features.households.pages.common import keys, synthetic_ok
from xiangyue.features.households.pages.register_acts import (
    ACT_COLUMNS,
    PAGE_SIZE,
    act_filter,
    act_filters,
    read_ledger,
)
from xiangyue.features.households.pages.register_common import register_words
from xiangyue.features.households.queries_acts import ActRow, act_rows, count_ledger
from xiangyue.features.households.register.words import KIND_LABELS
from xiangyue.features.households.service_register import confirm_act, refuse_act
from xiangyue.features.households.writing import required_text
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.i18n import ngettext
from xiangyue.web.access import requires
from xiangyue.web.components import BulkAction, Filter, FormView, ListView
from xiangyue.web.pipeline import current_actor, current_uow
from xiangyue.web.shell import flash, page, without_problems

#: As many may be decided at once: what a page shows.
MOST = PAGE_SIZE
_HIDDEN = ("other",)


@bp.get("/register/reports")
@requires(policy.HOUSEHOLD_VIEW)
def list_reports() -> Any:
    """What was reported in the area, those that wait unless another state is asked for."""
    uow = current_uow()
    code, elsewhere = switch.page_area(uow)
    if elsewhere:
        return redirect(elsewhere)
    deciding = current_actor().can(policy.HOUSEHOLD_EDIT)
    mine = Filter("mine", _l("Reported by"), choices=[("yes", _l("me"))])
    columns = [
        replace(c, default=c.default or (c.key in ("decided", "decision") and not deciding))
        for c in ACT_COLUMNS
        if c.key not in _HIDDEN
    ]
    view = ListView(
        columns,
        switch.args_without_all(),
        request.path,
        (*act_filters(reports=True), mine),
        default_sort="-recorded",
        select_name="ids" if deciding else None,
    )
    if view.problems:
        return without_problems(view)
    by = current_actor().account_id if view.value("mine") else None
    wanted = act_filter(view, code, reports=True, by=by)
    found = read_ledger(uow, view, wanted)
    count = count_ledger(uow, wanted)
    waiting = count_ledger(uow, replace(wanted, state="reported"))
    view = replace(
        view,
        count=count,
        count_text=ngettext("%(n)d report", "%(n)d reports", count, n=count),
        next_cursor=found.next,
        page_size=PAGE_SIZE,
        export_url=url_for("households.export_reports") if current_actor().can(policy.HOUSEHOLD_EXPORT) else None,
    )
    bulk = [
        BulkAction(
            _l("Confirm"),
            url_for("households.confirm_reports"),
            kind="primary",
            confirm=_l("Confirm the chosen reports? Each counts in the register from its day on."),
        ),
        BulkAction(_l("Send back"), url_for("households.refuse_reports")),
    ]
    return page(
        "households/register_reports.html",
        view=view,
        rows=found.rows,
        bulk=bulk if deciding else [],
        deciding=deciding,
        waiting=waiting,
        area_name=areas.names(uow, [code]).get(code, "") if code else "",
        **register_words(),
    )


@bp.post("/register/reports/confirm")
@requires(policy.HOUSEHOLD_EDIT)
def confirm_reports() -> Any:
    """Confirm the chosen ones; what cannot be confirmed stays waiting and is named with the reason."""
    uow = current_uow()
    rows = _chosen(uow)
    done = 0
    for row in rows:
        try:
            with uow.session.begin_nested():
                confirm_act(uow, keys=keys(), act_id=row.id, version=row.act.version, allow_synthetic=synthetic_ok())
            done += 1
        except XiangyueError as error:
            flash(_("%(act)s of %(name)s: %(why)s", act=KIND_LABELS[row.act.kind], name=row.names, why=_why(error)),
                  "warning")  # fmt: skip
    _said(rows, ngettext("%(n)d report confirmed", "%(n)d reports confirmed", done, n=done) if done else "")
    return redirect(url_for("households.list_reports"), 303)


@bp.post("/register/reports/refuse")
@requires(policy.HOUSEHOLD_EDIT)
def refuse_reports() -> Any:
    """Refuse the chosen ones for one reason, which is asked for first."""
    uow = current_uow()
    rows = _chosen(uow)
    if not rows:
        _said(rows, "")
        return redirect(url_for("households.list_reports"), 303)
    if "reason" not in request.form:
        return _refusing(rows, {})
    try:
        reason = required_text(request.form.get("reason"), "reason")
    except Invalid as invalid:
        return _refusing(rows, invalid.fields, status=422)
    for row in rows:
        refuse_act(uow, act_id=row.id, version=row.act.version, reason=reason)
    _said(rows, ngettext("%(n)d report refused", "%(n)d reports refused", len(rows), n=len(rows)))
    return redirect(url_for("households.list_reports"), 303)


def _refusing(rows: Sequence[ActRow], errors: dict[str, Any], *, status: int = 200) -> Any:
    form = FormView(
        action=url_for("households.refuse_reports"),
        values=request.form,
        errors=errors,
        cancel_url=url_for("households.list_reports"),
    )
    return page("households/register_refuse.html", status=status, form=form, rows=rows, **register_words())


def _chosen(uow: Uow) -> list[ActRow]:
    """The chosen reports that still wait, inside the area where the actor decides."""
    ids = [int(id) for id in request.form.getlist("ids") if id.isdecimal() and len(id) < 19][:MOST]
    statement = select(RegisterAct).where(RegisterAct.id.in_(ids), RegisterAct.state == "reported")
    return act_rows(uow, list(uow.session.scalars(statement.order_by(RegisterAct.id))))


def _said(rows: Sequence[ActRow], done: str) -> None:
    if not rows:
        flash(_("Choose reports that wait to be confirmed."), "warning")
    elif done:
        flash(done, "success")


def _why(error: XiangyueError) -> str:
    if isinstance(error, Invalid):
        return " ".join(str(message) for messages in error.fields.values() for message in messages)
    return str(error.message)
