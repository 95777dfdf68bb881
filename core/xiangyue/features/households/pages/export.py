"""Export of exactly what a list shows, as .xlsx or .csv; the purpose stands in the audit trail.

What is large is written by a job: the page leads to it, and its file can be fetched until it expires.
"""

from __future__ import annotations

from typing import Any

from flask import redirect, request, url_for

from xiangyue.errors import Invalid
from xiangyue.features.areas import switch
from xiangyue.features.households import policy
from xiangyue.features.households.offered import PluginFailed
from xiangyue.features.households.pages import bp
from xiangyue.features.households.pages.addresses import sealed_address
from xiangyue.features.households.pages.common import keys
from xiangyue.features.households.pages.exporting import Wanted, count_rows, put_on_record, write_export
from xiangyue.features.households.pages.listings import Listing, household_listing, person_listing
from xiangyue.features.households.service_export import start_export
from xiangyue.features.households.writing import required_text
from xiangyue.features.privacy.access_log import Ids
from xiangyue.i18n import gettext as _
from xiangyue.web.access import requires
from xiangyue.web.downloads import send_written
from xiangyue.web.exporting import ask_what_for, chosen_format
from xiangyue.web.pipeline import current_uow, runtime
from xiangyue.web.watermark import new_number


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


def _ask(listing: Listing, entity: str, *, status: int = 200, problems: dict[str, list[Any]] | None = None) -> Any:
    """What is going to be exported, and the question what for; once more with what was typed and what is wrong."""
    households = entity == "household"
    try:
        rows = count_rows(current_uow(), _wanted(entity), listing, keys())
    except (Invalid, PluginFailed):
        rows = None  # said when it is sent
    settings = runtime().settings
    return ask_what_for(
        listing.view,
        title=_("Export households") if households else _("Export persons"),
        of=_("All households") if households else _("All persons"),
        back=listing.view.url("/households" if households else "/persons"),
        status=status,
        problems=problems,
        rows=rows,
        large=rows is not None and rows > settings.export_direct_rows,
        keep_days=settings.export_keep_days,
    )


def _wanted(entity: str, format: str = "xlsx", purpose: str = "") -> Wanted:
    uow = current_uow()
    return Wanted(
        entity=entity,
        query=request.query_string.decode(),
        area=switch.asked_area(uow),
        format=format,
        purpose=purpose,
        number=new_number(),
        reading=uow.info.purpose,
    )


def _send(listing: Listing, entity: str) -> Any:
    uow = current_uow()
    problems = {**listing.problems, **{str(f.what): [f.error.message] for f in listing.failed}}
    purpose = ""
    try:
        purpose = required_text(request.form.get("purpose"), "purpose", least=2)
    except Invalid as invalid:
        problems.update(invalid.fields)
    format = chosen_format(problems)
    if problems:
        return _ask(listing, entity, status=422, problems=problems)
    wanted = _wanted(entity, format, purpose)
    most, seen = runtime().settings.export_direct_rows, Ids()
    try:
        if count_rows(uow, wanted, listing, keys(), cap=most) > most:
            return redirect(url_for("jobs.show_job", id=start_export(uow, params=wanted.params()).id), 303)
        written = write_export(uow, wanted, listing, keys(), seen)
    except PluginFailed as failed:
        return _ask(listing, entity, status=409, problems={"": [failed.message]})
    put_on_record(uow, wanted, listing, written.rows, seen)
    return send_written(written, wanted.file_name)
