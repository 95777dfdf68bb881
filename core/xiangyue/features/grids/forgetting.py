"""Changes of grids keep posts as they were, to put them back: without the name of somebody who was erased."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import or_, select

from xiangyue.db.uow import Uow
from xiangyue.features.grids.models import GridChange, GridPost

#: What stands in the place of what says who it was.
NOBODY: dict[str, Any] = {
    "name": "\uff0a", "unit": "", "office_phone": "", "ended_reason": "", "warnings": [], "warning_reason": "",
    "account_id": None,
}  # fmt: skip


def forget_posts(uow: Uow, person_ids: Collection[int]) -> None:
    """In particulars of changes, posts that these persons had."""
    own = set(uow.session.scalars(select(GridPost.id).where(GridPost.person_id.in_(person_ids))))
    posts = GridChange.changes["posts"]
    theirs = [posts["removed"].contains([{"person_id": id}]) for id in sorted(person_ids)]
    theirs += [posts["ended"].contains([[id]]) for id in sorted(own)]
    for change in uow.session.scalars(select(GridChange).where(or_(*theirs)).order_by(GridChange.id)):
        kept = change.changes["posts"]
        removed = [{**row, **NOBODY} if row["person_id"] in person_ids else row for row in kept["removed"]]
        ended = [[id, until, "" if id in own else why] for id, until, why in kept["ended"]]
        change.changes = {**change.changes, "posts": {**kept, "removed": removed, "ended": ended}}
    uow.session.flush()
