"""Plugins that do something wrong while they are taken in: each is left out by itself, its reason names the fault."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from flask import Blueprint
from marshmallow import Schema, fields
from sqlalchemy.orm import configure_mappers
from tests.plugins_kit import distribution, manifest, planted

from xiangyue import cli, i18n
from xiangyue.access.acts import DECLARED
from xiangyue.access.permissions import Permission
from xiangyue.api.setup import ApiBlueprint
from xiangyue.config import Settings
from xiangyue.db.base import Base
from xiangyue.plugin import hookspecs, load
from xiangyue.plugin.registry import ImportColumn, JobKind, NavItem, Schedule, WorkProvider
from xiangyue.runtime import Runtime
from xiangyue.web.access import anywhere, public, requires, signed_in

VIEW = Permission("probe.view", "See probes")
HIDDEN = Permission("probe.hidden", "See hidden probes", sensitive=True)


def pages(*views: Any, name: str = "probe", rule: str = "/", **options: Any) -> Blueprint:
    blueprint = Blueprint(name, __name__, **options)
    for view in views:
        blueprint.add_url_rule(rule, view_func=view)
    return blueprint


@signed_in
def show() -> str:
    return "probe"


def unmarked() -> str:
    return ""


@requires(Permission("probe.view", "Another object of the same name"))
def stranger() -> str:
    return ""


@anywhere
def loose() -> str:
    return ""


def nav(**changes: Any) -> tuple[NavItem, ...]:
    values = {"key": "probe", "label": "Probe", "endpoint": "probe.show", "permission": None}
    return (NavItem(**{**values, "group": "people", "icon": "x", **changes}),)


def raising() -> Any:
    raise LookupError("the list of jobs is lost")


def leaving() -> Any:
    sys.exit(3)


async def slow() -> Any:
    return ()


def with_deferred(**_options: Any) -> Blueprint:
    """What the blueprint does to the application shows only when it is registered."""
    blueprint = pages(show)
    blueprint.record(lambda state: state.app.add_url_rule("/households/all", view_func=public(lambda: "")))
    return blueprint


def app_wide(register: str, *arguments: Any) -> Blueprint:
    blueprint = pages(show)
    decorate = getattr(blueprint, register)
    (decorate(*arguments) if arguments else decorate)(lambda *_a, **_k: {})
    return blueprint


class Required(Schema):
    limit = fields.Integer(required=True)


class Falls(Schema):
    def __init__(self, **options: Any) -> None:
        raise LookupError("no schema today")


def job(key: str = "probe.count", **changes: Any) -> JobKind:
    return JobKind(**{"key": key, "label": "Count", "run": lambda _context: None, **changes})


def column(**changes: Any) -> ImportColumn:
    values = {"key": "probe_note", "names": ("备注二", "Second note"), "kind": "text", "apply": lambda _u, _v: None}
    return ImportColumn(**{**values, **changes})


FAULTS: dict[str, tuple[dict[str, Any], str, str]] = {
    # -- manifest
    "no manifest": ({"MANIFEST": None}, "broken", "MANIFEST of its module is None"),
    "another type": ({"MANIFEST": {"name": "probe"}}, "broken", "must be a Manifest"),
    "another name": ({"manifest": {"name": "other"}}, "broken", "MANIFEST.name is 'other'"),
    "label is a number": ({"manifest": {"label": 7}}, "broken", "label: 7 is no text"),
    "too new": ({"manifest": {"core": ">=2,<3"}}, "incompatible", "<3,>=2"),
    "too old": ({"manifest": {"core": "<1"}}, "incompatible", "this installation has 1.0"),
    "range is nonsense": ({"manifest": {"core": "one"}}, "broken", "MANIFEST.core is 'one'"),
    "range is none": ({"manifest": {"core": None}}, "broken", "MANIFEST.core is None"),
    "folder is missing": ({"manifest": {"static": Path("/nowhere")}}, "broken", "static: /nowhere"),
    "settings of another kind": ({"manifest": {"settings": dict}}, "broken", "settings: "),
    "setting without default": ({"manifest": {"settings": Required}}, "broken", "without a default: limit"),
    "settings schema raises": ({"manifest": {"settings": Falls}}, "broken", "no schema today"),
    # -- hooks
    "hook with a wrong parameter": ({"register_jobs": lambda county: ()}, "broken", "'county'"),
    "unknown hook": ({"household_vanish_requested": lambda: None}, "broken", "household_vanish_requested"),
    "registration raises": ({"register_jobs": raising}, "broken", "the list of jobs is lost"),
    "registration ends the process": ({"register_jobs": leaving}, "broken", "SystemExit: 3"),
    "registration is asynchronous": ({"register_jobs": slow}, "broken", "coroutine"),
    "registration returns nothing": ({"register_jobs": None}, "broken", "register_jobs returned None"),
    "registration returns a word": ({"register_jobs": "count"}, "broken", "'count'"),
    "registration returns other things": ({"register_jobs": (VIEW,)}, "broken", "JobKind is wanted"),
    "audit words are a list": ({"register_audit_actions": ["probe.x"]}, "broken", "mapping"),
    "audit word is a number": ({"register_audit_actions": {"probe.x": 3}}, "broken", "'probe.x': 3"),
    "a field of another type": ({"register_jobs": (job(run=3),)}, "broken", "run: 3 cannot be called"),
    "a label that cannot be shown": (
        {"register_jobs": (job(label=i18n.lazy_gettext("%(n)d things", m=1)),)},
        "broken",
        "label: the text cannot be shown",
    ),
    # -- keys
    "permission of another": (
        {"register_permissions": (Permission("household.all", "x"),)},
        "refused",
        "household.all",
    ),
    "permission of the operator": (
        {"register_permissions": (Permission("probe.run", "x", site="operator"),)},
        "refused",
        "probe.run",
    ),
    "job of another": ({"register_jobs": (job("imports.check"),)}, "refused", "imports.check"),
    "the same job twice": ({"register_jobs": (job(), job())}, "refused", "probe.count"),
    "work without prefix": ({"register_work": (WorkProvider("todo", lambda _u: []),)}, "refused", "todo"),
    "audit action of another": ({"register_audit_actions": {"household.edit": "x"}}, "refused", "household.edit"),
    "import column of another": ({"register_import_columns": (column(key="note"),)}, "refused", "note"),
    "import column of no kind": ({"register_import_columns": (column(kind="colour"),)}, "broken", "kind is 'colour'"),
    "schedule of another's job": (
        {"register_schedules": (Schedule("probe.daily", "audit.seal", 86_400),)},
        "refused",
        "probe.daily",
    ),
    "schedule every second": (
        {"register_jobs": (job(),), "register_schedules": (Schedule("probe.often", "probe.count", 1),)},
        "broken",
        "every_seconds is 1",
    ),
    "two commands": (
        {"register_commands": (click.Command("probe"), click.Command("demo"))},
        "refused",
        "probe, demo",
    ),
    "another's command": ({"register_commands": (click.Command("tenant"),)}, "refused", "tenant"),
    # -- rights
    "a right of the core to a role": (
        {"register_role_templates": {"village": frozenset({"account.manage"})}},
        "refused",
        "account.manage",
    ),
    "an unknown role template": ({"register_role_templates": {"king": frozenset()}}, "refused", "king"),
    "a right that county_admin lacks": (
        {"register_permissions": (VIEW,), "register_role_templates": {"town": {"probe.view"}}},
        "refused",
        "county_admin",
    ),
    "a sensitive right to villages": (
        {
            "register_permissions": (HIDDEN,),
            "register_role_templates": {"county_admin": {"probe.hidden"}, "village": {"probe.hidden"}},
        },
        "refused",
        "is sensitive",
    ),
    "an unregistered right": ({"register_jobs": (job(permission=VIEW),)}, "refused", "probe.view"),
    # -- pages
    "blueprint of another name": ({"register_pages": (pages(show, name="households"),)}, "refused", "households"),
    "view without a mark": ({"register_pages": (pages(unmarked),)}, "refused", "probe.unmarked"),
    "view with an unknown right": ({"register_pages": (pages(stranger),)}, "refused", "probe.stranger"),
    "view for everywhere": ({"register_pages": (pages(loose),)}, "refused", "probe.loose"),
    "an address of another": ({"register_pages": (with_deferred(),)}, "refused", "/households/all"),
    "two views at one endpoint": (
        {"register_pages": (pages(show), pages(show, name="probe_more"), pages(show, name="probe_more"))},
        "refused",
        "probe_more",
    ),
    "static files of a blueprint": (
        {"register_pages": (pages(show, static_folder="translations"),)},
        "refused",
        "/p/probe/translations/",
    ),
    "navigation to another's page": (
        {"register_pages": (pages(show),), "register_navigation": nav(endpoint="households.list_households")},
        "refused",
        "households.list_households",
    ),
    "navigation to a page with values": (
        {"register_pages": (pages(show, rule="/<int:id>"),), "register_navigation": nav()},
        "refused",
        "probe.show",
    ),
    "navigation in no group": (
        {"register_pages": (pages(show),), "register_navigation": nav(group="magic")},
        "broken",
        "group is 'magic'",
    ),
    "API blueprint of another name": ({"register_api": (ApiBlueprint("areas", __name__),)}, "refused", "api-areas"),
    "pages for an API": ({"register_api": (pages(show),)}, "broken", "ApiBlueprint is wanted"),
    **{
        f"{register} for all": ({"register_pages": (app_wide(register, *arguments),)}, "refused", "whole application")
        for register, *arguments in [
            ("before_app_request",),
            ("after_app_request",),
            ("teardown_app_request",),
            ("app_context_processor",),
            ("app_url_value_preprocessor",),
            ("app_url_defaults",),
            ("app_errorhandler", 404),
            ("app_template_filter", "thousands"),
            ("app_template_global", "asset"),
        ]
    },
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_leaves_the_plugin_out_and_is_named(runtime: Runtime, fault: str) -> None:
    attributes, state, reason = FAULTS[fault]
    before = set(runtime.registry.manager.list_name_plugin())
    with planted(runtime, "probe", **attributes) as installed, i18n.in_locale("en"):
        assert (installed.state, reason in str(installed.reason)) == (state, True), str(installed.reason)
        assert installed.trace
        assert not runtime.registry.has("probe")
        assert set(runtime.registry.manager.list_name_plugin()) == before
        with i18n.in_locale("zh"):
            assert any("\u4e00" <= c <= "\u9fff" for c in str(installed.reason))


def test_one_made_for_another_version_still_says_what_it_is(runtime: Runtime) -> None:
    manifest = {"core": ">=2,<3", "label": "Later"}
    with planted(runtime, "probe", manifest=manifest) as installed:
        assert (installed.state, installed.label) == ("incompatible", "Later")
        assert installed.manifest is not None
        assert installed.manifest.core == ">=2,<3"


def test_a_plugin_without_faults_is_ready(runtime: Runtime) -> None:
    with planted(runtime, "probe", register_permissions=(VIEW,), register_jobs=(job(permission=VIEW),)) as installed:
        assert (installed.state, str(installed.reason)) == ("ready", "")
        assert installed.hooks == ("register_jobs", "register_permissions")
        assert runtime.registry.offer(("probe",)).has("probe")
        assert not runtime.registry.offer(()).has("probe")
    assert not runtime.registry.offer(("probe",)).has("probe")
    assert "probe" not in runtime.registry.installed


@pytest.mark.parametrize("name", ["households", "household", "core", "plugin", "tenant", "audit", "Probe", "a", "a-b"])
def test_names_of_the_core_and_odd_names_are_refused(runtime: Runtime, name: str) -> None:
    with planted(runtime, name, MANIFEST=manifest(name)) as installed, i18n.in_locale("en"):
        assert installed.state == "refused"
        assert name in str(installed.reason)
    assert runtime.registry.has("households")
    assert "households" in dict(runtime.registry.manager.list_name_plugin())


def test_two_of_one_name_are_both_left_out(runtime: Runtime) -> None:
    with planted(runtime, "probe") as first:
        assert first.ready
        with planted(runtime, "probe") as second, i18n.in_locale("en"):
            assert second.state == "refused"
            assert "test-probe 1.0, test-probe 1.0" in str(second.reason)
            assert not runtime.registry.has("probe")


def test_a_wrapper_round_others_is_refused(runtime: Runtime) -> None:
    @hookspecs.hookimpl(wrapper=True)
    def register_jobs() -> Any:
        return (yield)

    with planted(runtime, "probe", register_jobs=register_jobs) as installed, i18n.in_locale("en"):
        assert installed.state == "refused"
        assert "register_jobs is a wrapper" in str(installed.reason)


def test_offers_keep_the_countys_order_and_leave_out_what_is_not_ready(runtime: Runtime) -> None:
    with planted(runtime, "alpha"), planted(runtime, "beta"):
        assert [c.key for c in runtime.registry.offer(("beta", "alpha")).contributors if not c.core] == [
            "beta",
            "alpha",
        ]
        runtime.registry.mark("alpha", load.UNMIGRATED, "no tables")
        assert [c.key for c in runtime.registry.offer(("beta", "alpha")).contributors if not c.core] == ["beta"]
        runtime.registry.mark("alpha", load.READY)
        assert runtime.registry.offer(("beta", "alpha")).has("alpha")


def test_a_plugin_cannot_change_the_cores_words(runtime: Runtime, tmp_path: Path) -> None:
    (tmp_path / "zh.po").write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
        'msgid "Households"\nmsgstr "人质"\n\nmsgid "Probe word"\nmsgstr "探针"\n',
        "utf-8",
    )
    with i18n.in_locale("zh"):
        core = i18n.gettext("Households")
        assert core != "Households"
        with planted(runtime, "probe", manifest={"translations": tmp_path}):
            assert i18n.gettext("Households") == core
            assert i18n.gettext("Probe word") == "探针"
        assert i18n.gettext("Probe word") == "Probe word"


def test_translations_that_cannot_be_read_leave_the_plugin_out(runtime: Runtime, tmp_path: Path) -> None:
    (tmp_path / "zh.po").write_bytes(
        b'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\nmsgid "\xff\xfe"\n'
    )
    with planted(runtime, "probe", manifest={"translations": tmp_path}) as installed, i18n.in_locale("en"):
        assert installed.state == "broken"
        assert "translations" in str(installed.reason)
        assert i18n.gettext("Households") == "Households"


# -- distributions on disk


def found() -> Runtime:
    """A process that finds what these tests put on ``sys.path``, and not what else may be installed here."""
    made = Runtime(Settings(plugins=("other", "probe")))
    assert made.registry.has("households")
    return made


IMPORTS = {
    "import error": ("import nothing_of_this_name", "broken", "nothing_of_this_name"),
    "syntax error": ("def register_jobs(:\n    pass", "broken", "SyntaxError"),
    "exit": ("import sys\nsys.exit('bye')", "broken", "SystemExit: bye"),
    "raises": ("raise RuntimeError('not today')", "broken", "not today"),
    "base exception": ("class Odd(BaseException): pass\nraise Odd('odd')", "broken", "Odd: odd"),
    "missing part of the interface": (
        "from xiangyue.sdk import something_newer",
        "incompatible",
        "something_newer",
    ),
    "hangs": ("while True: pass", "broken", "hangs"),
    "waits": ("import time\ntime.sleep(600)", "broken", "hangs"),
}


@pytest.mark.parametrize("fault", IMPORTS)
def test_an_import_that_fails_leaves_the_plugin_out(
    tmp_path: Path, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, state, reason = IMPORTS[fault]
    monkeypatch.setattr(load, "LONGEST", 0.5)
    with distribution(tmp_path, "probe", source), i18n.in_locale("en"):
        installed = found().registry.installed["probe"]
        assert (installed.state, reason in str(installed.reason)) == (state, True), str(installed.reason)
        assert (installed.distribution, installed.version) == ("xiangyue-probe", "1.0")
        assert not [m for m in sys.modules if m.startswith("xiangyue_probe.")]


def test_only_allowed_plugins_are_loaded(tmp_path: Path) -> None:
    with distribution(tmp_path, "probe", "{manifest}") as one, distribution(tmp_path, "other", "{manifest}") as two:
        assert sorted(found().registry.installed) == ["other", "probe"]
        # Without a word about it, everything that is installed; in a process of its own, for the sake of the others.
        every = "import xiangyue.runtime as r; print(*r.Runtime(r.Settings()).registry.installed)"
        path = os.pathsep.join(map(str, (one, two, *sys.path)))
        environ = {**os.environ, "PYTHONPATH": path}
        environ.pop("XIANGYUE_PLUGINS")
        done = subprocess.run([sys.executable, "-c", every], env=environ, capture_output=True, text=True, check=True)
        assert {"other", "probe"} <= set(done.stdout.split())
        assert sorted(Runtime(Settings(plugins=("probe", "absent"))).registry.installed) == ["probe"]
        assert Runtime(Settings(plugins=())).registry.installed == {}


def test_two_distributions_of_one_name_are_both_left_out(tmp_path: Path) -> None:
    with (
        distribution(tmp_path, "probe", "{manifest}"),
        distribution(tmp_path, "probe", "{manifest}", distribution_name="other-probe", package="other_probe"),
        i18n.in_locale("en"),
    ):
        installed = found().registry.installed["probe"]
        assert installed.state == "refused"
        assert "other-probe 1.0" in str(installed.reason)
        assert "xiangyue-probe 1.0" in str(installed.reason)


def test_the_entry_point_leads_to_a_module(tmp_path: Path) -> None:
    with distribution(tmp_path, "probe", "{manifest}") as home, i18n.in_locale("en"):
        points = home / "xiangyue_probe-1.0.dist-info" / "entry_points.txt"
        points.write_text("[xiangyue.plugins]\nprobe = xiangyue_probe.plugin:MANIFEST\n")
        assert "must lead to a module" in str(found().registry.installed["probe"].reason)


SERVICE = """
from xiangyue.access.acts import acts
from xiangyue.access.permissions import Permission

@acts(Permission("probe.act", "Act"))
def act_here(uow):
    pass
"""


def test_a_service_with_an_unregistered_right_is_refused_and_forgotten(tmp_path: Path) -> None:
    source = "{manifest}\nfrom xiangyue_probe import service"
    with distribution(tmp_path, "probe", source, files={"service.py": SERVICE}), i18n.in_locale("en"):
        for _again in range(2):
            installed = found().registry.installed["probe"]
            assert installed.state == "refused"
            assert "xiangyue_probe.service.act_here" in str(installed.reason)
            assert not [name for name in DECLARED if name.startswith("xiangyue_probe")]


OWN = """
class Own(DeclarativeBase):
    metadata = Base.metadata

    @declared_attr.directive
    def __table_args__(cls):
        return {"schema": "plugin_probe"}

"""

TABLES = {
    "on the core's base": (
        "class Probe(TenantOwned, Base):\n    __tablename__ = 'probe'",
        "refused",
        "Probe stands on the core's base",
    ),
    "in another's schema": (
        "Table('probe', Base.metadata, Column('id', Integer, primary_key=True))",
        "refused",
        "must lie in the schema plugin_probe",
    ),
    "of no county": (
        "Table('probe', Base.metadata, Column('id', Integer, primary_key=True), schema='plugin_probe')",
        "refused",
        "belongs to no county",
    ),
    "one more column of the core's": (
        "Table('household', Base.metadata, Column('probe', Integer), extend_existing=True)",
        "refused",
        "changes the table household",
    ),
    "a reference without the county": (
        OWN + "class Probe(TenantOwned, Own):\n    __tablename__ = 'probe'\n"
        "    household_id: Mapped[int] = mapped_column(ForeignKey('household.id'))",
        "refused",
        "lacks tenant_id: household_id",
    ),
    "a key over all counties": (
        OWN + "class Probe(TenantOwned, Own):\n    __tablename__ = 'probe'\n"
        "    code: Mapped[int] = mapped_column(unique=True)",
        "refused",
        "lacks tenant_id: code",
    ),
    "a relationship to nobody": (
        OWN + "class Probe(TenantOwned, Own):\n    __tablename__ = 'probe'\n    ghost = relationship('Nobody')",
        "broken",
        "do not fit together",
    ),
    "a relationship that changes the core's class": (
        OWN + "class Probe(TenantOwned, Own):\n    __tablename__ = 'probe'\n    household_id: Mapped[int]\n"
        "    household = relationship(Household, backref='probes', viewonly=True, primaryjoin=lambda:"
        " (Household.tenant_id == foreign(Probe.tenant_id)) & (Household.id == foreign(Probe.household_id)))",
        "refused",
        "Probe.household",
    ),
    "a class that fits nothing": (
        "class Odd(TenantOwned, Base):\n    __tablename__ = 'odd'\n    ghost = relationship('Nobody')",
        "refused",
        "Odd stands on the core's base",
    ),
}


HEAD = """
from sqlalchemy import Column, ForeignKey, Integer, Table
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, foreign, mapped_column, relationship
from xiangyue.db.base import Base, TenantOwned
from xiangyue.features.households.models import Household
"""


def shapes() -> dict[str, list[str]]:
    return {key: list(table.columns.keys()) for key, table in Base.metadata.tables.items()}


def test_a_table_of_its_own_is_taken_in(tmp_path: Path) -> None:
    source = HEAD + OWN + "class Probe(TenantOwned, Own):\n    __tablename__ = 'probe'\n    note: Mapped[str]"
    plugin = "{manifest}\nimport xiangyue_probe.models"
    with distribution(tmp_path, "probe", plugin, files={"models.py": source}), i18n.in_locale("en"):
        installed = found().registry.installed["probe"]
        assert installed.ready, str(installed.reason)
        assert "plugin_probe.probe" in Base.metadata.tables
        # A second runtime of the process finds everything imported.
        assert found().registry.installed["probe"].ready


@pytest.mark.parametrize("fault", TABLES)
def test_a_table_that_is_not_its_own_is_refused_and_taken_out(tmp_path: Path, fault: str) -> None:
    source, state, reason = TABLES[fault]
    models = HEAD + source
    tables, mappers = shapes(), set(Base.registry.mappers)
    with (
        distribution(tmp_path, "probe", "{manifest}\nimport xiangyue_probe.models", files={"models.py": models}),
        i18n.in_locale("en"),
    ):
        for _again in range(2):
            installed = found().registry.installed["probe"]
            assert (installed.state, reason in str(installed.reason)) == (state, True), str(installed.reason)
            assert shapes() == tables
            assert set(Base.registry.mappers) == mappers
            configure_mappers()


def test_a_broken_plugin_breaks_no_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = """
{manifest}
import click

@click.command("probe", help="Probe things.")
def probe():
    click.echo("probed")

@hookimpl
def register_commands():
    return (probe,)
"""
    monkeypatch.setenv("XIANGYUE_PLUGINS", "*")
    cli.registries.clear()
    try:
        with distribution(tmp_path, "broken", "1 / 0"), distribution(tmp_path, "probe", command):
            shown = CliRunner().invoke(cli.cli, ["--help"])
            assert shown.exit_code == 0, shown.output
            assert "Probe things." in shown.output
            assert "tenant" in shown.output
            assert "probed" in CliRunner().invoke(cli.cli, ["probe"]).output
            assert CliRunner().invoke(cli.cli, ["broken"]).exit_code == 2
    finally:
        cli.registries.clear()


def test_a_command_imports_each_plugin_once(runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings, imports = runtime.settings, tmp_path / "imports"
    for name in ("home", "database_url", "migration_database_url", "redis_url", "profiles_dir", "migrations_dir"):
        monkeypatch.setenv(f"XIANGYUE_{name.upper()}", str(getattr(settings, name)))
    monkeypatch.setenv("XIANGYUE_PLUGINS", "*")
    cli.registries.clear()
    try:
        body = f"with open({str(imports)!r}, 'a') as told:\n    told.write('once,')\n1 / 0"
        with distribution(tmp_path, "broken", body):
            shown = CliRunner().invoke(cli.cli, ["plugin", "list"])
        assert shown.exit_code == 0, shown.output
        assert "broken\t1.0\tbroken" in shown.output
        assert imports.read_text() == "once,"
    finally:
        cli.registries.clear()


def test_wrong_settings_still_leave_the_cores_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XIANGYUE_POOL_SIZE", "many")
    cli.registries.clear()
    try:
        shown = CliRunner().invoke(cli.cli, ["--help"])
        assert shown.exit_code == 0
        assert "tenant" in shown.output
    finally:
        cli.registries.clear()
