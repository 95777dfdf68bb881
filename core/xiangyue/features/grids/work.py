"""What is owed for grids, in the work list and on the cockpit: each line leads to the list of exactly those."""

from __future__ import annotations

from typing import Any

from flask import url_for

from xiangyue.db.uow import Uow
from xiangyue.features.areas.queries import code_text
from xiangyue.features.grids import queries, queries_coverage, queries_households, queries_posts
from xiangyue.features.grids.conditions import soon
from xiangyue.features.grids.pages.coverage import NUMBERS, number_url
from xiangyue.features.grids.policy import GRID_EDIT, GRID_VIEW, ROLES
from xiangyue.features.households.person_input import today
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.i18n import ngettext
from xiangyue.plugin.registry import DashboardCard, PanelView, WorkItem, WorkProvider


def find_work(uow: Uow) -> list[WorkItem]:
    """For those who may change grids, in their area: households in no grid, leaders who are gone or whose term ends."""
    if uow.actor.kind == "system" or not uow.actor.can(GRID_EDIT):
        return []
    day = today()
    with uow.scoped(uow.scope.within(uow.actor.scope(GRID_EDIT))):
        if not queries.any_grid(uow):
            return []
        waiting = queries_households.count_households(uow, queries_households.NONE, 0, day)
        led = queries_coverage.leaders_owed(uow, day)

    def line(title: Any, detail: Any, key: str, act: Any, state: str) -> WorkItem:
        return WorkItem(title, detail, number_url(key, 0, day, queries_coverage.SOON_DAYS), act, state=state)

    found = []
    if waiting:
        title = ngettext("%(n)d household lies in no grid", "%(n)d households lie in no grid", waiting)
        found.append(line(title, _("Nobody answers for them."), "waiting", _("Put them into a grid"), "late"))
    for key, title, state in (
        ("leader_gone", _("Grid leaders who have died or moved away"), "late"),
        ("term_over", _("Grid leaders whose term is over"), "late"),
        ("term_soon", _("Grid leaders whose term ends soon"), "soon"),
    ):
        if number := getattr(led, key):
            detail = ngettext("%(n)d grid", "%(n)d grids", number)
            found.append(line(title, detail, key, _("Look at the grids"), state))
    return found


def find_own_terms(uow: Uow) -> list[WorkItem]:
    """For somebody in charge of a grid, by his or her account: that the term is over or ends soon."""
    if uow.actor.account_id is None:
        return []
    day, found = today(), []
    with uow.tenant_wide("somebody's own posts, wherever they are"):
        terms = queries_posts.own_terms(uow, uow.actor.account_id, day, soon(day))
    for one in terms:
        what = {"post": ROLES[one["role"]], "grid": one["name"], "day": one["term_until"].isoformat()}
        over = one["term_until"] < day
        title = (_("Your term is over since %(day)s: %(post)s of %(grid)s", **what) if over
                 else _("Your term ends on %(day)s: %(post)s of %(grid)s", **what))  # fmt: skip
        detail = _("Your village or town says who goes on.")
        url, act = url_for("grids.board", token=one["token"]), _("Look at the board")
        found.append(WorkItem(title, detail, url, act, due=one["term_until"], state="late" if over else "soon"))
    return found


#: Numbers of the card.
SHOWN = ("waiting", "unexplained", "leaderless", "leader_gone", "term_over", "org_late")


def _card(uow: Uow, area: int) -> PanelView | None:
    if not queries.any_grid(uow):
        return None
    day = today()
    total = queries_coverage.summed(queries_coverage.coverage(uow, area, day))
    return PanelView(
        "grids/coverage_card.html",
        {
            "total": total,
            "numbers": NUMBERS,
            "keys": [key for key in SHOWN if getattr(total, key) is not None],
            "url": lambda key: number_url(key, area, day, queries_coverage.SOON_DAYS),
            "page_url": url_for("grids.show_coverage", area=code_text(area) if area else "all"),
        },
    )


WORK = WorkProvider("grids.owed", find_work)
OWN = WorkProvider("grids.own_terms", find_own_terms)
CARD = DashboardCard("grid_coverage", _l("Grid coverage"), GRID_VIEW, _card, position=15)
