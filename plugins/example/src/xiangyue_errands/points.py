"""Where errands come into the core's pages: household page, list, cockpit, search, work list, roster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import url_for

from xiangyue.sdk.db import Uow
from xiangyue.sdk.hooks import (
    DashboardCard,
    Follows,
    HouseholdColumn,
    HouseholdFilter,
    HouseholdPanel,
    ImportColumn,
    NavItem,
    PanelView,
    PersonPanel,
    SearchHit,
    SearchKind,
    WorkItem,
    WorkProvider,
)
from xiangyue.sdk.i18n import _, _l, ngettext, today
from xiangyue.sdk.register import Person
from xiangyue_errands import queries, service, words
from xiangyue_errands.models import Errand
from xiangyue_errands.policy import EDIT, KINDS, VIEW

#: Lines of a panel, of the work list.
MOST = 10


def late_ones(uow: Uow) -> int | None:
    """How many are overdue, for the navigation; nothing when none is."""
    return queries.count_open(uow)[1] or None


def panel(uow: Uow, household_id: int) -> PanelView:
    """Open errands of the household, and the way to a new one."""
    lines = queries.list_errands(uow, household_id=household_id, limit=MOST)
    context = {"lines": lines, "household_id": household_id, "kinds": KINDS, "may_edit": uow.actor.can(EDIT)}
    return PanelView("errands/panel.html", context)


def person_panel(uow: Uow, person_id: int) -> PanelView | None:
    """The same on the page of a member; nothing where nothing is open."""
    found = panel(uow, uow.get(Person, person_id).household_id)
    return found if found.context["lines"] else None


def choices(_uow: Uow) -> Sequence[tuple[str, Any]]:
    return (("open", _l("With an open errand")), ("late", _l("With an overdue errand")))


def condition(_uow: Uow, value: str) -> tuple[str, Mapping[str, Any]]:
    """Households with an open (or overdue) errand."""
    sql = (
        "EXISTS (SELECT 1 FROM plugin_errands.errand e WHERE {tenant:e} AND e.household_id = h.id"
        " AND e.state = :errands_state_open AND (NOT :errands_state_late OR e.due_on < :errands_state_today))"
    )
    return sql, {
        "errands_state_open": "open",
        "errands_state_late": value == "late",
        "errands_state_today": today(),
    }


def column(uow: Uow, ids: Sequence[int]) -> Mapping[int, Any]:
    return {
        id: ngettext("%(n)d not finished", "%(n)d not finished", n)
        for id, n in queries.open_by_household(uow, ids).items()
    }


def card(uow: Uow, area: int) -> PanelView:
    open_now, late = queries.count_open(uow, area)
    context = {"open_now": open_now, "late": late, "stations": queries.count_stations(uow, area)}
    return PanelView("errands/card.html", context)


def find(uow: Uow, q: str, limit: int) -> Sequence[SearchHit]:
    return [
        SearchHit(line.errand.title, f"{KINDS[line.errand.kind]} · {line.head_name}", _url(line))
        for line in queries.search(uow, q, limit)
    ]


def work(uow: Uow) -> list[WorkItem]:
    """What is open for those who run errands, most urgent first."""
    if not uow.actor.can(EDIT):
        return []
    return [
        WorkItem(
            title=line.errand.title,
            detail=f"{KINDS[line.errand.kind]} · {line.head_name}",
            url=_url(line),
            act=_("Ask again") if line.errand.ask_again else _("Finish it"),
            due=line.errand.due_on.isoformat(),
            state="late" if line.late else "",
        )
        for line in queries.list_errands(uow, limit=MOST)
    ]


def _url(line: queries.Line) -> str:
    return url_for("errands.show_errand", id=line.id)


def take_wishes(uow: Uow, values: Sequence[tuple[int, Any]]) -> None:
    """Wishes that stand in a roster become errands."""
    service.open_from_roster(uow, wishes=[(id, str(text).strip()) for id, text in values if str(text).strip()])


NAVIGATION = NavItem(
    "errands",
    _l("Errands"),
    "errands.list_errands",
    VIEW,
    group="contact",
    icon="checklist",
    late=True,
    count=late_ones,
)
PANEL = HouseholdPanel("errands_open", _l("Errands"), VIEW, panel)
PERSON_PANEL = PersonPanel("errands_person", _l("Errands of the household"), VIEW, person_panel)
FILTER = HouseholdFilter("errands_state", _l("Errands"), VIEW, choices, condition)
COLUMN = HouseholdColumn("errands_open", _l("Errands"), VIEW, column)
CARD = DashboardCard("errands_open", _l("Errands"), VIEW, card)
FOLLOWS = Follows("errands_errand", _l("Errands"), "household", Errand, "household_id", open=Errand.state == "open")
SEARCH = SearchKind("errands_errand", _l("Errands"), VIEW, find)
WORK = WorkProvider("errands.open", work)
ROSTER = ImportColumn(
    "errands_wish",
    words.ROSTER_NAMES,
    "text",
    take_wishes,
    help=_l("What the household asks the village to do for it."),
    example=words.ROSTER_EXAMPLE,
)
