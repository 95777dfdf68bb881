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

from xiangyue.db.base import TenantOwned, mappers, table_name
from xiangyue.db.driver import Cursor

#: Distinct statements seen in this process.
SEEN: set[str] = set()
_paused = False
_counting: list[str] | None = None


@contextmanager
def counted() -> Iterator[list[str]]:
    """Every statement of the block on recorded engines, in order, the driver's own too."""
    global _counting
    before, _counting = _counting, []
    try:
        yield _counting
    finally:
        _counting = before


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
    if _counting is not None:
        _counting.append(str(query))
    if not _paused:
        SEEN.add(query if isinstance(query, str) else str(query))


class RecordingCursor(Cursor):
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
    return frozenset(table_name(m.class_) for m in mappers() if issubclass(m.class_, TenantOwned))


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
    """Placeholders as constants; what is prepared as the statement that it is."""
    sql = re.sub(r"^PREPARE \w+ AS ", "", sql)
    return re.sub(r"%\([a-zA-Z0-9_]+\)s|%s|\$\d+", "0", sql).replace("%%", "%")


def _open_tables(parsed: exp.Expr, owned: frozenset[str]) -> list[str]:
    """Owned tables of the statement, in any of its parts, that no equality on tenant_id closes."""
    if isinstance(parsed, exp.Copy | exp.Command | exp.Create | exp.Drop | exp.Set):
        return []
    names = {cte.alias for cte in parsed.find_all(exp.CTE)}
    closed: dict[int, set[str]] = {}
    found = []
    for table in parsed.find_all(exp.Table):
        if table.name not in owned or table.name in names or _is_insert_target(table):
            continue
        part = _part_of(table)
        if part is None or table.alias_or_name not in _closed_in(part, closed):
            found.append(table.name)
    return found


def _is_insert_target(table: exp.Table) -> bool:
    parent = table.parent
    if isinstance(parent, exp.Schema):
        parent = parent.parent
    return isinstance(parent, exp.Insert)


def _part_of(node: exp.Expr) -> exp.Expr | None:
    """The SELECT, UPDATE or DELETE that a node stands in; for one of these, the one round it."""
    return node.find_ancestor(exp.Select, exp.Update, exp.Delete)


def _own_tables(part: exp.Expr) -> list[exp.Table]:
    return [table for table in part.find_all(exp.Table) if _part_of(table) is part]


def _closed_in(part: exp.Expr, known: dict[int, set[str]]) -> set[str]:
    """Names whose tenant_id, in this part of the statement, must equal a value or that of another closed name.

    Only what must be true for every row counts: the AND-ed conditions of its WHERE and of its joins. An outer join's
    condition says something of the joined side only. Names of the parts round it are closed as they are there.
    """
    if id(part) in known:
        return known[id(part)]
    own = {table.alias_or_name for table in _own_tables(part)}
    # A WITH part sees nothing of the statement it belongs to.
    round_it = part.find_ancestor(exp.CTE, exp.Select, exp.Update, exp.Delete)
    outer = set() if round_it is None or isinstance(round_it, exp.CTE) else _closed_in(round_it, known)
    closed = outer - own
    known[id(part)] = closed
    alone = next(iter(own)) if len(own) == 1 else ""
    equalities = [
        (_tenant_column(c.left, alone), _tenant_column(c.right, alone), c, may_close)
        for conditions, may_close in _conditions(part)
        for c in _conjuncts(conditions)
        if isinstance(c, exp.EQ)
    ]
    grown = True
    while grown:
        grown = False
        for left, right, equality, may_close in equalities:
            for name, other, value in ((left, right, equality.right), (right, left, equality.left)):
                if (
                    name is None
                    or name in closed
                    or name not in own
                    or (may_close is not None and name not in may_close)
                ):
                    continue
                if other in closed if other is not None else value.find(exp.Column) is None:
                    closed.add(name)
                    grown = True
    return closed


def _conditions(part: exp.Expr) -> Iterator[tuple[exp.Expr, set[str] | None]]:
    """Each WHERE and ON of this part, and the names that it can close (None: all)."""
    where = part.args.get("where")
    if where is not None:
        yield where.this, None
    for join in part.find_all(exp.Join):
        condition = join.args.get("on")
        if condition is None or _part_of(join) is not part:
            continue
        if not join.side:
            yield condition, None
        elif join.side == "LEFT":
            yield condition, {t.alias_or_name for t in join.this.find_all(exp.Table) if _part_of(t) is part}


def _conjuncts(condition: exp.Expr) -> Iterator[exp.Expr]:
    if isinstance(condition, exp.Paren):
        yield from _conjuncts(condition.this)
    elif isinstance(condition, exp.And):
        yield from _conjuncts(condition.left)
        yield from _conjuncts(condition.right)
    else:
        yield condition


def _tenant_column(side: exp.Expr, alone: str) -> str | None:
    """The name before a tenant_id column, ``alone`` when it has none; None for anything else."""
    return (side.table or alone) if isinstance(side, exp.Column) and side.name == "tenant_id" else None
