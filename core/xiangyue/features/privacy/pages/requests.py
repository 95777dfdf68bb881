"""The list of requests, and taking a new one in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import redirect, request, url_for

from xiangyue.errors import Conflict, Invalid
from xiangyue.features.areas import switch
from xiangyue.features.areas.queries import names
from xiangyue.features.households.models import Person
from xiangyue.features.households.person_input import today
from xiangyue.features.households.policy import HOUSEHOLD_EXPORT
from xiangyue.features.households.queries_search import search
from xiangyue.features.privacy import policy, queries, service, view
from xiangyue.features.privacy.pages import bp
from xiangyue.i18n import gettext as _
from xiangyue.i18n import ngettext
from xiangyue.tenancy.own import own_settings
from xiangyue.text.workdays import add_working_days
from xiangyue.web.access import requires, signed_in
from xiangyue.web.components import FormView, ListView
from xiangyue.web.pipeline import current_actor, current_uow, runtime
from xiangyue.web.shell import flash, page, without_problems

PAGE = 50
FOUND = 20


@bp.get("/privacy")
@signed_in
def show_privacy() -> Any:
    """On to what the reader may do here."""
    may = current_actor().can(policy.REQUEST)
    return redirect(url_for("privacy.list_requests" if may else "privacy.list_fields"))


def request_view(**state: Any) -> ListView:
    args = switch.args_without_all()
    return ListView(
        columns=view.COLUMNS,
        filters=view.filters(),
        args=args,
        path=url_for("privacy.list_requests"),
        default_sort="-received",
        page_size=PAGE,
        export_url=url_for("privacy.export") if current_actor().can(HOUSEHOLD_EXPORT) else None,
        **state,
    )


@bp.get("/privacy/requests")
@requires(policy.REQUEST)
def list_requests() -> Any:
    uow = current_uow()
    area, elsewhere = switch.page_area(uow)
    if elsewhere:
        return redirect(elsewhere)
    asked = request_view()
    if onward := without_problems(asked):
        return onward
    wanted, soon = view.wanted(request.args, area), view.soon_until()
    found = queries.list_requests(
        uow,
        wanted,
        soon_until=soon,
        sort=asked.order,
        limit=PAGE,
        after=asked.after,
        before=asked.before,
    )
    count = queries.count_requests(uow, wanted, soon_until=soon)
    shown = request_view(
        count=count,
        count_text=ngettext("%(n)d request", "%(n)d requests", count),
        shown=len(found.lines),
        next_cursor=found.next,
        back_cursor=found.back,
    )
    return page(
        "privacy/requests.html",
        view=shown,
        rows=found.lines,
        show=view,
        policy=policy,
        area_name=names(uow, [area]).get(area, "") if area else "",
    )


@bp.route("/privacy/requests/new", methods=["GET", "POST"])
@requires(policy.REQUEST)
def new_request() -> Any:
    """The form for one person; without a person, the way to find one (by POST: a citizen number does not stand in an
    address)."""
    uow, id = current_uow(), request.args.get("person", type=int)
    if id is None:
        q = request.form.get("q", "").strip()[:60]
        near = uow.actor.current_area or 0
        found = search(uow, q, FOUND, keys=runtime().tenant_keys(uow), kinds=("persons",), near=near)
        return page("privacy/choose.html", q=q, rows=found.persons)
    person = uow.get(Person, id)
    start = {"received_on": today().isoformat(), "channel": "counter", "identity": "card"}
    return _form(person, FormView(values=start, draft=f"privacy-request-{id}"))


def _form(person: Person, form: FormView, status: int = 200) -> Any:
    settings = own_settings(current_uow())
    back = url_for("households.show_person", id=person.id)
    return page(
        "privacy/request_new.html",
        status,
        form=replace(form, action=url_for("privacy.add_request"), cancel_url=back),
        person=person,
        policy=policy,
        days=settings.request_days,
        source=settings.request_days_source or policy.DAYS_SOURCE,
        due=add_working_days(today(), settings.request_days),
    )


@bp.post("/privacy/requests")
@requires(policy.REQUEST)
def add_request() -> Any:
    """Take it in; errors bring the form back with what was typed."""
    uow, typed = current_uow(), request.form
    person = uow.get(Person, typed.get("person_id", 0, type=int))
    values = {**typed.to_dict(), "by_agent": bool(typed.get("by_agent"))}
    try:
        made = service.register_request(uow, person_id=person.id, values=values)
    except (Invalid, Conflict) as error:
        fields = error.fields if isinstance(error, Invalid) else {"": [error.message]}
        return _form(person, FormView(values=values, errors=fields), 422 if isinstance(error, Invalid) else 409)
    flash(_("Request %(number)s is registered. Print the receipt for the person.", number=made.number), "success")
    return redirect(url_for("privacy.show_request", id=made.id), 303)
