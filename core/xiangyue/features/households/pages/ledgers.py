"""Ledgers: choose one, for the area that is looked at, and take it along."""

from __future__ import annotations

from typing import Any

from flask import redirect, request, url_for

from xiangyue.errors import Invalid, PurposeNeeded
from xiangyue.features.areas import switch
from xiangyue.features.households import ledger_make, policy
from xiangyue.features.households.ledger_make import LedgerWanted
from xiangyue.features.households.pages import bp
from xiangyue.features.households.pages.common import keys
from xiangyue.features.households.person_input import today
from xiangyue.features.households.service_export import LEDGER_KIND, start_export
from xiangyue.features.households.writing import required_text
from xiangyue.features.privacy.access_log import Ids
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.web.access import requires
from xiangyue.web.components import FormView
from xiangyue.web.downloads import send_written
from xiangyue.web.pipeline import current_actor, current_uow, runtime
from xiangyue.web.shell import page
from xiangyue.web.watermark import new_number


@bp.get("/households/ledgers")
@requires(policy.HOUSEHOLD_EXPORT)
def choose_ledger() -> Any:
    """The ledgers there are, and the question what for."""
    _code, elsewhere = switch.page_area(current_uow())
    if elsewhere:
        return redirect(elsewhere)
    return _form({"on": today().isoformat()})


@bp.post("/households/ledgers")
@requires(policy.HOUSEHOLD_EXPORT)
def make_ledger() -> Any:
    """The ledger of the area of this address: at once, or by a job when there may be many rows."""
    uow = current_uow()
    form = request.form
    wanted = LedgerWanted(
        ledger=form.get("ledger", ""),
        area=switch.asked_area(uow),
        on=form.get("on", "").strip() or today().isoformat(),
        purpose=form.get("purpose", "").strip(),
        number=new_number(),
        full="full" in form and current_actor().can(policy.IDENTIFIER_REVEAL),
        reading=uow.info.purpose,
    )
    problems: dict[str, list[Any]] = {}
    try:
        required_text(wanted.purpose, "purpose", least=2)
    except Invalid as invalid:
        problems.update(invalid.fields)
    try:
        ledger = ledger_make.checked(uow, wanted)
    except PurposeNeeded:
        return redirect(url_for("accounts.ask_purpose", next=request.full_path.rstrip("?")), 303)
    except Invalid as invalid:
        problems.update(invalid.fields)
    if problems:
        return _form(form, problems, 422)
    most = runtime().settings.export_direct_rows
    if ledger_make.most_rows(uow, wanted, ledger, cap=most) > most:
        job = start_export(uow, params=wanted.params(), kind=LEDGER_KIND)
        return redirect(url_for("jobs.show_job", id=job.id), 303)
    seen = Ids()
    written = ledger_make.write(uow, wanted, ledger, keys(), seen)
    ledger_make.put_on_record(uow, wanted, ledger, written.rows, seen)
    return send_written(written, ledger_make.file_name(uow, wanted, ledger))


def _form(values: Any, errors: dict[str, list[Any]] | None = None, status: int = 200) -> Any:
    uow = current_uow()
    area = switch.asked_area(uow)
    ledgers = ledger_make.offered(uow)
    form = FormView(
        action=request.full_path.rstrip("?"),
        values=values,
        errors=errors or {},
        cancel_url=url_for("households.list_households"),
    )
    return page(
        "households/ledgers.html",
        status=status,
        form=form,
        ledgers=ledgers,
        choices=[(key, ledger.label) for key, ledger in ledgers.items()],
        place=ledger_make.place_name(uow, area),
        today=today().isoformat(),
        may_reveal=current_actor().can(policy.IDENTIFIER_REVEAL),
        keep_days=runtime().settings.export_keep_days,
        labels={"ledger": _l("Ledger"), "on": _l("As of the day"), "purpose": _l("What is it for?")},
    )
