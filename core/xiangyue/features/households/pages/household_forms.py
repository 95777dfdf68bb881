"""Forms of a household: register, change, close, open again."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flask import redirect, request, url_for
from markupsafe import Markup
from werkzeug.datastructures import MultiDict

from xiangyue.errors import AlreadyUsed, Conflict, Invalid, NotFound, Refused, Stale
from xiangyue.features.areas import queries as areas
from xiangyue.features.areas import switch
from xiangyue.features.areas.models import GROUP, VILLAGE, Area
from xiangyue.features.duplicates.policy import REASONS
from xiangyue.features.households import policy, queries
from xiangyue.features.households.alike import LooksLike
from xiangyue.features.households.custom import FieldValue, values_of
from xiangyue.features.households.models import Household
from xiangyue.features.households.pages import bp
from xiangyue.features.households.pages.common import (
    custom_input,
    field_text,
    keys,
    kind_name,
    synthetic_ok,
    template_words,
    typed_label,
)
from xiangyue.features.households.service import edit_household, register_household
from xiangyue.features.households.writing import household_values
from xiangyue.i18n import gettext as _
from xiangyue.i18n import join_words
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.web.access import requires
from xiangyue.web.components import ConflictRow, FormView
from xiangyue.web.merge import merge, opened_of
from xiangyue.web.pipeline import current_uow
from xiangyue.web.shell import flash, page

HEAD_FIELDS = ("name", "id_number", "birth_date", "sex", "phone", "nationality", "away")
EDIT_LABELS = {
    "area_code": _l("Village or group"),
    "address": _l("Address"),
    "location": _l("Location"),
    "note": _l("Note"),
}


def client_uuid(text: str | None) -> uuid.UUID | None:
    """The form's own UUID: sent twice, it is the same record."""
    try:
        return uuid.UUID(text or "")
    except ValueError:
        return None


def conflict_message(error: Conflict) -> Any:
    """What is in the way, with a link to the person who has the number already."""
    if isinstance(error, LooksLike):
        return _looks_like(error)
    link = Markup('{} <a href="{}">{}</a>')
    if person_id := error.details.get("person_id"):
        return link.format(str(error.message), url_for("households.show_person", id=person_id), _("Show this person"))
    if household_id := error.details.get("household_id"):
        url = url_for("households.show_household", id=household_id)
        return link.format(str(error.message), url, _("Show this household"))
    return error.message


def _looks_like(error: LooksLike) -> Markup:
    """Who it may be, each with a link and the reasons."""
    lines = [
        Markup('<a href="{}"><span lang="zh-CN">{}</span></a> (<span lang="zh-CN">{}</span> {}): {}').format(
            url_for("households.show_person", id=one["person_id"]),
            one["name"],
            one["place"],
            one["household_code"],
            _(", ").join(str(REASONS[reason]) for reason in one["reasons"]),
        )
        for one in error.details["persons"]
    ]
    return Markup("{} {}").format(_("This may be somebody who is registered already:"), Markup("; ").join(lines))


def next_client_id(error: Exception, client_id: uuid.UUID | None) -> str:
    """The form's UUID when it comes back: the same, unless it is used up."""
    return str(uuid.uuid4() if client_id is None or isinstance(error, AlreadyUsed) else client_id)


def form_errors(error: Invalid | Conflict | Refused, identity: str) -> dict[str, list[Any]]:
    """Messages by field; ``identity`` is the field of the citizen number that somebody has already."""
    if isinstance(error, Invalid):
        return error.fields
    if isinstance(error, Refused):
        return {"": [error.message]}
    if isinstance(error, LooksLike):
        return {"different": [conflict_message(error)]}
    taken = "person_id" in error.details and not isinstance(error, AlreadyUsed)
    return {identity if taken else "": [conflict_message(error)]}


@bp.get("/households/new")
@requires(policy.HOUSEHOLD_EDIT)
def new_household() -> Any:
    """The form for one village; without a village in the address or the switcher, the choice of one."""
    uow = current_uow()
    code = switch.asked_area(uow) or (uow.actor.current_area if "area" not in request.args else 0)
    place = _place(code)
    if place is None:
        groups = areas.village_choices(uow)
        if len(groups) == 1 and len(groups[0][1]) == 1:
            place = areas.find_area(uow, int(groups[0][1][0][0]))
        else:
            return page(
                "households/choose_village.html", groups=groups, no_villages=not groups and not areas.has_villages(uow)
            )
    return _register_page(place, FormView(client_id=str(uuid.uuid4()), values={"area_code": place.area_code}))


def _place(code: int) -> Area | None:
    if not code:
        return None
    try:
        area = areas.find_area(current_uow(), code)
    except NotFound:
        return None
    return area if area.level in (VILLAGE, GROUP) and area.active else None


def _register_page(place: Area, form: FormView, *, status: int = 200) -> Any:
    uow = current_uow()
    village = place.area_code - place.area_code % 1000
    shown = FormView(
        action=url_for("households.register", area=areas.code_text(place.area_code)),
        values=form.values,
        errors=form.errors,
        client_id=form.client_id,
        draft=f"household-new-{village}",
        cancel_url=url_for("households.list_households", area=areas.code_text(village)),
    )
    return page(
        "households/new.html",
        status=status,
        form=shown,
        path=areas.paths(uow, [village]).get(village, []),
        groups=areas.group_choices(uow, village),
        village=village,
        fields=queries.custom_fields(uow, "household"),
        **template_words(),
    )


@bp.post("/households/new")
@requires(policy.HOUSEHOLD_EDIT)
def register() -> Any:
    """Register a household with its head."""
    uow, typed = current_uow(), request.form
    code = typed.get("area_code", type=int) or typed.get("village", type=int) or 0
    place = _place(code) or _place(switch.asked_area(uow))
    if place is None:
        raise NotFound(areas.NO_AREA)
    client_id = client_uuid(typed.get("client_id"))
    try:
        household = register_household(
            uow,
            keys=keys(),
            area_code=code,
            head={
                **{name: typed.get(f"head.{name}", "") for name in HEAD_FIELDS},
                **({"different": True} if "different" in typed else {}),
            },
            address=typed.get("address", ""),
            location=typed.get("location", ""),
            note=typed.get("note", ""),
            client_id=client_id,
            custom=custom_input(queries.custom_fields(uow, "household"), typed),
            allow_synthetic=synthetic_ok(),
        )
    except (Invalid, Conflict, Refused) as error:
        errors = form_errors(error, "head.id_number")
        form = FormView(values=typed, errors=errors, client_id=next_client_id(error, client_id))
        return _register_page(place, form, status=409 if isinstance(error, Refused) else 422)
    flash(_("Registered: %(name)s, number %(code)s", name=household.head_name, code=household.code), "success")
    return redirect(url_for("households.show_household", id=household.id), 303)


@bp.get("/households/<int:id>/edit")
@requires(policy.HOUSEHOLD_EDIT)
def edit_form(id: int) -> Any:
    household = current_uow().get(Household, id)
    return _edit_page(household, {}, version=household.version)


def _edit_page(
    household: Household,
    typed: Any,
    *,
    version: int,
    status: int = 200,
    errors: dict[str, Any] | None = None,
    conflict: list[ConflictRow] | None = None,
    opened: Mapping[str, Any] | None = None,
) -> Any:
    uow = current_uow()
    own = values_of(uow, "household", [household])[household.id]
    standing = _standing(household, own)
    here = url_for("households.show_household", id=household.id)
    form = FormView(
        action=url_for("households.edit", id=household.id),
        values=typed or standing,
        errors=errors or {},
        version=version,
        opened=standing if opened is None else opened,
        draft=f"household-{household.id}",
        conflict=conflict or (),
        cancel_url=here,
        reload_url=url_for("households.edit_form", id=household.id),
    )
    return page(
        "households/edit.html",
        status=status,
        form=form,
        household=household,
        places=places_for(household.area_code),
        fields=[v.field for v in own],
        **template_words(),
    )


def _standing(household: Household, own: Iterable[FieldValue]) -> dict[str, Any]:
    """What stands in the form's fields."""
    return {**household_values(household), **{f"custom.{v.field.key}": field_text(v.value) for v in own}}


def places_for(code: int) -> list[tuple[str, list[tuple[str, str]]]]:
    """Where a household may lie: the groups of its village first, then the other villages by town."""
    uow = current_uow()
    village = code - code % 1000
    names = areas.names(uow, [village])
    near = [(str(village), names.get(village, "")), *areas.group_choices(uow, village)]
    return [(names.get(village, str(village)), near), *areas.village_choices(uow)]


@bp.post("/households/<int:id>/edit")
@requires(policy.HOUSEHOLD_EDIT)
def edit(id: int) -> Any:
    """Save. When somebody saved in between, what each changed stands; only what both changed is shown side by side."""
    uow, typed = current_uow(), request.form
    version = typed.get("version", type=int) or 0
    taken: list[Any] = []
    try:
        edit_household(uow, household_id=id, version=version, changes=_changes(typed))
    except Invalid as invalid:
        opened = opened_of(typed)
        return _edit_page(
            uow.get(Household, id), typed, version=version, status=422, errors=invalid.fields, opened=opened
        )
    except Refused as refused:
        household, errors = uow.get(Household, id), {"": [refused.message]}
        return _edit_page(household, typed, version=version, status=409, errors=errors, opened=opened_of(typed))
    except Stale as stale:
        household = uow.get(Household, id)
        own = values_of(uow, "household", [household])[id]
        both = merge(typed, _standing(household, own))
        now = int(stale.theirs["version"])
        if both.conflicts:
            rows = [row for row in _conflict(household, stale, typed, own) if row.field in both.conflicts]
            return _edit_page(household, both.values, version=now, status=409, conflict=rows)
        try:
            changes = _changes(both.values, only=both.mine)
            edit_household(uow, household_id=id, version=now, changes=changes)
        except (Invalid, Refused) as error:
            errors = form_errors(error, "")
            return _edit_page(household, both.values, version=now, status=422, errors=errors)
        names = {**EDIT_LABELS, **{f"custom.{v.field.key}": kind_name(v.field) for v in own}}
        taken = [names[name] for name in both.taken]
    say_saved(taken)
    return redirect(url_for("households.show_household", id=id), 303)


def say_saved(taken: Sequence[Any]) -> None:
    """Tell that it was saved, and which fields somebody else had changed meanwhile."""
    if taken:
        fields = join_words(str(label) for label in taken)
        flash(_("Saved. What somebody else changed meanwhile stands too: %(fields)s", fields=fields), "success")
    else:
        flash(_("Saved"), "success")


def _changes(typed: MultiDict[str, str], only: Sequence[str] | None = None) -> dict[str, Any]:
    """The form's fields as changes; ``only`` these."""
    changes: dict[str, Any] = {n: typed[n] for n in EDIT_LABELS if n in typed and (only is None or n in only)}
    if "area_code" in changes:
        changes["area_code"] = typed.get("area_code", type=int)
    custom = custom_input(queries.custom_fields(current_uow(), "household"), typed)
    return {**changes, "custom": {k: v for k, v in custom.items() if only is None or f"custom.{k}" in only}}


def _conflict(household: Household, stale: Stale, typed: Any, fields: Sequence[FieldValue]) -> list[ConflictRow]:
    uow = current_uow()
    mine_area = typed.get("area_code", type=int) or 0
    paths = areas.paths(uow, {household.area_code, mine_area} - {0})

    def place(code: int) -> str:
        return " · ".join(name for _code, name in paths.get(code, []))

    rows = [
        ConflictRow(
            "area_code",
            EDIT_LABELS["area_code"],
            place(mine_area),
            place(household.area_code),
            take=household.area_code,
        )
    ]
    rows += [ConflictRow(n, EDIT_LABELS[n], typed.get(n, ""), stale.theirs.get(n, ""))
             for n in ("address", "location", "note")]  # fmt: skip
    for own in fields:
        name = f"custom.{own.field.key}"
        if name in typed:
            mine = typed_label(own.field, typed[name])
            rows.append(ConflictRow(name, kind_name(own.field), mine, str(own.label), take=field_text(own.value)))
    return rows
