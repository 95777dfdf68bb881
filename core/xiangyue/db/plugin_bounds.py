"""What a plugin's migration may not have done, looked at in its own transaction before that is committed.

The steps run as the role that owns everything, so row-level security and rights do not hold them; a role of less
rights would not either, since the steps could leave it again. So the rest of the database is compared: shapes, rights,
functions, roles, and rows written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, event, text

from xiangyue.db.rls import RUNTIME_ROLE, protect


class MigrationFault(Exception):
    """A migration that did not come about; everything is as before. The message says why, in English."""


#: Kind of thing -> digest. Only schemas of other people's are looked at: not the plugin's, not PostgreSQL's own.
_SHAPE = """
WITH outside AS (
  SELECT * FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', CAST(:own AS text))
), relation AS (
  SELECT c.oid, n.nspname, c.relname, c.relkind, c.relrowsecurity, c.relforcerowsecurity, c.relowner, c.relacl,
         c.reloptions, CASE WHEN c.relkind IN ('r', 'p', 'm', 'S') THEN c.relfilenode END AS file
    FROM pg_class c JOIN outside n ON n.oid = c.relnamespace
   WHERE c.relname NOT IN (CAST(:version AS text), CAST(:version AS text) || '_pkc')
)
SELECT what, md5(string_agg(line, chr(10) ORDER BY line)) FROM (
  SELECT 'schemas', format('%s %s', nspname, nspowner) FROM outside
  UNION ALL
  SELECT 'tables', format('%s.%s %s %s %s %s %s %s', nspname, relname, relkind, relrowsecurity, relforcerowsecurity,
                          relowner, reloptions, file)
    FROM relation
  UNION ALL
  SELECT 'tables', format('%s.%s.%s %s %s %s %s %s %s', r.nspname, r.relname, a.attname, a.atttypid, a.atttypmod,
                          a.attnotnull, a.attisdropped, a.attidentity, pg_get_expr(d.adbin, d.adrelid))
    FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0
    LEFT JOIN pg_attrdef d ON d.adrelid = r.oid AND d.adnum = a.attnum
  UNION ALL
  SELECT 'tables', format('%s %s %s', n.nspname, k.conname, pg_get_constraintdef(k.oid))
    FROM pg_constraint k JOIN outside n ON n.oid = k.connamespace LEFT JOIN pg_class c ON c.oid = k.conrelid
   WHERE coalesce(c.relname, '') <> CAST(:version AS text)
  UNION ALL
  SELECT 'tables', format('%s %s %s %s', t.tgrelid, t.tgname, t.tgenabled, t.tgfoid)
    FROM pg_trigger t JOIN relation r ON r.oid = t.tgrelid WHERE NOT t.tgisinternal
  UNION ALL
  SELECT 'tables', format('%s %s', w.ev_class, w.rulename) FROM pg_rewrite w JOIN relation r ON r.oid = w.ev_class
  UNION ALL
  SELECT 'tables', format('%s %s', i.inhparent, i.inhrelid)
    FROM pg_inherits i JOIN relation r ON r.oid IN (i.inhparent, i.inhrelid)
  UNION ALL
  SELECT 'tables', format('%s %s', p.oid, p.prrelid) FROM pg_publication_rel p
  UNION ALL
  SELECT 'types', format('%s %s', t.typname, t.typowner)
    FROM pg_type t JOIN outside n ON n.oid = t.typnamespace WHERE t.typrelid = 0 AND t.typcategory <> 'A'
  UNION ALL
  SELECT 'policies', format('%s %s %s %s %s %s %s', p.polrelid, p.polname, p.polpermissive, p.polcmd, p.polroles,
                            pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
    FROM pg_policy p JOIN relation r ON r.oid = p.polrelid
  UNION ALL
  SELECT 'functions', format('%s %s %s %s %s %s %s %s', f.oid, f.proname, f.proowner, f.prosecdef, f.proacl,
                             f.proconfig, md5(f.prosrc), n.nspname)
    FROM pg_proc f JOIN outside n ON n.oid = f.pronamespace
  UNION ALL
  SELECT 'functions', format('%s %s %s', o.oid, o.oprname, o.oprcode)
    FROM pg_operator o JOIN outside n ON n.oid = o.oprnamespace
  UNION ALL
  SELECT 'rights', format('%s.%s %s', nspname, relname, relacl) FROM relation WHERE relacl IS NOT NULL
  UNION ALL
  SELECT 'rights', format('%s.%s %s', r.relname, a.attname, a.attacl)
    FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attacl IS NOT NULL
  UNION ALL
  SELECT 'rights', format('%s %s', nspname, nspacl) FROM outside WHERE nspacl IS NOT NULL
  UNION ALL
  SELECT 'rights', format('%s %s %s %s', d.defaclrole, d.defaclnamespace, d.defaclobjtype, d.defaclacl)
    FROM pg_default_acl d
  UNION ALL
  SELECT 'rights', format('%s %s', d.datdba, d.datacl) FROM pg_database d WHERE d.datname = current_database()
  UNION ALL
  SELECT 'roles', r::text FROM pg_roles r
  UNION ALL
  SELECT 'roles', format('%s %s %s', m.roleid, m.member, m.admin_option) FROM pg_auth_members m
  UNION ALL
  SELECT 'roles', s::text FROM pg_db_role_setting s
) shape (what, line) GROUP BY what
"""
#: Table -> rows written by this connection and not yet reported, which is more than this transaction's: to be compared.
_WRITTEN = """
SELECT format('%s.%s', schemaname, relname), n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_xact_all_tables
 WHERE schemaname !~ '^pg_' AND schemaname NOT IN ('information_schema', CAST(:own AS text))
   AND (schemaname, relname) IS DISTINCT FROM ('public', CAST(:version AS text))
"""
#: Two rows that cannot both be there at a COMMIT: as long as they are, the steps cannot end the transaction themselves.
_HOLD = """
CREATE TEMPORARY TABLE xiangyue_hold (one integer
  CONSTRAINT a_migration_may_not_commit UNIQUE DEFERRABLE INITIALLY DEFERRED) ON COMMIT DROP;
INSERT INTO pg_temp.xiangyue_hold VALUES (1), (1);
"""
#: Whatever the steps set for the session is gone, and names mean PostgreSQL's own; what they deferred happens now.
_LET_GO = """
RESET SESSION AUTHORIZATION;
RESET ROLE;
RESET ALL;
SET LOCAL search_path = pg_catalog, public, pg_temp;
DELETE FROM pg_temp.xiangyue_hold;
SET CONSTRAINTS ALL IMMEDIATE;
"""
_ENDS = re.compile(r"(?:^|;)\s*(?:rollback|abort)\b(?!\s+(?:(?:work|transaction)\s+)?to\b)", re.IGNORECASE)


@contextmanager
def bounds(connection: Connection, schema: str, version_table: str) -> Iterator[None]:
    """Round the steps of a migration, in its transaction: raises MigrationFault when they changed what is not theirs.

    Rows of any table but those in ``schema`` and the version table count, written or truncated; so do all shapes,
    rights, functions and roles.
    """
    values = {"own": schema, "version": version_table}
    if connection.execute(text("SHOW track_counts")).scalar_one() != "on":
        raise MigrationFault("the server does not count written rows (track_counts), so nobody can say what it writes")
    connection.exec_driver_sql("SET LOCAL search_path = pg_catalog, public, pg_temp")
    shape, written = _pairs(connection, _SHAPE, values), _pairs(connection, _WRITTEN, values)
    connection.exec_driver_sql("RESET search_path")
    connection.exec_driver_sql(_HOLD)
    event.listen(connection, "before_cursor_execute", _refuse_rollback)
    try:
        yield
    finally:
        event.remove(connection, "before_cursor_execute", _refuse_rollback)
    connection.exec_driver_sql(_LET_GO)
    after = _pairs(connection, _SHAPE, values)
    if changed := sorted(what for what in {*shape, *after} if shape.get(what) != after.get(what)):
        raise MigrationFault(f"it changes {', '.join(changed)} outside of its own schema {schema}")
    counts = _pairs(connection, _WRITTEN, values)
    if touched := sorted(table for table, count in counts.items() if count > written.get(table, 0)):
        raise MigrationFault(f"it writes rows of {', '.join(touched)}, outside of its own schema {schema}")


def _pairs(connection: Connection, query: str, values: dict[str, str]) -> dict[str, Any]:
    return {row[0]: row[1] for row in connection.execute(text(query), values)}


def _refuse_rollback(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
    if _ENDS.search(statement):
        raise MigrationFault("it ends the transaction that it runs in")


_OWN_TABLES = """
SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity AS enforced,
       coalesce((SELECT a.attnotnull FROM pg_attribute a
                  WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped), false) AS owned
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = CAST(:schema AS text) AND c.relkind IN ('r', 'p') ORDER BY 1
"""
_POLICIES = """
SELECT c.relname, p.polname, p.polpermissive, p.polcmd, p.polroles::oid[]::text,
       pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)
  FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
 WHERE c.relnamespace = CASE WHEN CAST(:schema AS text) = 'pg_temp' THEN pg_my_temp_schema()
                             ELSE (SELECT oid FROM pg_namespace WHERE nspname = CAST(:schema AS text)) END ORDER BY 1, 2
"""
#: What the plugin's own schema may not have: (why not, names).
_UNFIT = {
    "is a view or foreign table, which row-level security cannot fence": """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = CAST(:schema AS text) AND c.relkind IN ('v', 'm', 'f') ORDER BY 1""",
    "has a rule, which acts with the owner's rights": """
SELECT c.relname FROM pg_rewrite w JOIN pg_class c ON c.oid = w.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = CAST(:schema AS text) AND c.relkind IN ('r', 'p') ORDER BY 1""",
    "is a SECURITY DEFINER function, which acts with the owner's rights": """
SELECT f.proname FROM pg_proc f JOIN pg_namespace n ON n.oid = f.pronamespace
 WHERE n.nspname = CAST(:schema AS text) AND f.prosecdef ORDER BY 1""",
    f"gives rights to everybody, or {RUNTIME_ROLE} more than SELECT, INSERT, UPDATE, DELETE": """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attacl IS NOT NULL
  CROSS JOIN LATERAL (SELECT * FROM aclexplode(c.relacl) UNION ALL SELECT * FROM aclexplode(a.attacl)) given
 WHERE n.nspname = CAST(:schema AS text) AND c.relkind IN ('r', 'p') AND (given.grantee = 0
    OR given.grantee = to_regrole(CAST(:runtime AS text)) AND (given.is_grantable
       OR given.privilege_type NOT IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE'))) ORDER BY 1""",
}


def fence(connection: Connection, schema: str) -> None:
    """Every table is a county's and behind row-level security: who forgot it gets it, who cannot have it is refused.

    The one policy is that of ``protect()``; the database, not its text, says whether a table's is the same.
    """
    for why, query in _UNFIT.items():
        values = {"schema": schema, "runtime": RUNTIME_ROLE} if ":runtime" in query else {"schema": schema}
        if names := list(connection.execute(text(query), values).scalars()):
            raise MigrationFault(f"{schema}.{names[0]} {why}")
    wanted = _wanted_policy(connection)
    policies: dict[str, list[tuple[Any, ...]]] = {}
    for table, *policy in connection.execute(text(_POLICIES), {"schema": schema}).all():
        policies.setdefault(table, []).append(tuple(policy))
    for name, enforced, owned in connection.execute(text(_OWN_TABLES), {"schema": schema}).all():
        if not owned:
            raise MigrationFault(f"table {schema}.{name} has no column tenant_id, or it may be null")
        other = next((policy for policy in policies.get(name, []) if policy != wanted), None)
        if other is not None:
            raise MigrationFault(f"policy {other[0]} of table {schema}.{name} is not the one that a county's rows have")
        if not (enforced and name in policies):
            connection.execute(text(f'DROP POLICY IF EXISTS tenant ON {schema}."{name}"'))
            for statement in protect(name, schema=schema):
                connection.execute(text(statement))


def _wanted_policy(connection: Connection) -> tuple[Any, ...]:
    """The policy of ``protect()`` as this server keeps it, seen at a table that is gone with the transaction."""
    connection.exec_driver_sql("CREATE TEMPORARY TABLE xiangyue_fenced (tenant_id integer) ON COMMIT DROP")
    for statement in protect("xiangyue_fenced", schema="pg_temp"):
        connection.exec_driver_sql(statement)
    found = connection.execute(text(_POLICIES), {"schema": "pg_temp"}).all()
    return next(tuple(policy) for table, *policy in found if table == "xiangyue_fenced")
