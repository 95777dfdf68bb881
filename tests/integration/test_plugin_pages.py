"""Pages and API of plugins: on in one county and not the other, settings, faults, data, the operator's look."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Blueprint
from flask.testing import FlaskClient
from marshmallow import Schema, fields, validate
from sqlalchemy import select, text
from tests.plugins_kit import planted

from xiangyue.access.models import ApiToken, AuditEntry, Role
from xiangyue.access.permissions import Permission
from xiangyue.access.tokens import API_PREFIX, new_token
from xiangyue.app import create_app
from xiangyue.db.plugin_migrate import PluginTables, migrate_plugin, owner_engine
from xiangyue.features.plugins import deployment
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.faults import write_fault
from xiangyue.plugin.metrics import HOOK_SECONDS
from xiangyue.plugin.models import PluginFault, TenantPlugin
from xiangyue.plugin.registry import HouseholdPanel, JobKind, NavItem, Schedule
from xiangyue.runtime import Runtime
from xiangyue.tenancy.enablement import plugins_changed
from xiangyue.testing.fixtures import County
from xiangyue.testing.source import english_page_faults
from xiangyue.testing.statements import counted
from xiangyue.web.access import requires

NAME = "colours"
VIEW = Permission("colours.view", _l("See households"))


class Colours(Schema):
    share = fields.Integer(
        load_default=80,
        validate=validate.Range(0, 100),
        metadata={"label": "占比下限", "help": "低于它不作认定", "unit": "%"},
    )
    basis = fields.String(load_default="head", validate=validate.OneOf(["head", "household"], ["人均", "户均"]))
    red_first = fields.Boolean(load_default=True, metadata={"label": "红色优先"})


def blueprint() -> Blueprint:
    made = Blueprint(NAME, __name__)

    @made.get("/board")
    @requires(VIEW)
    def board() -> str:
        return "board"

    return made


def plugin() -> dict[str, Any]:
    return {
        "manifest": {"settings": Colours, "label": "三色户", "author": "某公司"},
        "register_permissions": (VIEW,),
        "register_role_templates": {"county_admin": frozenset({VIEW.name})},
        "register_household_panels": (HouseholdPanel("colours_panel", "颜色栏", VIEW, lambda uow, household_id: None),),
        "register_pages": (blueprint(),),
        "register_navigation": (NavItem("colours", "Board", "colours.board", VIEW, "people", "home"),),
        "register_jobs": (JobKind("colours.recount", "重新计算", lambda context: None),),
        "register_schedules": (Schedule("colours.daily", "colours.recount", 86_400),),
        "household_change_requested": lambda uow: None,
    }


@dataclass
class Place:
    """Two counties and the operator on an application that has the plugin installed."""

    hanyin: County
    tongyu: County
    operator: County


@pytest.fixture(scope="module")
def place(runtime: Runtime, hanyin: County, tongyu: County, operator: County) -> Iterator[Place]:
    with planted(runtime, NAME, **plugin()) as installed:
        assert (installed.state, str(installed.reason)) == ("ready", "")
        app = create_app(runtime=runtime)
        yield Place(*(County(runtime, app, county.info) for county in (hanyin, tongyu, operator)))


@pytest.fixture(autouse=True)
def clean(hanyin: County, tongyu: County) -> Iterator[None]:
    """No test leaves a plugin on, settings or faults."""
    yield
    for county in (hanyin, tongyu):
        with county.uow() as uow:
            plugins_changed(uow)
            for model in (TenantPlugin, PluginFault):
                for row in uow.session.scalars(select(model)):
                    uow.session.delete(row)


@pytest.fixture
def client(place: Place) -> FlaskClient:
    return place.hanyin.client("county_admin")


def token(page: str) -> str:
    return re.findall(r'name="csrf_token" value="([^"]+)"', page)[-1]


def version(page: str) -> str:
    return re.findall(r'name="version" value="(\d+)"', page)[-1]


def post(client: FlaskClient, path: str, **data: Any) -> Any:
    return client.post(path, data={"csrf_token": token(client.get("/settings/plugins").text), **data})


def switch(client: FlaskClient, name: str = NAME, *, on: bool = True) -> Any:
    return post(client, f"/settings/plugins/{name}/switch", enabled="1" if on else "0")


def save(client: FlaskClient, at: str | None = None, **settings: Any) -> Any:
    at = at or version(client.get(f"/settings/plugins/{NAME}").text)
    data = {"values.share": "80", "values.basis": "head", "values.red_first": "1"}
    data |= {f"values.{key}": value for key, value in settings.items()}
    return post(client, f"/settings/plugins/{NAME}", version=at, **{k: v for k, v in data.items() if v is not None})


def state(client: FlaskClient, name: str = NAME) -> str:
    """The word on the list for a plugin."""
    line = client.get("/settings/plugins").text.split(f'id="plugin-{name}"')[1].split("</tr>")[0]
    return re.findall(r'class="xy-badge[^"]*">([^<]+)<', line)[0]


def trail(county: County) -> list[str]:
    with county.uow() as uow:
        found = select(AuditEntry.action).where(AuditEntry.object_type == "plugin").order_by(AuditEntry.id)
        return list(uow.session.scalars(found))


def test_without_plugins_the_page_says_how_to_get_one(tongyu: County) -> None:
    page = tongyu.client("county_admin").get("/settings/plugins")
    assert page.status_code == 200
    assert "没有安装插件" in page.text
    assert "请运营方把插件的安装包与本系统装在一起" in page.text


def test_on_in_one_county_is_not_on_in_the_other(place: Place, client: FlaskClient) -> None:
    other = place.tongyu.client("county_admin")
    assert state(client) == "未启用"
    before = len(trail(place.hanyin))
    answer = switch(client)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/settings/plugins/{NAME}")
    assert "“三色户”已启用" in client.get(f"/settings/plugins/{NAME}").text
    assert (state(client), state(other)) == ("已启用", "未启用")
    assert "Board" in client.get("/").text
    assert "Board" not in other.get("/").text
    switch(client, on=False)
    assert state(client) == "未启用"
    assert "Board" not in client.get("/").text
    assert len(trail(place.hanyin)) == before + 2


def test_the_page_says_what_it_brings_and_who_may_use_it(place: Place, client: FlaskClient) -> None:
    page = client.get(f"/settings/plugins/{NAME}").text
    for words in ("颜色栏", "Board", "重新计算：每 1 天", "户的变更", "某公司", "没有角色"):
        assert words in page, words
    with place.hanyin.uow() as uow:
        role = uow.session.scalars(select(Role).where(Role.key == "town")).one()
        role.permissions = [*role.permissions, VIEW.name]
    try:
        assert "个账号" in client.get(f"/settings/plugins/{NAME}").text.split("它的权限")[1].split("</ul>")[0]
    finally:
        with place.hanyin.uow() as uow:
            role = uow.session.scalars(select(Role).where(Role.key == "town")).one()
            role.permissions = [name for name in role.permissions if name != VIEW.name]


def test_settings_are_saved_and_refused_with_the_field_named(place: Place, client: FlaskClient) -> None:
    page = client.get(f"/settings/plugins/{NAME}").text
    assert 'value="80"' in page
    assert "低于它不作认定" in page
    assert page.count('aria-current="page"') <= 2  # the crumb and one line of the navigation
    assert "人均" in page
    refused = save(client, share="170", red_first=None)
    assert refused.status_code == 422
    assert 'value="170"' in refused.text
    assert '<a href="#settings-form-values-share">占比下限</a>' in refused.text
    assert re.search(r'name="values.red_first" value="1"(?! checked)', refused.text)
    assert save(client, share="").status_code == 422
    assert save(client, share="60", basis="household", red_first=None).status_code == 303
    page = client.get(f"/settings/plugins/{NAME}").text
    assert 'value="60"' in page
    assert re.search(r'value="household" checked', page)
    with place.hanyin.uow() as uow:
        row = uow.session.scalars(select(TenantPlugin)).one()
        assert row.settings == {"share": 60, "basis": "household", "red_first": False}
        assert not row.enabled


def test_a_lost_update_shows_both(place: Place, client: FlaskClient) -> None:
    switch(client)
    read = version(client.get(f"/settings/plugins/{NAME}").text)
    assert save(client, read, share="60").status_code == 303
    answer = save(client, read, share="70")
    assert answer.status_code == 409
    assert "在您填写期间" in answer.text or "xy-conflict" in answer.text
    assert 'data-take-value="60"' in answer.text
    assert 'value="70"' in answer.text
    assert save(client, version(answer.text), share="70").status_code == 303


def test_broken_ones_say_why_and_cannot_be_switched_on(runtime: Runtime, place: Place, client: FlaskClient) -> None:
    def explode() -> Any:
        raise RuntimeError("no palette")

    with (
        planted(runtime, "crooked", register_jobs=explode),
        planted(runtime, "elder", manifest={"core": ">=7"}),
        planted(runtime, "thief", register_permissions=(Permission("household.all", "all"),)),
    ):
        page = client.get("/settings/plugins").text
        assert "no palette" in page
        assert "&gt;=7" in page
        assert "household.all" in page
        console = place.operator.client("operator_admin")
        assert "no palette" in console.get("/console/plugins").text
        for name in ("crooked", "elder", "thief"):
            assert "无法启用" in client.get("/settings/plugins").text
            shown = client.get(f"/settings/plugins/{name}")
            assert (shown.status_code, "/switch" in shown.text) == (200, False)
            assert switch(client, name).status_code == 409
            assert console.get(f"/console/plugins/{name}").status_code == 200
        assert "RuntimeError" in console.get("/console/plugins/crooked").text


def test_one_that_disappears_is_named_and_the_county_goes_on(
    runtime: Runtime, place: Place, client: FlaskClient
) -> None:
    with planted(runtime, "meteor", manifest={"settings": Colours}):
        switch(client, "meteor")
        assert state(client, "meteor") == "已启用"
    assert state(client, "meteor") == "已卸载"
    for path in ("/", "/households", "/settings/plugins/meteor"):
        assert client.get(path).status_code == 200
    console = place.operator.client("operator_admin")
    assert "meteor已卸载" in console.get("/console/plugins").text
    assert "汉阴县" in console.get("/console/plugins/meteor").text
    assert switch(client, "meteor", on=False).status_code == 303
    with planted(runtime, "meteor", manifest={"settings": Colours}):
        assert state(client, "meteor") == "未启用"
    assert post(client, "/settings/plugins/meteor/purge", confirm="meteor").status_code == 303
    assert client.get("/settings/plugins/meteor").status_code == 404


def test_one_that_needs_another_waits_for_it(runtime: Runtime, place: Place, client: FlaskClient) -> None:
    with planted(runtime, "shades", manifest={"requires": (NAME,)}):
        page = client.get("/settings/plugins/shades").text
        assert "它需要本县尚未启用的插件：colours" in page
        assert switch(client, "shades").status_code == 409
        switch(client)
        assert switch(client, "shades").status_code == 303
        page = client.get(f"/settings/plugins/{NAME}").text
        assert ("其他插件需要它：shades" in page, "/switch" in page) == (True, False)
        assert switch(client, on=False).status_code == 409


def test_data_are_deleted_only_when_off_and_by_its_name(place: Place, client: FlaskClient) -> None:
    switch(client)
    save(client, share="60")
    path = f"/settings/plugins/{NAME}/purge"
    assert "/purge" not in client.get(f"/settings/plugins/{NAME}").text
    assert post(client, path, confirm=NAME).status_code == 409
    switch(client, on=False)
    assert "/purge" in client.get(f"/settings/plugins/{NAME}").text
    wrong = post(client, path, confirm="colour")
    assert wrong.status_code == 422
    assert "名称不对，什么都没有删除" in wrong.text
    with place.hanyin.uow() as uow:
        assert uow.session.scalars(select(TenantPlugin.settings)).one()["share"] == 60
    assert post(client, path, confirm=NAME).status_code == 303
    with place.hanyin.uow() as uow:
        assert uow.session.scalars(select(TenantPlugin.name).where(TenantPlugin.settings != {})).all() == []
    assert 'value="80"' in client.get(f"/settings/plugins/{NAME}").text


REVISION = """
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "0001", None, None, None


def upgrade():
    op.create_table(
        "note",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
        schema="plugin_keeper",
    )


def downgrade():
    op.drop_table("note", schema="plugin_keeper")
"""


def test_rows_are_counted_before_they_are_deleted(runtime: Runtime, place: Place, tmp_path: Path) -> None:
    (tmp_path / "0001_first.py").write_text(REVISION)
    tables = PluginTables("keeper", "1.0", tmp_path)
    owner = owner_engine(runtime.settings.migration_database_url)
    client, other = place.hanyin.client("county_admin"), place.tongyu.client("county_admin")
    with planted(runtime, "keeper", manifest={"migrations": tmp_path}):
        assert "数据表" in client.get("/settings/plugins/keeper").text
        assert switch(client, "keeper").status_code == 409
        migrate_plugin(owner, tables)
        with place.hanyin.uow() as uow:
            runtime.check_plugins(uow)
        for who in (client, other):
            assert switch(who, "keeper").status_code == 303
            assert switch(who, "keeper", on=False).status_code == 303
        with owner.begin() as connection:
            for county, count in ((place.hanyin, 3), (place.tongyu, 1)):
                connection.execute(
                    text("INSERT INTO plugin_keeper.note SELECT :t, n FROM generate_series(1, :count) n"),
                    {"t": county.info.id, "count": count},
                )
        assert "<code>note</code>: 3 行" in client.get("/settings/plugins/keeper").text
        assert post(client, "/settings/plugins/keeper/purge", confirm="keeper").status_code == 303
        with owner.connect() as connection:
            assert connection.execute(text("SELECT count(*) FROM plugin_keeper.note")).scalar_one() == 1
    assert "<code>note</code>: 1 行" in other.get("/settings/plugins/keeper").text
    assert post(other, "/settings/plugins/keeper/purge", confirm="keeper").status_code == 303
    migrate_plugin(owner, tables, "base")
    owner.dispose()


def test_faults_are_shown_with_hook_count_and_place(runtime: Runtime, place: Place, client: FlaskClient) -> None:
    switch(client)
    line = "ZeroDivisionError: division by zero (panels.py:12)"
    write_fault(
        runtime.engine, place.hanyin.info.id, NAME, "household_panels:colours_panel", line, "colours/panels.py:12 build"
    )
    page = client.get(f"/settings/plugins/{NAME}").text
    assert "household_panels:colours_panel" in page
    assert "panels.py:12 build" in page
    looking = place.hanyin.client("auditor").get(f"/settings/plugins/{NAME}").text
    assert line in looking
    assert "panels.py:12 build" not in looking
    listed = client.get("/settings/plugins").text.split(f'id="plugin-{NAME}"')[1].split("</tr>")[0]
    assert ">1</span>" in listed
    console = place.operator.client("operator_admin").get(f"/console/plugins/{NAME}").text
    assert "汉阴县" in console
    assert "ZeroDivisionError" not in console


def test_who_may(place: Place) -> None:
    officer = place.hanyin.client("town", area=place.hanyin.info.area_code + 100_000_000)
    assert officer.get("/settings/plugins").status_code == 403
    assert officer.get(f"/settings/plugins/{NAME}").status_code == 403
    assert officer.get("/api/v1/plugins").status_code == 403
    csrf = {"csrf_token": token(officer.get("/").text)}
    for act in ("/switch", "/purge", ""):
        assert officer.post(f"/settings/plugins/{NAME}{act}", data=csrf).status_code == 403
    looking = place.hanyin.client("auditor")
    page = looking.get(f"/settings/plugins/{NAME}")
    assert (page.status_code, "/switch" in page.text, 'name="values.share"' in page.text) == (200, False, False)
    assert "80" in page.text
    csrf = {"csrf_token": token(looking.get("/").text)}
    assert looking.post(f"/settings/plugins/{NAME}/switch", data={"enabled": "1", **csrf}).status_code == 403
    assert looking.get("/console/plugins").status_code == 404
    assert place.hanyin.client().get("/settings/plugins").headers["Location"].startswith("/sign-in")


def test_a_schema_that_raises_leaves_its_page_up(runtime: Runtime, client: FlaskClient) -> None:
    class Label:
        def __str__(self) -> str:
            raise RuntimeError("no words")

    class Crooked(Schema):
        share = fields.Integer(load_default=1, metadata={"label": Label()})

    with planted(runtime, "crooked", manifest={"settings": Crooked}):
        assert switch(client, "crooked").status_code == 303
        page = client.get("/settings/plugins/crooked")
        assert page.status_code == 200
        assert "它的设置定义出错" in page.text
        assert "RuntimeError" in client.get("/settings/plugins/crooked").text
        assert switch(client, "crooked", on=False).status_code == 303


def bearer(county: County, role: str = "county_admin") -> dict[str, str]:
    account = county.account(role)
    made, digest = new_token(API_PREFIX)
    with county.uow() as uow:
        expires = datetime.now(UTC) + timedelta(hours=1)
        uow.session.add(ApiToken(account_id=account.id, name="t", token_hash=digest, scopes=["*"], expires_at=expires))
    return {"Authorization": f"Bearer {made}"}


def test_api(place: Place) -> None:
    api, headers = place.hanyin.client(), bearer(place.hanyin)
    (listed,) = [p for p in api.get("/api/v1/plugins", headers=headers).json["items"] if p["name"] == NAME]
    assert (listed["state"], listed["can_be_on"], listed["enabled"]) == ("off", True, False)
    address = f"/api/v1/plugins/{NAME}"
    read = api.get(address, headers=headers)
    assert read.json["settings"] == {"share": 80, "basis": "head", "red_first": True}
    assert read.json["settings_schema"]["properties"]["share"]["maximum"] == 100
    assert api.patch(address, json={"enabled": True}, headers=headers).status_code == 428
    match = {**headers, "If-Match": read.headers["ETag"]}
    refused = api.patch(address, json={"settings": {"share": 101}}, headers=match)
    assert refused.status_code == 422
    assert [e["path"] for e in refused.json["errors"]] == ["settings.share"]
    changed = api.patch(address, json={"enabled": True, "settings": {"share": 60}}, headers=match)
    assert changed.status_code == 200
    assert (changed.json["state"], changed.json["settings"]["share"]) == ("works", 60)
    assert changed.json["settings"]["basis"] == "head"
    assert api.patch(address, json={"enabled": False}, headers=match).status_code == 412
    assert api.delete(f"{address}/data", json={"confirm": NAME}, headers=headers).status_code == 409
    match["If-Match"] = changed.headers["ETag"]
    assert api.patch(address, json={"enabled": False}, headers=match).json["state"] == "off"
    assert api.delete(f"{address}/data", json={"confirm": "x"}, headers=headers).status_code == 422
    assert api.delete(f"{address}/data", json={"confirm": NAME}, headers=headers).json == {"deleted": {}}
    assert api.get(address, headers=headers).json["settings"]["share"] == 80
    assert api.get("/api/v1/plugins/nobody", headers=headers).status_code == 404
    assert api.patch(address, json={"enabled": True}, headers=bearer(place.hanyin, "auditor")).status_code == 403
    assert "/api/v1/plugins/{name}" in api.get("/api/v1/openapi.json", headers=headers).json["paths"]


def test_the_operator_sees_versions_hooks_and_time(place: Place, client: FlaskClient) -> None:
    switch(client)
    HOOK_SECONDS.labels(NAME, "household_panels:colours_panel").observe(0.02)
    HOOK_SECONDS.labels(NAME, "household_panels:colours_panel").observe(0.03)
    console = place.operator.client("operator_support")
    page = console.get("/console/plugins").text
    for words in ("三色户", "test-colours 1.0", "&gt;=1.0,&lt;2", "1 个县"):
        assert words in page, words
    assert re.search(r"\d\.\d ms", page)
    one = console.get(f"/console/plugins/{NAME}").text
    for words in ("household_change_requested", "汉阴县", "25.0 ms", "≤ 50.0 ms", "它没有自己的数据表"):
        assert words in one, words
    assert "通榆县" not in one
    with place.operator.uow() as uow:
        told = select(AuditEntry.purpose).where(AuditEntry.action == "operator.read")
        assert "which counties have plugins on, and how many faults" in set(uow.session.scalars(told))
    assert console.get("/console/plugins/nobody").status_code == 404


def test_the_operator_looks_at_some_counties_at_a_time(
    place: Place, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a page costs does not grow with the number of counties: those that follow stand on the next one."""
    switch(client)
    console = place.operator.client("operator_support")

    def asked(path: str) -> tuple[str, int]:
        console.get(path)
        with counted() as seen:
            page = console.get(path).text
        return page, sum("plugin_fault" in statement for statement in seen)

    counties = len(place.hanyin.runtime.directory.all(counties_only=True))
    page, visits = asked("/console/plugins")
    assert (visits, "looked-at" in page) == (counties, False)
    monkeypatch.setattr(deployment, "COUNTIES", 1)
    first, visits = asked("/console/plugins")
    assert (visits, "第 1 到 1 个县" in first, "1 个县" in first) == (1, True, True)
    assert 'href="/console/plugins?after=hanyin"' in first
    second, visits = asked("/console/plugins?after=hanyin")
    assert (visits, "第 2 到 2 个县" in second, "回到开头" in second) == (1, True, True)
    assert "第 1 到 1 个县" in asked("/console/plugins?after=zzz")[0]
    one, visits = asked(f"/console/plugins/{NAME}")
    assert (visits, "汉阴县" in one) == (1, True)
    other, visits = asked(f"/console/plugins/{NAME}?after=hanyin")
    assert (visits, "汉阴县" in other, "这些县都没有启用" in other) == (1, False, True)


def test_pages_in_english(place: Place) -> None:
    county = place.hanyin.client("county_admin", locale="en")
    assert switch(county).status_code == 303
    console = place.operator.client("operator_admin", locale="en", area=0)
    for client, paths in (
        (county, ("/settings", "/settings/plugins", f"/settings/plugins/{NAME}")),
        (console, ("/console/plugins", f"/console/plugins/{NAME}")),
    ):
        for path in paths:
            page = client.get(path)
            assert (path, page.status_code) == (path, 200)
            assert english_page_faults(page.text) == []
