"""Plugins' tables: a schema each, behind both walls, whether their plugin is there or not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, delete, func, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Mapped
from tests.integration.migrations_kit import ADD_COLUMN, new_name, schemas, write
from tests.plugins_kit import planted

from xiangyue.db.base import PLUGIN_REGISTRIES, AreaBound, Base, TenantOwned, tenant_fk
from xiangyue.db.plugin_migrate import MigrationFault, migrate_plugin, owner_engine
from xiangyue.db.plugin_tables import RowsInUse, delete_rows, plugin_base
from xiangyue.db.scope import Scope, area_range
from xiangyue.db.sql import scoped_sql
from xiangyue.errors import NotFound
from xiangyue.features.households.models import Household
from xiangyue.plugin.migrations import downgrade_all, upgrade_all
from xiangyue.runtime import Runtime
from xiangyue.testing.fixtures import County
from xiangyue.testing.twins import tenant_table_objects
from xiangyue.testing.walls import without_rls, without_scope


@pytest.fixture
def engine(runtime: Runtime) -> Iterator[Any]:
    made = owner_engine(runtime.settings.migration_database_url)
    yield made
    made.dispose()


@contextmanager
def modelled(engine: Any, folder: Path) -> Iterator[tuple[str, Any, Any]]:
    """A plugin's tables in the database, with its models: (name, Note, Reply)."""
    name = new_name()
    plugin = write(folder, name)
    migrate_plugin(engine, plugin)
    known = set(Base.metadata.tables)
    own: Any = plugin_base(name)

    class Note(AreaBound, own):
        __tablename__ = "note"
        __table_args__ = (tenant_fk("household_id", "household"),)
        household_id: Mapped[int | None]
        words: Mapped[str]

    class Reply(TenantOwned, own):
        __tablename__ = "reply"
        __table_args__ = (tenant_fk("note_id", f"{plugin.schema}.note"),)
        note_id: Mapped[int]

    try:
        yield name, Note, Reply
    finally:
        own.registry.dispose()
        PLUGIN_REGISTRIES.discard(own.registry)
        for key in set(Base.metadata.tables) - known:
            Base.metadata.remove(Base.metadata.tables[key])
        migrate_plugin(engine, plugin, "base")


@pytest.fixture
def tabled(engine: Any, tmp_path: Path) -> Iterator[tuple[str, Any, Any]]:
    with modelled(engine, tmp_path) as made:
        yield made


VILLAGE = 610921104201000


def add_notes(county: County, note: Any, *words: str, area: int = VILLAGE) -> list[int]:
    with county.uow() as uow:
        rows = [note(area_code=area, words=word) for word in words]
        uow.session.add_all(rows)
        uow.session.flush()
        return [row.id for row in rows]


def words_of(county: County, note: Any, runtime: Runtime | None = None) -> list[str]:
    with (runtime or county.runtime).uow(county.info.id) as uow:
        return list(uow.session.scalars(select(note.words).order_by(note.words)))


def test_both_walls_hold_for_plugins_tables(
    runtime: Runtime, hanyin: County, tongyu: County, tabled: tuple[str, Any, Any]
) -> None:
    name, note, _reply = tabled
    add_notes(hanyin, note, "ours")
    (theirs,) = add_notes(tongyu, note, "theirs", area=220822100001000)
    assert (words_of(hanyin, note), words_of(tongyu, note)) == (["ours"], ["theirs"])
    with without_scope():
        assert words_of(hanyin, note) == ["ours"]
    with without_rls(runtime) as open_runtime:
        assert words_of(hanyin, note, open_runtime) == ["ours"]
        with without_scope():
            assert words_of(hanyin, note, open_runtime) == ["ours", "theirs"]
    with hanyin.uow() as uow:
        with pytest.raises(NotFound):
            uow.get(note, theirs)
        uow.session.execute(update(note).values(words="changed"))
        uow.session.execute(delete(note).where(note.id == theirs))
        rows = scoped_sql(uow.session, f"SELECT n.words FROM plugin_{name}.note n WHERE {{tenant:n}}").scalars()
        assert list(rows) == ["changed"]
    assert words_of(tongyu, note) == ["theirs"]
    smuggle = (
        f"INSERT INTO plugin_{name}.note (tenant_id, area_code, words)"
        " SELECT :other, a.area_code, 'smuggled' FROM area a WHERE {tenant:a} LIMIT 1"
    )
    with hanyin.uow() as uow, pytest.raises(DBAPIError, match="row-level security"):
        scoped_sql(uow.session, smuggle, {"other": tongyu.info.id})


def test_areas_limit_plugins_tables(hanyin: County, tabled: tuple[str, Any, Any]) -> None:
    _name, note, _reply = tabled
    other = VILLAGE + 1_000_000
    add_notes(hanyin, note, "here")
    add_notes(hanyin, note, "there", area=other)
    for ranges in ((area_range(VILLAGE),), (area_range(VILLAGE), area_range(610921999000000))):
        with hanyin.uow() as uow, uow.scoped(Scope(hanyin.info.id, ranges)):
            assert uow.session.scalars(select(note.words)).all() == ["here"]
            assert uow.session.scalars(select(func.count()).select_from(note)).one() == 1
            uow.session.add(note(area_code=other, words="smuggled"))
            with pytest.raises(NotFound):
                uow.session.flush()
            uow.session.expunge_all()


def test_a_foreign_key_reaches_the_core(hanyin: County, tongyu: County, tabled: tuple[str, Any, Any]) -> None:
    _name, note, _reply = tabled
    with tongyu.uow() as uow:
        household = Household(area_code=220822100001000, code="T1", head_name="某某")
        uow.session.add(household)
        uow.session.flush()
        uow.session.add(note(area_code=household.area_code, words="x", household_id=household.id))
        foreign = household.id
    with pytest.raises(DBAPIError, match="violates foreign key"), hanyin.uow() as uow:
        uow.session.add(note(area_code=VILLAGE, words="x", household_id=foreign))


def test_the_twin_counties_cover_plugins_tables(tabled: tuple[str, Any, Any]) -> None:
    name, _note, _reply = tabled
    assert {f"plugin_{name}.note", f"plugin_{name}.reply"} <= {t.fullname for t in tenant_table_objects()}


def test_one_county_s_rows_are_deleted_whatever_refers_to_what(
    engine: Any, hanyin: County, tongyu: County, tabled: tuple[str, Any, Any]
) -> None:
    name, note, reply = tabled
    for county in (hanyin, tongyu):
        (note_id,) = add_notes(county, note, "word", area=county.info.area_code)
        with county.uow() as uow:
            uow.session.add_all([reply(note_id=note_id), reply(note_id=note_id)])
    with hanyin.uow() as uow:
        assert delete_rows(uow.session, f"plugin_{name}") == {"note": 1, "reply": 2}
        assert delete_rows(uow.session, "plugin_nowhere") == {}
    assert (words_of(hanyin, note), words_of(tongyu, note)) == ([], ["word"])
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE pinned (tenant_id int, note bigint)"))
        connection.execute(
            text(f"ALTER TABLE pinned ADD FOREIGN KEY (tenant_id, note) REFERENCES plugin_{name}.note (tenant_id, id)")
        )
        connection.execute(text(f"INSERT INTO pinned SELECT tenant_id, id FROM plugin_{name}.note"))
    try:
        with tongyu.uow() as uow:
            with pytest.raises(RowsInUse, match="note"):
                delete_rows(uow.session, f"plugin_{name}")
            # Nothing was deleted, and the unit of work goes on.
            assert uow.session.scalars(select(func.count()).select_from(reply)).one() == 2
    finally:
        with engine.begin() as connection:
            connection.execute(text("DROP TABLE pinned"))


def test_a_plugin_without_its_tables_is_left_out_until_they_are_there(
    runtime: Runtime, engine: Any, hanyin: County, tmp_path: Path
) -> None:
    name = new_name()
    tables = write(tmp_path, name, "1 / 0")
    with planted(runtime, name, manifest={"migrations": tables.folder}) as installed:

        def state() -> str:
            with hanyin.uow() as uow:
                runtime.check_plugins(uow)
            return f"{installed.state}: {installed.reason}"

        assert state().startswith("unmigrated: ")
        with pytest.raises(MigrationFault):
            migrate_plugin(engine, tables)
        assert "ZeroDivisionError" in state()
        write(tmp_path, name, ADD_COLUMN)
        migrate_plugin(engine, tables)
        assert state() == "ready: "
        migrate_plugin(engine, tables, "base")
        assert state().startswith("unmigrated: ")


def test_all_go_up_and_a_broken_one_stops_no_other(pg_server: Any, runtime: Runtime, tmp_path: Path) -> None:
    owner_url, _ = pg_server.create_database("all_plugins")
    directory = runtime.settings.migrations_dir
    good, bad, gone = new_name(), new_name(), new_name()
    write(tmp_path, good)
    write(tmp_path, bad, "1 / 0")
    write(tmp_path, gone)

    def names(url: str = owner_url) -> set[str]:
        one = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
        with one.connect() as connection:
            found = schemas(connection)
        one.dispose()
        return found

    with planted(runtime, gone, manifest={"migrations": tmp_path / gone}):
        assert [(p.name, p.revision, p.fault) for p in upgrade_all(owner_url, directory, runtime.registry)] == [
            (gone, "0001", "")
        ]
    with (
        planted(runtime, bad, manifest={"migrations": tmp_path / bad}),
        planted(runtime, good, manifest={"migrations": tmp_path / good}),
    ):
        done = {p.name: p for p in upgrade_all(owner_url, directory, runtime.registry)}
        assert done[good].revision == "0001"
        assert done[bad].fault == "ZeroDivisionError: division by zero"
        # What is no longer installed stays, and stands in nobody's way.
        assert names() == {f"plugin_{good}", f"plugin_{gone}"}
        downgrade_all(owner_url, directory, runtime.registry, "base")
        assert names() == set()
        upgrade_all(owner_url, directory, runtime.registry)
        assert names() == {f"plugin_{good}"}
