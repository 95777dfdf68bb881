"""The list of groups as of a day, and its export."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

from flask import redirect, request, url_for

from xiangyue.errors import Invalid
from xiangyue.features.areas import switch
from xiangyue.features.areas.queries import names
from xiangyue.features.grids.codes import CODE_LENGTH, find_by_code
from xiangyue.features.household_groups import file_columns, queries, service_heads
from xiangyue.features.household_groups.pages import bp
from xiangyue.features.household_groups.policy import GROUP_EDIT, GROUP_EXPORT, GROUP_VIEW, HEADS, PROBLEMS, SIZES
from xiangyue.features.households.person_input import today
from xiangyue.features.households.policy import HOUSEHOLD_EXPORT
from xiangyue.features.households.service_export import note_export
from xiangyue.features.imports.policy import IMPORT_RUN
from xiangyue.features.privacy.access_log import Ids
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.i18n import ngettext
from xiangyue.web.access import requires
from xiangyue.web.components import Column, Filter, ListView
from xiangyue.web.exporting import Taken, export_list
from xiangyue.web.pipeline import current_actor, current_uow
from xiangyue.web.shell import page, without_problems

PAGE_SIZE = 50
COLUMNS = (
    Column("name", _l("Ten-household group"), sort=True, primary=True),
    Column("area", _l("Village or group"), sort=True),
    Column("grid", _l("Grid")),
    Column("households", _l("Households"), numeric=True),
    Column("head", _l("Head of the group")),
    Column("since", _l("Since"), default=False),
)


def day_asked() -> date:
    """``?on=`` of the address; today where it is missing or no date."""
    try:
        return date.fromisoformat(request.args.get("on", ""))
    except ValueError:
        return today()


def _view(**state: Any) -> ListView:
    filters = (
        Filter("q", _l("Name of the group or of its head"), kind="text"),
        Filter("grid", _l("Code of the grid"), kind="text", more=True),
        Filter("size", _l("Size"), choices=list(SIZES.items())),
        Filter("head", _l("Head of the group"), choices=list(HEADS.items())),
        Filter("on", _l("On day"), kind="date"),
    )
    view = ListView(COLUMNS, switch.args_without_all(), url_for("household_groups.list_groups"), filters,
                    default_sort="area", **state)  # fmt: skip
    may = current_actor().can(GROUP_EXPORT)
    return replace(view, export_url=url_for("household_groups.export_groups") if may else None)


def _wanted(view: ListView, area: int) -> queries.GroupFilter:
    size, head, code = view.value("size"), view.value("head"), view.value("grid")
    # No grid has the number -1: a code that is none finds no group.
    grid = (find_by_code(current_uow(), code[:CODE_LENGTH]) or -1) if code else 0
    return queries.GroupFilter(
        on=day_asked(), area=area, grid=grid, size=size if size in SIZES else "", head=head if head in HEADS else "",
        q=view.value("q")[:60],
    )  # fmt: skip


@bp.get("/ten-household-groups")
@requires(GROUP_VIEW)
def list_groups() -> Any:
    """Groups of the area, as of today or another day."""
    uow = current_uow()
    code, elsewhere = switch.page_area(uow)
    if elsewhere:
        return redirect(elsewhere)
    asked = _view()
    if onward := without_problems(asked):
        return onward
    wanted = _wanted(asked, code)
    try:
        found = queries.list_groups(uow, wanted, sort=asked.order, limit=PAGE_SIZE, after=asked.after,
                                    before=asked.before)  # fmt: skip
    except Invalid as invalid:
        if "cursor" not in invalid.fields:
            raise
        return redirect(asked.url(after=None, before=None))
    count = queries.count_groups(uow, wanted)
    return page(
        "household_groups/list.html",
        view=_view(
            count=count, count_text=ngettext("%(count)s group", "%(count)s groups", count, count=f"{count:,}"),
            shown=len(found.items), next_cursor=found.next, back_cursor=found.back,
        ),
        rows=found.items, area_name=names(uow, [code]).get(code, "") if code else "", area=code, on=wanted.on,
        today=today(), problems=PROBLEMS, may_edit=current_actor().can(GROUP_EDIT),
        may_file=current_actor().can(HOUSEHOLD_EXPORT),
        may_import=current_actor().can(GROUP_EDIT) and current_actor().can(IMPORT_RUN),
    )  # fmt: skip


@bp.route("/ten-household-groups/export/households", methods=["GET", "POST"])
@requires(HOUSEHOLD_EXPORT)
def export_group_file() -> Any:
    """Which household is in which of the list's groups, in the columns that an import reads."""
    uow, asked, seen = current_uow(), _view(), Ids()
    code = switch.asked_area(uow)
    wanted = _wanted(asked, code)

    def cells() -> Iterator[list[Any]]:
        every = queries.each_group(uow, wanted, sort=asked.order, limit=service_heads.EXPORT_LIMIT + 1)
        for some in _some(every):
            rows = queries.filed(uow, [group["id"] for group in some], wanted.on)
            places = {area - area % size for row in rows for area in [row["area_code"]] for size in (1000, 10**6)}
            known = names(uow, places)
            for row in rows:
                seen.add(row["household_id"])
                area = row["area_code"]
                yield [known.get(area - area % 10**6, ""), known.get(area - area % 1000, ""), row["code"],
                       row["grid_code"], row["group_name"], row["group_head"], row["since"]]  # fmt: skip

    def note(taken: Taken) -> None:
        note_export(
            uow, entity="household", number=taken.number, purpose=taken.purpose, area_code=code, rows=taken.rows,
            columns=["number", "head"], conditions=taken.conditions, seen=seen,
        )  # fmt: skip

    return export_list(
        asked, title=_("Export ten-household groups as a file to import"), of=_("Households of ten-household groups"),
        back=asked.url(url_for("household_groups.list_groups")), cells=cells, note=note,
        place=names(uow, [code]).get(code, ""), headings=file_columns.headings(), most=service_heads.EXPORT_LIMIT,
    )  # fmt: skip


def _some(rows: Iterator[dict[str, Any]], number: int = 200) -> Iterator[list[dict[str, Any]]]:
    while some := list(itertools.islice(rows, number)):
        yield some


@bp.route("/ten-household-groups/export", methods=["GET", "POST"])
@requires(GROUP_EXPORT)
def export_groups() -> Any:
    """The question what for; sent, the list as it stands as a spreadsheet."""
    uow, asked = current_uow(), _view()
    code = switch.asked_area(uow)
    wanted = _wanted(asked, code)

    def cells() -> Iterator[list[Any]]:
        for row in queries.each_group(uow, wanted, sort=asked.order, limit=service_heads.EXPORT_LIMIT + 1):
            shown = {
                "name": row["name"], "area": row["area_name"], "grid": row["grid_name"],
                "households": row["households"], "head": row["head_name"] or "", "since": row["valid_from"],
            }  # fmt: skip
            yield [shown[column.key] for column in asked.visible]

    def note(taken: Taken) -> None:
        service_heads.note_export(
            uow, number=taken.number, purpose=taken.purpose, rows=taken.rows, columns=taken.columns,
            conditions=taken.conditions, on=wanted.on, area=code,
        )  # fmt: skip

    return export_list(
        asked, title=_("Export ten-household groups"), of=_("Ten-household groups"),
        back=asked.url(url_for("household_groups.list_groups")), rows=queries.count_groups(uow, wanted), cells=cells,
        note=note, place=names(uow, [code]).get(code, ""), most=service_heads.EXPORT_LIMIT,
    )  # fmt: skip
