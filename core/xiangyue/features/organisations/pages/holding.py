"""Somebody takes a post up, an entry is put right, ended or taken out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import redirect, request, url_for

from xiangyue.errors import Conflict, Invalid, Stale
from xiangyue.features.households.person_input import today
from xiangyue.features.organisations import choosing, holders, policy, queries, service_holders, view
from xiangyue.features.organisations.models import Organisation, Post, PostHolder
from xiangyue.features.organisations.pages import bp
from xiangyue.features.organisations.taking import PLAIN
from xiangyue.i18n import gettext as _
from xiangyue.web.access import requires
from xiangyue.web.components import FormView
from xiangyue.web.pipeline import current_uow
from xiangyue.web.shell import flash, page


def _fields(error: Exception) -> dict[str, Any]:
    """By the fields of the form: who it is has one."""
    found = dict(error.fields) if isinstance(error, Invalid) else {"": [str(error)]}
    for name in ("person_id", "outsider_name"):
        if name in found:
            found["who"] = [*found.get("who", []), *found.pop(name)]
    return found


@bp.get("/organisations/posts/<int:id>/appoint")
@requires(policy.EDIT)
def appoint_form(id: int) -> Any:
    """``person``: the number of a person, from the person's page."""
    uow = current_uow()
    post, organisation = queries.get_post(uow, id)
    number = request.args.get("person", type=int)
    who = ""
    if number is not None and (known := holders.people(uow, [number]).get(number)) is not None and known.within:
        who = f"{known.name} #{number}"
    start = {"who": who, "valid_from": today().isoformat(), "way": "appointed"}
    if organisation.term_until is not None and organisation.term_until > today():
        start["term_until"] = organisation.term_until.isoformat()
    return _appoint_page(post, organisation, FormView(values=start, draft=f"appoint-{id}"))


def _appoint_page(
    post: Post, organisation: Organisation, form: FormView, status: int = 200, choices: Any = (), doubt: bool = False
) -> Any:
    uow = current_uow()
    seats = holders.seats_on(uow, [organisation.id])[organisation.id]
    there = next((one.holdings for one in seats if one.post.id == post.id), [])
    back = url_for("organisations.show_organisation", id=organisation.id)
    return page(
        "organisations/appoint.html",
        status,
        form=replace(form, action=url_for("organisations.appoint", id=post.id), cancel_url=back),
        post=post,
        organisation=organisation,
        kind=queries.kind_names(uow).get(organisation.kind_key, organisation.kind_key),
        there=there,
        choices=choices,
        doubt=doubt,
        policy=policy,
    )


@bp.post("/organisations/posts/<int:id>/appoint")
@requires(policy.EDIT)
def appoint(id: int) -> Any:
    """Record it; errors bring the form back, several people of one name the choice between them."""
    uow, typed = current_uow(), request.form
    post, organisation = queries.get_post(uow, id)
    who = choosing.meant(uow, typed, organisation.area_code)
    errors: dict[str, Any] = {"who": [who.problem]} if who.problem is not None else {}
    status = 422
    if not errors:
        try:
            service_holders.appoint(uow, post_id=id, values={**typed.to_dict(), **who.values})
        except (Invalid, Conflict) as error:
            uow.rollback()
            post, organisation = queries.get_post(uow, id)
            errors, status = _fields(error), 422 if isinstance(error, Invalid) else 409
    if errors:
        doubt = "doubt_reason" in errors or bool(typed.get("doubt_reason"))
        return _appoint_page(post, organisation, FormView(values=typed, errors=errors), status, who.choices, doubt)
    flash(_("It is recorded."), "success")
    return redirect(url_for("organisations.show_organisation", id=organisation.id), 303)


@bp.get("/organisations/holders/<int:id>")
@requires(policy.EDIT)
def show_holder(id: int) -> Any:
    return _holder_page(id)


def _holder_page(id: int, status: int = 200, forms: dict[str, FormView] | None = None) -> Any:
    uow = current_uow()
    row, post, organisation = queries.get_holder(uow, id)
    who = holders.people(uow, [row.person_id]).get(row.person_id) if row.person_id is not None else None
    holding = holders.Holding(row, post, who, today())
    columns = (*PLAIN, "valid_to", "doubt_reason")
    values = {name: str(getattr(row, name)) if getattr(row, name) is not None else "" for name in columns}
    back = url_for("organisations.show_organisation", id=organisation.id)
    gone = {"deceased": "deceased", "moved": "moved"}.get(holding.gone, "")
    left = who.left_on if who is not None and gone and who.left_on is not None else None
    start = {"on": (left or today()).isoformat(), "reason": gone or "resigned"}
    made = {
        "edit": FormView(values=values, draft=f"holder-{id}", cancel_url=back),
        "end": FormView(values=start, id="end"),
        "remove": FormView(id="remove"),
    }
    shown = {
        name: replace(form, action=url_for(f"organisations.{name}_holder", id=id), version=row.version)
        for name, form in {**made, **(forms or {})}.items()
    }
    return page(
        "organisations/holder.html",
        status,
        row=row,
        post=post,
        organisation=organisation,
        holding=holding,
        forms=shown,
        show=view,
        policy=policy,
    )


def _act(id: int, name: str, act: Any, said: Any) -> Any:
    uow = current_uow()
    _row, _post, organisation = queries.get_holder(uow, id)
    back = organisation.id
    version = request.form.get("version", 0, type=int)
    try:
        act(uow, version)
    except (Invalid, Conflict, Stale) as error:
        uow.rollback()
        form = FormView(values=request.form, errors=_fields(error), id="form" if name == "edit" else name)
        return _holder_page(id, 422 if isinstance(error, Invalid) else 409, {name: form})
    flash(said, "success")
    return redirect(url_for("organisations.show_organisation", id=back), 303)


@bp.post("/organisations/holders/<int:id>")
@requires(policy.EDIT)
def edit_holder(id: int) -> Any:
    typed = request.form.to_dict()

    def do(uow: Any, version: int) -> PostHolder:
        return service_holders.edit_holder(uow, id=id, version=version, values=typed)

    return _act(id, "edit", do, _("Saved"))


@bp.post("/organisations/holders/<int:id>/end")
@requires(policy.EDIT)
def end_holder(id: int) -> Any:
    typed = request.form

    def do(uow: Any, version: int) -> PostHolder:
        return service_holders.end_holder(
            uow, id=id, version=version, on=typed.get("on"), reason=typed.get("reason", ""), text=typed.get("text", "")
        )

    return _act(id, "end", do, _("The term has ended."))


@bp.post("/organisations/holders/<int:id>/remove")
@requires(policy.EDIT)
def remove_holder(id: int) -> Any:
    def do(uow: Any, version: int) -> None:
        service_holders.remove_holder(uow, id=id, version=version, reason=request.form.get("reason", ""))

    return _act(id, "remove", do, _("The entry is taken out; the audit trail keeps it."))
