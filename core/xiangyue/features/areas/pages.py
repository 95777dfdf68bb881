"""Pages of areas."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from flask import Blueprint, redirect, request, url_for

from xiangyue.db.scope import area_range
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Invalid, Stale
from xiangyue.features.areas import policy, queries, service, service_groups, switch
from xiangyue.features.areas.changes.queries import ahead, areas_on, counts_on, former_codes, history, successor
from xiangyue.features.areas.changes.words import KIND_LABELS
from xiangyue.features.areas.models import COUNTY, GROUP, TOWN, VILLAGE, Area
from xiangyue.features.grids.policy import GRID_VIEW
from xiangyue.features.households.policy import HOUSEHOLD_VIEW
from xiangyue.features.organisations import policy as organisations
from xiangyue.features.organisations.view import lines_of_area
from xiangyue.i18n import gettext as _
from xiangyue.i18n import today
from xiangyue.text.pinyin import fold
from xiangyue.text.whole import whole_number
from xiangyue.web.access import requires, signed_in
from xiangyue.web.components import FormView
from xiangyue.web.pipeline import current_actor, current_uow
from xiangyue.web.shell import flash, page, safe_next

bp = Blueprint("areas", __name__, template_folder="templates")


@bp.get("/areas")
@requires(policy.AREA_VIEW)
def list_areas() -> Any:
    """The tree of my areas with counts; groups wait on the page of their village."""
    uow = current_uow()
    q = request.args.get("q", "").strip()
    code, elsewhere = switch.page_area(uow)
    if elsewhere:
        return redirect(elsewhere)
    on = _day(request.args.get("on", ""))
    if on is not None:
        roots = _then(uow, on, code, q)
    else:
        areas = [a for a in queries.list_areas(uow, under=code) if a.level != GROUP or q]
        if q:
            areas = queries.with_ancestors(areas, queries.list_areas(uow, under=code, q=q))
        roots = queries.tree(uow, areas)
    return page(
        "areas/list.html",
        roots=roots,
        q=q,
        on=on,
        may_restructure=current_actor().can(policy.AREA_RESTRUCTURE),
        above=queries.breadcrumb(uow, roots[0].area.parent_code)
        if len(roots) == 1 and roots[0].area.parent_code
        else [],
        levels={"county": COUNTY, "town": TOWN, "village": VILLAGE},
        kind_label=policy.kind_label,
        code_text=queries.code_text,
        area_value=request.args.get("area", ""),
        no_villages=not queries.has_villages(uow),
    )


def _day(text: str) -> date | None:
    """A day of the address; one that is none is as good as today."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day < today() else None


def _then(uow: Uow, on: date, code: int, q: str) -> list[queries.AreaNode]:
    """The tree as it was on a day, with those who lived there then."""
    word = fold(q)
    areas = [a for a in areas_on(uow, on, under=code) if a.level != GROUP or word]
    if word:
        found = [a for a in areas if word in a.name or queries.code_text(a.area_code).startswith(word)]
        areas = queries.with_ancestors(areas, found)
    return queries.tree(uow, areas, counts_on(uow, on))


@bp.get("/areas/<code>")
@requires(policy.AREA_VIEW)
def show_area(code: str) -> Any:
    """The area; an old code leads on to what took its place, unless ``?old=1`` asks for what was."""
    uow = current_uow()
    area = queries.find_area(uow, queries.parse_code(code))
    now = successor(uow, area.area_code) if not area.active and not request.args.get("old") else 0
    if now and uow.scope.contains(now):
        name = queries.names(uow, [now])[now]
        flash(_("%(old)s has become %(now)s.", old=area.name, now=name))
        return redirect(url_for("areas.show_area", code=queries.code_text(now)))
    return _area_page(area)


def _may_list(area: Area) -> bool:
    """Whether I may see any household in the area."""
    lo, hi = area_range(area.area_code)
    ranges = current_actor().ranges(HOUSEHOLD_VIEW)
    return ranges is None or any(a <= hi and lo <= b for a, b in ranges)


def _area_page(
    area: Area,
    *,
    status: int = 200,
    add: FormView | None = None,
    edit: FormView | None = None,
    former: FormView | None = None,
) -> Any:
    """``add``, ``edit`` and ``former`` are forms that came back with errors."""
    uow = current_uow()
    children = queries.list_areas(uow, parent=area.area_code, retired=area.level == VILLAGE)
    children.sort(key=lambda a: (not a.active, a.position, a.area_code))
    totals = queries.summed(
        queries.counts_by_code(uow, area.area_code), [area.area_code, *(c.area_code for c in children)]
    )
    own_page = url_for("areas.show_area", code=queries.code_text(area.area_code))
    if add is None:
        add = FormView(action=url_for("areas.add_group", code=area.area_code // 1000), id="add-group")
    if edit is None and area.level == GROUP:
        edit = FormView(values={"name": area.name}, version=area.version, id="edit-group", cancel_url=own_page)
    if former is None and area.level in (TOWN, VILLAGE):
        former = FormView(
            action=url_for("areas.set_former_names", code=queries.code_text(area.area_code)),
            values={"former_names": "、".join(area.former_names)},
            version=area.version,
            id="former-names",
        )
    return page(
        "areas/show.html",
        status=status,
        area=area,
        children=children,
        totals=totals,
        crumbs=queries.breadcrumb(uow, area.area_code)[:-1],
        may_see=uow.scope.contains,
        may_list=_may_list(area),
        may_grids=current_actor().can(GRID_VIEW),
        code_text=queries.code_text,
        kind_label=policy.kind_label,
        may_edit=current_actor().can(policy.AREA_EDIT),
        may_restructure=uow.actor.scope(policy.AREA_RESTRUCTURE).contains(area.area_code),
        changed=history(uow, area.area_code),
        change_kinds=KIND_LABELS,
        ahead=ahead(uow, area.area_code),
        former_codes=former_codes(uow, [area.area_code]).get(area.area_code, []),
        add=add,
        edit=edit,
        former=former,
        organisations=lines_of_area(uow, area.area_code) if current_actor().can(organisations.VIEW) else None,
        may_organise=current_actor().can(organisations.EDIT),
    )


@bp.post("/areas/<code>/groups")
@requires(policy.AREA_EDIT)
def add_group(code: str) -> Any:
    uow, village = current_uow(), queries.parse_code(code)
    number = request.form.get("number", "").strip()
    try:
        group = service_groups.add_group(
            uow, village=village, number=whole_number(number), name=request.form.get("name", "")
        )
    except Invalid as invalid:
        form = FormView(action=request.path, values=request.form, errors=invalid.fields, id="add-group")
        return _area_page(queries.find_area(uow, village), status=422, add=form)
    flash(_("Added: %(name)s", name=group.name), "success")
    return redirect(url_for("areas.show_area", code=code), 303)


@bp.post("/areas/<code>/edit")
@requires(policy.AREA_EDIT)
def edit_group(code: str) -> Any:
    """Rename (act=rename), retire (act=retire) or restore (act=restore) a villager group."""
    uow, number = current_uow(), queries.parse_code(code)
    version = request.form.get("version", type=int) or 0
    act = request.form.get("act", "rename")
    try:
        if act == "retire":
            service_groups.retire_group(uow, code=number, reason=request.form.get("reason", ""), version=version)
            flash(_("The group is out of use."), "success")
        elif act == "restore":
            service_groups.restore_group(uow, code=number, version=version)
            flash(_("The group is in use again."), "success")
        else:
            service_groups.rename_group(uow, code=number, name=request.form.get("name", ""), version=version)
            flash(_("Saved"), "success")
    except (Invalid, Stale, Conflict) as error:
        area = queries.find_area(uow, number)
        errors = error.fields if isinstance(error, Invalid) else {"": [error.message]}
        form = FormView(values=request.form, errors=errors, version=area.version, id="edit-group")
        return _area_page(area, status=422 if isinstance(error, Invalid) else 409, edit=form)
    return redirect(url_for("areas.show_area", code=code), 303)


@bp.post("/areas/<code>/former-names")
@requires(policy.AREA_EDIT)
def set_former_names(code: str) -> Any:
    uow, number = current_uow(), queries.parse_code(code)
    version = request.form.get("version", type=int) or 0
    names = re.split(r"[、,，;；|\n]", request.form.get("former_names", ""))
    try:
        service.set_former_names(uow, code=number, names=names, version=version)
    except (Invalid, Stale, Conflict) as error:
        area = queries.find_area(uow, number)
        errors = error.fields if isinstance(error, Invalid) else {"": [error.message]}
        form = FormView(
            action=request.path, values=request.form, errors=errors, version=area.version, id="former-names"
        )
        return _area_page(area, status=422 if isinstance(error, Invalid) else 409, former=form)
    flash(_("Saved"), "success")
    return redirect(url_for("areas.show_area", code=code), 303)


@bp.post("/areas/switch")
@signed_in
def switch_area() -> Any:
    """Remember the area I look at and go on to ``next`` with it in the address."""
    uow = current_uow()
    text = request.form.get("area", "")
    code = queries.parse_code(text) if text not in ("", switch.ALL) else 0
    switch.remember_area(uow, code=code)
    target = safe_next(request.form.get("next"), url_for(switch.default_endpoint()))
    value = queries.code_text(code) if code else switch.ALL
    return redirect(f"{target.partition('?')[0]}?area={value}", 303)
