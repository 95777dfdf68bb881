"""Forms of every act, and what is sent by the buttons of two taps: done at once, or reported for the village."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from flask import redirect, request, url_for
from sqlalchemy import select

from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from xiangyue.features.areas import queries as areas
from xiangyue.features.households import policy, queries
from xiangyue.features.households.models import Household, Person, RegisterAct
from xiangyue.features.households.pages import bp
from xiangyue.features.households.pages.common import custom_input, keys, synthetic_ok
from xiangyue.features.households.pages.household_forms import client_uuid, form_errors, next_client_id, places_for
from xiangyue.features.households.pages.register_common import (
    BUTTONS,
    EXPLAINED,
    OF_HOUSEHOLD,
    OF_PERSON,
    can_do,
    can_report,
    register_words,
)
from xiangyue.features.households.person_input import today
from xiangyue.features.households.queries_register import MemberOn, household_on
from xiangyue.features.households.queries_search import search
from xiangyue.features.households.register.kin import Kin, suggested_relations
from xiangyue.features.households.register.unnamed import newborn_name
from xiangyue.features.households.register.words import KIND_LABELS
from xiangyue.features.households.service_register import do_act, report_act
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.follows import Following, followers
from xiangyue.text.codes import HEAD, RELATIONS
from xiangyue.text.dates import parse_date
from xiangyue.text.problems import TextProblem
from xiangyue.text.whole import whole_number
from xiangyue.web.access import requires
from xiangyue.web.components import FormView
from xiangyue.web.pipeline import current_uow
from xiangyue.web.shell import flash, page

NEWCOMER = ("birth", "move_in")
ON_BASES = ("birth", "move_in", "move", "move_out", "split")
#: Acts in which a household is looked for as one types, and the field that holds the one chosen.
PICKED = {"move": "other_household_id", "merge": "other_household_id", "return": "other_household_id"}
VALUES = ("name", "relation", "sex", "birth_date", "nationality", "id_number", "phone", "note")
FOUND = 8


@bp.get("/households/<int:id>/acts/<kind>")
@requires(policy.HOUSEHOLD_VIEW)
def act_form(id: int, kind: str) -> Any:
    """The form of an act; ``person``: whom it is about, ``other_household_id``: the other household of a merge."""
    household = _household(id, kind)
    values: dict[str, Any] = {"on": today().isoformat(), "client_id": str(uuid.uuid4())}
    if kind in ON_BASES:
        values |= {"registered": "1", "living": "1"}
    values["person_id"] = request.args.get("person", "")
    values["other_household_id"] = request.args.get("other_household_id", "")
    return _form_page(household, kind, FormView(values=values, client_id=values["client_id"]))


@bp.post("/households/<int:id>/acts/<kind>")
@requires(policy.HOUSEHOLD_VIEW)
def do_act_form(id: int, kind: str) -> Any:
    """Do the act, or report it where the right is only to report. ``look``: look for a household, nothing else."""
    uow, typed = current_uow(), request.form
    household = _household(id, kind)
    client_id = client_uuid(typed.get("client_id"))
    if "look" in typed:
        # What goes along can only be shown with the household that stays.
        lacking = typed["look"] == "along" and not typed.get("other_household_id")
        errors = {"other_household_id": [_("Choose the household that stays.")]} if lacking else {}
        form = FormView(values=typed, errors=errors, client_id=typed.get("client_id"))
        return _form_page(household, kind, form, status=422 if lacking else 200)
    doing = can_do(household.area_code)
    if kind == "head_change" and (asked := _suggestions(uow, household, typed)) is not None:
        return _form_page(household, kind, asked)
    lacking = household_on(uow, id).headless
    try:
        wanted = _request(household, kind, typed)
        common: dict[str, Any] = {
            "keys": keys(), "kind": kind, "on": _day(typed.get("on", "")), "request": wanted,
            "reason": typed.get("reason", "").strip(), "client_id": client_id,
        }  # fmt: skip
        # What was written before a fault was found must not be seen on the page that names it.
        with uow.session.begin_nested():
            act = do_act(uow, **common, allow_synthetic=synthetic_ok()) if doing else report_act(uow, **common)
    except (Invalid, Conflict, Refused) as error:
        form = FormView(values=typed, errors=_errors(error, kind), client_id=next_client_id(error, client_id))
        uow.session.expire_all()
        return _form_page(uow.get(Household, id), kind, form, status=409 if isinstance(error, Refused) else 422)
    _tell(act, kind, doing)
    if kind == "split" and doing and act.other_household_id:
        flash(_("The new household has the number %(code)s.", code=uow.get(Household, act.other_household_id).code))
    person = typed.get("person_id", type=int)
    # Whoever was the head is so no more: the household's page says so and offers to name another.
    headless = not lacking and household_on(uow, id).headless
    if typed.get("back") == "person" and person and not headless:
        return redirect(url_for("households.show_person", id=person), 303)
    return redirect(url_for("households.show_household", id=id), 303)


def _suggestions(uow: Uow, household: Household, typed: Any) -> FormView | None:
    """The form with what everybody would be to the new head, for whoever was not given anything, or still stands as
    suggested for another one, to be looked at and sent again; None when it was seen for this head already, or nothing
    is left open. Nothing is written by itself."""
    chosen, before = typed.get("person_id", ""), typed.get("suggested_for", "")
    members = household_on(uow, household.id).members
    ids = {str(m.person_id) for m in members}
    if chosen not in ids:
        return None
    kin = [Kin(m.person_id, m.relation, m.sex, m.birth_date) for m in members]
    stale = suggested_relations(kin, int(before)) if before in ids - {chosen} else {}
    open_ = [
        m for m in members
        if str(m.person_id) != chosen and typed.get(f"relations.{m.person_id}", "") in ("", stale.get(m.person_id))
    ]  # fmt: skip
    if "suggest" not in typed and (before == chosen or not open_):
        return None
    found = suggested_relations(kin, int(chosen))
    values = {**typed.to_dict(), "suggested_for": chosen, f"relations.{chosen}": ""}
    values |= {f"relations.{m.person_id}": found[m.person_id] for m in open_}
    lacking = [m.name for m in open_ if not found[m.person_id]]
    flash(_("Look through the suggested relations to the new head, then send the form once more."), "info")
    if lacking:
        flash(_("For these it cannot be told, choose it yourself: %(names)s.", names=_(", ").join(lacking)), "warning")
    return FormView(values=values, client_id=typed.get("client_id"))


def _household(id: int, kind: str) -> Household:
    """The household, when the act may be done or reported there. Raises NotFound, Forbidden."""
    if kind not in (*OF_HOUSEHOLD, *OF_PERSON):
        raise NotFound()
    household = current_uow().get(Household, id)
    if not can_do(household.area_code) and not can_report(kind, household.area_code):
        raise Forbidden(_l("You may look at this household, but not change who belongs to it."))
    return household


def _tell(act: RegisterAct, kind: str, doing: bool) -> None:
    label = KIND_LABELS[kind]
    if doing:
        flash(_("Done: %(act)s. It stands in the household's changes and can be undone there.", act=label), "success")
    else:
        flash(_("Reported: %(act)s. It counts once the village has confirmed it.", act=label), "success")


def _day(text: str) -> Any:
    try:
        return parse_date(text) if text.strip() else None
    except TextProblem as problem:
        raise Invalid({"on": [str(problem)]}) from None


def _request(household: Household, kind: str, typed: Any) -> dict[str, Any]:
    """What the service takes, from the form."""
    found: dict[str, Any] = {"household_id": household.id}
    if kind in OF_PERSON:
        found = {"person_id": typed.get("person_id", "")}
    if kind in ON_BASES:
        found |= {"registered": "registered" in typed, "living": "living" in typed}
    if kind in ("move", "return"):
        other = typed.get("other_household_id", "")
        if kind == "move" or other:
            found["household_id"] = other
        found["relation"] = typed.get("relation", "")
    if kind == "merge":
        found["other_household_id"] = typed.get("other_household_id", "")
    if kind == "split":
        persons = [id for id in map(whole_number, typed.getlist("persons")) if id is not None]
        found |= {"persons": persons, "address": typed.get("address", "")}
        if typed.get("area_code", type=int):
            found["area_code"] = typed.get("area_code", type=int)
    if kind in ("split", "head_change"):
        found["person_id"] = typed.get("person_id", "")
    if kind in ("split", "head_change", "merge"):
        chosen = {str(id) for id in found.get("persons", ())} if kind == "split" else None
        found["relations"] = {
            name.removeprefix("relations."): value
            for name, value in typed.items()
            if name.startswith("relations.")
            and value
            and whole_number(name.removeprefix("relations.")) is not None
            # The head's relation follows from being the head, whatever stands in the list beside it.
            and name.removeprefix("relations.") != str(found.get("person_id", ""))
            and (chosen is None or name.removeprefix("relations.") in chosen)
        }
    if kind in NEWCOMER:
        if kind == "move_in" and typed.get("person_id"):
            return {**found, "person_id": typed["person_id"], "relation": typed.get("values.relation", "")}
        found["values"] = _values(household, kind, typed)
    return found


def _values(household: Household, kind: str, typed: Any) -> dict[str, Any]:
    values: dict[str, Any] = {name: typed.get(f"values.{name}", "") for name in VALUES if f"values.{name}" in typed}
    if kind == "birth" and not values.get("name", "").strip():
        values["name"] = newborn_name(household.head_name)
    if kind == "birth":
        values["birth_date"] = typed.get("on", "")
    if can_do(household.area_code):
        values["custom"] = custom_input(queries.custom_fields(current_uow(), "person"), typed)
        values["different"] = "different" in typed
    return values


def _errors(error: Invalid | Conflict | Refused, kind: str) -> dict[str, list[Any]]:
    """By the fields of the form."""
    found = dict(form_errors(error, "values.id_number"))
    if kind in ("move", "return") and "household_id" in found:
        found["other_household_id"] = found.pop("household_id")
    for name in [name for name in found if name.startswith("values.custom.")]:
        found[name.removeprefix("values.")] = found.pop(name)
    if kind == "birth" and "values.birth_date" in found:
        found.setdefault("on", found.pop("values.birth_date"))
    return found


def _form_page(household: Household, kind: str, form: FormView, *, status: int = 200) -> Any:
    uow = current_uow()
    doing = can_do(household.area_code)
    found = household_on(uow, household.id)
    person = _person(uow, form, kind)
    shown = FormView(
        action=url_for("households.do_act_form", id=household.id, kind=kind, person=person.id if person else None),
        values=form.values,
        errors=form.errors,
        client_id=form.client_id,
        draft=f"register-{kind}-{household.id}-{person.id if person else 0}",
        cancel_url=url_for("households.show_person", id=person.id)
        if person is not None and uow.scope.contains(person.area_code)
        else url_for("households.show_household", id=household.id),
        answered=request.method == "POST",
    )
    other = picked(uow, form.value("other_household_id")) if kind in PICKED else None
    fields = queries.custom_fields(uow, "person") if kind in NEWCOMER and doing else []
    return page(
        "households/register_form.html",
        status=status,
        kind=kind,
        form=shown,
        household=household,
        doing=doing,
        explained=EXPLAINED[kind],
        button=BUTTONS[kind],
        members=found.members,
        candidates=[(m.person_id, _said(m)) for m in _candidates(kind, found.members) if doing or m.inside],
        person=person,
        other=other,
        results=_look(uow, str(form.value("q")), household.id) if form.value("q") and other is None else [],
        along=_along(uow, household.id, other) if kind == "merge" and other is not None else [],
        path=areas.paths(uow, [household.area_code]).get(household.area_code, []),
        places=places_for(household.area_code) if kind == "split" else [],
        relations=[(entry.code, entry.label) for entry in RELATIONS if entry.code != HEAD],
        fields=fields,
        **register_words(),
    )


def _said(member: MemberOn) -> str:
    relation = RELATIONS.label(member.relation) if member.relation else ""
    return f"{member.name} {relation}".strip()


def _candidates(kind: str, members: list[MemberOn]) -> list[MemberOn]:
    """Members to whom this can have happened."""
    if kind == "leave":
        return [m for m in members if m.living]
    if kind == "return":
        return [m for m in members if m.away]
    return members


def _person(uow: Uow, form: FormView, kind: str) -> Person | None:
    """Whom the form is about, when that is known already: from the page of the person. Raises NotFound."""
    asked = request.args.get("person", "")
    id = whole_number(asked)
    return None if kind not in (*OF_PERSON, "move_in") or id is None else uow.get(Person, id)


def picked(uow: Uow, value: Any) -> dict[str, Any] | None:
    """The household that was chosen, as the list of those found shows it; None when it is none of the reader's."""
    id = whole_number(value or "")
    if id is None:
        return None
    row = uow.session.execute(
        select(Household.id, Household.code, Household.head_name, Household.address, Household.area_code).where(
            Household.id == id, Household.state == "active"
        )
    ).one_or_none()
    if row is None:
        return None
    path = areas.paths(uow, [row.area_code]).get(row.area_code, [])
    return {
        "id": row.id, "code": row.code, "head_name": row.head_name, "address": row.address,
        "area_name": " · ".join(name for _code, name in path[-2:]),
    }  # fmt: skip


def _look(uow: Uow, q: str, without: int) -> list[Mapping[str, Any]]:
    """Households for a word: heads, numbers, addresses, and where a person of that name is."""
    found = search(uow, q, FOUND, keys=keys(), near=uow.actor.current_area or 0)
    rows: dict[int, Mapping[str, Any]] = {row["id"]: row for row in found.households}
    for person in found.persons:
        rows.setdefault(
            person["household_id"],
            {"id": person["household_id"], "code": person["household_code"], "head_name": person["head_name"],
             "address": person["address"], "area_name": person["area_name"], "state": "active"},
        )  # fmt: skip
    return [row for id, row in rows.items() if id != without and row.get("state") == "active"][:FOUND]


def _along(uow: Uow, household_id: int, other: Mapping[str, Any]) -> list[Following]:
    """What hangs on the household and would go to the other, by kind."""
    return followers(uow, of="household", old=household_id, new=int(other["id"]), only_open=True)


@bp.post("/register/households")
@requires(policy.HOUSEHOLD_VIEW)
def look_for_household() -> Any:
    """Households as one types, as choices of the form that asks."""
    uow, typed = current_uow(), request.form
    q = typed.get("q", "").strip()
    without = typed.get("without", type=int) or 0
    return page(
        "households/register_found.html",
        form=FormView(values=typed),
        q=q,
        other=None if q else picked(uow, typed.get("other_household_id", "")),
        results=_look(uow, q, without) if q else [],
        merging="merging" in typed,
        **register_words(),
    )
