"""Export of exactly what a list shows, as .xlsx or .csv; the purpose stands in the audit trail."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from flask import request

from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid
from xiangyue.features.areas import switch
from xiangyue.features.areas.queries import code_text
from xiangyue.features.households import policy
from xiangyue.features.households.filters import HouseholdFilter
from xiangyue.features.households.list_query import Page, each_household, each_person, list_households
from xiangyue.features.households.offered import PluginFailed, fill, refuse, run_strictly
from xiangyue.features.households.pages import bp
from xiangyue.features.households.pages.addresses import sealed_address
from xiangyue.features.households.pages.common import (
    HOUSEHOLD_STATES,
    PERSON_STATES,
    code_label,
    keys,
    kind_name,
    template_words,
)
from xiangyue.features.households.pages.listings import Listing, household_listing, person_listing, shown_marks
from xiangyue.features.households.pages.own_columns import own_cell
from xiangyue.features.households.person_input import today
from xiangyue.features.households.queries_persons import age_on
from xiangyue.features.households.service_export import note_export
from xiangyue.features.households.writing import required_text
from xiangyue.files.workbook import FORMATS, write_table
from xiangyue.i18n import TIMEZONE
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.web.access import requires
from xiangyue.web.components import FormView
from xiangyue.web.downloads import send_written
from xiangyue.web.pipeline import current_uow
from xiangyue.web.shell import page


@bp.get("/households/export")
@requires(policy.HOUSEHOLD_EXPORT)
def export_households() -> Any:
    """What is going to be exported, and the question what for."""
    return sealed_address() or _ask(household_listing(current_uow()), "household")


@bp.post("/households/export")
@requires(policy.HOUSEHOLD_EXPORT)
def send_households() -> Any:
    """The spreadsheet of the households at this address."""
    return sealed_address() or _send(household_listing(current_uow()), "household")


@bp.get("/persons/export")
@requires(policy.HOUSEHOLD_EXPORT)
def export_persons() -> Any:
    """What is going to be exported, and the question what for."""
    return sealed_address() or _ask(person_listing(current_uow()), "person")


@bp.post("/persons/export")
@requires(policy.HOUSEHOLD_EXPORT)
def send_persons() -> Any:
    """The spreadsheet of the persons at this address."""
    return sealed_address() or _send(person_listing(current_uow()), "person")


def _ask(listing: Listing, entity: str, *, status: int = 200, form: FormView | None = None) -> Any:
    path = "/households" if entity == "household" else "/persons"
    back = listing.view.url(path)
    if form is None:
        form = FormView(action=request.full_path.rstrip("?"), values={"format": "xlsx"}, cancel_url=back)
    return page(
        "households/export.html",
        status=status,
        listing=listing,
        view=listing.view,
        form=form,
        entity=entity,
        back=back,
        **template_words(),
    )


def _send(listing: Listing, entity: str) -> Any:
    uow = current_uow()
    wanted = replace(listing.filter, area=switch.asked_area(uow))
    problems = {**listing.problems, **{str(f.what): [f.error.message] for f in listing.failed}}
    try:
        purpose = required_text(request.form.get("purpose"), "purpose", least=2)
    except Invalid as invalid:
        problems.update(invalid.fields)
    format = request.form.get("format", "xlsx")
    if format not in FORMATS:
        problems["format"] = [_l("Choose one of the options.")]
    if problems:
        return _again(listing, entity, problems, 422)
    columns = listing.view.visible
    rows: Iterable[dict[str, Any]]
    if entity == "household":
        read = partial(_whole_page, listing)
        rows = each_household(uow, wanted, sort=listing.sort, fields=listing.fields, keys=keys(), read=read)
        title = _("All households")
    else:
        rows = each_person(uow, wanted, sort=listing.sort, fields=listing.fields, keys=keys())
        title = _("All persons")
    cells = ([_cell(listing, c.key, row) for c in columns] for row in rows)
    try:
        written = write_table(title, [c.label for c in columns], cells, format=format)
    except PluginFailed as failed:
        return _again(listing, entity, {"": [failed.message]}, 409)
    marks = [k for k in listing.filter.marks if k in listing.marks and listing.marks[k].sensitivity != "normal"]
    note_export(
        uow,
        entity=entity,
        purpose=purpose,
        area_code=wanted.area,
        rows=written.rows,
        columns=[c.key for c in columns],
        conditions={n: listing.view.values(n) for n in listing.view.active_names},
        sensitive_marks=marks,
    )
    place = code_text(wanted.area) if wanted.area else ""
    name = "-".join(part for part in (title, place, today().isoformat()) if part)
    return send_written(written, name)


def _again(listing: Listing, entity: str, problems: dict[str, list[Any]], status: int) -> Any:
    """The question once more, with what was typed and what is wrong."""
    back = listing.view.url("/households" if entity == "household" else "/persons")
    form = FormView(action=request.full_path, values=request.form, errors=problems, cancel_url=back)
    return _ask(listing, entity, status=status, form=form)


def _whole_page(listing: Listing, uow: Uow, wanted: HouseholdFilter, **options: Any) -> Page:
    """A page of households with the columns of plugins. Raises PluginFailed: a file must be what was asked for."""
    found = run_strictly(uow, wanted, lambda tried: list_households(uow, tried, **options))
    refuse(fill(uow, found.items, listing.offered))
    return found


def _cell(listing: Listing, column: str, row: dict[str, Any]) -> Any:
    """The value of a column as the list shows it."""
    if column in listing.own:
        return own_cell(listing.own[column], row[column])
    if column == "name":
        return row.get("head_name") or row.get("name") or ""
    if column in ("relation", "sex", "nationality"):
        return code_label(column, row[column])
    plain = {"place": "area_name", "size": "person_count", "away": "away_count", "household": "head_name"}
    if column == "marks":
        return ", ".join(kind_name(k) for k in shown_marks(listing, row["marks"] or ()))
    if column == "state":
        return str({**HOUSEHOLD_STATES, **PERSON_STATES}[row["state"]])
    if column == "updated":
        changed: datetime = row["updated_at"]
        return changed.astimezone(TIMEZONE).strftime("%Y-%m-%d %H:%M")
    if column == "left":
        return " · ".join(str(part) for part in (row["left_on"], row["left_reason"]) if part)
    if column == "birth_date":
        return age_on(row["birth_date"], today())
    if column == "away" and "away" in row:
        return _("Yes") if row["away"] else ""
    return row.get(plain.get(column, column))
