"""What other features keep in step with areas, within the transaction that changes them.

Like ``households.kept``: what is kept here must be right at once, and never refuses a change. What follows
from a change goes back with it: it does not count as built on it.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Literal, Protocol

from xiangyue.db.scope import Scope
from xiangyue.db.sql import scoped_sql, stage_rows
from xiangyue.db.uow import Uow
from xiangyue.features.areas.changes import tables
from xiangyue.features.areas.models import AreaChange

# ruff: noqa: S608 - statements are put together from names of tables that are checked

#: ``done``: rows lie in the new areas, just now; ``undoing``: what followed is to go back, before rows do; ``undone``:
#: all lies where it did.
Stage = Literal["done", "undoing", "undone"]


class Follower(Protocol):
    """``household_ids``: those that the change put elsewhere. Called inside ``tenant_wide``."""

    def __call__(self, uow: Uow, stage: Stage, *, change_id: int, household_ids: Collection[int], on: date) -> None: ...


_FOLLOWERS: list[Follower] = []


def add_follower(follower: Follower) -> None:
    """Have it called whenever a change of areas is put in force or taken back. A second time changes nothing."""
    if follower not in _FOLLOWERS:
        _FOLLOWERS.append(follower)


def follow(uow: Uow, stage: Stage, change: AreaChange, household_ids: Collection[int]) -> None:
    """Tell the followers, and note what they wrote in areas that the change made; that goes back with the others."""
    uow.session.flush()
    for follower in _FOLLOWERS:
        follower(uow, stage, change_id=change.id, household_ids=household_ids, on=change.on_date)
    uow.session.flush()


def note_rows(uow: Uow, change: AreaChange, origins: dict[int, int], area_tables: list[tables.AreaTable]) -> None:
    """Note rows that lie in areas of ``origins`` (made area -> where from) and were not noted: followers wrote them."""
    if not origins:
        return
    codes = {"from_code": "bigint", "to_code": "bigint"}
    stage_rows(uow.session, "stage_area_code", codes, sorted((old, new) for new, old in origins.items()))
    for table in area_tables:
        if table.links or table.alone or table.table in tables.SEARCH:
            continue
        scoped_sql(
            uow.session,
            "INSERT INTO area_moved_row (tenant_id, change_id, table_name, id, from_code, to_code)"
            f" SELECT x.tenant_id, :change, '{table.name}', x.id, g.from_code, g.to_code"
            f" FROM {table.name} x JOIN stage_area_code g ON x.area_code = g.to_code"
            " WHERE {tenant:x} AND {tenant:g} AND NOT EXISTS (SELECT 1 FROM area_moved_row r WHERE {tenant:r}"
            f" AND r.change_id = :change AND r.table_name = '{table.name}' AND r.id = x.id)",
            {"change": change.id},
            scope=Scope(uow.tenant_id),
        )
