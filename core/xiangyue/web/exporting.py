"""How a list leaves the house: the question what for, the file with its watermark, and the note of who took it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import redirect, request, url_for

from xiangyue.files.workbook import FORMATS, write_table
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.i18n import today
from xiangyue.text.folding import squeeze
from xiangyue.web.components import FormView, ListView
from xiangyue.web.downloads import send_written
from xiangyue.web.pipeline import current_uow, runtime
from xiangyue.web.shell import page
from xiangyue.web.watermark import new_number, watermark

#: Characters of a purpose.
LEAST, MOST = 2, 200


@dataclass(frozen=True, slots=True)
class Taken:
    """A list that goes out: under which ``number`` its audit entry is found, what for, how many rows, which columns
    (keys), under which conditions (name of a filter -> values)."""

    number: str
    purpose: str
    rows: int
    columns: list[str]
    conditions: dict[str, list[str]]


def export_list(
    view: ListView,
    *,
    title: str,
    of: str,
    back: str,
    cells: Callable[[], Iterable[Sequence[Any]]],
    note: Callable[[Taken], None],
    place: str = "",
    headings: Sequence[Any] | None = None,
    problems: Mapping[str, Sequence[Any]] | None = None,
    rows: int | None = None,
    most: int | None = None,
    later: Callable[[str, str], int] | None = None,
    long: bool = False,
) -> Any:
    """GET asks what for, POST answers with the file of the list at this address: the visible columns of ``cells``.

    ``title``: of the page that asks. ``of``: what the list is called, on the sheet and in the file's name, where the
    ``place`` and the day follow. ``headings``: of the cells, where they are not those of the visible columns. ``note``
    puts what was taken into the audit trail, within the transaction that answers. ``problems``: conditions that cannot
    be used, beside those that the view finds itself. ``most``: of more rows there is no file: one that is cut would not
    say so. ``cells`` then gives one more than that, if there is one. ``later``: has a job write a list of more ``rows``
    than are sent at once, in this format and for this purpose; its number. ``long``: it takes long however many rows
    come of it, so the job writes it.
    """
    settings = runtime().settings
    large = later is not None and (long or (rows is not None and rows > settings.export_direct_rows))
    keep_days = settings.export_keep_days
    wrong: dict[str, list[Any]] = {str(spec.label): [why] for spec, why in view.problems}
    wrong |= {name: list(why) for name, why in (problems or {}).items()}
    if request.method != "POST":
        known = None if wrong else rows
        return ask_what_for(
            view, title=title, of=of, back=back, problems=wrong, rows=known, large=large, keep_days=keep_days
        )
    format, purpose = chosen_format(wrong), given_purpose(wrong)
    if wrong:
        return ask_what_for(
            view, title=title, of=of, back=back, status=422, problems=wrong, large=large, keep_days=keep_days
        )
    if large and later is not None:
        return redirect(url_for("jobs.show_job", id=later(format, purpose)), 303)
    number, columns = new_number(), view.visible
    mark = watermark(current_uow(), purpose, number)
    written = write_table(of, headings or [column.label for column in columns], cells(), format=format, watermark=mark)
    if most is not None and written.rows > most:
        written.stream.close()
        wrong[""] = [_l("This list has more than %(n)d rows. Narrow it first.", n=most)]
        return ask_what_for(view, title=title, of=of, back=back, status=422, problems=wrong)
    conditions = {name: view.values(name) for name in view.active_names}
    try:
        note(Taken(number, purpose, written.rows, [column.key for column in columns], conditions))
    except BaseException:
        written.stream.close()
        raise
    return send_written(written, "-".join(part for part in (of, place, today().isoformat()) if part))


def ask_what_for(
    view: ListView,
    *,
    title: str,
    of: str,
    back: str,
    status: int = 200,
    problems: Mapping[str, Sequence[Any]] | None = None,
    rows: int | None = None,
    large: bool = False,
    keep_days: int = 0,
) -> Any:
    """The page that asks; what was typed stays. ``of`` names the list, which is at ``back``. ``rows``: how many, where
    they were counted; ``large``: a job writes them, whose file is kept ``keep_days`` days."""
    form = FormView(
        action=request.full_path.rstrip("?"),
        values=request.form or {"format": "xlsx"},
        errors=problems or {},
        cancel_url=back,
        id="export",
    )
    return page(
        "export.html", status, title=title, of=of, view=view, form=form, back=back, rows=rows, large=large,
        keep_days=keep_days,
    )  # fmt: skip


def chosen_format(problems: dict[str, list[Any]]) -> str:
    """A key of ``FORMATS``, as the form says; anything else is among the problems."""
    format = request.form.get("format", "xlsx")
    if format not in FORMATS:
        problems["format"] = [_l("Choose one of the options.")]
    return format


def given_purpose(problems: dict[str, list[Any]]) -> str:
    """What the form says the export is for; none, or one that is too long, is among the problems."""
    purpose = squeeze(request.form.get("purpose", "").replace("\x00", ""))
    if len(purpose) < LEAST:
        problems["purpose"] = [_l("Please fill this in.")]
    elif len(purpose) > MOST:
        problems["purpose"] = [_l("At most %(limit)s characters.", limit=MOST)]
    return purpose
