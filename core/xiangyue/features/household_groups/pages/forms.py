"""Forms by which groups are made and changed. What was typed stays on an error; a size outside the county's asks for a
reason, and then it is done."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from flask import redirect, request, url_for

from xiangyue.errors import Conflict, Invalid, NotFound, Stale
from xiangyue.features.grids.queries import find_grid
from xiangyue.features.household_groups import queries, service, service_heads
from xiangyue.features.household_groups.models import HouseholdGroupChange
from xiangyue.features.household_groups.pages import bp
from xiangyue.features.household_groups.pages.show import found_group
from xiangyue.features.household_groups.policy import GROUP_EDIT
from xiangyue.features.household_groups.sizes import group_size
from xiangyue.features.households.person_input import today
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.text.whole import whole_number
from xiangyue.web.access import requires
from xiangyue.web.components import FormView
from xiangyue.web.pipeline import current_uow
from xiangyue.web.shell import flash, page

FORMS = {"members": _l("Choose its households"), "rename": _l("Rename"), "close": _l("Close")}


def _ids(name: str) -> list[int]:
    return [number for text in request.form.getlist(name) if (number := whole_number(text)) is not None]


def _text(name: str) -> str:
    return request.form.get(name, "")


def _day(name: str = "on") -> date:
    try:
        return date.fromisoformat(_text(name))
    except ValueError:
        raise Invalid({name: [_l("Give a day like 2026-05-01.")]}) from None


def _shown_day() -> date:
    try:
        return date.fromisoformat(request.values.get("on", ""))
    except ValueError:
        return today()


def _tried(act: Callable[[], HouseholdGroupChange], again: Callable[[dict[str, Any], int], Any], to: str) -> Any:
    try:
        change = act()
    except Invalid as invalid:
        return again(invalid.fields, 422)
    except (Stale, Conflict) as error:
        return again({"": [error.message]}, 409)
    ahead = change.on_date > today()
    flash(_("Done; it takes effect on %(day)s.", day=change.on_date.isoformat()) if ahead else _("Saved"), "success")
    return redirect(to, 303)


def _grid() -> dict[str, Any]:
    id = whole_number(request.values.get("grid", ""))
    grid = find_grid(current_uow(), id, _shown_day()) if id is not None else None
    if grid is None:
        raise NotFound(_l("There is no such entry, or it lies outside your area."))
    return grid


def _choices(grid_id: int, but: int | None = None) -> list[tuple[str, str]]:
    """(id, number, head and the group it is in now) of the grid's households."""
    rows = queries.households_of_grid(current_uow(), grid_id, _shown_day())
    return [
        (str(row["id"]), f"{row['code'][-4:]} {row['head_name']}"
         + (f" · {row['group_name']}" if row["group_id"] not in (None, but) else ""))
        for row in rows
    ]  # fmt: skip


@bp.route("/ten-household-groups/new", methods=["GET", "POST"])
@requires(GROUP_EDIT)
def new_group() -> Any:
    """One group of households that are chosen."""
    uow, grid = current_uow(), _grid()
    back = url_for("grids.show_grid", id=grid["id"])

    def form(errors: dict[str, Any], status: int = 200) -> Any:
        view = FormView(action=request.full_path.rstrip("?"), values=request.form or {"on": today().isoformat()},
                        errors=errors, cancel_url=back)  # fmt: skip
        return page("household_groups/new.html", status, form=view, grid=grid, size=group_size(uow),
                    households=_choices(grid["id"]))  # fmt: skip

    if request.method == "GET":
        return form({})
    parts = [{"name": _text("name"), "household_ids": _ids("household_ids")}]
    return _tried(
        lambda: service.create_groups(uow, grid_id=grid["id"], on=_day(), parts=parts, reason=_text("reason"),
                                      size_reason=_text("size_reason")), form, back,
    )  # fmt: skip


@bp.route("/ten-household-groups/suggest", methods=["GET", "POST"])
@requires(GROUP_EDIT)
def suggest() -> Any:
    """Groups for a grid's households that are in none, by house order; names and who goes where can be changed."""
    uow, grid = current_uow(), _grid()
    back = url_for("grids.show_grid", id=grid["id"])

    def form(errors: dict[str, Any], status: int = 200) -> Any:
        found = queries.suggest(uow, grid["id"], _shown_day())
        first: dict[str, Any] = {"on": today().isoformat()}
        for n, rows in enumerate(found):
            first[f"name{n}"] = _("%(grid)s group %(n)d", grid=grid["name"], n=n + 1)
            first |= {f"at{row['id']}": str(n) for row in rows}
        view = FormView(action=request.full_path.rstrip("?"), values=request.form or first, errors=errors,
                        cancel_url=back)  # fmt: skip
        return page("household_groups/suggest.html", status, form=view, grid=grid, size=group_size(uow), found=found,
                    numbers=[(str(n), n + 1) for n in range(len(found))])  # fmt: skip

    if request.method == "GET":
        return form({})

    def act() -> HouseholdGroupChange:
        chosen: dict[int, list[int]] = {}
        for key, value in request.form.items():
            household, place = whole_number(key[2:]) if key.startswith("at") else None, whole_number(value)
            if household is not None and place is not None:
                chosen.setdefault(place, []).append(household)
        parts = [{"name": _text(f"name{n}"), "household_ids": sorted(ids)} for n, ids in sorted(chosen.items())]
        return service.create_groups(uow, grid_id=grid["id"], on=_day(), parts=parts, reason=_text("reason"),
                                     size_reason=_text("size_reason"))  # fmt: skip

    return _tried(act, form, back)


@bp.route("/ten-household-groups/<int:id>/<act>", methods=["GET", "POST"])
@requires(GROUP_EDIT)
def change_group(id: int, act: str) -> Any:
    """The form of an act (`FORMS`) on a group, and doing it."""
    uow = current_uow()
    if act not in FORMS:
        raise NotFound(_l("There is no such page."))
    group = found_group(id)
    back = url_for("household_groups.show_group", id=id)

    def form(errors: dict[str, Any], status: int = 200) -> Any:
        first: dict[str, Any] = {"on": today().isoformat(), "name": group["name"]}
        if act == "members":
            first["household_ids"] = [str(row["id"]) for row in queries.households_in(uow, id, _shown_day())]
        view = FormView(action=request.full_path.rstrip("?"), values=request.form or first, errors=errors,
                        version=group["version"], cancel_url=back)  # fmt: skip
        return page("household_groups/form.html", status, form=view, group=group, act=act, title=FORMS[act],
                    size=group_size(uow),
                    households=_choices(group["grid_id"], id) if act == "members" else [])  # fmt: skip

    if request.method == "GET":
        return form({})
    which: dict[str, Any] = {"group_id": id, "version": whole_number(_text("version")) or 0}
    acts: dict[str, Callable[[], HouseholdGroupChange]] = {
        "members": lambda: service.set_members(uow, **which, household_ids=_ids("household_ids"), on=_day(),
                                               reason=_text("reason"), size_reason=_text("size_reason")),
        "rename": lambda: service.rename_group(uow, **which, name=_text("name"), on=_day(), reason=_text("reason")),
        "close": lambda: service.close_group(uow, **which, on=_day(), reason=_text("reason")),
    }  # fmt: skip
    return _tried(acts[act], form, back)


@bp.route("/ten-household-groups/<int:id>/head", methods=["GET", "POST"])
@requires(GROUP_EDIT)
def name_head(id: int) -> Any:
    """Somebody who lives in one of its households becomes its head."""
    uow, group = current_uow(), found_group(id)
    errors: dict[str, Any] = {}
    back = url_for("household_groups.show_group", id=id)
    if request.method == "POST":
        try:
            person = next(iter(_ids("person_id")), None)
            if person is None:
                raise Invalid({"person_id": [_l("Choose one of the options.")]})
            service_heads.name_head(uow, group_id=id, person_id=person, valid_from=_day("valid_from"),
                                    login=_text("login"))  # fmt: skip
        except Invalid as invalid:
            errors = invalid.fields
        else:
            flash(_("Saved"), "success")
            return redirect(back, 303)
    form = FormView(action=request.path, values=request.form or {"valid_from": today().isoformat()}, errors=errors,
                    cancel_url=back)  # fmt: skip
    return page("household_groups/head.html", 422 if errors else 200, form=form, group=group,
                persons=queries.persons_in(uow, id, today()))  # fmt: skip
