"""Writes declare their permission: the second of the two denials (the route's is the first)."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from xiangyue.access.permissions import Permission, lacking
from xiangyue.db.scope import Scope
from xiangyue.db.uow import Uow

R = TypeVar("R")

#: Everything decorated, so that start-up and the gates can check that each permission is registered.
DECLARED: dict[str, Permission | None] = {}


def acts(permission: Permission | None) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Declare a service function's permission; inside, the scope is the areas where the actor has it.

    ``None`` is for acts on one's own account and for steps before sign-in; it states that no right is needed.
    Raises Forbidden when the actor has the right nowhere.
    """

    def decorate(function: Callable[..., R]) -> Callable[..., R]:
        DECLARED[f"{function.__module__}.{function.__qualname__}"] = permission

        @functools.wraps(function)
        def guarded(uow: Uow, *args: Any, **kwargs: Any) -> R:
            if permission is None:
                return function(uow, *args, **kwargs)
            ranges = uow.actor.ranges(permission)
            if ranges == ():
                raise lacking(permission)
            with uow.scoped(Scope(uow.tenant_id, ranges)):
                return function(uow, *args, **kwargs)

        guarded.__permission__ = permission  # type: ignore[attr-defined]
        return guarded

    return decorate
