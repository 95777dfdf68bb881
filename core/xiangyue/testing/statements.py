"""Reads every statement that reached PostgreSQL during the tests: tenant-owned tables need the explicit equality.

Row-level security would hold without it, but the equality is the second wall, makes the policy free of cost and is
what prunes shards.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import sqlglot
from sqlalchemy import Engine, event
from sqlglot import exp

from xiangyue.db.base import Base, TenantOwned, table_name

#: Distinct statements seen in this process.
SEEN: set[str] = set()
_paused = False


@contextmanager
def paused() -> Iterator[None]:
    """Do not record: for tests that take the scope away on purpose."""
    global _paused
    _paused = True
    try:
        yield
    finally:
        _paused = False


def _remember(query: Any) -> None:
    if not _paused:
        SEEN.add(query if isinstance(query, str) else str(query))


class RecordingCursor(psycopg.Cursor[Any]):
    """A cursor that remembers each distinct statement text."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        _remember(query)
        return super().execute(query, params, **options)

    def executemany(self, query: Any, params_seq: Any, **options: Any) -> None:
        _remember(query)
        super().executemany(query, params_seq, **options)


def record(engine: Engine) -> None:
    """Remember what goes over the engine's connections, the ORM's and the driver's alike."""

    def on_connect(connection: psycopg.Connection[Any], _record: Any) -> None:
        connection.cursor_factory = RecordingCursor

    event.listen(engine, "connect", on_connect)


def tenant_tables() -> frozenset[str]:
    return frozenset(table_name(m.class_) for m in Base.registry.mappers if issubclass(m.class_, TenantOwned))


def statement_faults(statements: Iterable[str], owned: frozenset[str] | None = None) -> list[str]:
    """Statements that reach a tenant-owned table without ``<table>.tenant_id = …``, one line per table."""
    owned = owned if owned is not None else tenant_tables()
    faults = []
    for sql in sorted(statements):
        if not any(table in sql for table in owned):
            continue
        try:
            parsed = sqlglot.parse_one(_readable(sql), dialect="postgres")
        except sqlglot.errors.ParseError as error:
            faults.append(f"unreadable ({error.errors[0]['description']}): {_short(sql)}")
            continue
        faults += [f"{table} without tenant equality: {_short(sql)}" for table in _open_tables(parsed, owned)]
    return faults


def _short(sql: str) -> str:
    return " ".join(sql.split())[:300]


def _readable(sql: str) -> str:
    """psycopg placeholders as constants."""
    return re.sub(r"%\([a-zA-Z0-9_]+\)s|%s", "0", sql).replace("%%", "%")


def _open_tables(parsed: exp.Expr, owned: frozenset[str]) -> list[str]:
    """Owned tables of the statement, in any of its parts, that no equality on tenant_id closes."""
    if isinstance(parsed, exp.Copy | exp.Command | exp.Create | exp.Drop | exp.Set):
        return []
    closed = _closed_aliases(parsed)
    names = {cte.alias for cte in parsed.find_all(exp.CTE)}
    found = []
    for table in parsed.find_all(exp.Table):
        if table.name not in owned or table.name in names or _is_insert_target(table):
            continue
        if table.alias_or_name not in closed and not (_is_alone(table) and "" in closed):
            found.append(table.name)
    return found


def _is_insert_target(table: exp.Table) -> bool:
    parent = table.parent
    if isinstance(parent, exp.Schema):
        parent = parent.parent
    return isinstance(parent, exp.Insert)


def _is_alone(table: exp.Table) -> bool:
    """The only source of its statement, so an unqualified column is its own."""
    statement = table.find_ancestor(exp.Select, exp.Update, exp.Delete)
    return statement is not None and len(list(statement.find_all(exp.Table))) == 1


def _closed_aliases(parsed: exp.Expr) -> set[str]:
    """Aliases whose tenant_id equals a value, or that of another closed alias (PostgreSQL infers the same)."""
    closed: set[str] = set()
    pairs: list[tuple[str, str]] = []
    for equality in parsed.find_all(exp.EQ):
        left, right = _tenant_column(equality.left), _tenant_column(equality.right)
        if left is not None and right is not None:
            pairs.append((left, right))
        elif left is not None and not isinstance(equality.right, exp.Column):
            closed.add(left)
        elif right is not None and not isinstance(equality.left, exp.Column):
            closed.add(right)
    grown = True
    while grown:
        grown = False
        for a, b in pairs:
            if (a in closed) != (b in closed):
                closed |= {a, b}
                grown = True
    return closed


def _tenant_column(side: exp.Expr) -> str | None:
    """The alias of a tenant_id column ("" when unqualified), None for anything else."""
    return side.table if isinstance(side, exp.Column) and side.name == "tenant_id" else None
