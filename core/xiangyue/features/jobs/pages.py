"""Pages of background jobs."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, request, url_for

from xiangyue.db.uow import Uow
from xiangyue.features.jobs import queries, service, view
from xiangyue.features.jobs.policy import JOB_VIEW
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.i18n import ngettext
from xiangyue.web.access import signed_in
from xiangyue.web.components import Column, Filter, ListView
from xiangyue.web.pipeline import current_offer, current_uow, is_fragment
from xiangyue.web.shell import flash, page, safe_next, without_problems

bp = Blueprint("jobs", __name__, template_folder="templates")

PAGE = 50
_COLUMNS = (
    Column("kind", _l("Job"), primary=True),
    Column("state", _l("State")),
    Column("progress", _l("Progress")),
    Column("who", _l("Started by")),
    Column("created", _l("Started at")),
    Column("finished", _l("Finished at")),
)


def _filters(everyone: bool) -> tuple[Filter, ...]:
    kinds = sorted(((k.key, str(k.label)) for k in current_offer().jobs.values()), key=lambda c: c[1])
    states = [("open", _l("Waiting or running")), *view.STATES.items()]
    whose = (Filter("mine", _l("Whose"), choices=[("1", _l("Only mine"))], placeholder=_l("everyone's")),)
    return (
        Filter("state", _l("State"), choices=states),
        Filter("kind", _l("Job"), choices=kinds),
        *(whose if everyone else ()),
    )


def listing(uow: Uow, **state: Any) -> ListView:
    """The list as its address says it."""
    return ListView(
        columns=_COLUMNS,
        filters=_filters(uow.actor.can(JOB_VIEW)),
        args=request.args,
        path=url_for("jobs.list_jobs"),
        page_size=PAGE,
        export_url=url_for("jobs.export"),
        **state,
    )


def wanted_of(asked: ListView) -> dict[str, Any]:
    return {"state": asked.value("state"), "kind": asked.value("kind"), "mine": asked.value("mine") == "1"}


@bp.get("/jobs")
@signed_in
def list_jobs() -> Any:
    uow = current_uow()
    asked = listing(uow)
    if onward := without_problems(asked):
        return onward
    wanted = wanted_of(asked)
    found = queries.find_jobs(uow, **wanted, limit=PAGE, after=asked.after, before=asked.before)
    count = queries.count_jobs(uow, **wanted)
    shown = listing(
        uow,
        count=count,
        count_text=ngettext("%(n)d job", "%(n)d jobs", count),
        shown=len(found.jobs),
        next_cursor=found.next,
        back_cursor=found.back,
    )
    rows = [
        {"id": job.id, "job": job, "label": view.label_of(job), "state": view.card_state(job)} for job in found.jobs
    ]
    return page("jobs/list.html", view=shown, rows=rows, everyone=uow.actor.can(JOB_VIEW))


@bp.get("/jobs/<int:id>")
@signed_in
def show_job(id: int) -> Any:
    uow = current_uow()
    job = queries.get_job(uow, id)
    fragment = is_fragment()
    template = "jobs/card.html" if fragment else "jobs/show.html"
    may_repeat = job.state in ("failed", "cancelled") and queries.may_steer(uow, job)
    return page(
        template, job=job, card=view.card(uow, job), label=view.label_of(job), may_repeat=may_repeat, fragment=fragment
    )


@bp.post("/jobs/<int:id>/cancel")
@signed_in
def cancel(id: int) -> Any:
    job = service.cancel_job(current_uow(), job_id=id)
    if job.state == "cancelled":
        flash(_("Cancelled; nothing was done."))
    elif job.state == "running":
        flash(_("It stops as soon as it can."), "info")
    else:
        flash(_("It had ended already."), "info")
    return redirect(_back(id), 303)


@bp.post("/jobs/<int:id>/repeat")
@signed_in
def repeat(id: int) -> Any:
    service.repeat_job(current_uow(), job_id=id)
    flash(_("It waits for its turn again."))
    return redirect(url_for("jobs.show_job", id=id), 303)


def _back(id: int) -> str:
    """The page the button stood on: the card is shown on other pages too."""
    own = url_for("jobs.show_job", id=id)
    referrer = request.referrer or ""
    host = request.host_url.rstrip("/")
    return safe_next(referrer.removeprefix(host), own) if referrer.startswith(host + "/") else own
