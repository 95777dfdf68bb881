"""What hangs on persons and households: marks, yearly incomes, yearly awards."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import redirect, request, url_for

from xiangyue.errors import Conflict, Forbidden, Invalid, Refused, Stale
from xiangyue.features.households import policy
from xiangyue.features.households.models import PersonMark
from xiangyue.features.households.pages import bp
from xiangyue.features.households.pages.household import household_page
from xiangyue.features.households.pages.person import person_page
from xiangyue.features.households.service_records import add_mark as add_mark_to
from xiangyue.features.households.service_records import end_mark as end_mark_on
from xiangyue.features.households.service_records import set_award, set_income
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.text.dates import parse_date
from xiangyue.text.problems import TextProblem
from xiangyue.web.access import requires
from xiangyue.web.components import FormView
from xiangyue.web.pipeline import current_uow
from xiangyue.web.shell import flash

AWARDED = {"yes": True, "no": False, "none": None}


def _day(name: str) -> date | None:
    text = request.form.get(name, "").strip()
    if not text:
        return None
    try:
        return parse_date(text)
    except TextProblem as problem:
        raise Invalid({name: [str(problem)]}) from None


def _whole(name: str, *, empty: bool = False) -> int | None:
    text = request.form.get(name, "").strip().replace(",", "").replace("\uff0c", "")
    if not text and empty:
        return None
    # A number below nought is one too: its bounds are told by whoever knows them.
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 15):
        raise Invalid({name: [_l("Enter a whole number.")]})
    return int(text)


def _failed(error: Invalid | Stale | Conflict | Forbidden | Refused, id: str) -> tuple[FormView, int]:
    errors = error.fields if isinstance(error, Invalid) else {"": [error.message]}
    status = 422 if isinstance(error, Invalid) else 403 if isinstance(error, Forbidden) else 409
    return FormView(action=request.path, values=request.form, errors=errors, id=id), status


@bp.post("/persons/<int:id>/marks")
@requires(policy.HOUSEHOLD_EDIT)
def add_mark(id: int) -> Any:
    typed = request.form
    try:
        if not typed.get("mark"):
            raise Invalid({"mark": [_l("Choose one of the options.")]})
        add_mark_to(
            current_uow(),
            person_id=id,
            key=typed.get("mark", ""),
            source=typed.get("source", ""),
            valid_from=_day("valid_from"),
            note=typed.get("note", ""),
        )
    except (Invalid, Conflict, Forbidden, Refused) as error:
        form, status = _failed(error, "mark")
        return person_page(id, status=status, forms={"mark": form})
    flash(_("Mark added"), "success")
    return redirect(url_for("households.show_person", id=id), 303)


@bp.post("/marks/<int:id>/end")
@requires(policy.HOUSEHOLD_EDIT)
def end_mark(id: int) -> Any:
    """End a mark; it stays on record."""
    uow = current_uow()
    person_id = uow.get(PersonMark, id).person_id
    try:
        end_mark_on(uow, mark_id=id, on=_day("on"), reason=request.form.get("reason", ""))
    except (Invalid, Conflict, Forbidden, Refused) as error:
        form, status = _failed(error, f"end-{id}")
        return person_page(person_id, status=status, forms={f"end-{id}": form})
    flash(_("Mark ended"), "success")
    return redirect(url_for("households.show_person", id=person_id), 303)


@bp.post("/households/<int:id>/incomes")
@requires(policy.HOUSEHOLD_EDIT)
def save_income(id: int) -> Any:
    """Record a year's income, change it, or take it away (remove=1)."""
    typed = request.form
    try:
        set_income(
            current_uow(),
            household_id=id,
            year=_whole("year") or 0,
            amount=None if typed.get("remove") else _whole("amount"),
            source=typed.get("source", ""),
            version=typed.get("version", type=int),
        )
    except (Invalid, Stale, Refused) as error:
        form, status = _failed(error, "income")
        return household_page(id, status=status, forms={"income": form})
    flash(_("Saved"), "success")
    return redirect(url_for("households.show_household", id=id, _anchor="incomes"), 303)


@bp.post("/households/<int:id>/awards")
@requires(policy.HOUSEHOLD_EDIT)
def save_award(id: int) -> Any:
    """Record a year's judgement: awarded, judged and not awarded, or nothing known."""
    typed = request.form
    try:
        if typed.get("awarded") not in AWARDED:
            raise Invalid({"awarded": [_l("Choose one of the options.")]})
        set_award(
            current_uow(),
            household_id=id,
            key=typed.get("award", ""),
            year=_whole("year") or 0,
            awarded=AWARDED[typed["awarded"]],
            source=typed.get("source", ""),
            version=typed.get("version", type=int),
        )
    except (Invalid, Stale, Refused) as error:
        form, status = _failed(error, "award")
        return household_page(id, status=status, forms={"award": form})
    flash(_("Saved"), "success")
    return redirect(url_for("households.show_household", id=id, _anchor="awards"), 303)
