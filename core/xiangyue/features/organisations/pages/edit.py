"""Recording an organisation, changing it, its posts, its end and its public card."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from flask import redirect, request, url_for

from xiangyue.errors import Conflict, Invalid, Stale
from xiangyue.features.areas import switch
from xiangyue.features.areas.models import GROUP, TOWN, VILLAGE
from xiangyue.features.areas.queries import area_choices, names, parse_code
from xiangyue.features.organisations import policy, queries, service, service_posts, view
from xiangyue.features.organisations.pages import bp
from xiangyue.features.organisations.pages.show import organisation_page
from xiangyue.features.organisations.steps import ORGANISATION_COLUMNS
from xiangyue.i18n import gettext as _
from xiangyue.i18n import pick
from xiangyue.text.whole import whole_number
from xiangyue.web.access import requires
from xiangyue.web.components import FormView
from xiangyue.web.pipeline import current_actor, current_uow
from xiangyue.web.shell import flash, page


def _areas() -> list[tuple[str, list[tuple[str, str]]]]:
    """Areas the actor may record something in: county and towns, then each village with its groups left out."""
    uow = current_uow()
    with uow.scoped(uow.scope.within(current_actor().scope(policy.EDIT))):
        towns, villages = area_choices(uow, TOWN), area_choices(uow, VILLAGE)
        county = area_choices(uow, "county")
    known = names(uow, {village.parent_code for village in villages})
    groups: dict[str, list[tuple[str, str]]] = {}
    if county or towns:
        groups[_("County and towns")] = [(str(area.area_code), area.name) for area in (*county, *towns)]
    for village in villages:
        groups.setdefault(known.get(village.parent_code, ""), []).append((str(village.area_code), village.name))
    return list(groups.items())


def _code(area: str) -> int | None:
    """15 digits as a number; None for anything else that an address may hold."""
    return whole_number(area) if len(area) == 15 else None


def _with_groups(area: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """The same, with the groups of the village that is asked for."""
    found = _areas()
    code = _code(area)
    if code is not None:
        members = area_choices(current_uow(), GROUP, code - code % 1000)
        if members:
            found.insert(0, (_("Groups of the village"), [(str(one.area_code), one.name) for one in members]))
    return found


@bp.get("/organisations/new")
@requires(policy.EDIT)
def new_organisation() -> Any:
    """The form; ``area`` and ``kind`` of the address stand in it."""
    text = request.args.get("area", "")
    area = str(parse_code(text)) if text not in ("", switch.ALL) else ""
    start = {"area": area, "kind": request.args.get("kind", "")}
    return _form(FormView(values=start, draft="organisation-new"))


def _form(form: FormView, status: int = 200) -> Any:
    uow = current_uow()
    grouped: dict[str, list[tuple[str, str]]] = {}
    for kind in queries.kinds(uow):
        label = str(policy.FAMILIES.get(kind.family, kind.family))
        grouped.setdefault(label, []).append((kind.key, pick(kind.name, kind.name_en)))
    area = str(form.value("area"))
    code = _code(area)
    parents = queries.parent_choices(uow, code) if code is not None else []
    return page(
        "organisations/form.html",
        status,
        form=replace(
            form, action=url_for("organisations.create"), cancel_url=url_for("organisations.list_organisations")
        ),
        kinds=list(grouped.items()),
        areas=_with_groups(area),
        parents=parents,
        row=None,
        policy=policy,
    )


@bp.post("/organisations")
@requires(policy.EDIT)
def create() -> Any:
    """Record it; errors bring the form back with what was typed."""
    try:
        made = service.create_organisation(current_uow(), values=request.form)
    except (Invalid, Conflict) as error:
        return _form(FormView(values=request.form, errors=_fields(error)), 422 if isinstance(error, Invalid) else 409)
    flash(_("Recorded with the posts of its kind. Now say who holds them."), "success")
    return redirect(url_for("organisations.show_organisation", id=made.id), 303)


def _fields(error: Exception) -> dict[str, Any]:
    return dict(error.fields) if isinstance(error, Invalid) else {"": [str(error)]}


@bp.get("/organisations/<int:id>/edit")
@requires(policy.EDIT)
def edit_form(id: int) -> Any:
    row = queries.get_organisation(current_uow(), id)
    values = {name: getattr(row, name) for name in ORGANISATION_COLUMNS}
    plain = {name: value if value is None else str(value) for name, value in values.items()}
    return _edit_form(id, FormView(values=plain, version=row.version, draft=f"organisation-{id}"))


def _edit_form(id: int, form: FormView, status: int = 200) -> Any:
    uow = current_uow()
    row = queries.get_organisation(uow, id)
    parents = queries.parent_choices(uow, row.area_code, but=id)
    back = url_for("organisations.show_organisation", id=id)
    return page(
        "organisations/form.html",
        status,
        form=replace(form, action=url_for("organisations.save", id=id), cancel_url=back),
        kind_name=queries.kind_names(uow).get(row.kind_key, row.kind_key),
        place=view.area_name(uow, row.area_code),
        parents=parents,
        row=row,
        policy=policy,
    )


@bp.post("/organisations/<int:id>/edit")
@requires(policy.EDIT)
def save(id: int) -> Any:
    uow = current_uow()
    version = request.form.get("version", 0, type=int)
    try:
        service.edit_organisation(uow, id=id, version=version, values=request.form)
    except (Invalid, Stale, Conflict) as error:
        uow.rollback()
        now = queries.get_organisation(uow, id).version
        form = FormView(
            values=request.form, errors=_fields(error), version=version if isinstance(error, Invalid) else now
        )
        return _edit_form(id, form, 422 if isinstance(error, Invalid) else 409)
    flash(_("Saved"), "success")
    return redirect(url_for("organisations.show_organisation", id=id), 303)


def act(id: int, name: str, do: Callable[[], Any], said: Any, *, form_id: str = "") -> Any:
    """One act on an organisation's page; what is wrong brings the page back with the form open."""
    uow = current_uow()
    try:
        do()
    except (Invalid, Conflict, Stale) as error:
        uow.rollback()
        row = queries.get_organisation(uow, id)
        form = FormView(
            action=request.path, values=request.form, errors=_fields(error), version=row.version, id=form_id or name
        )
        return organisation_page(id, 422 if isinstance(error, Invalid) else 409, forms={name: form, "last": form})
    flash(said, "success")
    return redirect(url_for("organisations.show_organisation", id=id), 303)


def _version() -> int:
    return request.form.get("version", 0, type=int)


@bp.post("/organisations/<int:id>/dissolve")
@requires(policy.EDIT)
def dissolve(id: int) -> Any:
    typed = request.form
    return act(
        id,
        "dissolve",
        lambda: service.dissolve_organisation(
            current_uow(), id=id, version=_version(), on=typed.get("on"), reason=typed.get("reason", "")
        ),
        _("Dissolved. All terms in it have ended."),
    )


@bp.post("/organisations/<int:id>/remove")
@requires(policy.EDIT)
def remove(id: int) -> Any:
    """Take out what was recorded by mistake."""
    reason = request.form.get("reason", "")
    done = act(
        id,
        "remove",
        lambda: service.remove_organisation(current_uow(), id=id, version=_version(), reason=reason),
        _("It is taken out; the audit trail keeps it."),
    )
    ended = getattr(done, "status_code", 0) == 303
    return redirect(url_for("organisations.list_organisations"), 303) if ended else done


@bp.post("/organisations/<int:id>/reopen")
@requires(policy.EDIT)
def reopen(id: int) -> Any:
    return act(
        id,
        "reopen",
        lambda: service.reopen_organisation(current_uow(), id=id, version=_version()),
        _("Taken back: it stands again, with those who held its posts."),
    )


@bp.post("/organisations/<int:id>/card")
@requires(policy.EDIT)
def set_card(id: int) -> Any:
    """Open the public card (open=1) or close it."""
    open = request.form.get("open") == "1"
    return act(
        id,
        "card",
        lambda: service.set_card(current_uow(), id=id, version=_version(), open=open),
        _("The public card is open.") if open else _("The public card is closed; its address no longer works."),
    )


@bp.post("/organisations/<int:id>/posts")
@requires(policy.EDIT)
def add_post(id: int) -> Any:
    uow = current_uow()
    return act(
        id,
        "post",
        lambda: service_posts.add_post(uow, organisation_id=id, values=request.form),
        _("The post is added."),
    )


@bp.post("/organisations/posts/<int:id>")
@requires(policy.EDIT)
def save_post(id: int) -> Any:
    """Change a post's name and seats, or close it (act=close)."""
    uow = current_uow()
    _post, organisation = queries.get_post(uow, id)
    if request.form.get("act") == "close":
        return act(
            organisation.id,
            f"post-{id}",
            lambda: service_posts.close_post(uow, id=id, version=_version()),
            _("The post is closed."),
        )
    return act(
        organisation.id,
        f"post-{id}",
        lambda: service_posts.edit_post(uow, id=id, version=_version(), values={"lead": "", **request.form.to_dict()}),
        _("Saved"),
    )
