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


class Counter(Protocol):
    def __call__(self, uow: Uow, household_ids: Collection[int] | None) -> None: ...


_KEEPERS: list[Keeper] = []
_COUNTERS: list[Counter] = []


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


def add_counter(counter: Counter) -> None:
    """Have it called whenever numbers of persons that stand with households change. A second time changes nothing."""
    if counter not in _COUNTERS:
        _COUNTERS.append(counter)


def recounted(uow: Uow, household_ids: Collection[int] | None) -> None:
    """Tell the counters of households whose numbers of persons are others now, or that are gone; None: any may be."""
    for counter in _COUNTERS:
        counter(uow, household_ids)
