"""Who looked at a person's protected data: the log, and its export."""

from __future__ import annotations

from typing import Any

from flask import request, url_for

from xiangyue.errors import Invalid
from xiangyue.features.households.models import Person
from xiangyue.features.households.person_input import today
from xiangyue.features.households.watermark import new_number, watermark
from xiangyue.features.households.writing import required_text
from xiangyue.features.privacy import policy, queries_log, view_log
from xiangyue.features.privacy.pages import bp
from xiangyue.features.privacy.service_log import note_log_export, open_log
from xiangyue.files.workbook import write_table
from xiangyue.i18n import gettext as _
from xiangyue.i18n import ngettext
from xiangyue.web.access import requires
from xiangyue.web.components import ListView
from xiangyue.web.downloads import send_written
from xiangyue.web.exporting import ask_what_for, chosen_format
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
        export_url=url_for("privacy.ask_log_export", id=id),
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
    direction, cursor = asked.cursor
    found = queries_log.read_log(uow, person, wanted, limit=PAGE, after=cursor if direction == "after" else None)
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


@bp.get("/privacy/persons/<int:id>/log/export")
@requires(policy.LOG_VIEW)
def ask_log_export(id: int) -> Any:
    """What is going to be exported, and the question what for."""
    return _ask(open_log(current_uow(), person_id=id))


@bp.post("/privacy/persons/<int:id>/log/export")
@requires(policy.LOG_VIEW)
def send_log_export(id: int) -> Any:
    """The log as a spreadsheet, for the person or an inspector; it stands in the audit trail."""
    uow = current_uow()
    asked = _view(id)
    problems: dict[str, list[Any]] = {spec.name: [why] for spec, why in asked.problems}
    purpose, format, number = "", chosen_format(problems), new_number()
    try:
        purpose = required_text(request.form.get("purpose"), "purpose", least=2)
    except Invalid as invalid:
        problems.update(invalid.fields)
    person = open_log(uow, person_id=id)
    if problems:
        return _ask(person, 422, problems)
    wanted, names = view_log.wanted(request.args), view_log.mark_names(uow)
    rows = (
        [look.at, view_log.who(look), view_log.way(look), view_log.seen(look, names), look.purpose]
        for look in queries_log.each_look(uow, person, wanted, limit=policy.EXPORT_LIMIT)
    )
    title, mark = _("Access log"), watermark(uow, purpose, number)
    headings = [column.label for column in view_log.COLUMNS]
    written = write_table(title, headings, rows, format=format, watermark=mark)
    conditions = {name: asked.values(name) for name in asked.active_names}
    note_log_export(uow, person_id=id, number=number, purpose=purpose, rows=written.rows, conditions=conditions)
    return send_written(written, f"{title}-{person.id}-{today().isoformat()}")


def _ask(person: Person, status: int = 200, problems: dict[str, list[Any]] | None = None) -> Any:
    asked = _view(person.id)
    return ask_what_for(
        asked,
        title=_("Export the access log"),
        of=_("Access log"),
        back=asked.url(url_for("privacy.show_log", id=person.id)),
        status=status,
        problems=problems,
    )
