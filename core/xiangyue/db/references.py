"""Which tables point at a table or hold a column: asked of PostgreSQL itself, because a plugin that is off, or no
longer installed, has tables too."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

# ruff: noqa: S608 - statements are put together from constants of this module only

_TABLES = """
  FROM pg_catalog.pg_class t
  JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
  JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
 WHERE t.relkind IN ('r', 'p') AND (n.nspname = 'public' OR n.nspname LIKE 'plugin\\_%%')
   AND EXISTS (SELECT 1 FROM pg_catalog.pg_attribute o WHERE o.attrelid = t.oid AND o.attname = 'tenant_id')
"""
_POINTING = f"""
SELECT n.nspname, t.relname, a.attname {_TABLES}
   AND ((a.attname = %(column)s AND has_table_privilege(t.oid, 'DELETE')) OR EXISTS (
        SELECT 1 FROM pg_catalog.pg_constraint c
         WHERE c.conrelid = t.oid AND c.contype = 'f' AND c.confrelid = to_regclass(%(target)s)
           AND EXISTS (
               SELECT 1 FROM unnest(c.conkey, c.confkey) AS pair(here, there)
                 JOIN pg_catalog.pg_attribute k ON k.attrelid = c.confrelid AND k.attnum = pair.there
                WHERE pair.here = a.attnum AND k.attname = 'id')))
 ORDER BY 1, 2, 3
"""
_WITH = f"""
SELECT n.nspname, t.relname {_TABLES} GROUP BY n.nspname, t.relname, t.oid
HAVING bool_or(a.attname = %(column)s) AND NOT bool_or(a.attname = ANY(%(without)s))
   AND has_table_privilege(t.oid, 'DELETE')
 ORDER BY 1, 2
"""
_UNIQUE = """
SELECT n.nspname, t.relname, array_agg(a.attname::text ORDER BY a.attnum)
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
  JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = ANY(i.indkey)
 WHERE i.indisunique AND (n.nspname = 'public' OR n.nspname LIKE 'plugin\\_%%')
 GROUP BY i.indexrelid, n.nspname, t.relname
HAVING bool_or(a.attname = %(column)s) AND NOT bool_or(a.attname = %(without)s)
 ORDER BY 1, 2, i.indexrelid
"""
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_")


@dataclass(frozen=True, slots=True)
class Reference:
    """A column of ``schema.table``, a tenant-owned table."""

    schema: str
    table: str
    column: str

    @property
    def name(self) -> str:
        """As a statement names the table."""
        return f"{self.schema}.{self.table}"


def references_to(session: Session, table: str) -> list[Reference]:
    """Columns with a foreign key to ``public.<table>``, and others called ``<table>_id`` of tables that are not only
    appended to (a log may speak of what is no longer there)."""
    params = {"target": f"public.{table}", "column": f"{table}_id"}
    return _plain(session.connection().exec_driver_sql(_POINTING, params).all())


def tables_with(session: Session, column: str, *, without: list[str]) -> list[Reference]:
    """Tables that have a column of this name, none of the names ``without``, and are not only appended to."""
    rows = session.connection().exec_driver_sql(_WITH, {"column": column, "without": without})
    return _plain([(schema, table, column) for schema, table in rows.all()])


def unique_with(session: Session, column: str, *, without: str) -> list[tuple[str, list[str]]]:
    """(``schema.table``, columns) of each unique key that has a column and not the other."""
    rows = session.connection().exec_driver_sql(_UNIQUE, {"column": column, "without": without}).all()
    found = [(Reference(schema, table, column), columns) for schema, table, columns in rows]
    return [(one.name, columns) for one, columns in found if set(one.schema + one.table + "".join(columns)) <= _PLAIN]


def _plain(rows: object) -> list[Reference]:
    """Only names that stand in a statement without quotes: all others are nobody's of ours."""
    found = [Reference(*row) for row in rows]  # type: ignore[attr-defined]
    return [one for one in found if set(one.schema + one.table + one.column) <= _PLAIN]
