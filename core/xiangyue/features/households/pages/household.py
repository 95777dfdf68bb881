"""The page of one household: who and where, members, marks, incomes and awards, what happened."""

from __future__ import annotations

from typing import Any

from flask import redirect, request, url_for

from xiangyue.features.areas import queries as areas
from xiangyue.features.households import policy, queries
from xiangyue.features.households.models import Household
from xiangyue.features.households.pages import bp
from xiangyue.features.households.pages.common import keys, kind_name, may, sensitive_gate
from xiangyue.features.households.pages.history import timeline
from xiangyue.features.households.pages.register_common import (
    OF_HOUSEHOLD,
    acts_for,
    menu_of,
    register_words,
    taps_for_household,
)
from xiangyue.features.households.person_input import today
from xiangyue.features.households.queries_persons import PartOfAnother, age_on, survivor_of
from xiangyue.features.households.queries_register import household_on
from xiangyue.features.households.service_records import note_sensitive_read
from xiangyue.i18n import gettext as _
from xiangyue.text.dates import parse_date
from xiangyue.text.problems import TextProblem
from xiangyue.web.access import requires
from xiangyue.web.components import FormView
from xiangyue.web.pipeline import current_uow
from xiangyue.web.points import panels
from xiangyue.web.shell import flash, page


@bp.get("/households/<int:id>")
@requires(policy.HOUSEHOLD_VIEW)
def show_household(id: int) -> Any:
    """The household now, or with ``on`` as it was at the end of a day."""
    try:
        if request.args.get("on"):
            return household_then(id)
        return household_page(id)
    except PartOfAnother as merged:
        return redirect(url_for("households.show_household", id=survivor_of(current_uow(), merged)))


def household_page(id: int, *, status: int = 200, forms: dict[str, FormView] | None = None) -> Any:
    """The page; ``forms`` are those that came back with errors: income, award."""
    uow = current_uow()
    view = queries.household_view(uow, keys(), id)
    household = view.household
    if view.sensitive:
        note_sensitive_read(
            uow,
            object_type="household",
            object_id=household.id,
            label=household.head_name,
            area_code=household.area_code,
            marks=view.sensitive,
        )
    head = next((p for p in view.persons if p.person.state == "active"), None)
    now = household_on(uow, id)
    marks = {p.person.id: p.marks for p in view.persons}
    changing = OF_HOUSEHOLD[:5] if household.state == "active" else ()
    ending = ("close" if household.state == "active" else "reopen",)
    return page(
        "households/show.html",
        status=status,
        view=view,
        household=household,
        head=head,
        now=now,
        age_of=lambda member: age_on(member.birth_date, today()),
        marks_of=lambda member: marks.get(member.person_id, ()),
        acts=acts_for(uow, "household", id),
        taps=taps_for_household(household, now.members),
        naming=menu_of(("head_change",), id, household.area_code),
        changes=menu_of((*changing, *ending), id, household.area_code),
        left=[p for p in view.persons if p.person.state != "active"],
        items=timeline(uow, "household", id),
        may_edit=may(policy.HOUSEHOLD_EDIT, household.area_code),
        forms={**_forms(household), **(forms or {})},
        award_choices=[(k.key, kind_name(k)) for k in queries.award_kinds(uow, retired=False)],
        this_year=today().year,
        gate=sensitive_gate(household.area_code),
        panels=panels(uow, "household_panels", lambda panel: panel.build(uow, id), area_code=household.area_code),
        **register_words(),
    )


def household_then(id: int) -> Any:
    """The household as it was at the end of a day: only to look at."""
    uow = current_uow()
    household = uow.get(Household, id)
    if household.merged_into_id is not None:
        raise PartOfAnother(Household, household.merged_into_id)
    problem = None
    on = today()
    try:
        on = parse_date(request.args["on"])
        if on > today():
            problem = _("%(day)s is still to come.", day=on.isoformat())
    except TextProblem as wrong:
        problem = str(wrong)
    if problem is not None:
        flash(_("This day cannot be shown: %(why)s", why=problem), "warning")
        return redirect(url_for("households.show_household", id=id), 303)
    then = household_on(uow, id, on)
    return page(
        "households/then.html",
        household=household,
        then=then,
        path=areas.paths(uow, [household.area_code]).get(household.area_code, []),
        age_of=lambda member: age_on(member.birth_date, on),
        acts=[row for row in acts_for(uow, "household", id) if row.act.on_date <= on],
        **register_words(),
    )


def _forms(household: Household) -> dict[str, FormView]:
    """The small forms of the page, empty."""
    id = household.id
    return {
        "income": FormView(
            action=url_for("households.save_income", id=id), values={"year": today().year - 1}, id="income"
        ),
        "award": FormView(
            action=url_for("households.save_award", id=id),
            values={"year": today().year - 1, "awarded": "yes"},
            id="award",
        ),
    }
