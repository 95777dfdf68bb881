"""The page of one request: its clock, what is asked, what was changed, and the acts that answer it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from flask import Response, redirect, request, url_for

from xiangyue.errors import Conflict, Forbidden, Invalid, Refused, Stale
from xiangyue.features.audit.queries import history_of
from xiangyue.features.audit.view import rows as rows_in_words
from xiangyue.features.households.person_input import today
from xiangyue.features.privacy import policy, queries, record, service, service_erase, view
from xiangyue.features.privacy.models import PrivacyRequest
from xiangyue.features.privacy.pages import bp
from xiangyue.files.names import content_disposition
from xiangyue.files.workbook import write_table
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.web.access import requires
from xiangyue.web.components import FormView
from xiangyue.web.downloads import send_written
from xiangyue.web.pipeline import current_actor, current_uow, runtime
from xiangyue.web.shell import flash, page

FORMS = ("answer", "refuse", "extend", "withdraw", "erase")


@bp.get("/privacy/requests/<int:id>")
@requires(policy.REQUEST)
def show_request(id: int) -> Any:
    return _page(id)


def _page(id: int, status: int = 200, forms: dict[str, FormView] | None = None) -> Any:
    uow = current_uow()
    line = queries.get_request(uow, id)
    corrects = line.request.kind in (policy.CORRECT, policy.COMPLETE)
    entries: list[Any] = []
    if corrects:
        done = line.request.outcome.get("entries")
        entries = queries.entries_by_id(uow, done) if done else queries.changes_since(uow, line) if line.open else []
    erases = line.request.kind == policy.ERASURE and line.open
    return page(
        "privacy/request.html",
        status,
        line=line,
        row=line.request,
        person=line.person,
        show=view,
        policy=policy,
        clock=view.clock(line) if line.open else None,
        changes=rows_in_words(uow, entries),
        corrects=corrects,
        history=rows_in_words(uow, history_of(uow, "privacy_request", id)),
        obligations=queries.obligations(uow, line.person.id, but=id) if erases else [],
        may_erase=erases
        and current_actor().scope(policy.ERASE).contains(line.person.area_code)
        and current_actor().can(policy.ERASE),
        gone=line.person.state != "active",
        forms={**_forms(line), **(forms or {})},
    )


def _forms(line: queries.Line) -> dict[str, FormView]:
    return {
        name: FormView(action=url_for(f"privacy.{name}_request", id=line.id), version=line.request.version, id=name)
        for name in FORMS
    }


def _act(id: int, name: str, act: Callable[[int], PrivacyRequest], said: Any) -> Any:
    """Do it once; what is wrong brings the page back with the form open and what was typed."""
    version = request.form.get("version", 0, type=int)
    try:
        act(version)
    except (Invalid, Conflict, Stale, Forbidden, Refused) as error:
        current_uow().rollback()
        line = queries.get_request(current_uow(), id)
        fields = error.fields if isinstance(error, Invalid) else {"": [error.message]}
        status = 422 if isinstance(error, Invalid) else 403 if isinstance(error, Forbidden) else 409
        if name not in FORMS:
            flash(str(error), "warning")
            return redirect(url_for("privacy.show_request", id=id), 303)
        form = FormView(
            action=url_for(f"privacy.{name}_request", id=id),
            values=request.form,
            errors=fields,
            version=line.request.version,
            id=name,
        )
        return _page(id, status, {name: form})
    flash(said, "success")
    return redirect(url_for("privacy.show_request", id=id), 303)


@bp.post("/privacy/requests/<int:id>/take")
@requires(policy.REQUEST)
def take_request(id: int) -> Any:
    return _act(id, "take", lambda v: service.take_up(current_uow(), id=id, version=v), _("Taken up"))


@bp.post("/privacy/requests/<int:id>/answer")
@requires(policy.REQUEST)
def answer_request(id: int) -> Any:
    text = request.form.get("answer", "")
    return _act(
        id, "answer", lambda v: service.answer(current_uow(), id=id, version=v, text=text), _("Answered and closed")
    )


@bp.post("/privacy/requests/<int:id>/refuse")
@requires(policy.REQUEST)
def refuse_request(id: int) -> Any:
    reason = request.form.get("reason", "")
    return _act(id, "refuse", lambda v: service.refuse(current_uow(), id=id, version=v, reason=reason), _("Refused"))


@bp.post("/privacy/requests/<int:id>/extend")
@requires(policy.REQUEST)
def extend_request(id: int) -> Any:
    reason = request.form.get("reason", "")
    return _act(id, "extend", lambda v: service.extend(current_uow(), id=id, version=v, reason=reason), _("Put off"))


@bp.post("/privacy/requests/<int:id>/withdraw")
@requires(policy.REQUEST)
def withdraw_request(id: int) -> Any:
    reason = request.form.get("reason", "")
    return _act(
        id, "withdraw", lambda v: service.withdraw(current_uow(), id=id, version=v, reason=reason), _("Withdrawn")
    )


@bp.post("/privacy/requests/<int:id>/erase")
@requires(policy.ERASE)
def erase_request(id: int) -> Any:
    text, seen = request.form.get("answer", ""), request.form.get("person_version", 0, type=int)

    def act(version: int) -> PrivacyRequest:
        return service_erase.erase_person(current_uow(), id=id, version=version, person_version=seen, text=text)

    return _act(id, "erase", act, _("Erased and closed"))


@bp.get("/privacy/requests/<int:id>/receipt")
@requires(policy.REQUEST)
def receipt(id: int) -> Any:
    """A page to print for who asked: the number, what is asked, by when it is answered."""
    line = queries.get_request(current_uow(), id)
    return page("privacy/receipt.html", line=line, row=line.request, show=view, policy=policy)


@bp.post("/privacy/requests/<int:id>/copy")
@requires(policy.REQUEST)
def copy_record(id: int) -> Any:
    """The person's whole record as a file (format xlsx or json); it stands in the audit trail."""
    uow = current_uow()
    format = request.form.get("format", "xlsx")
    if format not in ("xlsx", "json"):
        raise Invalid({"format": [_l("Choose one of the options.")]})
    try:
        line, facts = record.hand_out(uow, runtime().tenant_keys(uow), id=id, format=format)
    except Conflict as late:
        flash(str(late), "warning")
        return redirect(url_for("privacy.show_request", id=id), 303)
    name = f"{line.request.number}-{today().isoformat()}"
    if format == "xlsx":
        rows = ([fact.part, fact.name, fact.value] for fact in facts)
        return send_written(write_table(_("Personal information"), [_("Part"), _("Item"), _("Content")], rows), name)
    body = {
        "request": line.request.number,
        "on": today().isoformat(),
        "record": [{"part": f.part, "key": f.key, "label": f.name, "value": f.raw, "shown": f.value} for f in facts],
    }
    response = Response(orjson.dumps(body, option=orjson.OPT_INDENT_2, default=str), mimetype="application/json")
    response.headers["Content-Disposition"] = content_disposition(f"{name}.json")
    response.headers["Cache-Control"] = "private, no-store"
    return response
