"""Plugins' migrations: up, down, broken, and those that reach for what is not theirs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from tests.integration.migrations_kit import ADD_COLUMN, installation, new_name, schemas, tables_in, write

from xiangyue.db.plugin_migrate import MigrationFault, head_of, migrate_plugin, owner_engine
from xiangyue.features.households.models import Household
from xiangyue.runtime import Runtime
from xiangyue.testing.fixtures import County
from xiangyue.testing.tables import table_faults

VILLAGE = 610921104201000


@pytest.fixture
def engine(runtime: Runtime) -> Iterator[Any]:
    made = owner_engine(runtime.settings.migration_database_url)
    yield made
    made.dispose()


def test_up_and_down(engine: Any, tmp_path: Path) -> None:
    name = new_name()
    plugin = write(tmp_path, name, ADD_COLUMN)
    assert migrate_plugin(engine, plugin) == "0002" == head_of(plugin.folder)
    assert migrate_plugin(engine, plugin) == "0002"
    with engine.connect() as connection:
        assert tables_in(connection, name) == {"note", "reply", f"plugin_{name}_version"}
        assert [f for f in table_faults(connection) if "note" in f or "reply" in f or name in f] == []
    assert migrate_plugin(engine, plugin, "0001") == "0001"
    assert migrate_plugin(engine, plugin, "0002") == "0002"
    assert installation(engine, name) == ("0002", "")
    assert migrate_plugin(engine, plugin, "base") == ""
    with engine.connect() as connection:
        assert tables_in(connection, name) == set()
        assert plugin.schema not in schemas(connection)
    assert installation(engine, name) == ("", "")
    assert migrate_plugin(engine, plugin) == "0002"
    migrate_plugin(engine, plugin, "base")


BROKEN = {
    "raises": ("1 / 0", "ZeroDivisionError: division by zero"),
    "bad sql": (f'{ADD_COLUMN}\nop.execute("SELECT nothing FROM nowhere")', "UndefinedTable: relation"),
    "a table of the core changed": (
        'op.add_column("household", sa.Column("sneaked", sa.Text()))',
        "it changes tables outside of its own schema",
    ),
    "a table elsewhere": (
        'op.create_table("stray", sa.Column("id", sa.Integer()))',
        "it changes tables outside of its own schema",
    ),
    "the core's fence taken down": (
        'op.execute("ALTER TABLE household NO FORCE ROW LEVEL SECURITY")',
        "it changes tables outside of its own schema",
    ),
    "a trigger on the core": (
        "op.execute(\"CREATE FUNCTION plugin_NAME.f() RETURNS trigger LANGUAGE plpgsql AS 'begin return new; end'\")\n"
        'op.execute("CREATE TRIGGER t BEFORE INSERT ON household FOR EACH ROW EXECUTE FUNCTION plugin_NAME.f()")',
        "it changes tables outside of its own schema",
    ),
    "no county": (
        'op.create_table("open", sa.Column("id", sa.Integer()), schema=SCHEMA)',
        ".open has no column tenant_id",
    ),
    "rows of the core written": (
        "op.execute(\"UPDATE public.household SET note = 'hacked'\")",
        "it writes rows of public.household, outside of its own schema",
    ),
    "rows of the core written when it commits": (
        'op.execute("CREATE FUNCTION plugin_NAME.f() RETURNS trigger LANGUAGE plpgsql AS'
        " 'begin update public.household set note = 1; return null; end'\")\n"
        'op.execute("CREATE CONSTRAINT TRIGGER t AFTER INSERT ON plugin_NAME.reply DEFERRABLE INITIALLY DEFERRED"\n'
        '           " FOR EACH ROW EXECUTE FUNCTION plugin_NAME.f()")\n'
        'op.execute("INSERT INTO plugin_NAME.note (tenant_id, id, area_code, words) VALUES (1, 1, 1, 1)")\n'
        'op.execute("INSERT INTO plugin_NAME.reply (tenant_id, id, note_id) VALUES (1, 1, 1)")',
        "it writes rows of public.household, outside of its own schema",
    ),
    "rows of the core truncated": (
        'op.execute("TRUNCATE public.audit_entry CASCADE")',
        "it changes tables outside of its own schema",
    ),
    "rights on the core given": (
        'op.execute("GRANT DELETE ON public.audit_entry TO PUBLIC")',
        "it changes rights outside of its own schema",
    ),
    "a right on a column given": (
        'op.execute("GRANT SELECT (note) ON public.household TO PUBLIC")',
        "it changes rights outside of its own schema",
    ),
    "rights on what comes later given": (
        'op.execute("ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC")',
        "it changes rights outside of its own schema",
    ),
    "a rule on the core": (
        'op.execute("CREATE RULE r AS ON DELETE TO household DO INSTEAD NOTHING")',
        "it changes tables outside of its own schema",
    ),
    "a default of the core changed": (
        'op.alter_column("household", "note", server_default="x")',
        "it changes tables outside of its own schema",
    ),
    "a part of a table of the core": (
        'op.execute("CREATE TABLE plugin_NAME.more () INHERITS (public.household)")',
        "it changes tables outside of its own schema",
    ),
    "a further policy on the core": (
        'op.execute("CREATE POLICY open ON public.household USING (true)")',
        "it changes policies outside of its own schema",
    ),
    "a function elsewhere": (
        "op.execute(\"CREATE FUNCTION public.f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'select 1'\")",
        "it changes functions outside of its own schema",
    ),
    "a schema elsewhere": ('op.execute("CREATE SCHEMA stray")', "it changes schemas outside of its own schema"),
    "the owning role changed": (
        "op.execute(\"ALTER ROLE CURRENT_USER SET statement_timeout = '1s'\")",
        "it changes roles outside of its own schema",
    ),
    "a function with the owner's rights": (
        "op.execute(\"CREATE FUNCTION plugin_NAME.f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'select 1'\")",
        ".f is a SECURITY DEFINER function",
    ),
    "a rule": (
        'op.execute("CREATE RULE r AS ON INSERT TO plugin_NAME.note DO ALSO DELETE FROM public.household")',
        ".note has a rule",
    ),
    "an open policy of the right name": (
        'op.execute("CREATE POLICY tenant ON plugin_NAME.more USING (true)")',
        "policy tenant of table plugin_NAME.more is not the one",
    ),
    "a further policy": (
        'op.execute("CREATE POLICY wide ON plugin_NAME.note FOR SELECT USING (true)")',
        "policy wide of table plugin_NAME.note is not the one",
    ),
    "a policy for one role only": (
        "own = \"tenant_id = current_setting('app.tenant_id')::int\"\n"
        'op.execute(f"CREATE POLICY tenant ON plugin_NAME.more TO CURRENT_USER USING ({own}) WITH CHECK ({own})")',
        "policy tenant of table plugin_NAME.more is not the one",
    ),
    "rights for everybody": ('op.execute("GRANT SELECT ON plugin_NAME.note TO PUBLIC")', ".note gives rights to every"),
    "the right to truncate": (
        'op.execute("GRANT TRUNCATE ON plugin_NAME.note TO xiangyue_app")',
        ".note gives rights to every",
    ),
    "its transaction committed": (
        "op.execute(\"UPDATE public.household SET note = 'hacked'\")\nop.execute('COMMIT')",
        "a_migration_may_not_commit",
    ),
    "its transaction committed by Alembic": (
        "with op.get_context().autocommit_block():\n    op.execute(\"UPDATE public.household SET note = 'hacked'\")",
        "AssertionError",
    ),
    "its transaction taken back": (
        "op.execute('SELECT 1; ROLLBACK')\nop.execute(\"UPDATE public.household SET note = 'hacked'\")\n"
        "op.execute('COMMIT')",
        "it ends the transaction",
    ),
    "what it set for the session": (
        "op.execute('CREATE TEMPORARY TABLE pg_policy (x int)')\nop.execute('SET search_path = pg_temp, plugin_NAME')\n"
        'op.execute("CREATE POLICY wide ON plugin_NAME.note FOR SELECT USING (true)")',
        "policy wide of table plugin_NAME.note is not the one",
    ),
    "a view": ('op.execute("CREATE VIEW plugin_NAME.peep AS SELECT * FROM household")', "peep is a view"),
}


#: The plugin's own further table, for those that are about its fence.
MORE = """op.create_table("more", sa.Column("tenant_id", sa.Integer(), nullable=False), schema=SCHEMA)
op.execute("ALTER TABLE plugin_NAME.more ENABLE ROW LEVEL SECURITY")
op.execute("ALTER TABLE plugin_NAME.more FORCE ROW LEVEL SECURITY")
"""


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_migration_leaves_nothing(engine: Any, hanyin: County, tmp_path: Path, kind: str) -> None:
    name = new_name()
    upgrade, reason = (part.replace("NAME", name) for part in BROKEN[kind])
    if ".more " in upgrade and "INHERITS" not in upgrade:
        upgrade = MORE.replace("NAME", name) + upgrade
    with hanyin.uow() as uow:
        household = Household(area_code=VILLAGE, code=f"K{name}", head_name="某某", note="as it was")
        uow.session.add(household)
        uow.session.flush()
        kept = household.id
    plugin = write(tmp_path, name, upgrade)
    with pytest.raises(MigrationFault, match=reason):
        migrate_plugin(engine, plugin)
    with engine.connect() as connection:
        assert tables_in(connection, name) == set()
        assert plugin.schema not in schemas(connection)
    revision, error = installation(engine, name)
    assert revision == ""
    assert reason in error
    with hanyin.uow() as uow:
        assert uow.get(Household, kept).note == "as it was"
    # The next one is not held up by what this one did to the session.
    good = write(tmp_path, new_name())
    assert migrate_plugin(engine, good) == "0001"
    migrate_plugin(engine, good, "base")


OWN_DOINGS = """
op.bulk_insert(sa.table("note", sa.column("tenant_id"), sa.column("area_code"), sa.column("words"), schema=SCHEMA),
               [{"tenant_id": 1, "area_code": 1, "words": "one"}])
ADD_COLUMN
op.execute("UPDATE plugin_NAME.note SET more = (SELECT max(h.note) FROM public.household h)")
op.execute("CREATE FUNCTION plugin_NAME.f() RETURNS trigger LANGUAGE plpgsql AS 'begin return new; end'")
op.execute("CREATE TRIGGER t BEFORE INSERT ON plugin_NAME.note FOR EACH ROW EXECUTE FUNCTION plugin_NAME.f()")
with op.get_bind().begin_nested() as point:
    op.execute("DELETE FROM plugin_NAME.note")
    point.rollback()
op.execute("CREATE TYPE plugin_NAME.kind AS (a int)")
op.execute("ALTER TABLE plugin_NAME.note ENABLE ROW LEVEL SECURITY")
op.execute("CREATE POLICY tenant ON plugin_NAME.reply_more USING (tenant_id = current_setting('app.tenant_id')::int)"
           " WITH CHECK (tenant_id = current_setting('app.tenant_id')::int)")
"""


def test_what_is_its_own_it_may_do(engine: Any, tmp_path: Path) -> None:
    name = new_name()
    table = 'op.create_table("reply_more", sa.Column("tenant_id", sa.Integer(), nullable=False), schema=SCHEMA)'
    doings = f"{table}{OWN_DOINGS}".replace("ADD_COLUMN", ADD_COLUMN).replace("NAME", name)
    plugin = write(tmp_path, name, doings)
    assert migrate_plugin(engine, plugin) == "0002"
    with engine.begin() as connection:
        assert connection.execute(text(f"SELECT words FROM plugin_{name}.note")).scalars().all() == ["one"]
        connection.execute(text(f"DROP TABLE plugin_{name}.reply_more"))
        connection.execute(text(f"DROP FUNCTION plugin_{name}.f CASCADE"))
        connection.execute(text(f"DROP TYPE plugin_{name}.kind"))
    assert migrate_plugin(engine, plugin, "base") == ""


def test_a_broken_step_keeps_what_stood(engine: Any, tmp_path: Path) -> None:
    name = new_name()
    migrate_plugin(engine, write(tmp_path, name))
    plugin = write(tmp_path, name, "1 / 0")
    with pytest.raises(MigrationFault, match="ZeroDivisionError"):
        migrate_plugin(engine, plugin)
    assert installation(engine, name) == ("0001", "ZeroDivisionError: division by zero")
    with engine.connect() as connection:
        assert "note" in tables_in(connection, name)
    migrate_plugin(engine, plugin, "base")


def test_an_unreadable_folder_is_a_fault(engine: Any, tmp_path: Path) -> None:
    plugin = write(tmp_path, new_name(), "def broken(")
    with pytest.raises(MigrationFault, match="SyntaxError"):
        head_of(plugin.folder)
    with pytest.raises(MigrationFault, match="SyntaxError"):
        migrate_plugin(engine, plugin)
