"""Taking a change back: exactly, as long as nothing was built on it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import insert, select

from xiangyue.db.base import Json
from xiangyue.db.scope import area_range
from xiangyue.db.uow import Uow
from xiangyue.features.grids.following import follow
from xiangyue.features.grids.kept_sizes import recount
from xiangyue.features.grids.models import Grid, GridChange, GridHousehold, GridVersion
from xiangyue.features.grids.policy import CHANGES
from xiangyue.features.grids.posting import posts_built_on, put_posts_back
from xiangyue.features.grids.writing import refresh_areas, row_of
from xiangyue.i18n import lazy_gettext as _l

Rows = type[GridVersion] | type[GridHousehold]
#: Changes that leave households and tree as they are.
_IN_NAME_ONLY = ("rename", "recode", "boundary")
PAIRS: Sequence[tuple[str, Rows]] = (("versions", GridVersion), ("households", GridHousehold))


def built_on(uow: Uow, change: GridChange, *, alone: bool = True) -> list[str]:
    """What was built on a done change, in words; empty: it can be taken back. ``alone``: False where all that was
    written in the same transaction, as by an import, goes back with it. The caller is inside ``tenant_wide``."""
    mine = change.changes
    grids, near = {*mine["grids"], *mine["made"]}, set(mine["near"])
    households = set(mine["touched"])
    against = []
    later = (
        select(GridChange)
        .where(
            GridChange.id > change.id,
            GridChange.state == "done",
            GridChange.area_code.between(*area_range(change.area_code)),
        )
        .order_by(GridChange.id)
    )
    if not alone:
        later = later.where(GridChange.created_at != change.created_at)
    for other in uow.session.scalars(later):
        theirs = {*other.changes["grids"], *other.changes["made"]}
        stands = grids & theirs or households & set(other.changes["touched"])
        if other.kind not in _IN_NAME_ONLY:
            stands = stands or near & theirs
        if change.kind not in _IN_NAME_ONLY:
            stands = stands or grids & set(other.changes["near"])
        if stands:
            against.append(
                str(_l("%(change)s on %(day)s (no. %(id)s)", change=CHANGES[other.kind],
                       day=other.on_date.isoformat(), id=other.id))
            )  # fmt: skip
    against += posts_built_on(uow, change)
    if not against and not _untouched(uow, change):
        against.append(str(_l("households that were taken out of the register, or moved, since")))
    return against


def _untouched(uow: Uow, change: GridChange) -> bool:
    for key, model in PAIRS:
        kept = change.changes[key]
        opened = select(model.id).where(model.id.in_(kept["opened"]), model.opened_by == change.id)
        ended = select(model.id).where(model.id.in_([id for id, *_was in kept["ended"]]), model.ended_by == change.id)
        if len(list(uow.session.scalars(opened))) != len(kept["opened"]):
            return False
        if len(list(uow.session.scalars(ended))) != len(kept["ended"]):
            return False
    return True


def put_back(uow: Uow, change: GridChange) -> None:
    """Rows as they were before the change. The caller has asked ``built_on`` and locked the village."""
    for key, model in PAIRS:
        kept = change.changes[key]
        for row in uow.session.scalars(select(model).where(model.id.in_(kept["opened"]))):
            uow.session.delete(row)
        uow.session.flush()
        before = {id: (valid_to, ended_by) for id, valid_to, ended_by in kept["ended"]}
        ended: list[GridVersion | GridHousehold] = list(
            uow.session.scalars(select(model).where(model.id.in_(list(before))))
        )
        for row in ended:
            valid_to, row.ended_by = before[row.id]
            row.valid_to = date.fromisoformat(valid_to) if valid_to else None
        uow.session.flush()
        _insert_again(uow, model, kept["removed"])
    put_posts_back(uow, change)
    if "code" in change.changes:
        uow.session.scalars(select(Grid).where(Grid.id == change.changes["grids"][0])).one().code = change.changes[
            "code"
        ]
    refresh_areas(uow, [*change.changes["grids"], *change.changes["made"]])


def _insert_again(uow: Uow, model: Rows, removed: Sequence[Json]) -> None:
    rows: list[dict[str, Any]] = [{**row_of(model, kept), "tenant_id": uow.tenant_id} for kept in removed]
    if rows:
        uow.session.execute(insert(model), rows)


def mark_undone(uow: Uow, change: GridChange, reason: str) -> None:
    change.state, change.undone_reason = "undone", reason
    change.undone_at = datetime.now(UTC)
    change.undone_by_name = uow.actor.name or uow.actor.login
    change.version += 1
    uow.session.flush()
    recount(uow, {*change.changes["near"], *change.changes["grids"]})
    follow(uow, change, undone=True)
