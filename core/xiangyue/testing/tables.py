"""What must hold of every table in the database, read from PostgreSQL's catalogue; plugins' tables included."""

from __future__ import annotations

import re

from sqlalchemy import Connection, text

from xiangyue.db.base import Global, mappers, table_name
from xiangyue.db.rls import RUNTIME_ROLE

_OWN = "(tenant_id = (current_setting('app.tenant_id'::text))::integer)"
_TABLES = """
SELECT c.oid, n.nspname, c.relname, c.relrowsecurity, c.relforcerowsecurity, a.attnotnull
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
 WHERE c.relkind IN ('r', 'p') AND (n.nspname = 'public' OR n.nspname LIKE 'plugin\\_%')
   AND c.relname NOT LIKE 'alembic\\_version%' AND c.relname !~ '^plugin_[a-z0-9]+_version$'
 ORDER BY 2, 3
"""
_KEYS = """
SELECT i.relname, x.indisprimary, x.indisunique, x.indisexclusion, a.attname
  FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
  LEFT JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[0]
 WHERE x.indrelid = :table AND (x.indisunique OR x.indisexclusion)
"""
_FOREIGN = """
SELECT k.conname, t.relname,
       EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = k.conrelid AND a.attname = 'tenant_id'
                  AND a.attnum = ANY (k.conkey)),
       EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = t.oid AND a.attname = 'tenant_id')
  FROM pg_constraint k JOIN pg_class t ON t.oid = k.confrelid
 WHERE k.conrelid = :table AND k.contype = 'f'
"""


def table_faults(connection: Connection) -> list[str]:
    """One line per fault, ``table: what``; empty when every table is right."""
    declared_global = {table_name(m.class_) for m in mappers() if issubclass(m.class_, Global)}
    declared_rights = {table_name(m.class_): m.class_.runtime_grants for m in mappers()}
    faults: list[str] = []
    for oid, _schema, name, enabled, forced, not_null in connection.execute(text(_TABLES)).all():
        faults += _foreign_faults(connection, oid, name)
        if name in declared_rights:
            faults += _right_faults(connection, oid, name, declared_rights[name])
        if name in declared_global:
            continue
        if not_null is None:
            faults.append(f"{name}: neither tenant-owned nor declared global")
            continue
        if not not_null:
            faults.append(f"{name}: tenant_id may be null")
        if not enabled:
            faults.append(f"{name}: row-level security is off")
        if not forced:
            faults.append(f"{name}: row-level security is not forced")
        faults += _policy_faults(connection, oid, name)
        faults += _key_faults(connection, oid, name)
        triggers = text("SELECT tgname FROM pg_trigger WHERE tgrelid = :table AND NOT tgisinternal")
        faults += [f"{name}: trigger {t}" for t in connection.execute(triggers, {"table": oid}).scalars()]
    return faults


def _policy_faults(connection: Connection, oid: int, name: str) -> list[str]:
    policies = connection.execute(
        text(
            "SELECT polname, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid), polpermissive"
            " FROM pg_policy WHERE polrelid = :table"
        ),
        {"table": oid},
    ).all()
    faults = []
    if not any(using == _OWN and check == _OWN for _, using, check, _ in policies):
        faults.append(f"{name}: no policy on tenant_id")
    elif wide := [p for p, using, check, permissive in policies if permissive and _OWN not in (using, check)]:
        faults += [f"{name}: policy {p} widens the tenant's" for p in wide]
    return faults


def _key_faults(connection: Connection, oid: int, name: str) -> list[str]:
    faults = []
    primary = False
    for key, is_primary, _unique, _exclusion, first in connection.execute(text(_KEYS), {"table": oid}).all():
        primary = primary or (is_primary and first == "tenant_id")
        if first != "tenant_id":
            faults.append(f"{name}: key {key} is not led by tenant_id")
    if not primary:
        faults.append(f"{name}: no primary key led by tenant_id")
    return faults


def _foreign_faults(connection: Connection, oid: int, name: str) -> list[str]:
    return [
        f"{name}: foreign key {key} to {target} lacks tenant_id"
        for key, target, carries, owned in connection.execute(text(_FOREIGN), {"table": oid}).all()
        if owned and not carries
    ]


def _right_faults(connection: Connection, oid: int, name: str, declared: str) -> list[str]:
    held = {
        right
        for right in ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "TRIGGER", "REFERENCES")
        if connection.execute(
            text("SELECT has_table_privilege(:role, :table, :right)"),
            {"role": RUNTIME_ROLE, "table": oid, "right": right},
        ).scalar_one()
    }
    extra = held - set(re.split(r",\s*", declared))
    return [f"{name}: the runtime role has {right}, declared {declared}" for right in sorted(extra)]
