"""What other features keep in step with grids, within the transaction that changes them; and what they show on a grid's
page. Like ``households.kept``: what is kept here must be right at once, and never refuses a change."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Protocol

from xiangyue.db.uow import Uow
from xiangyue.features.grids.models import GridChange
from xiangyue.plugin.registry import PanelView


class Follower(Protocol):
    """Called after a change was written, or was taken back (``undone``); inside ``tenant_wide``, the village locked."""

    def __call__(self, uow: Uow, change: GridChange, *, undone: bool) -> None: ...


#: ``(uow, grid as found, on)`` -> what to show on the page of a leaf grid, or None.
GridPanel = Callable[[Uow, dict[str, object], date], PanelView | None]

_FOLLOWERS: list[Follower] = []
_PANELS: list[GridPanel] = []


def add_follower(follower: Follower) -> None:
    """Have it called whenever grids change. A second time changes nothing."""
    if follower not in _FOLLOWERS:
        _FOLLOWERS.append(follower)


def add_panel(panel: GridPanel) -> None:
    """Have it shown on the page of leaf grids. A second time changes nothing."""
    if panel not in _PANELS:
        _PANELS.append(panel)


def follow(uow: Uow, change: GridChange, *, undone: bool = False) -> None:
    """Tell the followers of a change that was written just now, or taken back."""
    for follower in _FOLLOWERS:
        follower(uow, change, undone=undone)


def panels(uow: Uow, grid: dict[str, object], on: date) -> list[PanelView]:
    """What others show on a grid's page on a day."""
    return [view for panel in _PANELS if (view := panel(uow, grid, on)) is not None]
