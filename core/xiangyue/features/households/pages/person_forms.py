"""Forms of a person: register, change, leave, come back."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flask import redirect, request, url_for
from werkzeug.datastructures import MultiDict

from xiangyue.errors import Conflict, Invalid, Refused, Stale
from xiangyue.features.areas import queries as areas
from xiangyue.features.households import policy, queries
from xiangyue.features.households.custom import FieldValue, values_of
from xiangyue.features.households.models import Household, Person
from xiangyue.features.households.pages import bp
from xiangyue.features.households.pages.common import (
    TABLES,
    custom_input,
    field_text,
    keys,
    kind_name,
    synthetic_ok,
    template_words,
    typed_label,
)
from xiangyue.features.households.pages.household_forms import client_uuid, form_errors, next_client_id, say_saved
from xiangyue.features.households.service_persons import add_person, edit_person
from xiangyue.features.households.writing import person_values
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.web.access import requires
from xiangyue.web.components import ConflictRow, FormView
from xiangyue.web.merge import merge, opened_of
from xiangyue.web.pipeline import current_uow
from xiangyue.web.shell import flash, page

LABELS: dict[str, Any] = {
    "name": _l("Full name"),
    "relation": _l("Relation to head"),
    "sex": _l("Sex"),
    "birth_date": _l("Date of birth"),
    "nationality": _l("Nationality"),
    "note": _l("Note"),
}
IDENTIFIERS = ("id_number", "phone")


@bp.get("/households/<int:id>/persons/new")
@requires(policy.HOUSEHOLD_EDIT)
def new_person(id: int) -> Any:
    household = current_uow().get(Household, id)
    return _new_page(household, FormView(client_id=str(uuid.uuid4())))


def _new_page(household: Household, form: FormView, *, status: int = 200) -> Any:
    uow = current_uow()
    shown = FormView(
        action=url_for("households.register_person", id=household.id),
        values=form.values,
        errors=form.errors,
        client_id=form.client_id,
        draft=f"person-new-{household.id}",
        cancel_url=url_for("households.show_household", id=household.id),
    )
    return page(
        "households/person_new.html",
        status=status,
        form=shown,
        household=household,
        path=areas.paths(uow, [household.area_code]).get(household.area_code, []),
        fields=queries.custom_fields(uow, "person"),
        **template_words(),
    )


@bp.post("/households/<int:id>/persons/new")
@requires(policy.HOUSEHOLD_EDIT)
def register_person(id: int) -> Any:
    """Register a member; the same form sent twice is the same person."""
    uow, typed = current_uow(), request.form
    client_id = client_uuid(typed.get("client_id"))
    values = {name: typed.get(name, "") for name in (*LABELS, "away", *IDENTIFIERS)}
    values["custom"] = custom_input(queries.custom_fields(uow, "person"), typed)  # type: ignore[assignment]
    values["different"] = "different" in typed  # type: ignore[assignment]
    try:
        person = add_person(
            uow, keys=keys(), household_id=id, values=values, client_id=client_id, allow_synthetic=synthetic_ok()
        )
    except (Invalid, Conflict, Refused) as error:
        errors = form_errors(error, "id_number")
        form = FormView(values=typed, errors=errors, client_id=next_client_id(error, client_id))
        return _new_page(uow.get(Household, id), form, status=409 if isinstance(error, Refused) else 422)
    flash(_("Registered: %(name)s", name=person.name), "success")
    return redirect(url_for("households.show_household", id=person.household_id), 303)


@bp.get("/persons/<int:id>/edit", endpoint="edit_person_form")
@requires(policy.HOUSEHOLD_EDIT)
def edit_form(id: int) -> Any:
    person = current_uow().get(Person, id)
    return _edit_page(person, {}, version=person.version)


def _edit_page(
    person: Person,
    typed: Any,
    *,
    version: int,
    status: int = 200,
    errors: dict[str, Any] | None = None,
    conflict: list[ConflictRow] | None = None,
    opened: Mapping[str, Any] | None = None,
) -> Any:
    uow = current_uow()
    standing = person_values(uow, keys(), person)
    own = values_of(uow, "person", [person])[person.id]
    shown = _standing(standing, own)
    form = FormView(
        action=url_for("households.edit_person", id=person.id),
        values=typed or shown,
        errors=errors or {},
        version=version,
        opened=shown if opened is None else opened,
        draft=f"person-{person.id}",
        conflict=conflict or (),
        cancel_url=url_for("households.show_person", id=person.id),
        reload_url=url_for("households.edit_person_form", id=person.id),
    )
    household = uow.get(Household, person.household_id)
    return page(
        "households/person_edit.html",
        status=status,
        form=form,
        person=person,
        household=household,
        path=areas.paths(uow, [household.area_code]).get(household.area_code, []),
        masked={name: standing[name] for name in IDENTIFIERS},
        fields=[v.field for v in own],
        **template_words(),
    )


def _standing(values: Mapping[str, Any], own: Iterable[FieldValue]) -> dict[str, Any]:
    """What stands in the form's fields, but for identifiers: those are typed anew or stay."""
    found = {name: field_text(values[name]) for name in LABELS}
    return {**found, **{f"custom.{v.field.key}": field_text(v.value) for v in own}}


@bp.post("/persons/<int:id>/edit", endpoint="edit_person")
@requires(policy.HOUSEHOLD_EDIT)
def edit(id: int) -> Any:
    """Save; an identifier left empty stays, it goes only when its box says so. When somebody saved in between, what
    each changed stands, and only what both changed is shown side by side."""
    uow, typed = current_uow(), request.form
    version = typed.get("version", type=int) or 0
    opened = opened_of(typed)
    taken: list[Any] = []
    values: Any = typed
    try:
        try:
            _save(id, version, _changes(typed))
        except Stale as stale:
            person, version = uow.get(Person, id), int(stale.theirs["version"])
            own = values_of(uow, "person", [person])[id]
            both = merge(typed, _standing(stale.theirs, own))
            values, opened = both.values, None
            if both.conflicts:
                rows = [row for row in _conflict(person, stale, typed) if row.field in both.conflicts]
                return _edit_page(person, values, version=version, status=409, conflict=rows)
            _save(id, version, _changes(values, only=both.mine))
            names = {**LABELS, **{f"custom.{v.field.key}": kind_name(v.field) for v in own}}
            taken = [names[name] for name in both.taken]
    except (Invalid, Conflict, Refused) as error:
        errors = form_errors(error, "id_number")
        uow.session.expire_all()
        status = 409 if isinstance(error, Refused) else 422
        return _edit_page(uow.get(Person, id), values, version=version, status=status, errors=errors, opened=opened)
    say_saved(taken)
    return redirect(url_for("households.show_person", id=id), 303)


def _save(id: int, version: int, changes: Mapping[str, Any]) -> None:
    edit_person(
        current_uow(), keys=keys(), person_id=id, version=version, changes=changes, allow_synthetic=synthetic_ok()
    )


def _changes(typed: MultiDict[str, str], only: Sequence[str] | None = None) -> dict[str, Any]:
    """The form's fields as changes; ``only`` these, and what was typed for identifiers."""
    given = {name: typed[name] for name in LABELS if name in typed}
    changes: dict[str, Any] = {name: value for name, value in given.items() if only is None or name in only}
    for name in IDENTIFIERS:
        if typed.get(name, "").strip():
            changes[name] = typed[name]
        elif name in typed.getlist("remove"):
            changes[name] = ""
    custom = custom_input(queries.custom_fields(current_uow(), "person"), typed)
    changes["different"] = "different" in typed
    return {**changes, "custom": {k: v for k, v in custom.items() if only is None or f"custom.{k}" in only}}


def _conflict(person: Person, stale: Stale, typed: Any) -> list[ConflictRow]:
    uow = current_uow()
    rows = []
    for name, label in LABELS.items():
        mine, theirs = typed.get(name, ""), stale.theirs.get(name)
        if name in TABLES:
            table = TABLES[name]
            rows.append(
                ConflictRow(name, label, table.label(str(mine)), table.label(str(theirs or "")), take=theirs or "")
            )
        else:
            rows.append(ConflictRow(name, label, mine, "" if theirs is None else str(theirs)))
    for own in values_of(uow, "person", [person])[person.id]:
        name = f"custom.{own.field.key}"
        if name in typed:
            mine = typed_label(own.field, typed[name])
            rows.append(ConflictRow(name, kind_name(own.field), mine, str(own.label), take=field_text(own.value)))
    return rows
