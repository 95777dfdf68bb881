"""Tables of plugins: a PostgreSQL schema each, rows always a county's, behind both walls like the core's own.

``plugin_base(name)`` is what a plugin's models stand on. It shares the core's MetaData, so that a foreign key may point
at ``household``, and has a registry of its own, so that a plugin can be taken out again.
"""

from __future__ import annotations

import re
from graphlib import CycleError, TopologicalSorter
from typing import Any, ClassVar

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Session, registry

from xiangyue.db.base import PLUGIN_REGISTRIES, Base
from xiangyue.db.scope import Scope
from xiangyue.db.sql import scoped_sql

_SCHEMA = re.compile(r"plugin_[a-z][a-z0-9]{1,30}")


class RowsInUse(Exception):
    """Rows of ``table`` cannot be deleted: others, in another schema, refer to them."""

    def __init__(self, table: str) -> None:
        super().__init__(table)
        self.table = table


def plugin_base(name: str) -> Any:
    """The base of one plugin's models; ask once for each plugin. Its tables lie in the schema ``plugin_<name>``::

        Base: Any = plugin_base("orchard")  # type checkers take no other base that a function made

        class Note(AreaBound, Base):
            __tablename__ = "note"
            __table_args__ = (tenant_fk("household_id", "household"),)

    A foreign key to a table of the plugin itself names its schema: ``tenant_fk("note_id", "plugin_orchard.note")``.
    """
    schema = f"plugin_{name}"
    if not _SCHEMA.fullmatch(schema):
        raise ValueError(f"not a plugin's name: {name!r}")
    types: Any = Base.type_annotation_map
    own = registry(metadata=Base.metadata, type_annotation_map=types)

    class PluginBase(DeclarativeBase):
        registry = own
        runtime_grants: ClassVar[str] = "SELECT, INSERT, UPDATE, DELETE"

        def __init_subclass__(cls, **options: Any) -> None:
            if not cls.__dict__.get("__abstract__"):
                cls.__table_args__ = _within(schema, getattr(cls, "__table_args__", ()))
            super().__init_subclass__(**options)

    PLUGIN_REGISTRIES.add(own)
    return PluginBase


def _within(schema: str, arguments: Any) -> tuple[Any, ...]:
    """``__table_args__`` with the schema put in."""
    if isinstance(arguments, dict):
        arguments = (arguments,)
    *parts, last = arguments or ({},)
    if not isinstance(last, dict):
        parts, last = [*parts, last], {}
    return (*parts, {**last, "schema": schema})


_TABLES = """
SELECT c.oid::bigint, c.relname
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
 WHERE n.nspname = %(schema)s AND c.relkind IN ('r', 'p') ORDER BY c.relname
"""
_REFERENCES = """
SELECT k.conrelid::bigint, k.confrelid::bigint
  FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_namespace n ON n.oid = k.connamespace
 WHERE n.nspname = %(schema)s AND k.contype = 'f' AND k.conrelid <> k.confrelid
"""


def count_rows(session: Session, schema: str) -> dict[str, int]:
    """The session's county's rows in every table of a plugin's schema, installed or not, by table."""
    if not _SCHEMA.fullmatch(schema):
        raise ValueError(f"not a plugin's schema: {schema!r}")
    scope = Scope(session.info["scope"].tenant_id)
    counts: dict[str, int] = {}
    for _oid, table in session.connection().exec_driver_sql(_TABLES, {"schema": schema}):
        statement = f'SELECT count(*) FROM {schema}."{table}" k WHERE {{tenant:k}}'  # noqa: S608 - names as above
        counts[table] = scoped_sql(session, statement, scope=scope).scalar_one()
    return counts


def delete_rows(session: Session, schema: str) -> dict[str, int]:
    """Delete the session's county's rows of every table in a plugin's schema, installed or not; rows by table.

    Raises RowsInUse, with nothing deleted.
    """
    if not _SCHEMA.fullmatch(schema):
        raise ValueError(f"not a plugin's schema: {schema!r}")
    connection = session.connection()
    rows = connection.exec_driver_sql(_TABLES, {"schema": schema})
    tables: dict[int, str] = {row[0]: row[1] for row in rows}
    order: TopologicalSorter[int] = TopologicalSorter(dict.fromkeys(tables, ()))
    for source, target in connection.exec_driver_sql(_REFERENCES, {"schema": schema}):
        if source in tables and target in tables:
            order.add(target, source)
    try:
        oids = list(order.static_order())
    except CycleError:
        oids = list(tables)
    scope = Scope(session.info["scope"].tenant_id)
    counts: dict[str, int] = {}
    with session.begin_nested():
        for oid in oids:
            table = tables[oid]
            statement = f'DELETE FROM {schema}."{table}" k WHERE {{tenant:k}}'  # noqa: S608 - names from the catalogue
            try:
                counts[table] = scoped_sql(session, statement, scope=scope).rowcount
            except IntegrityError as error:
                raise RowsInUse(table) from error
    return counts
