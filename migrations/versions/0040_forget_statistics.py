"""What the planner was told of a table can be taken back"""

from __future__ import annotations

from alembic import op

from xiangyue.db.rls import RUNTIME_ROLE

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

# Statistics are the owner's, and came under a name of their own with PostgreSQL 18 (``db.sql.forget_empty``).
FORGET_STATISTICS = """
CREATE FUNCTION public.forget_statistics(names text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE name text;
BEGIN
  IF to_regproc('pg_catalog.pg_clear_relation_stats') IS NULL THEN
    RETURN;
  END IF;
  FOREACH name IN ARRAY names LOOP
    EXECUTE format('SELECT pg_catalog.pg_clear_relation_stats(%L, %L)', 'public', name);
  END LOOP;
END $$
"""


def upgrade() -> None:
    op.execute(FORGET_STATISTICS)
    op.execute("REVOKE ALL ON FUNCTION public.forget_statistics(text[]) FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION public.forget_statistics(text[]) TO {RUNTIME_ROLE}")


def downgrade() -> None:
    op.execute("DROP FUNCTION public.forget_statistics(text[])")
