"""Who looked at a person's protected data: the log, and its export."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import request, url_for

from xiangyue.features.privacy import policy, queries_log, view_log
from xiangyue.features.privacy.pages import bp
from xiangyue.features.privacy.service_log import note_log_export, open_log
from xiangyue.i18n import gettext as _
from xiangyue.i18n import ngettext
from xiangyue.web.access import requires
from xiangyue.web.components import ListView
from xiangyue.web.exporting import Taken, export_list
from xiangyue.web.pipeline import current_uow
from xiangyue.web.shell import page, without_problems

PAGE = 50


def _view(id: int, **state: Any) -> ListView:
    return ListView(
        columns=view_log.COLUMNS,
        filters=view_log.filters(),
        args=request.args,
        path=url_for("privacy.show_log", id=id),
        page_size=PAGE,
        export_url=url_for("privacy.export_log", id=id),
        **state,
    )


@bp.get("/privacy/persons/<int:id>/log")
@requires(policy.LOG_VIEW)
def show_log(id: int) -> Any:
    uow = current_uow()
    asked = _view(id)
    if onward := without_problems(asked):
        return onward
    person = open_log(uow, person_id=id)
    wanted = view_log.wanted(request.args)
    found = queries_log.read_log(uow, person, wanted, limit=PAGE, after=asked.after)
    count = queries_log.count_log(uow, person, wanted)
    shown = _view(
        id,
        count=count,
        count_text=ngettext("%(n)d look", "%(n)d looks", count),
        shown=len(found.looks),
        next_cursor=found.next,
    )
    names = view_log.mark_names(uow)
    return page("privacy/log.html", view=shown, rows=found.looks, person=person, show=view_log, names=names)


@bp.route("/privacy/persons/<int:id>/log/export", methods=["GET", "POST"])
@requires(policy.LOG_VIEW)
def export_log(id: int) -> Any:
    """The question what for; sent, the log as a spreadsheet for the person or an inspector; it stands in the trail."""
    uow, asked = current_uow(), _view(id)
    person, names = open_log(uow, person_id=id), view_log.mark_names(uow)

    def cells() -> Iterator[list[Any]]:
        for look in queries_log.each_look(uow, person, view_log.wanted(request.args), limit=policy.EXPORT_LIMIT + 1):
            yield [look.at, view_log.who(look), view_log.way(look), view_log.seen(look, names), look.purpose]

    def note(taken: Taken) -> None:
        note_log_export(
            uow,
            person_id=id,
            number=taken.number,
            purpose=taken.purpose,
            rows=taken.rows,
            conditions=taken.conditions,
        )

    return export_list(
        asked,
        title=_("Export the access log"),
        of=_("Access log"),
        back=asked.url(url_for("privacy.show_log", id=id)),
        cells=cells,
        note=note,
        most=policy.EXPORT_LIMIT,
    )
