"""The page of one person, and the full identifiers on request."""

from __future__ import annotations

from typing import Any

from flask import redirect, request, url_for

from xiangyue.errors import Invalid
from xiangyue.features.households import policy, queries
from xiangyue.features.households.models import Person
from xiangyue.features.households.pages import bp
from xiangyue.features.households.pages.common import keys, kind_name, may, sensitive_gate
from xiangyue.features.households.pages.history import timeline
from xiangyue.features.households.pages.register_common import acts_for, menu_of, register_words, taps_for_person
from xiangyue.features.households.person_input import today
from xiangyue.features.households.queries_acts import belongings
from xiangyue.features.households.queries_persons import PartOfAnother, person_view, survivor_of
from xiangyue.features.households.service_persons import reveal_identifier
from xiangyue.features.households.service_records import note_sensitive_read
from xiangyue.web.access import requires
from xiangyue.web.components import FormView
from xiangyue.web.pipeline import current_uow
from xiangyue.web.points import panels
from xiangyue.web.shell import page


@bp.get("/persons/<int:id>")
@requires(policy.HOUSEHOLD_VIEW)
def show_person(id: int) -> Any:
    try:
        return person_page(id)
    except PartOfAnother as merged:
        return redirect(url_for("households.show_person", id=survivor_of(current_uow(), merged)))


@bp.post("/persons/<int:id>/reveal")
@requires(policy.IDENTIFIER_REVEAL)
def reveal(id: int) -> Any:
    """Citizen number and phone in full, once, with the purpose in the audit trail."""
    uow = current_uow()
    try:
        shown = reveal_identifier(uow, keys=keys(), person_id=id, purpose=request.form.get("purpose", ""))
    except Invalid as invalid:
        return person_page(id, status=422, problems=invalid.fields)
    return person_page(id, shown=shown)


def person_page(
    id: int,
    *,
    status: int = 200,
    forms: dict[str, FormView] | None = None,
    shown: tuple[str, str] | None = None,
    problems: dict[str, list[Any]] | None = None,
) -> Any:
    """The page; ``shown`` the identifiers in full, ``forms`` those that came back with errors, ``problems`` of a
    reveal."""
    uow = current_uow()
    view = person_view(uow, keys(), id)
    person = view.person
    if view.sensitive:
        note_sensitive_read(
            uow,
            object_type="person",
            object_id=person.id,
            label=person.name,
            area_code=person.area_code,
            marks=view.sensitive,
        )
    standing = {m.kind.key for m in view.marks}
    changeable = may(policy.SENSITIVE_EDIT, person.area_code)
    kinds = [
        (k.key, kind_name(k))
        for k in queries.mark_kinds(uow)
        if k.key not in standing and (k.sensitivity == "normal" or changeable)
    ]
    changing = ("move", "move_out") if person.state == "active" else ("move_in",) if person.state == "moved" else ()
    return page(
        "households/person.html",
        status=status,
        view=view,
        person=person,
        household=view.household,
        items=timeline(uow, "person", id),
        may_edit=may(policy.HOUSEHOLD_EDIT, person.area_code),
        may_edit_sensitive=changeable,
        reveal_url=url_for("households.reveal", id=id)
        if may(policy.IDENTIFIER_REVEAL, person.area_code) and (view.id_number or view.phone)
        else None,
        shown=shown,
        problems=problems or {},
        forms={**_forms(person), **(forms or {})},
        mark_choices=kinds,
        belongs=belongings(uow, id),
        acts=acts_for(uow, "person", id),
        taps=taps_for_person(person),
        changes=menu_of(changing, person.household_id, person.area_code, id),
        gate=sensitive_gate(person.area_code),
        panels=panels(uow, "person_panels", lambda panel: panel.build(uow, id), area_code=person.area_code),
        **register_words(),
    )


def _forms(person: Person) -> dict[str, FormView]:
    day = today().isoformat()
    return {
        "mark": FormView(action=url_for("households.add_mark", id=person.id), values={"valid_from": day}, id="mark"),
    }
