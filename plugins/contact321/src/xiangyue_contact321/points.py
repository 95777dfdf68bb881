"""Where colours come into the core's pages: household page, list of households, cockpit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from xiangyue.sdk.classifications import STANDING, ClassificationRow, OutcomeText, classifications_of
from xiangyue.sdk.db import Uow
from xiangyue.sdk.hooks import DashboardCard, HouseholdColumn, HouseholdFilter, HouseholdPanel, PanelView
from xiangyue.sdk.i18n import _l
from xiangyue.sdk.register import CLASSIFICATION_VIEW
from xiangyue_contact321 import law, policy, queries
from xiangyue_contact321.rule import CLASSIFIER

#: Key of the condition and the column, and of their parameters.
KEY = "contact321_colour"

#: Service by colour (HY-09): what it is called, and the document's words.
SERVICE = {
    "green": (_l("On call: the village stands by and serves when asked"), law.ONLINE),
    "yellow": (_l("Front line: contact persons visit regularly and serve as needed"), law.FRONT_LINE),
    "red": (_l("Hotline: one contact person stands by the household, one to one"), law.HOTLINE),
}


def colours(uow: Uow, ids: Sequence[int]) -> dict[int, ClassificationRow]:
    """What each household counts as, where the reader may see it."""
    found = {}
    for id, rows in classifications_of(uow, ids).items():
        for row in rows:
            if row.classifier.key == policy.COLOUR:
                found[id] = row
    return found


def build_panel(uow: Uow, household_id: int) -> PanelView | None:
    """Colour, on what it rests as far as anybody here may see it, and the service that goes with it."""
    row = colours(uow, [household_id]).get(household_id)
    if row is None:
        return None
    may_open = uow.actor.scope(CLASSIFICATION_VIEW).contains(row.values["area_code"])
    service = SERVICE.get(row.standing.key)
    return PanelView("contact321/panel.html", {"row": row, "service": service, "may_open": may_open})


def filter_choices(_uow: Uow) -> list[tuple[str, Any]]:
    return [(outcome.key, outcome.label) for outcome in CLASSIFIER.outcomes]


def filter_condition(_uow: Uow, value: str) -> tuple[str, Mapping[str, Any]]:
    """Households that count as this colour: what is in force, else what is proposed."""
    sql = (
        "h.id IN (SELECT c.household_id FROM classification c WHERE {tenant:c}"  # noqa: S608 - constants
        f" AND c.classifier = :{KEY}_rule AND c.state <> 'lapsed' AND {STANDING} = :{KEY}_value)"
    )
    return sql, {f"{KEY}_rule": policy.COLOUR, f"{KEY}_value": value}


def column_values(uow: Uow, ids: Sequence[int]) -> dict[int, OutcomeText]:
    return {id: OutcomeText.of([row], named=False) for id, row in colours(uow, ids).items()}


def build_card(uow: Uow, area: int) -> PanelView | None:
    """Households by colour and area."""
    lines = queries.overview(uow, area, width=queries.card_width(area))
    if not any(line.computed for line in lines):
        return None
    context = {"lines": lines, "total": queries.summed(lines), "outcomes": CLASSIFIER.outcomes}
    return PanelView("contact321/card.html", context)


PANEL = HouseholdPanel(KEY, _l("Three-colour household"), policy.VIEW, build_panel, position=12)
FILTER = HouseholdFilter(KEY, _l("Colour of the household"), policy.VIEW, filter_choices, filter_condition)
COLUMN = HouseholdColumn(KEY, _l("Colour of the household"), policy.VIEW, column_values)
CARD = DashboardCard("contact321_colours", _l("Three-colour households"), policy.VIEW, build_card, position=20)
