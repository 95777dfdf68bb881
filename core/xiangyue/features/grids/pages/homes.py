"""Households in no grid: the list behind the number of the coverage page, and the way into a grid."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from flask import redirect, request, url_for

from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Invalid, NotFound
from xiangyue.features.areas import switch
from xiangyue.features.areas.queries import code_text, names
from xiangyue.features.grids import queries, queries_households, service, service_export, standing
from xiangyue.features.grids.pages import bp
from xiangyue.features.grids.pages.lists import PAGE_SIZE, day_asked
from xiangyue.features.grids.policy import GRID_EDIT, GRID_EXPORT, GRID_VIEW
from xiangyue.features.grids.queries_households import NONE, TWO
from xiangyue.features.households.person_input import today
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.i18n import ngettext
from xiangyue.text.whole import whole_number
from xiangyue.web.access import requires
from xiangyue.web.components import BulkAction, Column, Filter, FormView, ListView
from xiangyue.web.exporting import Taken, export_list
from xiangyue.web.pipeline import current_actor, current_uow
from xiangyue.web.shell import flash, page, without_problems

COLUMNS = (
    Column("code", _l("Number"), sort=True, primary=True),
    Column("head", _l("Head"), sort=True),
    Column("area", _l("Village or group")),
    Column("address", _l("Address")),
    Column("since", _l("In no grid since")),
)
STATES = {NONE: _l("In no grid"), TWO: _l("In several grids")}


def _view(**state: Any) -> ListView:
    filters = (
        Filter("state", _l("Which"), choices=list(STATES.items()), placeholder=STATES[NONE]),
        Filter("on", _l("On day"), kind="date"),
    )
    may = current_actor().can(GRID_EXPORT)
    return ListView(
        COLUMNS, switch.args_without_all(), url_for("grids.list_homes"), filters, default_sort="code",
        export_url=url_for("grids.export_homes") if may else None, **state,
    )  # fmt: skip


def _state(view: ListView) -> str:
    return TWO if view.value("state") == TWO else NONE


@bp.get("/grids/households", endpoint="list_homes")
@requires(GRID_VIEW)
def list_homes() -> Any:
    """Households of the area in no grid on the day, by number; those of one village can be put into a grid."""
    uow = current_uow()
    code, elsewhere = switch.page_area(uow)
    if elsewhere:
        return redirect(elsewhere)
    asked, on = _view(), day_asked()
    if onward := without_problems(asked):
        return onward
    state = _state(asked)
    try:
        found = queries_households.list_households(
            uow, state, code, on, sort=asked.order, limit=PAGE_SIZE, after=asked.after, before=asked.before
        )
    except Invalid as invalid:
        if "cursor" not in invalid.fields:
            raise
        return redirect(asked.url(after=None, before=None))
    count = queries_households.count_households(uow, state, code, on)
    may_move = (
        state == NONE and on >= today() and bool(code % 1_000_000) and current_actor().scope(GRID_EDIT).contains(code)
    )
    return page(
        "grids/homes.html",
        view=_view(
            count=count,
            count_text=ngettext("%(n)d household", "%(n)d households", count),
            shown=len(found.items),
            next_cursor=found.next,
            back_cursor=found.back,
            select_name="household_ids" if may_move else None,
        ),
        rows=found.items,
        acts=[
            BulkAction(_("Put into a grid"), url_for("grids.place_homes", village=code_text(_village(code))), "primary")
        ]
        if may_move
        else [],
        area=code,
        area_name=names(uow, [code]).get(code, "") if code else "",
        on=on,
        today=today(),
        state=state,
        may_edit=current_actor().can(GRID_EDIT),
        code_text=code_text,
    )


def _village(code: int) -> int:
    return code - code % 1000


@bp.post("/grids/households/place")
@requires(GRID_EDIT)
def place_homes() -> Any:
    """The chosen households of a village go into one of its grids: the form, and doing it."""
    uow = current_uow()
    ids = [id for id in map(whole_number, request.form.getlist("household_ids")) if id is not None][:5_000]
    village = request.args.get("village", type=int) or 0
    back = url_for("grids.list_homes", area=village)
    if not ids:
        flash(_("Choose households first."), "warning")
        return redirect(back, 303)
    errors: dict[str, Any] = {}
    status = 200
    if "grid_id" in request.form:
        try:
            change = _place(uow, ids)
        except Invalid as invalid:
            errors, status = invalid.fields, 422
        except Conflict as error:
            errors, status = {"": [error.message]}, 409
        else:
            ahead = change.on_date > today()
            day = change.on_date.isoformat()
            flash(_("Done; it takes effect on %(day)s.", day=day) if ahead else _("Saved"), "success")
            return redirect(back, 303)
    form = FormView(
        action=request.full_path.rstrip("?"), values=request.form if "grid_id" in request.form else
        {"on": today().isoformat()}, errors=errors, cancel_url=back,
    )  # fmt: skip
    return page(
        "grids/place.html", status, form=form, ids=ids, chosen=queries.households_of_village(uow, ids),
        grids=_choices(uow, village * 1000), back=back,
    )  # fmt: skip


def _place(uow: Uow, ids: list[int]) -> Any:
    grid = whole_number(request.form.get("grid_id", ""))
    if grid is None:
        raise Invalid({"grid_id": [_l("Choose a grid.")]})
    try:
        on = date.fromisoformat(request.form.get("on", ""))
    except ValueError:
        raise Invalid({"on": [_l("Give a day like 2026-05-01.")]}) from None
    return service.move_households(
        uow, grid_id=grid, household_ids=ids, on=on, reason=request.form.get("reason", ""),
        size_reason=request.form.get("size_reason", ""),
    )  # fmt: skip


def _choices(uow: Uow, village: int) -> list[tuple[str, str]]:
    """Leaf grids of a village that stand today. Raises NotFound for one outside the area."""
    if not uow.scope.narrowed(village).ranges:
        raise NotFound(_l("There is no such area, or it lies outside yours."))
    division = standing.division_on(uow, village, today())
    leaves = sorted(division.leaves(), key=lambda id: (division.cells[id].area_code, id))
    return [(str(id), division.cells[id].name) for id in leaves]


@bp.route("/grids/households/export", methods=["GET", "POST"], endpoint="export_homes")
@requires(GRID_EXPORT)
def export_homes() -> Any:
    """The list as a spreadsheet, after the question what for."""
    uow, asked, on = current_uow(), _view(), day_asked()
    code, state = switch.asked_area(uow), _state(asked)

    def cells() -> Iterator[list[Any]]:
        found = queries_households.each_household(
            uow, state, code, on, sort=asked.order, limit=service_export.EXPORT_LIMIT + 1
        )
        for row in found:
            shown = {
                "code": row["code"], "head": row["head_name"], "area": row["area_name"], "address": row["address"],
                "since": row["since"],
            }  # fmt: skip
            yield [shown[column.key] for column in asked.visible]

    def note(taken: Taken) -> None:
        service_export.note_export(
            uow, number=taken.number, purpose=taken.purpose, rows=taken.rows, columns=taken.columns,
            conditions=taken.conditions, on=on, area=code,
        )  # fmt: skip

    return export_list(
        asked, title=_("Export households in no grid"), of=_("Households in no grid"),
        back=asked.url(url_for("grids.list_homes")), cells=cells, note=note,
        rows=queries_households.count_households(uow, state, code, on), place=names(uow, [code]).get(code, ""),
        most=service_export.EXPORT_LIMIT,
    )  # fmt: skip
