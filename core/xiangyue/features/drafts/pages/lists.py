"""The list of drafts, its export, and the form that asks for new ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from typing import Any

from flask import redirect, request, url_for

from xiangyue.access.audit import audit_export
from xiangyue.errors import Conflict, Invalid, NotFound
from xiangyue.features.areas import switch
from xiangyue.features.areas.models import TOWN, VILLAGE
from xiangyue.features.areas.queries import area_choices, code_text, names, parse_code, top_code
from xiangyue.features.drafts import jobs, service
from xiangyue.features.drafts.pages import bp
from xiangyue.features.drafts.policy import GRID_PLAN, JOININGS, STATES
from xiangyue.features.drafts.queries import DraftFilter, each_draft, list_drafts
from xiangyue.features.drafts.register import county_rule
from xiangyue.features.grids.sizes import rule_text
from xiangyue.features.households.person_input import today
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.web.access import requires
from xiangyue.web.actors import actor_words
from xiangyue.web.components import Column, Filter, FormView, ListView
from xiangyue.web.exporting import Taken, export_list
from xiangyue.web.pipeline import current_uow
from xiangyue.web.shell import flash, page

PAGE_SIZE = 50
COLUMNS = (
    Column("village", _l("Village"), sort=True, primary=True),
    Column("name", _l("Name of the draft"), sort=True),
    Column("state", _l("State"), sort=True),
    Column("grids", _l("Grids"), numeric=True),
    Column("in_rule", _l("Within the rule"), numeric=True),
    Column("households", _l("Households"), numeric=True),
    Column("by", _l("Made by")),
    Column("changed", _l("Changed"), sort=True),
    Column("on", _l("In force from"), default=False),
)


def _view() -> tuple[ListView, DraftFilter]:
    """The list as its address asks for it; an unknown state is left out and named by the view."""
    args = switch.args_without_all()
    filters = (Filter("state", _l("State"), choices=[*STATES.items(), ("all", _l("All states"))]),)
    view = ListView(COLUMNS, args, request.path, filters, default_sort="-changed")
    state = view.value("state")
    return view, DraftFilter(state=state if state in (*STATES, "all") else "")


@bp.get("/grid-drafts", endpoint="list_drafts")
@requires(GRID_PLAN)
def list_page() -> Any:
    """Drafts of the area."""
    uow = current_uow()
    code, elsewhere = switch.page_area(uow)
    if elsewhere:
        return redirect(elsewhere)
    view, asked = _view()
    try:
        found = list_drafts(
            uow,
            replace(asked, area=code),
            sort=view.order,
            limit=PAGE_SIZE,
            after=view.after,
            before=view.before,
        )
    except Invalid as invalid:
        if "cursor" not in invalid.fields:
            raise
        flash(" ".join(str(m) for m in invalid.fields["cursor"]), "warning")
        return redirect(view.url(after=None, before=None))
    return page(
        "drafts/list.html",
        view=replace(view, next_cursor=found.next, back_cursor=found.back, export_url=url_for("drafts.export")),
        rows=found.items,
        states=STATES,
        today=today(),
        area_name=names(uow, [code]).get(code, "") if code else "",
        new_url=url_for("drafts.new", area=code_text(code) if code else None),
    )


@bp.route("/grid-drafts/export", methods=["GET", "POST"])
@requires(GRID_PLAN)
def export() -> Any:
    """What is going to be exported and the question what for; sent, the spreadsheet of the list at this address."""
    uow = current_uow()
    view, asked = _view()
    wanted = replace(asked, area=switch.asked_area(uow))

    def cells() -> Iterator[list[Any]]:
        for row in each_draft(uow, wanted, sort=view.order):
            yield [_cell(column.key, row) for column in view.visible]

    def note(taken: Taken) -> None:
        audit_export(uow, action="grid_draft.export", area_code=wanted.area, **asdict(taken))

    return export_list(
        view,
        title=_("Export drafts of grids"),
        of=_("Drafts of grids"),
        back=view.url(url_for("drafts.list_drafts")),
        cells=cells,
        note=note,
        place=code_text(wanted.area) if wanted.area else "",
    )


def _cell(column: str, row: Mapping[str, Any]) -> Any:
    """The value of a column as the list shows it."""
    made: dict[str, Any] = {
        "village": row["area_name"],
        "name": row["name"],
        "state": str(STATES[row["state"]]),
        "grids": row["grids"],
        "in_rule": row["in_rule"],
        "households": row["households"],
        "by": actor_words(row["by_name"]) if row["by_name"] else None,
        "changed": row["updated_at"],
        "on": row["on_date"],
    }
    return made[column]


@bp.get("/grid-drafts/new")
@requires(GRID_PLAN)
def new() -> Any:
    """The form that asks what to plan."""
    return _form({"area": request.args.get("area", ""), "joining": "none", "origin": "planner"})


@bp.post("/grid-drafts")
@requires(GRID_PLAN)
def make() -> Any:
    """A village at once; a town or the county as a job."""
    uow, typed = current_uow(), request.form
    values = {name: typed.get(name, "") for name in ("area", "name", "joining", "origin")}
    try:
        area = parse_code(values["area"])
        if area % 10**6 and area % 1000 == 0:
            if values["origin"] == "present":
                draft = service.draft_present(uow, village=area, name=values["name"])
            else:
                draft = service.plan_draft(uow, village=area, name=values["name"], joining=values["joining"])
            flash(_("Drawn. Look at it, move households where you know better, then submit it."), "success")
            return redirect(url_for("drafts.show", id=draft.id), 303)
        job = jobs.request_plan(uow, area=area, name=values["name"], joining=values["joining"])
    except Invalid as error:
        return _form(values, error.fields, 422)
    except NotFound:
        return _form(values, {"area": [_l("Choose a village, a town or the county.")]}, 422)
    except Conflict as error:
        return _form(values, {"area": [error.message]}, 409)
    return redirect(url_for("jobs.show_job", id=job.id), 303)


def _form(values: Mapping[str, Any], errors: Mapping[str, Any] | None = None, status: int = 200) -> Any:
    uow = current_uow()
    rule, source = county_rule(uow)
    return page(
        "drafts/new.html",
        status=status,
        form=FormView(
            action=url_for("drafts.make"),
            values=values,
            errors=errors or {},
            cancel_url=url_for("drafts.list_drafts"),
            id="plan",
        ),
        areas=_areas(),
        joinings=list(JOININGS.items()),
        rule_text=rule_text(rule),  # type: ignore[arg-type]
        rule=rule,
        source=source,
    )


def _areas() -> list[tuple[str, list[tuple[str, str]]]]:
    """What one may plan: the county or town as a whole where all of it is mine, then villages by town."""
    uow = current_uow()
    villages = area_choices(uow, VILLAGE)
    towns = [town for town in area_choices(uow, TOWN) if uow.scope.contains(town.area_code)]
    titles = names(uow, [v.parent_code for v in villages])
    top = top_code(uow)
    whole = [(code_text(town.area_code), town.name) for town in towns]
    if top and uow.scope.contains(top) and top % 10**9 == 0:
        whole.insert(0, (code_text(top), names(uow, [top]).get(top, "")))
    groups: dict[int, list[tuple[str, str]]] = {}
    for village in villages:
        groups.setdefault(village.parent_code, []).append((code_text(village.area_code), village.name))
    found = [(titles.get(code, ""), members) for code, members in groups.items()]
    return [("—", whole), *found] if whole else found
