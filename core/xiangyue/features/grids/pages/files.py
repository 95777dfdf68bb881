"""Grids and their households as files that the imports page reads again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from flask import url_for

from xiangyue.features.areas import switch
from xiangyue.features.areas.queries import ancestor_codes, names
from xiangyue.features.grids import file_columns, queries, queries_posts, service_export
from xiangyue.features.grids.pages import bp
from xiangyue.features.grids.pages.lists import asked_list, wanted_of
from xiangyue.features.grids.policy import AREA, GRID_EXPORT
from xiangyue.features.households.policy import HOUSEHOLD_EXPORT
from xiangyue.features.households.service_export import note_export
from xiangyue.features.privacy.access_log import Ids
from xiangyue.i18n import gettext as _
from xiangyue.web.access import requires
from xiangyue.web.exporting import Taken, export_list
from xiangyue.web.pipeline import current_uow

_AT_A_TIME = 200


def _grids() -> Iterator[list[dict[str, Any]]]:
    """The list's area grids, those above first, some at a time."""
    uow = current_uow()
    wanted = queries.settled(uow, replace(wanted_of(asked_list(), switch.asked_area(uow)), kind=AREA))
    some: list[dict[str, Any]] = []
    for row in queries.each_grid(uow, wanted, sort="level", limit=service_export.EXPORT_LIMIT + 1):
        some.append(row)
        if len(some) == _AT_A_TIME:
            yield some
            some = []
    if some:
        yield some


def _place(known: dict[int, str], code: int) -> list[str]:
    """Town, village, group."""
    town, village = code - code % 10**6, code - code % 1000
    return [known.get(town, ""), known.get(village, ""), known.get(code, "") if code % 1000 else ""]


def _export(title: str, of: str, headings: list[Any], cells: Any, seen: Ids | None = None) -> Any:
    uow, asked = current_uow(), asked_list()
    area = switch.asked_area(uow)
    wanted = wanted_of(asked, area)

    def note(taken: Taken) -> None:
        if seen is not None:
            note_export(
                uow, entity="household", number=taken.number, purpose=taken.purpose, area_code=area, rows=taken.rows,
                columns=["number", "head", "address"], conditions=taken.conditions, seen=seen,
            )  # fmt: skip
            return
        service_export.note_export(
            uow, number=taken.number, purpose=taken.purpose, rows=taken.rows, columns=taken.columns,
            conditions=taken.conditions, on=wanted.on, area=area,
        )  # fmt: skip

    return export_list(
        asked, title=title, of=of, back=asked.url(url_for("grids.list_grids")), cells=cells, note=note,
        place=names(uow, [area]).get(area, ""), headings=headings, most=service_export.EXPORT_LIMIT,
    )  # fmt: skip


@bp.route("/grids/export/grids", methods=["GET", "POST"])
@requires(GRID_EXPORT)
def export_grid_file() -> Any:
    """The list of grids in the columns that an import reads."""
    uow = current_uow()

    def cells() -> Iterator[list[Any]]:
        for some in _grids():
            known = names(uow, {code for row in some for code in ancestor_codes(row["area_code"])})
            posts = queries_posts.posts_on(uow, [row["id"] for row in some], wanted_of(asked_list(), 0).on)
            above = queries.name_of(uow, {row["parent_id"] for row in some if row["parent_id"]})
            for row in some:
                lead = next((post for post in posts[row["id"]] if post["principal"]), None)
                yield [
                    *_place(known, row["area_code"]), row["code"], row["name"], file_columns.level_word(row["level"]),
                    above.get(row["parent_id"], ("", ""))[0], row["valid_from"],
                    lead["name"] if lead else "", lead["office_phone"] if lead else "",
                    lead["term_until"] if lead else None,
                ]  # fmt: skip

    return _export(_("Export grids as a file to import"), _("List of grids"), file_columns.grid_headings(), cells)


@bp.route("/grids/export/households", methods=["GET", "POST"])
@requires(HOUSEHOLD_EXPORT)
def export_home_file() -> Any:
    """Which household lies in which of the list's grids, in the columns that an import reads."""
    uow, seen = current_uow(), Ids()

    def cells() -> Iterator[list[Any]]:
        on = wanted_of(asked_list(), 0).on
        for some in _grids():
            known = names(uow, {code for row in some for code in ancestor_codes(row["area_code"])})
            for row in some:
                place = _place(known, row["area_code"])[:2]
                for home in queries.households_in(uow, row["id"], on) if row["leaf"] else ():
                    seen.add(home["id"])
                    yield [*place, home["code"], home["head_name"], home["address"], row["code"], home["since"]]

    return _export(_("Export households of grids"), _("Households of grids"), file_columns.home_headings(), cells, seen)
