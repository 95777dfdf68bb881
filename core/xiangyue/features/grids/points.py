"""What the feature shows on other pages: a household's grid, grids among what the search finds."""

from __future__ import annotations

from collections.abc import Sequence

from flask import url_for
from sqlalchemy import select

from xiangyue.db.uow import Uow
from xiangyue.features.grids import queries, queries_posts
from xiangyue.features.grids.boundaries.rings import contains
from xiangyue.features.grids.forgetting import NOBODY
from xiangyue.features.grids.models import GridPost
from xiangyue.features.grids.policy import GRID_EDIT, GRID_VIEW, ROLES
from xiangyue.features.grids.queries_boundaries import around
from xiangyue.features.grids.standing import village_of
from xiangyue.features.households.location import degrees
from xiangyue.features.households.models import Household
from xiangyue.features.households.person_input import today
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.registry import Follows, HouseholdPanel, PanelView, PersonPanel, SearchHit, SearchKind


def _panel(uow: Uow, household_id: int) -> PanelView | None:
    found = queries.grids_of(uow, household_id)
    if not found and not queries.any_grid(uow):
        return None
    now = next((g for g in found if g["since"] <= today() and (g["until"] is None or g["until"] > today())), None)
    others = [grid for grid in found if grid is not now]
    return PanelView(
        "grids/household.html",
        {"now": now, "others": others, "today": today(), "household_id": household_id,
         "may_edit": uow.actor.can(GRID_EDIT), "outside": _outside(uow, household_id)},
    )  # fmt: skip


def _person_panel(uow: Uow, person_id: int) -> PanelView | None:
    """The grid of the household where the person belongs, and the posts in grids."""
    household = queries_posts.household_of(uow, person_id)
    found = queries.grids_of(uow, household) if household else []
    day = today()
    now = next((g for g in found if g["since"] <= day and (g["until"] is None or g["until"] > day)), None)
    posts = queries_posts.posts_of_person(uow, person_id)
    if now is None and not posts:
        return None
    return PanelView("grids/person.html", {"now": now, "posts": posts, "today": day, "roles": ROLES})


def _outside(uow: Uow, household_id: int) -> str:
    """Whether a located household lies outside the outline of its "grid" or "village", where these are known."""
    found = select(Household.location, Household.area_code).where(Household.id == household_id)
    household = uow.session.execute(found).one_or_none()
    at = degrees(household.location) if household is not None else None
    if household is None or at is None:
        return ""
    home = next((g["grid_id"] for g in queries.grids_of(uow, household_id)
                 if g["since"] <= today() and (g["until"] is None or g["until"] > today())), None)  # fmt: skip
    outside = [
        (id, level)
        for id, level, outline in around(uow, village_of(household.area_code), home, today())
        if not contains(outline, at)
    ]
    if any(level == 1 for _id, level in outside):
        return "village"
    return "grid" if any(id == home for id, _level in outside) else ""


def _find(uow: Uow, q: str, limit: int) -> Sequence[SearchHit]:
    page = queries.list_grids(uow, queries.GridFilter(on=today(), q=q), limit=limit)
    return [
        SearchHit(item["name"], f"{item['code']} {item['area_name']}", url_for("grids.show_grid", id=item["id"]))
        for item in page.items
    ]


PANEL = HouseholdPanel("grid", _l("Grid"), GRID_VIEW, _panel, position=5)
PERSON_PANEL = PersonPanel("grid", _l("Grid"), GRID_VIEW, _person_panel, position=35)
#: Who was in charge when stays without the name.
FOLLOWS = Follows(
    "grid_post", _l("Posts in grids"), "person", GridPost, "person_id", open=GridPost.valid_to.is_(None),
    own_place=True,
    erase=NOBODY,
)  # fmt: skip
SEARCH = SearchKind("grids", _l("Grids"), GRID_VIEW, _find)
