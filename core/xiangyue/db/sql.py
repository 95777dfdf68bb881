"""The one door for hand-written SQL on tenant-owned tables.

The statement names its scope: ``{scope:h}`` expands to the tenant equality and the area ranges of alias ``h``,
``{tenant:m}`` to the tenant equality alone (for tables without an area). A statement without either is refused, and a
gate bans ``text()`` and raw cursors elsewhere. ``stage_rows`` fills a temporary table that such a statement reads from.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import chain, islice
from typing import Any

from sqlalchemy import CursorResult, text
from sqlalchemy.orm import Session

from xiangyue.db.copying import CopyRows
from xiangyue.db.driver import First, ours
from xiangyue.db.scope import Scope
from xiangyue.db.session import TenantSession

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
        within = " OR ".join(f"{alias}.area_code BETWEEN :scope_lo{i} AND :scope_hi{i}" for i in range(ranges))
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
    return result


_NAMED = re.compile(r"(?<!:):([a-z_][a-z0-9_]*)")


@lru_cache(maxsize=1024)
def _driver_style(expanded: str) -> str:
    return _NAMED.sub(r"%(\1)s", expanded.replace("%", "%%"))


def scoped_rows(
    session: Session, sql: str, params: Mapping[str, Any] | None = None, /, *, scope: Scope | None = None
) -> list[tuple[Any, ...]]:
    """The same, straight from the driver as tuples: for hot lists, where the ORM costs more than the query."""
    return _rows(session, sql, params, scope)


def scoped_bytes(session: Session, sql: str, params: Mapping[str, Any] | None = None, /) -> list[tuple[Any, ...]]:
    """The same of rows with much in bytes, which otherwise travel as twice as many hexadecimal digits."""
    return _rows(session, sql, params, None, binary=True)


def _rows(
    session: Session, sql: str, params: Mapping[str, Any] | None, scope: Scope | None, *, binary: bool = False
) -> list[tuple[Any, ...]]:
    scope = scope or session.info["scope"]
    expanded = _driver_style(_expand(sql, None if scope.ranges is None else len(scope.ranges)))
    connection = session.connection().connection.driver_connection
    assert connection is not None
    with connection.cursor(binary=binary) as cursor:
        rows: list[tuple[Any, ...]] = cursor.execute(expanded, _parameters(scope, params or {})).fetchall()
    return rows


@lru_cache(maxsize=64)
def _numbered(expanded: str) -> tuple[str, tuple[str, ...]]:
    """The statement with $1 … for its parameters, and their names in that order."""
    names = tuple(dict.fromkeys(_NAMED.findall(expanded)))
    return _NAMED.sub(lambda match: f"${names.index(match[1]) + 1}", expanded), names


def first_rows(session: TenantSession, sql: str, params: Mapping[str, int | bytes]) -> list[tuple[Any, ...]]:
    """The same for the statement that most transactions begin with (who asks?): one message opens the transaction and
    runs it, prepared. Inside the whole tenant; parameters are whole numbers and bytes."""
    text, names = _numbered(_expand(sql, None))
    bound = {**params, "scope_tenant": session.scope.tenant_id}
    session.first = First(text, tuple(bound[name] for name in names))
    try:
        session.connection()
        answer = session.first_answer
    finally:
        session.first = session.first_answer = None
    return scoped_rows(session, sql, params, scope=Scope(session.scope.tenant_id)) if answer is None else answer


_STAGE = re.compile(r"stage_[a-z_]+")
#: Rows of one COPY.
_AT_A_TIME = 5_000


def stage_rows(
    session: Session, name: str, columns: Mapping[str, str], rows: Iterable[Sequence[Any]] | CopyRows
) -> int:
    """Fill a temporary table for INSERT … SELECT, because ``COPY FROM`` refuses a table with row-level security.

    ``columns`` maps names to SQL types; columns without a value in ``rows`` come last and start NULL. The table also
    gets ``tenant_id``, always this session's, so that ``{tenant:alias}`` fits it too. It is emptied first and gone at
    the commit. Returns the number of rows. Raises UnscopedSql for a name that is not ``stage_…``.
    """
    count = fill_stage(session, name, columns, rows)
    analyze_stage(session, name)
    return count


#: Kinds of columns that can travel in binary, as the driver calls them.
_BINARY = {
    "int": "int4", "bigint": "int8", "smallint": "int2", "bool": "bool", "bytea": "bytea", "date": "date",
    "text": "text",
}  # fmt: skip


def fill_stage(
    session: Session,
    name: str,
    columns: Mapping[str, str],
    rows: Iterable[Sequence[Any]] | CopyRows,
    *,
    binary: bool = False,
) -> int:
    """The same without a look of the planner at what is in it: the caller sees to that (``analyze_columns``).
    ``binary``: for rows with much in bytes, which otherwise travel as twice as many hexadecimal digits."""
    if not _STAGE.fullmatch(name):
        raise UnscopedSql(f"temporary tables are called stage_…, not {name!r}")
    tenant_id = int(session.info["scope"].tenant_id)
    body = ", ".join(f"{column} {kind}" for column, kind in columns.items())
    connection = session.connection().connection.driver_connection
    assert connection is not None
    count = 0
    with connection.cursor() as cursor:
        with ours(session.connection()):
            cursor.execute(f"DROP TABLE IF EXISTS pg_temp.{name}")
            cursor.execute(
                f"CREATE TEMP TABLE {name} ({body}, tenant_id integer NOT NULL DEFAULT {tenant_id}) ON COMMIT DROP"
            )
        if isinstance(rows, CopyRows):
            if rows.count:
                with cursor.copy(f"COPY pg_temp.{name} ({', '.join(list(columns)[: rows.width])}) FROM STDIN") as copy:
                    copy.write(rows.data)
            return rows.count
        source = iter(rows)
        while (first := next(source, None)) is not None:
            given = list(columns)[: len(first)]
            into = f"COPY pg_temp.{name} ({', '.join(given)}) FROM STDIN{' (FORMAT BINARY)' if binary else ''}"
            # Some at a time: making the rows counts as time of the statement, which PostgreSQL ends after a while.
            with cursor.copy(into) as copy:
                if binary:
                    copy.set_types([_BINARY[columns[column].split(" ")[0]] for column in given])
                for row in chain([first], islice(source, _AT_A_TIME - 1)):
                    copy.write_row(row)
                    count += 1
    return count


def analyze_stage(session: Session, *names: str) -> None:
    """Tell the planner what the temporary tables hold by now; after an UPDATE of a join column it would guess wrong."""
    for name in names:
        analyze_columns(session, name, ())


def analyze_columns(session: Session, name: str, columns: Sequence[str]) -> None:
    """The same of one table's columns that joins and conditions look at, and of the tenant's (which all of them do): a
    look at all costs several times as much."""
    if not _STAGE.fullmatch(name) or not all(column.isidentifier() for column in columns):
        raise UnscopedSql(f"temporary tables are called stage_…, not {name!r}")
    chosen = f" ({', '.join(['tenant_id', *columns])})" if columns else ""
    session.connection().exec_driver_sql(f"ANALYZE pg_temp.{name}{chosen}")


@contextmanager
def read_once(session: Session) -> Iterator[None]:
    """Joins in here read each table once and do not look into it for each row of another, where they can.

    For thousands of rows against tables of which the planner's numbers may be wrong: right after a large write, or
    where autovacuum has just noted a table as empty, it takes any index that begins with the tenant for as good as the
    right one, and each look reads the county.
    """
    connection = session.connection()
    connection.exec_driver_sql("SET LOCAL enable_nestloop = off")
    yield
    connection.exec_driver_sql("SET LOCAL enable_nestloop = on")


def hold_statistics(session: Session, *names: str) -> None:
    """Keep autovacuum and autoanalyze off these tables until the end of the transaction.

    For a long write into nearly empty tables: autovacuum does not see the uncommitted rows, would note the table as
    empty in the middle, and every foreign-key check from then on would read the whole county instead of one row.
    Readers and writers are not disturbed; a second holder waits, so take turns first.
    """
    for name in names:
        if not name.isidentifier():
            raise UnscopedSql(f"not a table's name: {name!r}")
    tables = ", ".join(f"public.{name}" for name in names)
    session.connection().exec_driver_sql(f"LOCK TABLE {tables} IN SHARE UPDATE EXCLUSIVE MODE")


def draw_ids(session: Session, table: str, number: int) -> list[int]:
    """Ids for so many new rows of a table, going up. They are drawn for good, whatever becomes of the transaction."""
    if not table.isidentifier():
        raise UnscopedSql(f"not a table's name: {table!r}")
    drawn = session.connection().exec_driver_sql(
        f"SELECT array_agg(nextval('public.{table}_id_seq'::regclass)) FROM generate_series(1, %(number)s)",  # noqa: S608
        {"number": number},
    )
    ids: list[int] = drawn.scalar_one() or []
    return ids


def forget_empty(session: Session, *names: str) -> None:
    """Let the planner guess by their pages how large those of these tables are that were noted as empty.

    Autovacuum that comes between an undo and the next write, or after a write that was killed, may note a table as
    empty while rows that died keep its pages. PostgreSQL then takes any index for as good as another, and every
    foreign-key check reads the whole county. Autovacuum keeps off these tables until the end of the transaction.
    Nothing is done before PostgreSQL 18. By a function of the owner (migration 0040).
    """
    empty = [name for name in names if estimated_rows(session, name) == 0]
    if empty:
        session.connection().exec_driver_sql("SELECT public.forget_statistics(%(names)s)", {"names": empty})


def refresh_statistics(session: Session, *names: str) -> None:
    """Let the planner look at these tables now: after a first large import it would otherwise guess for a minute that
    they are empty, and a county's first look at its cockpit would take half a minute.

    By a function of the owner (migration 0001), because the runtime role may not ANALYZE.
    """
    session.connection().exec_driver_sql("SELECT public.refresh_statistics(%(names)s)", {"names": list(names)})


def estimated_rows(session: Session, name: str) -> float:
    """How many rows of all counties the planner believes a table has; below zero when it never looked."""
    known = session.connection().exec_driver_sql(
        "SELECT reltuples FROM pg_catalog.pg_class WHERE oid = to_regclass(%(name)s)", {"name": f"public.{name}"}
    )
    return float(known.scalar_one())


def has_constraint(session: Session, table: str, name: str) -> bool:
    """Whether the database itself holds to this: then what would break it need not be looked for."""
    sql = "SELECT 1 FROM pg_catalog.pg_constraint WHERE conrelid = to_regclass(%(table)s) AND conname = %(name)s"
    params = {"table": f"public.{table}", "name": name}
    return session.connection().exec_driver_sql(sql, params).one_or_none() is not None
