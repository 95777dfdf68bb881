"""What other features keep of a person where no column has the person's id, and what becomes of it when the person is
erased (`Follows.erase` says it of rows)."""

from __future__ import annotations

from collections.abc import Callable, Collection

from xiangyue.db.uow import Uow

#: ``(uow, person_ids)``: called inside ``tenant_wide``, in the transaction of the erasure, before rows are erased.
Forgetter = Callable[[Uow, Collection[int]], None]

_FORGETTERS: list[Forgetter] = []


def add_forgetter(forgetter: Forgetter) -> None:
    """Have it called whenever everything that says who somebody was is erased. A second time changes nothing."""
    if forgetter not in _FORGETTERS:
        _FORGETTERS.append(forgetter)


def forget(uow: Uow, person_ids: Collection[int]) -> None:
    """Tell the forgetters."""
    for forgetter in _FORGETTERS:
        forgetter(uow, person_ids)
