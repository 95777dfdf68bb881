"""The page of one household: who and where, members, marks, incomes and awards, what happened."""

from __future__ import annotations

from typing import Any

from flask import redirect, url_for

from xiangyue.features.households import policy, queries
from xiangyue.features.households.models import Household
from xiangyue.features.households.pages import bp
from xiangyue.features.households.pages.common import keys, kind_name, may, sensitive_gate, template_words
from xiangyue.features.households.pages.history import timeline
from xiangyue.features.households.person_input import today
from xiangyue.features.households.queries_persons import PartOfAnother, survivor_of
from xiangyue.features.households.service_records import note_sensitive_read
from xiangyue.web.access import requires
from xiangyue.web.components import FormView
from xiangyue.web.pipeline import current_uow
from xiangyue.web.points import panels
from xiangyue.web.shell import page


@bp.get("/households/<int:id>")
@requires(policy.HOUSEHOLD_VIEW)
def show_household(id: int) -> Any:
    try:
        return household_page(id)
    except PartOfAnother as merged:
        return redirect(url_for("households.show_household", id=survivor_of(current_uow(), merged)))


def household_page(id: int, *, status: int = 200, forms: dict[str, FormView] | None = None) -> Any:
    """The page; ``forms`` are those that came back with errors: income, award, close, reopen."""
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
    return page(
        "households/show.html",
        status=status,
        view=view,
        household=household,
        head=head,
        present=[p for p in view.persons if p.person.state == "active"],
        left=[p for p in view.persons if p.person.state != "active"],
        items=timeline(uow, "household", id),
        may_edit=may(policy.HOUSEHOLD_EDIT, household.area_code),
        forms={**_forms(household), **(forms or {})},
        award_choices=[(k.key, kind_name(k)) for k in queries.award_kinds(uow, retired=False)],
        this_year=today().year,
        gate=sensitive_gate(household.area_code),
        panels=panels(uow, "household_panels", lambda panel: panel.build(uow, id), area_code=household.area_code),
        **template_words(),
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
        "close": FormView(
            action=url_for("households.close", id=id),
            values={"on": today().isoformat()},
            version=household.version,
            id="close",
        ),
        "reopen": FormView(action=url_for("households.reopen", id=id), version=household.version, id="reopen"),
    }
