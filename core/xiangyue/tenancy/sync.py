"""Makes a table of a county hold what its profile says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from sqlalchemy import select

from xiangyue.db.base import TenantOwned
from xiangyue.db.uow import Uow
from xiangyue.tenancy.provision import Change

M = TypeVar("M", bound=TenantOwned)


def sync_rows(
    uow: Uow,
    model: type[M],
    key: str,
    wanted: Mapping[Any, Mapping[str, Any]],
    *,
    label: str,
    name: str = "name",
    retire: bool = True,
) -> list[Change]:
    """Add what is missing, change what differs, set ``active`` to false on what the profile no longer names
    (``retire``): rows are referred to by others and are never deleted. ``wanted`` maps the key to column values."""
    changes: list[Change] = []
    known = {getattr(row, key): row for row in uow.session.scalars(select(model))}
    for value, columns in wanted.items():
        row = known.get(value)
        title = f"{label} {columns.get(name) or value}"
        if row is None:
            uow.session.add(model(**{key: value, **columns}))
            changes.append(Change("add", title))
            continue
        target = {**columns, "active": True} if retire else columns
        for column, new in target.items():
            old = getattr(row, column)
            if old != new:
                setattr(row, column, new)
                changes.append(Change("change", f"{title} {column}", old, new))
    if retire:
        for value, row in known.items():
            if value not in wanted and row.active:  # type: ignore[attr-defined]
                row.active = False  # type: ignore[attr-defined]
                changes.append(Change("remove", f"{label} {getattr(row, name, value)}"))
    uow.session.flush()
    return changes
