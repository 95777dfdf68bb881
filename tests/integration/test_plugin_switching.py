"""Switching plugins in a county, their settings, deleting their data, what a profile says of them, the commands."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from marshmallow import Schema, ValidationError, fields, validate, validates_schema
from sqlalchemy import select
from tests.plugins_kit import planted

from xiangyue.access.models import AuditEntry, Role
from xiangyue.access.permissions import Permission
from xiangyue.db.plugin_migrate import owner_engine
from xiangyue.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from xiangyue.features.accounts.roles import OWN
from xiangyue.features.plugins import policy
from xiangyue.features.plugins.commands import plugin as plugin_command
from xiangyue.features.plugins.service import plugin_settings, purge_plugin, set_plugin_settings, switch_plugin
from xiangyue.features.plugins.stored import read_stored
from xiangyue.i18n import in_locale
from xiangyue.plugin.models import PluginFault, TenantPlugin
from xiangyue.runtime import Runtime, offer_of
from xiangyue.tenancy import provision
from xiangyue.tenancy.enablement import enabled_names
from xiangyue.tenancy.profile import ProfileErrors, load_profile
from xiangyue.testing.fixtures import ROOT, County

_numbers = itertools.count(1)


def new_name() -> str:
    return f"switched{next(_numbers)}"


class Section(Schema):
    year = fields.Integer(load_default=2024, validate=validate.Range(2000, 2100))
    words = fields.String(load_default="none")


class Settings(Schema):
    share = fields.Integer(load_default=80, validate=validate.Range(0, 100))
    basis = fields.String(load_default="head", validate=validate.OneOf(["head", "household"]))
    since = fields.Date(load_default=None, allow_none=True)
    section = fields.Nested(Section, load_default=lambda: Section().load({}))

    @validates_schema
    def fits(self, data: dict[str, Any], **_more: Any) -> None:
        if data["share"] == 13 and data["basis"] == "household":
            raise ValidationError("Unlucky.")


def state(county: County, name: str) -> tuple[bool, dict[str, Any], int]:
    with county.uow() as uow:
        row = uow.session.scalars(select(TenantPlugin).where(TenantPlugin.name == name)).one()
        return row.enabled, row.settings, row.version


def on(county: County) -> tuple[str, ...]:
    with county.uow() as uow:
        return enabled_names(uow)


def switch(county: County, name: str, enabled: bool = True) -> None:
    with county.uow() as uow:
        switch_plugin(uow, name=name, enabled=enabled)


def audited(county: County, action: str) -> AuditEntry:
    with county.uow() as uow:
        found = uow.session.scalars(select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.id))
        return found.all()[-1]


def test_on_here_and_not_there_and_off_again(hanyin: County, tongyu: County) -> None:
    name = new_name()
    with planted(hanyin.runtime, name):
        switch(hanyin, name)
        assert (name in on(hanyin), name in on(tongyu)) == (True, False)
        with hanyin.uow() as uow:
            assert offer_of(uow).has(name)
        assert audited(hanyin, "plugin.on").object_label == f"Plugin {name}"
        version = state(hanyin, name)[2]
        switch(hanyin, name)
        assert state(hanyin, name)[2] == version
        switch(hanyin, name, False)
        assert name not in on(hanyin)
        assert audited(hanyin, "plugin.off").after["plugin"] == name
    assert name not in on(hanyin)


def test_who_may_switch(hanyin: County) -> None:
    name = new_name()
    with planted(hanyin.runtime, name):
        for actor in (hanyin.actor(policy.PLUGIN_VIEW), hanyin.actor(policy.PLUGIN_MANAGE, area=610921104000000)):
            with pytest.raises(Forbidden), hanyin.uow(actor) as uow:
                switch_plugin(uow, name=name, enabled=True)
            with pytest.raises(Forbidden), hanyin.uow(actor) as uow:
                purge_plugin(uow, name=name)
        with hanyin.uow(hanyin.actor(policy.PLUGIN_MANAGE)) as uow:
            switch_plugin(uow, name=name, enabled=True)
    with hanyin.uow() as uow, pytest.raises(NotFound):
        switch_plugin(uow, name="nowhere", enabled=True)


def test_what_cannot_be_on(hanyin: County) -> None:
    base, broken, needing = new_name(), new_name(), new_name()
    with planted(hanyin.runtime, base), planted(hanyin.runtime, broken, manifest={"core": ">=99"}):
        with pytest.raises(Conflict, match=broken):
            switch(hanyin, broken)
        with planted(hanyin.runtime, needing, manifest={"requires": (base,)}):
            with pytest.raises(Conflict, match=f"Plugin {base}"):
                switch(hanyin, needing)
            switch(hanyin, base)
            switch(hanyin, needing)
            with pytest.raises(Conflict, match=f"Plugin {needing}"):
                switch(hanyin, base, False)
            switch(hanyin, needing, False)
            switch(hanyin, base, False)
    # One that is gone can be switched off, never on.
    with hanyin.uow() as uow:
        uow.session.add(TenantPlugin(name="vanished", enabled=True, settings={"kept": 1}))
    switch(hanyin, "vanished", False)
    with pytest.raises(Conflict):
        switch(hanyin, "vanished")


def test_roles_made_from_templates_follow(hanyin: County) -> None:
    name = new_name()
    view = Permission(f"{name}.view", "See")

    def rights(key: str) -> list[str]:
        with hanyin.uow() as uow:
            return list(uow.session.scalars(select(Role.permissions).where(Role.key == key)).one())

    with hanyin.uow() as uow:
        uow.session.scalars(select(Role).where(Role.key == "village")).one().template = OWN
    hooks = {
        "register_permissions": (view,),
        "register_role_templates": {key: frozenset({view.name}) for key in ("county_admin", "town", "village")},
    }
    with planted(hanyin.runtime, name, **hooks):
        before = rights("town")
        switch(hanyin, name)
        assert rights("town") == sorted([*before, view.name])
        assert view.name not in rights("village")
        assert audited(hanyin, "plugin.on").after["roles"] == ["county_admin", "town"]
        assert hanyin.account("town") is not None
        switch(hanyin, name, False)
        assert rights("town") == before


def test_settings_are_judged_kept_and_read_with_defaults(hanyin: County, tongyu: County) -> None:
    name = new_name()
    with planted(hanyin.runtime, name, manifest={"settings": Settings}):
        with hanyin.uow() as uow:
            assert plugin_settings(uow, name) == {
                "share": 80,
                "basis": "head",
                "since": None,
                "section": {"year": 2024, "words": "none"},
            }
            set_plugin_settings(uow, name=name, version=0, values={"share": 60, "since": "2024-05-01"})
            assert plugin_settings(uow, name)["share"] == 60
        with hanyin.uow() as uow, pytest.raises(Invalid) as refused:
            set_plugin_settings(uow, name=name, version=1, values={"share": 101, "section": {"year": 1}, "what": 1})
        assert set(refused.value.fields) == {"share", "section.year", "what"}
        with hanyin.uow() as uow, pytest.raises(Stale) as stale:
            set_plugin_settings(uow, name=name, version=0, values={"share": 10})
        assert stale.value.theirs == {"share": 60, "since": "2024-05-01"}
        assert state(hanyin, name) == (False, {"share": 60, "since": "2024-05-01"}, 1)
        entry = audited(hanyin, "plugin.settings")
        assert (entry.before["share"], entry.after["share"]) == (None, 60)
        with tongyu.uow() as uow:
            assert plugin_settings(uow, name)["share"] == 80
        switch(hanyin, name)
        switch(hanyin, name, False)
        with hanyin.uow() as uow:
            assert str(plugin_settings(uow, name)["since"]) == "2024-05-01"


def test_a_stored_value_that_no_longer_fits_has_its_default(hanyin: County) -> None:
    name = new_name()
    with planted(hanyin.runtime, name, manifest={"settings": Settings}):
        stored = {"share": "much", "basis": "household", "old": 1, "section": {"year": 1, "words": "kept"}}
        with hanyin.uow() as uow:
            uow.session.add(TenantPlugin(name=name, enabled=True, settings=stored))
        with hanyin.uow() as uow:
            read = plugin_settings(uow, name)
        assert (read["share"], read["basis"]) == (80, "household")
        assert read["section"] == {"year": 2024, "words": "kept"}
        with hanyin.uow() as uow:
            (fault,) = uow.session.scalars(select(PluginFault).where(PluginFault.plugin == name))
        assert fault.hook == "settings"
        assert all(path in fault.error for path in ("share", "old", "section.year"))


def test_settings_that_do_not_fit_together_fall_back_together() -> None:
    read, refused = read_stored(Settings(), {"share": 13, "basis": "household"})
    assert (read["share"], read["basis"], refused) == (80, "head", ["share", "basis"])
    assert read_stored(Settings(), {"section": "text"})[1] == ["section"]


TABLES = """
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "0001", None, None, None


def upgrade():
    op.create_table(
        "note",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
        schema="plugin_NAME",
    )


def downgrade():
    op.drop_table("note", schema="plugin_NAME")
"""


@contextmanager
def with_table(runtime: Runtime, folder: Path) -> Iterator[str]:
    """A planted plugin with one table and a row of every county in it."""
    name = new_name()
    (folder / "0001_first.py").write_text(TABLES.replace("NAME", name))
    with planted(runtime, name, manifest={"migrations": folder, "settings": Settings}):
        yield name


def run(runtime: Runtime, *arguments: str, answer: str | None = None) -> Result:
    @contextmanager
    def opened() -> Iterator[Runtime]:
        yield runtime

    with in_locale("en"):
        return CliRunner().invoke(plugin_command, arguments, obj=opened, input=answer)


def rows_of(runtime: Runtime, name: str, tenant_id: int) -> int:
    engine = owner_engine(runtime.settings.migration_database_url)
    with engine.connect() as connection:
        found = connection.exec_driver_sql(f"SELECT count(*) FROM plugin_{name}.note WHERE tenant_id = {tenant_id}")
        count: int = found.scalar_one()
    engine.dispose()
    return count


def test_data_is_deleted_only_when_off_and_only_here(hanyin: County, tongyu: County, tmp_path: Path) -> None:
    runtime = hanyin.runtime
    with with_table(runtime, tmp_path) as name:
        assert run(runtime, "migrate", name).stdout == f"{name}: 0001\n"
        switch(hanyin, name)
        switch(tongyu, name)
        engine = owner_engine(runtime.settings.migration_database_url)
        with engine.begin() as connection:
            for county in (hanyin, tongyu):
                connection.exec_driver_sql(f"INSERT INTO plugin_{name}.note (tenant_id) VALUES ({county.info.id})")
        engine.dispose()
        with pytest.raises(Conflict), hanyin.uow() as uow:
            purge_plugin(uow, name=name)
        switch(hanyin, name, False)
        with hanyin.uow() as uow:
            assert purge_plugin(uow, name=name) == {"note": 1}
        assert audited(hanyin, "plugin.purge").after == {"plugin": name, "rows": {"note": 1}}
        assert [rows_of(runtime, name, c.info.id) for c in (hanyin, tongyu)] == [0, 1]
        with hanyin.uow() as uow:
            known = uow.session.scalars(select(TenantPlugin.name)).all()
        assert name not in known
    # Uninstalled, its tables stay; the other county can still have its rows deleted.
    switch(tongyu, name, False)
    with tongyu.uow() as uow:
        assert purge_plugin(uow, name=name) == {"note": 1}


def test_commands(hanyin: County, tmp_path: Path) -> None:
    runtime = hanyin.runtime
    with with_table(runtime, tmp_path) as name:
        listed = run(runtime, "list", "--tenant", "hanyin").stdout
        assert f"{name}\t1.0\tunmigrated\t-\toff\tIts tables are missing" in listed
        refused = run(runtime, "enable", name, "--tenant", "hanyin")
        assert isinstance(refused.exception, Conflict)
        assert run(runtime, "migrate", name).exit_code == 0
        assert run(runtime, "enable", name, "--tenant", "hanyin").stdout == f"{name}: on in hanyin\n"
        assert f"{name}\t1.0\tready\t0001\ton\n" in run(runtime, "list", "--tenant", "hanyin").stdout
        assert isinstance(run(runtime, "purge", name, "--tenant", "hanyin", "--yes").exception, Conflict)
        assert run(runtime, "disable", name, "--tenant", "hanyin").stdout == f"{name}: off in hanyin\n"
        assert run(runtime, "purge", name, "--tenant", "hanyin", answer="n\n").exit_code == 1
        assert run(runtime, "purge", name, "--tenant", "hanyin", "--yes").stdout == f"{name}: deleted in hanyin\n"
        assert run(runtime, "migrate", name, "base", answer="n\n").exit_code == 1
        (tmp_path / "0001_first.py").write_text("1 / 0\n")
        broken = run(runtime, "migrate", name)
        assert broken.exit_code == 1
        assert broken.stderr.endswith(f"{name}: ZeroDivisionError: division by zero\n")
        (tmp_path / "0001_first.py").write_text(TABLES.replace("NAME", name))
        assert run(runtime, "migrate", name, "base", "--yes").stdout == f"{name}: no tables\n"
    assert isinstance(run(runtime, "enable", "nowhere", "--tenant", "hanyin").exception, NotFound)
    assert isinstance(run(runtime, "enable", "x", "--tenant", "nowhere").exception, NotFound)
    assert isinstance(run(runtime, "migrate", "nowhere").exception, NotFound)


def profile_with(folder: Path, *lines: str) -> Any:
    """Tongyu's profile with other plugins than its own."""
    folder.mkdir(exist_ok=True)
    source = ROOT / "tenants" / "tongyu"
    kept, skipping = [], False
    for line in (source / "tenant.toml").read_text("utf-8").splitlines():
        if line.startswith("["):
            skipping = line.startswith("[plugins")
        if not skipping:
            kept.append(line)
    (folder / "tenant.toml").write_text("\n".join([*kept, *lines, ""]), "utf-8")
    for file in source.glob("*.csv"):
        (folder / file.name).write_bytes(file.read_bytes())
    return load_profile(folder)


def planned(runtime: Runtime, profile: Any) -> list[str]:
    return [str(change) for change in provision.plan(runtime, profile) if "plugin" in change.what]


def test_a_profile_s_plugins_are_applied_and_then_rest(tongyu: County, tmp_path: Path) -> None:
    runtime, name = tongyu.runtime, new_name()
    with planted(runtime, name, manifest={"settings": Settings}):
        told = [f"[plugins.{name}]", f"[plugins.{name}.settings]", "share = 70", "since = 2024-05-01"]
        profile = profile_with(tmp_path, *told)
        assert f"+ plugin {name}" in planned(runtime, profile)
        assert name not in on(tongyu)
        provision.apply(runtime, profile)
        assert state(tongyu, name) == (True, {"share": 70, "since": "2024-05-01"}, 1)
        assert planned(runtime, profile) == []
        # The county changes it itself: that stands as long as the profile says the same.
        with tongyu.uow() as uow:
            switch_plugin(uow, name=name, enabled=False)
            set_plugin_settings(uow, name=name, version=2, values={"share": 65})
        assert provision.apply(runtime, profile) == []
        assert state(tongyu, name)[:2] == (False, {"share": 65})
        changed = profile_with(tmp_path, *told[:2], "share = 75")
        assert planned(runtime, changed) == [f"~ plugin {name} settings: {{'share': 65}} → {{'share': 75}}"]
        provision.apply(runtime, changed)
        assert state(tongyu, name)[:2] == (False, {"share": 75})
        # What it no longer names is off; its settings are kept.
        nothing = profile_with(tmp_path)
        switch(tongyu, name)
        assert planned(runtime, nothing) == [f"- plugin {name}"]
        provision.apply(runtime, nothing)
        assert state(tongyu, name)[:2] == (False, {"share": 75})
        assert planned(runtime, nothing) == []


def test_faults_of_a_profile_s_plugins_have_file_and_line(tongyu: County, tmp_path: Path) -> None:
    runtime, name, bare = tongyu.runtime, new_name(), new_name()
    needs = {"requires": (name,)}
    with planted(runtime, name, manifest={"settings": Settings}), planted(runtime, bare, manifest=needs):
        profile = profile_with(
            tmp_path,
            f"[plugins.{bare}]",
            f"[plugins.{bare}.settings]",
            "x = 1",
            f"[plugins.{name}]",
            "enabled = false",
            f"[plugins.{name}.settings]",
            "share = 101",
            'shere = "typo"',
            "section = {year = 1}",
        )
        with in_locale("en"), pytest.raises(ProfileErrors) as refused:
            provision.plan(runtime, profile)
        lines = (tmp_path / "tenant.toml").read_text("utf-8").splitlines()
        placed = {(lines[problem.line - 1], problem.path) for problem in refused.value.problems}
        assert placed == {
            (f"[plugins.{bare}]", f"plugins.{bare}"),
            (f"[plugins.{bare}.settings]", f"plugins.{bare}.settings"),
            ("share = 101", f"plugins.{name}.settings.share"),
            ('shere = "typo"', f"plugins.{name}.settings.shere"),
            ("section = {year = 1}", f"plugins.{name}.settings.section.year"),
        }
        assert name not in on(tongyu)


def test_one_that_is_not_installed_waits(tongyu: County, tmp_path: Path) -> None:
    runtime, name = tongyu.runtime, new_name()
    profile = profile_with(tmp_path, f"[plugins.{name}]")
    provision.apply(runtime, profile)
    with tongyu.uow() as uow:
        assert not offer_of(uow).has(name)
    with planted(runtime, name), tongyu.uow() as uow:
        assert offer_of(uow).has(name)
