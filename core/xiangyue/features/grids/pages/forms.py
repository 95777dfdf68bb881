"""Forms by which grids are made and changed. What was typed stays on an error; a size outside the rule asks for a
reason, and then the change is done."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from flask import redirect, request, url_for

from xiangyue.errors import Conflict, Invalid, NotFound, Stale
from xiangyue.features.areas.queries import find_area, group_choices, parse_code, village_choices
from xiangyue.features.grids import queries, service, standing
from xiangyue.features.grids.division import Division
from xiangyue.features.grids.models import GridChange
from xiangyue.features.grids.pages import bp
from xiangyue.features.grids.pages.show import found_grid
from xiangyue.features.grids.policy import AREA, GRID_EDIT, KINDS, LEVELS, SPECIAL, SPECIAL_KINDS
from xiangyue.features.grids.sizes import ReasonNeeded
from xiangyue.features.households.person_input import today
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.text.whole import whole_number, whole_numbers
from xiangyue.web.access import requires
from xiangyue.web.components import FormView
from xiangyue.web.pipeline import current_uow
from xiangyue.web.shell import flash, page

#: What may be done with a grid by a form of its own.
FORMS = {
    "move": _l("Move households here"),
    "rename": _l("Rename"),
    "split": _l("Split"),
    "merge": _l("Merge others into it"),
    "close": _l("Close"),
    "recode": _l("Give another code"),
}


def _ids(name: str) -> list[int]:
    return whole_numbers(request.form.getlist(name))


def _id(name: str) -> int | None:
    return next(iter(_ids(name)), None)


def _day() -> date:
    try:
        return date.fromisoformat(request.form.get("on", ""))
    except ValueError:
        raise Invalid({"on": [_l("Give a day like 2026-05-01.")]}) from None


def _text(name: str) -> str:
    return request.form.get(name, "")


def _tried(
    act: Callable[[], GridChange], again: Callable[[dict[str, Any], int], Any], to: Callable[[GridChange], str]
) -> Any:
    """Do it and go on to the grid; else the form again with what was typed."""
    try:
        change = act()
    except ReasonNeeded as needed:
        return again(needed.fields, 422)
    except Invalid as invalid:
        return again(invalid.fields, 422)
    except (Stale, Conflict) as error:
        return again({"": [error.message]}, 409)
    ahead = change.on_date > today()
    flash(_("Done; it takes effect on %(day)s.", day=change.on_date.isoformat()) if ahead else _("Saved"), "success")
    return redirect(to(change), 303)


@bp.route("/grids/new", methods=["GET", "POST"])
@requires(GRID_EDIT)
def new_grid() -> Any:
    """A new grid in a village; the village is chosen first."""
    uow = current_uow()
    given = request.values.get("village", "")
    if not given:
        return page("grids/choose.html", villages=village_choices(uow))
    village = find_area(uow, parse_code(given))
    if village.level != "village":
        raise NotFound(_l("There is no such area, or it lies outside yours."))

    def form(errors: dict[str, Any], status: int = 200) -> Any:
        first = {"level": "2", "kind": AREA, "on": today().isoformat(), "area_code": str(village.area_code)}
        division = standing.division_on(uow, village.area_code, _shown_day())
        view = FormView(
            action=request.full_path.rstrip("?"), values=request.form or first, errors=errors,
            cancel_url=url_for("grids.list_grids", area=village.area_code // 1000),
        )  # fmt: skip
        areas = [(str(village.area_code), village.name), *group_choices(uow, village.area_code)]
        return page(
            "grids/new.html", status, form=view, village=village, areas=areas, levels=_levels(), kinds=_kinds(),
            special=[*SPECIAL_KINDS.items()],
            parents=_grid_choices(division, {id for id, cell in division.cells.items() if cell.level in (1, 2)}),
            households=_household_choices(division, waiting_only=True),
        )  # fmt: skip

    if request.method == "GET":
        return form({})
    kind = SPECIAL if _text("kind") == SPECIAL else AREA

    def act() -> GridChange:
        level = _text("level")
        return service.create_grid(
            uow, area_code=_id("area_code") or village.area_code, name=_text("name"), on=_day(), kind=kind,
            level=0 if kind == SPECIAL else int(level) if level in ("1", "2", "3") else -1,
            special_kind=_text("special_kind"), parent_id=_id("parent_id"), household_ids=_ids("household_ids"),
            reason=_text("reason"), size_reason=_text("size_reason"),
        )  # fmt: skip

    return _tried(act, form, lambda change: _at(change.changes["made"][0], change))


@bp.route("/grids/<int:id>/<act>", methods=["GET", "POST"])
@requires(GRID_EDIT)
def change_grid(id: int, act: str) -> Any:
    """The form of an act (`FORMS`) on a grid, and doing it."""
    uow = current_uow()
    if act not in FORMS:
        raise NotFound(_l("There is no such page."))
    grid = found_grid(id)
    village = standing.village_of(grid["area_code"])

    def form(errors: dict[str, Any], status: int = 200) -> Any:
        division = standing.division_on(uow, village, _shown_day())
        first = {"on": today().isoformat(), "name": grid["name"] if act == "rename" else ""}
        view = FormView(
            action=request.full_path.rstrip("?"), values=request.form or first, errors=errors, version=grid["version"],
            cancel_url=url_for("grids.show_grid", id=id),
        )  # fmt: skip
        others = division.leaves() - {id}
        return page(
            "grids/form.html", status, form=view, grid=grid, act=act, title=FORMS[act],
            others=_grid_choices(division, others | ({grid["parent_id"]} if grid["parent_id"] else set())),
            others_alone=_grid_choices(division, others),
            households=_household_choices(division, into=id) if act == "move" else
            _household_choices(division, of=id) if act == "split" else [],
        )  # fmt: skip

    if request.method == "GET":
        return form({})
    given = _text("version")
    which: dict[str, Any] = {"grid_id": id, "version": whole_number(given) or 0}
    reasons = {"reason": _text("reason")}
    sized = {**reasons, "size_reason": _text("size_reason")}
    acts: dict[str, Callable[[], GridChange]] = {
        "move": lambda: service.move_households(
            uow, grid_id=id, household_ids=_ids("household_ids"), on=_day(), **sized
        ),
        "rename": lambda: service.rename_grid(uow, **which, name=_text("name"), on=_day(), **reasons),
        "split": lambda: service.split_grid(uow, **which, on=_day(), parts=_parts(id),
                                            below=_text("below") == "1", **sized),
        "merge": lambda: service.merge_grids(uow, grid_ids=_ids("grid_ids"), into_id=id, on=_day(), **sized),
        "close": lambda: service.close_grid(uow, **which, on=_day(), into_id=_id("into_id"), **sized),
        "recode": lambda: service.recode_grid(uow, **which, code=_text("code"), **reasons),
    }  # fmt: skip
    return _tried(acts[act], form, lambda change: _at(id, change))


def _parts(id: int) -> list[dict[str, Any]]:
    """The chosen households make one new grid; split below, the others make the second."""
    chosen = _ids("household_ids")
    parts = [{"name": _text("name"), "household_ids": chosen}]
    if _text("below") == "1":
        on = _day()
        inside = [row["id"] for row in queries.households_in(current_uow(), id, on)]
        parts.append({"name": _text("other_name"), "household_ids": [h for h in inside if h not in chosen]})
    return parts


def _at(id: int, change: GridChange) -> str:
    """The grid's page; of a change to come as of that day."""
    return url_for("grids.show_grid", id=id, on=change.on_date.isoformat() if change.on_date > today() else None)


def _shown_day() -> date:
    """The day of which the form shows grids and households."""
    try:
        return date.fromisoformat(request.values.get("on", ""))
    except ValueError:
        return today()


def _levels() -> list[tuple[str, Any]]:
    return [(str(level), label) for level, label in LEVELS.items()]


def _kinds() -> list[tuple[str, Any]]:
    return list(KINDS.items())


def _grid_choices(division: Division, ids: set[int]) -> list[tuple[str, str]]:
    return [(str(id), division.cells[id].name) for id in sorted(ids) if id in division.cells]


def _household_choices(
    division: Division, *, into: int | None = None, of: int | None = None, waiting_only: bool = False
) -> list[tuple[str, str]]:
    """(id, number, head and where it lies now) of households of the village that may be chosen."""
    rows = queries.households_of_village(current_uow(), list(division.areas))
    low, high = division.range_of(into) if into is not None and into in division.cells else (0, 10**15)
    found = []
    for id, code, head, area in rows:
        at = division.homes.get(id)
        if (of is not None and at != of) or (into is not None and at == into) or (waiting_only and at is not None):
            continue
        if not low <= area <= high:
            continue
        where = division.cells[at].name if at is not None and at in division.cells else _("in no grid")
        found.append((str(id), f"{code[-4:]} {head}" if of is not None else f"{code[-4:]} {head} · {where}"))
    return found
