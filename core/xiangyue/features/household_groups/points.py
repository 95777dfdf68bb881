"""What the feature shows on other pages: a household's group, a grid's groups, groups among what the search finds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from flask import url_for

from xiangyue.db.uow import Uow
from xiangyue.features.household_groups import queries
from xiangyue.features.household_groups.models import HouseholdGroupHead
from xiangyue.features.household_groups.policy import GROUP_EDIT, GROUP_VIEW, PROBLEMS
from xiangyue.features.household_groups.sizes import group_size
from xiangyue.features.households.person_input import today
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.registry import Follows, HouseholdPanel, PanelView, SearchHit, SearchKind

#: Groups on a grid's page; the list has all of them.
SHOWN = 50


def _panel(uow: Uow, household_id: int) -> PanelView | None:
    found = queries.groups_of(uow, household_id, today())
    if not found:
        return None
    now = next((g for g in found if g["since"] <= today() and (g["until"] is None or g["until"] > today())), None)
    others = [g for g in found if g is not now]
    return PanelView("household_groups/household.html", {"now": now, "others": others, "problems": PROBLEMS})


def grid_panel(uow: Uow, grid: dict[str, Any], on: date) -> PanelView | None:
    """Groups of a leaf grid, and how many of its households are in none."""
    if not grid["leaf"] or not grid["standing"] or not uow.actor.can(GROUP_VIEW):
        return None
    wanted = queries.GroupFilter(on=on, grid=grid["id"])
    rows = queries.list_groups(uow, wanted, limit=SHOWN).items
    number = len(rows) if len(rows) < SHOWN else queries.count_groups(uow, wanted)
    may = on == today() and uow.actor.scope(GROUP_EDIT).contains(grid["area_code"])
    return PanelView(
        "household_groups/grid.html",
        {
            "grid": grid,
            "groups": rows,
            "number": number,
            "free": queries.count_free(uow, grid["id"], on),
            "may_edit_groups": may,
            "problems": PROBLEMS,
            "size": group_size(uow),
        },
    )


def _find(uow: Uow, q: str, limit: int) -> Sequence[SearchHit]:
    page = queries.list_groups(uow, queries.GroupFilter(on=today(), q=q), limit=limit)
    return [
        SearchHit(item["name"], f"{item['area_name']} {item['head_name'] or ''}".strip(),
                  url_for("household_groups.show_group", id=item["id"])) for item in page.items
    ]  # fmt: skip


PANEL = HouseholdPanel("household_group", _l("Ten-household group"), GROUP_VIEW, _panel, position=6)
SEARCH = SearchKind("household_groups", _l("Ten-household groups"), GROUP_VIEW, _find)
FOLLOWS = Follows(
    "household_group_head", _l("Heads of ten-household groups"), "person", HouseholdGroupHead, "person_id",
    open=HouseholdGroupHead.valid_to.is_(None), erase={"name": "\uff0a", "ended_reason": ""}, own_place=True,
)  # fmt: skip
