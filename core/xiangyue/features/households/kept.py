"""What other features keep in step with households, within the transaction that changes them.

No hook: a plugin is told afterwards. What is kept here must be right at once, and never refuses an act.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import Protocol

from xiangyue.db.uow import Uow


class Keeper(Protocol):
    """``on``: the day it happened; ``act_id``: the act of the register, ``undone``: it was taken back just now;
    ``came_from``: the household that a new one was split from."""

    def __call__(
        self,
        uow: Uow,
        household_ids: Collection[int],
        on: date,
        *,
        act_id: int | None = None,
        undone: bool = False,
        came_from: Mapping[int, int] | None = None,
    ) -> None: ...


_KEEPERS: list[Keeper] = []


def add_keeper(keeper: Keeper) -> None:
    """Have it called whenever households come, go, close, open or move. A second time changes nothing."""
    if keeper not in _KEEPERS:
        _KEEPERS.append(keeper)


def keep(
    uow: Uow,
    household_ids: Collection[int],
    on: date,
    *,
    act_id: int | None = None,
    undone: bool = False,
    came_from: Mapping[int, int] | None = None,
) -> None:
    """Tell the keepers of households that came, went, closed, opened or moved on that day."""
    for keeper in _KEEPERS:
        keeper(uow, household_ids, on, act_id=act_id, undone=undone, came_from=came_from)
