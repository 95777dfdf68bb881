"""A new term of a whole organisation in one form: who stays, who goes, who comes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from flask import redirect, request, url_for

from xiangyue.errors import Conflict, Invalid, Stale
from xiangyue.features.households.person_input import today
from xiangyue.features.organisations import choosing, holders, policy, queries, service_elections
from xiangyue.features.organisations.dates import add_years
from xiangyue.features.organisations.models import Post
from xiangyue.features.organisations.pages import bp
from xiangyue.i18n import gettext as _
from xiangyue.web.access import requires
from xiangyue.web.components import FormView
from xiangyue.web.pipeline import current_uow
from xiangyue.web.shell import flash, page

#: Fields of a line, by the end of their names.
_PARTS = ("who", "votes", "outside", "unit", "doubt_reason", "person")
#: Empty lines of a post without a limit.
SPARE, MOST = 3, 60


@dataclass(frozen=True, slots=True)
class Slot:
    """A line of the form: fields are called ``<name>-who`` and so on."""

    name: str
    post: Post


def _slots(id: int) -> list[tuple[Post, list[Slot]]]:
    found = []
    for seats in holders.seats_on(current_uow(), [id])[id]:
        if seats.post.active:
            many = seats.post.seats_max or min(MOST, len(seats.holdings) + SPARE)
            found.append((seats.post, [Slot(f"p{seats.post.id}-{n}", seats.post) for n in range(min(many, MOST))]))
    return found


@bp.get("/organisations/<int:id>/election")
@requires(policy.EDIT)
def election_form(id: int) -> Any:
    """Those in office stand in it: who is elected again stays, whose name is taken out goes."""
    uow = current_uow()
    row = queries.get_organisation(uow, id)
    since = row.term_until if row.term_until is not None and row.term_until <= today() else today()
    start: dict[str, Any] = {"term_from": since.isoformat(), "decided_on": since.isoformat(), "way": "elected"}
    if row.term_years:
        start["term_until"] = add_years(since, row.term_years).isoformat()
    for seats in holders.seats_on(uow, [id])[id]:
        for number, one in enumerate(seats.holdings):
            name = f"p{seats.post.id}-{number}"
            start[f"{name}-who"] = f"{one.name} #{one.row.person_id}" if one.row.person_id is not None else one.name
            if one.row.person_id is None:
                start[f"{name}-outside"], start[f"{name}-unit"] = "1", one.row.outsider_unit
    return _page(id, FormView(values=start, version=row.version, draft=f"election-{id}"))


def _page(id: int, form: FormView, status: int = 200, choices: dict[str, Any] | None = None) -> Any:
    uow = current_uow()
    row = queries.get_organisation(uow, id)
    back = url_for("organisations.show_organisation", id=id)
    return page(
        "organisations/election.html",
        status,
        form=replace(form, action=url_for("organisations.hold_election", id=id), cancel_url=back),
        row=row,
        slots=_slots(id),
        choices=choices or {},
        policy=policy,
    )


@bp.post("/organisations/<int:id>/election")
@requires(policy.EDIT)
def hold_election(id: int) -> Any:
    uow, typed = current_uow(), request.form
    row = queries.get_organisation(uow, id)
    version = typed.get("version", 0, type=int)
    lines, names = [], []
    errors: dict[str, Any] = {}
    choices: dict[str, Any] = {}
    for post, slots in _slots(id):
        for slot in slots:
            parts = {part: typed.get(f"{slot.name}-{part}", "") for part in _PARTS}
            who = choosing.meant(uow, parts, row.area_code)
            if who.problem is not None:
                errors[f"{slot.name}-who"] = [who.problem]
                choices[slot.name] = who.choices
            elif who.values:
                said = {"votes": parts["votes"], "doubt_reason": parts["doubt_reason"]}
                lines.append({"post_id": post.id, **said, **who.values})
                names.append(slot.name)
    status = 422
    if not errors:
        try:
            service_elections.hold_election(uow, organisation_id=id, version=version, values=typed, lines=lines)
        except (Invalid, Conflict, Stale) as error:
            uow.rollback()
            status = 422 if isinstance(error, Invalid) else 409
            errors = _by_slot(error.fields, names) if isinstance(error, Invalid) else {"": [str(error)]}
            if isinstance(error, Stale):
                version = queries.get_organisation(uow, id).version
    if errors:
        return _page(id, FormView(values=typed, errors=errors, version=version), status, choices)
    flash(_("The new term is recorded."), "success")
    return redirect(url_for("organisations.show_organisation", id=id), 303)


def _by_slot(fields: dict[str, Any], names: list[str]) -> dict[str, Any]:
    """Errors of the service's lines, at the fields of the form."""
    found: dict[str, Any] = {}
    for field, texts in fields.items():
        head, _dot, rest = field.partition(".")
        if head == "lines":
            number, _dot, part = rest.partition(".")
            part = part if part in ("votes", "doubt_reason") else "who"
            field = f"{names[int(number)]}-{part}"
        found[field] = [*found.get(field, []), *texts]
    return found


@bp.post("/organisations/elections/<int:id>/undo")
@requires(policy.EDIT)
def undo_election(id: int) -> Any:
    uow = current_uow()
    try:
        row = service_elections.undo_election(uow, id=id, version=request.form.get("version", 0, type=int))
    except (Conflict, Stale) as error:
        flash(str(error), "warning")
        back = request.form.get("organisation", 0, type=int)
        uow.rollback()
        return redirect(url_for("organisations.show_organisation", id=back), 303)
    flash(_("The new term is taken back; who left stands again."), "success")
    return redirect(url_for("organisations.show_organisation", id=row.organisation_id), 303)
