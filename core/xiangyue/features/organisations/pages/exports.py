"""Export of exactly the list, and of the roster of posts: one row for each holder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from flask import request, url_for

from xiangyue.features.areas import switch
from xiangyue.features.organisations import policy, queries, roster, service_export, view
from xiangyue.features.organisations.pages import bp
from xiangyue.features.organisations.pages.listing import list_view
from xiangyue.features.privacy.access_log import Ids
from xiangyue.i18n import gettext as _
from xiangyue.i18n import join_words
from xiangyue.web.access import requires
from xiangyue.web.components import ListView
from xiangyue.web.exporting import Taken, export_list
from xiangyue.web.pipeline import current_uow


def _pages(asked: ListView) -> Iterator[list[view.Line]]:
    uow = current_uow()
    wanted = view.wanted(request.args, switch.asked_area(uow))
    for rows in queries.each_organisation(uow, wanted, sort=asked.order, limit=policy.EXPORT_LIMIT + 1):
        yield view.lines(uow, rows, wanted.on)


def _note(taken: Taken, seen: Ids) -> None:
    # What was searched for may be a name.
    told = {**asdict(taken), "conditions": {k: v for k, v in taken.conditions.items() if k != "q"}}
    service_export.note_export(current_uow(), **told, seen=seen)


@bp.route("/organisations/export", methods=["GET", "POST"])
@requires(policy.EXPORT)
def export() -> Any:
    """The list as it is shown: the question what for, then the spreadsheet."""
    asked, seen = list_view(), Ids()

    def cells() -> Iterator[list[Any]]:
        for lines in _pages(asked):
            for line in lines:
                for one in line.leads:
                    if one.row.person_id is not None:
                        seen.add(one.row.person_id)
                yield [_cell(line, column.key) for column in asked.visible]

    return export_list(
        asked,
        title=_("Export organisations"),
        of=_("Organisations"),
        back=asked.url(url_for("organisations.list_organisations")),
        cells=cells,
        note=lambda taken: _note(taken, seen),
        most=policy.EXPORT_LIMIT,
    )


@bp.route("/organisations/roster", methods=["GET", "POST"])
@requires(policy.EXPORT)
def export_roster() -> Any:
    """Everybody who holds a post in the organisations of the list, in the columns that an import reads."""
    asked, seen = list_view(), Ids()

    def cells() -> Iterator[list[Any]]:
        for lines in _pages(asked):
            for line in lines:
                for seats in line.seats:
                    for one in seats.holdings:
                        if one.row.person_id is not None:
                            seen.add(one.row.person_id)
                        yield roster.cells(line, one)
                    if not seats.holdings and seats.missing:
                        yield roster.empty_cells(line, seats)

    return export_list(
        asked,
        title=_("Export the roster of posts"),
        of=_("Roster of posts"),
        back=asked.url(url_for("organisations.list_organisations")),
        cells=cells,
        note=lambda taken: _note(taken, seen),
        headings=roster.headings(),
        most=policy.EXPORT_LIMIT,
    )


def _cell(line: view.Line, column: str) -> Any:
    row = line.row
    if column == "open":
        said = [str(view.OPEN["vacant"])] if line.vacant else []
        return join_words([*said, *([str(view.OPEN["gone"])] if line.gone else [])], "; ")
    values = {
        "name": row.name,
        "kind": line.kind,
        "area": line.area,
        "lead": "、".join(one.name for one in line.leads),
        "people": line.people,
        "term": row.term_until,
        "level": str(policy.LEVELS[row.level]),
        "since": row.term_from,
        "founded": row.founded_on,
        "code": row.registration_code,
    }
    return values[column]
