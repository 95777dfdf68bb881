"""Posts that change because grids do: who looked after a grid that ends leaves with it, who was proposed in a plan
begins with it. What was done stands in the change, so that its undo puts it back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from sqlalchemy import insert, or_, select

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit
from xiangyue.db.base import Json
from xiangyue.db.scope import area_range
from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.features.grids.models import GridChange, GridPost
from xiangyue.features.grids.policy import GRID_EDIT
from xiangyue.features.grids.service_posts import REASON_LENGTH, appoint, end_post
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.dispatch import publish

_DATES = ("valid_from", "valid_to", "term_until")


def nothing() -> Json:
    """``opened``: ids of posts; ``ended``: [id, valid_to before, ended_reason before]; ``removed``: whole rows."""
    return {"opened": [], "ended": [], "removed": []}


def end_with_grids(uow: Uow, change: GridChange, gone: Collection[int]) -> Json:
    """Nobody is in charge of a grid that no longer stands. Returns what to put back. The caller is inside
    ``tenant_wide``."""
    kept = nothing()
    standing = select(GridPost).where(
        GridPost.grid_id.in_(list(gone)),
        or_(GridPost.valid_to.is_(None), GridPost.valid_to > change.on_date),
    )
    for post in uow.session.scalars(standing.order_by(GridPost.id)):
        if post.valid_from >= change.on_date:
            kept["removed"].append(_plain(post))
            uow.session.delete(post)
            continue
        kept["ended"].append([post.id, post.valid_to and post.valid_to.isoformat(), post.ended_reason])
        post.valid_to = change.on_date
        post.ended_reason = (change.reason or _("The grid ended."))[:REASON_LENGTH]
        post.version += 1
        audit(uow, action="grid.end_post", obj=post, label=post.name,
              after={"on": change.on_date, "reason": post.ended_reason})  # fmt: skip
        publish(uow, "grid_leader_happened", grid_id=post.grid_id, post_id=post.id, action="grid.end_post")
    uow.session.flush()
    return kept


@acts(GRID_EDIT)
def give_post(
    uow: Uow, *, change: GridChange, grid_id: int, name: str, person_id: int | None, term_until: date | None,
    office_phone: str = "", reason: str = "",
) -> GridPost | None:  # fmt: skip
    """The principal leader of a grid from the change's day on: a person of the register, or ``name`` from outside.
    Whoever answered for it until then ends with the change's reason; whoever does already stays (None). ``reason``:
    needed where a rule warns. Raises as `appoint`."""
    kept = _kept(change)
    present = uow.session.scalars(
        select(GridPost).where(
            GridPost.grid_id == grid_id, GridPost.role == "leader", GridPost.valid_from <= change.on_date,
            or_(GridPost.valid_to.is_(None), GridPost.valid_to > change.on_date),
        )
    ).all()  # fmt: skip
    if any(_same(post, person_id, name) and post.principal for post in present):
        return None
    for post in present:
        if post.principal or _same(post, person_id, name):
            kept["ended"].append([post.id, post.valid_to and post.valid_to.isoformat(), post.ended_reason])
            end_post(uow, post_id=post.id, version=post.version, on=change.on_date,
                     reason=(change.reason or _("Another leader by the plan."))[:REASON_LENGTH])  # fmt: skip
    post = appoint(
        uow, grid_id=grid_id, role="leader", principal=True, person_id=person_id, name=name,
        valid_from=change.on_date, term_until=term_until, office_phone=office_phone, reason=reason,
    )  # fmt: skip
    kept["opened"].append(post.id)
    near = sorted({*change.changes["near"], grid_id})
    change.changes = {**change.changes, "posts": kept, "near": near}
    uow.session.flush()
    return post


def _same(post: GridPost, person_id: int | None, name: str) -> bool:
    return post.person_id == person_id if person_id is not None else post.person_id is None and post.name == name


def posts_built_on(uow: Uow, change: GridChange) -> list[str]:
    """Posts given or ended by hand since in grids that the change made or whose posts it changed, in words."""
    kept = _kept(change)
    ended = {id for id, *_was in kept["ended"]}
    mine = {*kept["opened"], *ended}
    touched = select(GridPost.grid_id).where(GridPost.id.in_(list(mine)))
    grids = {*change.changes["made"], *uow.session.scalars(touched), *(row["grid_id"] for row in kept["removed"])}
    against = []
    rows = uow.session.scalars(select(GridPost).where(GridPost.grid_id.in_(list(grids))).order_by(GridPost.id))
    for post in rows:
        later = post.id not in mine and post.created_at > change.created_at
        altered = (post.id in kept["opened"] and post.version != 1) or (
            post.id in ended and post.valid_to != change.on_date
        )
        if later or altered:
            against.append(str(_l("%(name)s's post in the grid", name=post.name)))
    return against


def put_posts_back(uow: Uow, change: GridChange) -> None:
    """As they were before the change."""
    kept = _kept(change)
    for post in uow.session.scalars(select(GridPost).where(GridPost.id.in_(kept["opened"]))):
        audit(uow, action="grid.end_post", obj=post, label=post.name, after={"reason": _("The change was undone.")})
        uow.session.delete(post)
    uow.session.flush()
    before: Mapping[int, Any] = {id: was for id, *was in kept["ended"]}
    for post in uow.session.scalars(select(GridPost).where(GridPost.id.in_(list(before)))):
        valid_to, post.ended_reason = before[post.id]
        post.valid_to = date.fromisoformat(valid_to) if valid_to else None
        post.version += 1
    rows = [{**_row(kept_row), "tenant_id": uow.tenant_id} for kept_row in kept["removed"]]
    if rows:
        uow.session.execute(insert(GridPost), rows)
    uow.session.flush()


def _kept(change: GridChange) -> Json:
    """A copy: the change would not see that its own lists grew. Older changes have none."""
    return {name: list(rows) for name, rows in {**nothing(), **change.changes.get("posts", {})}.items()}


def _plain(post: GridPost) -> Json:
    names = ("id", "grid_id", "area_code", "role", "principal", "person_id", "name", "unit", "office_phone",
             "ended_reason", "warnings", "warning_reason", "version", "account_id")  # fmt: skip
    found = {name: getattr(post, name) for name in names}
    return found | {name: value and value.isoformat() for name in _DATES for value in [getattr(post, name)]}


def _row(kept: Mapping[str, Any]) -> dict[str, Any]:
    return {name: date.fromisoformat(v) if name in _DATES and v else v for name, v in kept.items()}


_CALLED = """
SELECT p.name, p.id, h.code FROM person p JOIN household h ON h.id = p.household_id
 WHERE {scope:p} AND {tenant:h} AND p.state = 'active' AND p.area_code BETWEEN :lo AND :hi AND p.name = ANY(:names)
   AND (p.birth_date IS NULL OR p.birth_date <= CAST(:on AS date) - 6574)
 ORDER BY h.code, p.id
"""


def people_called(uow: Uow, area: int, names: Collection[str], on: date) -> dict[str, list[tuple[int, str]]]:
    """Grown-ups of these names in the village of an area, as far as the actor sees them: (id, name and household
    number)."""
    lo, hi = area_range(area - area % 1000)
    found: dict[str, list[tuple[int, str]]] = {}
    for name, id, code in scoped_rows(uow.session, _CALLED, {"lo": lo, "hi": hi, "names": sorted(names), "on": on}):
        found.setdefault(name, []).append((id, f"{name} {code[-4:]}"))
    return found


@acts(GRID_EDIT)
def take_away(uow: Uow, *, post: GridPost) -> None:
    """A post given by an import that is undone."""
    audit(uow, action="grid.end_post", obj=post, label=post.name, after={"reason": _("The import was undone")})
    uow.session.delete(post)
    uow.session.flush()


@acts(GRID_EDIT)
def go_on(uow: Uow, *, post: GridPost) -> None:
    """A post that an import ended which is undone."""
    post.valid_to, post.ended_reason = None, ""
    post.version += 1
    audit(uow, action="grid.appoint", obj=post, label=post.name, after={"reason": _("The import was undone")})
    uow.session.flush()
