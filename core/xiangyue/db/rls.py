"""Row-level security as DDL, for migrations of the core and of plugins."""

from __future__ import annotations

RUNTIME_ROLE = "xiangyue_app"


def protect(table: str, *, schema: str = "public", grants: str = "SELECT, INSERT, UPDATE, DELETE") -> list[str]:
    """Statements that fence a tenant-owned table and give the runtime role its rights.

    The policy compares directly, without a sub-select (Citus refuses it) and without missing_ok (a query without a
    tenant must raise, not find nothing).
    """
    name = f'"{schema}"."{table}"'
    own = "tenant_id = current_setting('app.tenant_id')::int"
    return [
        f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY tenant ON {name} USING ({own}) WITH CHECK ({own})",
        f"GRANT {grants} ON {name} TO {RUNTIME_ROLE}",
    ]


def grant_global(table: str, grants: str) -> list[str]:
    """Rights of the runtime role on a table without a tenant."""
    return [f'GRANT {grants} ON "public"."{table}" TO {RUNTIME_ROLE}']
