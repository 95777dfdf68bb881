"""The one door for hand-written SQL on tenant-owned tables.

The statement names its scope: ``{scope:h}`` expands to the tenant equality and the area ranges of alias ``h``,
``{tenant:m}`` to the tenant equality alone (for tables without an area). A statement without either is refused, and a
gate bans ``text()`` and raw cursors elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import CursorResult, text
from sqlalchemy.orm import Session

from xiangyue.db.scope import Scope

_PLACEHOLDER = re.compile(r"\{(scope|tenant):([a-z_][a-z0-9_]*)\}")


class UnscopedSql(Exception):
    """The SQL names no scope placeholder."""


@lru_cache(maxsize=1024)
def _expand(sql: str, ranges: int | None) -> str:
    if not _PLACEHOLDER.search(sql):
        raise UnscopedSql(f"no {{scope:alias}} or {{tenant:alias}} in: {sql[:120]}")

    def replace(match: re.Match[str]) -> str:
        kind, alias = match.groups()
        tenant = f"{alias}.tenant_id = :scope_tenant"
        if kind == "tenant" or ranges is None:
            return tenant
        if ranges == 0:
            return f"({tenant} AND false)"
        within = " OR ".join(
            f"{alias}.area_code BETWEEN :scope_lo{i} AND :scope_hi{i}" for i in range(ranges)
        )
        return f"({tenant} AND ({within}))"

    return _PLACEHOLDER.sub(replace, sql)


def _parameters(scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
    bound = {**params, "scope_tenant": scope.tenant_id}
    for i, (lo, hi) in enumerate(scope.ranges or ()):
        bound[f"scope_lo{i}"], bound[f"scope_hi{i}"] = lo, hi
    return bound


def scoped_sql(
    session: Session, sql: str, params: Mapping[str, Any] | None = None, /, *, scope: Scope | None = None
) -> CursorResult[Any]:
    """Run SQL with named ``:parameters`` inside the session's scope (or a narrower one). Raises UnscopedSql."""
    scope = scope or session.info["scope"]
    expanded = _expand(sql, None if scope.ranges is None else len(scope.ranges))
    result = session.connection().execute(text(expanded), _parameters(scope, params or {}))
    return result  # type: ignore[return-value]


_NAMED = re.compile(r"(?<!:):([a-z_][a-z0-9_]*)")


@lru_cache(maxsize=1024)
def _driver_style(expanded: str) -> str:
    return _NAMED.sub(r"%(\1)s", expanded.replace("%", "%%"))


def scoped_rows(
    session: Session, sql: str, params: Mapping[str, Any] | None = None, /, *, scope: Scope | None = None
) -> list[tuple[Any, ...]]:
    """The same, straight from the driver as tuples: for hot lists, where the ORM costs more than the query."""
    scope = scope or session.info["scope"]
    expanded = _driver_style(_expand(sql, None if scope.ranges is None else len(scope.ranges)))
    connection = session.connection().connection.driver_connection
    assert connection is not None
    with connection.cursor() as cursor:
        rows: list[tuple[Any, ...]] = cursor.execute(expanded, _parameters(scope, params or {})).fetchall()
    return rows
