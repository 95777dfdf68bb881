"""The operator's console: who reaches it, the list, bringing counties aboard, the first administrator's link."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from accounts_kit import csrf, send
from flask.testing import FlaskClient
from sqlalchemy import func, select

from xiangyue.access.models import Account, AuditEntry, Role
from xiangyue.app import create_app
from xiangyue.jobs.models import Job
from xiangyue.runtime import Runtime
from xiangyue.tenancy.models import Tenant
from xiangyue.testing.fixtures import PASSWORD, County
from xiangyue.testing.source import english_page_faults
from xiangyue.web.access import mark_of

COUNTIES = "/console/counties"


@pytest.fixture(scope="module")
def client(operator: County) -> FlaskClient:
    return operator.client("operator_admin", name="李运营")


@pytest.fixture(scope="module")
def support(operator: County) -> FlaskClient:
    return operator.client("operator_support")


def text(answer: Any) -> str:
    return str(answer.get_data(as_text=True))


def trail(county: County, action: str) -> list[AuditEntry]:
    with county.uow() as uow:
        statement = select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.id)
        return list(uow.session.scalars(statement))


def console_rules(app: Any) -> list[Any]:
    return [
        rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith(("console.", "api-operator.")) and mark_of(app.view_functions[rule.endpoint])
    ]


def address(rule: Any) -> str:
    values = {"slug": "tongyu", "code": "220822", "name": "tongyu", "account_id": 1}
    return str(re.sub(r"<(?:\w+:)?(\w+)>", lambda m: str(values[m.group(1)]), rule.rule))


def test_no_route_of_the_console_answers_on_a_county_host(app: Any, hanyin: County) -> None:
    client = hanyin.client("county_admin")
    token = csrf(client, "/me")
    rules = console_rules(app)
    assert len(rules) > 15
    for rule in rules:
        for method in sorted(rule.methods & {"GET", "POST"}):
            answer = client.open(address(rule), method=method, headers={"X-CSRF-Token": token})
            assert (rule.rule, method, answer.status_code) == (rule.rule, method, 404)


@pytest.mark.parametrize("path", ["/households", "/areas", "/cockpit", "/imports", "/settings", "/api/v1/households"])
def test_pages_of_counties_do_not_answer_on_the_console(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_nobody_else_gets_in(operator: County, hanyin: County) -> None:
    assert operator.client().get(COUNTIES).headers["Location"].startswith("/sign-in")
    assert operator.client().get("/api/v1/operator/counties").status_code == 401
    without = operator.client(operator.account(None))
    assert without.get(COUNTIES).status_code == 403
    # The cookie of a county's session is nothing here, even for the same person with the same token.
    foreign = hanyin.client("county_admin")
    cookie = foreign.get_cookie(f"xy_session_{hanyin.runtime.settings.cookie_suffix}", domain=hanyin.host)
    assert cookie is not None
    stranger = operator.client()
    stranger.set_cookie(cookie.key, cookie.value, domain=operator.host)
    assert stranger.get(COUNTIES).status_code == 303


def test_a_county_cannot_give_the_operators_rights(hanyin: County) -> None:
    """Even an account that somehow holds the name of the right finds no door."""
    with hanyin.uow() as uow:
        uow.session.add(Role(key="sneaky", name="x", permissions=["operator.view", "operator.manage"]))
    sneaky = hanyin.client("sneaky")
    assert sneaky.get(COUNTIES).status_code == 404
    assert sneaky.get("/api/v1/operator/counties").status_code == 404


def test_support_sees_but_does_not_act(support: FlaskClient) -> None:
    page = text(support.get(f"{COUNTIES}/tongyu"))
    assert "通榆县" in page
    assert "/suspend" not in page
    token = csrf(support, "/me")
    for path in ("tongyu/suspend", "tongyu/resume", "tongyu/administrator"):
        assert support.post(f"{COUNTIES}/{path}", data={"csrf_token": token, "reason": "x"}).status_code == 403
    assert support.get("/console/provision").status_code == 403
    assert support.get("/console/profiles/huarong").status_code == 403


def test_the_console_opens_with_its_counties(client: FlaskClient) -> None:
    assert client.get("/").headers["Location"] == COUNTIES
    assert client.get("/console").headers["Location"] == COUNTIES


def test_the_list_counts_what_each_county_holds(client: FlaskClient, hanyin: County, operator: County) -> None:
    hanyin.account("town")
    with hanyin.uow() as uow:
        uow.session.add(Job(kind="x", state="failed", error="Row 3", finished_at=func.now()))
        uow.session.add(Job(kind="x", state="queued"))
        active = uow.session.scalar(select(func.count()).select_from(Account))
    before = len(trail(operator, "operator.read"))
    page = text(client.get(f"{COUNTIES}?q=hanyin"))
    assert "通榆县" not in page
    assert "610921" in page
    assert "hanyin.localhost" in page
    assert re.search(rf'data-label="账号">{active}<', page)
    assert "1 项失败" in page
    assert "1 项未完成" in page
    read = trail(operator, "operator.read")
    assert len(read) == before + 1
    assert read[-1].after == {"counties": ["hanyin"]}
    assert read[-1].actor_name == "李运营"
    assert read[-1].purpose


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=通榆", ["通榆县"]),
        ("q=tongyu", ["通榆县"]),
        ("q=2208", ["通榆县"]),
        ("q=汉 6109", ["汉阴县"]),
        ("state=suspended", []),
        ("province=61", ["汉阴县"]),
        ("sort=-name", ["通榆县", "汉阴县"]),
        ("sort=code", ["通榆县", "汉阴县"]),
        ("q=operator", []),
    ],
)
def test_filters_and_order(client: FlaskClient, query: str, found: list[str]) -> None:
    answer = client.get(f"{COUNTIES}?{query}")
    assert answer.status_code == 200
    rows = re.findall(r'<b><span lang="zh-CN">(通榆县|汉阴县)</span></b>', text(answer))
    assert rows == found
    if not found:
        assert "没有符合条件的县" in text(answer)


def test_the_list_is_exported_as_it_is_shown(client: FlaskClient, support: FlaskClient, operator: County) -> None:
    assert "/console/export?province=61" in text(support.get(f"{COUNTIES}?province=61"))
    url = "/console/export?province=61&cols=name,code,state,households,plugins"
    sent = send(support, url, {"purpose": "月报", "format": "csv"})
    lines = text(sent).lstrip("\ufeff").splitlines()
    assert lines[0] == "县,代码,状态,户,县档案中的插件"
    assert "汉阴县" in lines[1]
    assert "通榆县" not in "".join(lines)
    assert "610921,正常," in "".join(lines)
    (entry,) = trail(operator, "operator.export")
    assert (entry.purpose, entry.after["rows"]) == ("月报", 1)  # type: ignore[index]


@pytest.mark.parametrize("query", ["after=nonsense", "province=x1"])
def test_a_list_that_cannot_be_read_says_so(client: FlaskClient, query: str) -> None:
    assert client.get(f"{COUNTIES}?{query}").status_code == 422


def test_pages_of_the_list(client: FlaskClient, operator: County) -> None:
    with operator.uow() as uow:
        made = [
            Tenant(slug=f"row{n}", name=f"第{n}县", name_en=f"Zz{n:02} County", area_code=990000000000000)
            for n in range(25)
        ]
        uow.session.add_all(made)
    seen: list[str] = []
    path = f"{COUNTIES}?province=99"
    for _page in range(3):
        page = text(client.get(path))
        seen += re.findall(r"<b><span lang=\"zh-CN\">第(\d+)县", page)
        following = re.search(r'rel="next" href="([^"]+)"', page)
        if following is None:
            break
        path = following.group(1).replace("&amp;", "&")
    assert [int(n) for n in seen] == list(range(25))


@pytest.mark.parametrize(
    "path",
    [
        COUNTIES,
        f"{COUNTIES}/hanyin",
        f"{COUNTIES}/tongyu/administrator",
        "/console/provision?q=shanxian",
        "/console/provision/610922",
        "/console/profiles",
        "/console/profiles/huarong",
        "/console/plugins",
    ],
)
def test_english_pages_mark_all_chinese(client: FlaskClient, operator: County, path: str) -> None:
    english = operator.client("operator_admin", locale="en", name="Li")
    answer = english.get(path)
    assert answer.status_code == 200
    assert english_page_faults(text(answer)) == []
    assert client.get(path, headers={"HX-Request": "true"}).status_code == 200


def test_any_county_comes_aboard_by_its_code(client: FlaskClient, app: Any, operator: County) -> None:
    found = text(client.get("/console/provision?q=shiquan"))
    assert "610922" in found
    assert "/console/provision/610922" in found
    plan = text(client.get("/console/provision/610922"))
    assert "石泉县" in plan
    mark = re.search(r'name="plan" value="(\w+)"', plan)
    assert mark is not None
    assert operator.runtime.directory.by_slug("shiquan") is None  # a plan changes nothing
    answer = send(client, "/console/provision/610922", {"slug": "shiquan", "plan": mark.group(1)})
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"{COUNTIES}/shiquan/administrator"
    info = operator.runtime.directory.by_slug("shiquan")
    assert info is not None
    assert (info.area_code, info.name_en, info.state) == (610922000000000, "Shiquan County", "active")
    shiquan = County(operator.runtime, app, info)
    assert [e.actor_name for e in trail(shiquan, "tenant.apply")] == ["李运营 @ operator"]
    assert [e.object_label for e in trail(operator, "tenant.apply") if e.object_id == info.id] == ["shiquan"]
    # Its name stands in the list of what the operator did, and it cannot come aboard twice.
    assert "李运营" in text(client.get(f"{COUNTIES}/shiquan"))
    assert "已经开通" in text(client.get("/console/provision/610922"))
    again = send(client, "/console/provision/610922", {"slug": "other"}, on="/me")
    assert again.status_code == 409
    assert operator.runtime.directory.by_slug("other") is None


def test_only_the_plan_that_was_shown_is_applied(client: FlaskClient, operator: County) -> None:
    answer = send(client, "/console/provision/610924", {"slug": "ziyang", "plan": "0" * 32})
    assert "不再一致" in text(answer)
    assert operator.runtime.directory.by_slug("ziyang") is None


def test_an_address_that_cannot_be_is_refused(client: FlaskClient) -> None:
    reserved = client.get("/console/provision/610924?slug=www")
    assert reserved.status_code == 422
    assert 'name="plan"' not in text(reserved)
    taken = client.get("/console/provision/610924?slug=tongyu")
    assert taken.status_code == 409
    assert "220822" in text(taken)
    assert client.get("/console/provision/999999").status_code == 404


def test_the_first_administrator_comes_by_a_one_time_link(client: FlaskClient, app: Any, operator: County) -> None:
    send(client, "/console/provision/610925", {"slug": "langao"})
    info = operator.runtime.directory.by_slug("langao")
    assert info is not None
    langao = County(operator.runtime, app, info)
    assert f"{COUNTIES}/langao/administrator" in text(client.get(f"{COUNTIES}/langao"))
    form = f"{COUNTIES}/langao/administrator"
    wrong = send(client, form, {"login": "王", "name": ""})
    assert wrong.status_code == 422
    assert 'value="王"' in text(wrong)
    shown = text(send(client, form, {"login": "admin", "name": "王主任"}))
    link = re.search(r"http://langao\.localhost:\d+(/link/\w+)", shown)
    assert link is not None
    # In both trails, and the link itself in neither.
    assert [e.actor_name for e in trail(langao, "account.create")] == ["李运营 @ operator"]
    told = trail(operator, "tenant.administrator")[-1]
    assert told.after == {"login": "admin", "name": "王主任"}
    assert told.object_label == "langao"
    token = link.group(1).removeprefix("/link/")
    for county in (langao, operator):
        with county.uow() as uow:
            assert all(token not in str(e.after) for e in uow.session.scalars(select(AuditEntry)))
    assert token not in text(client.get(f"{COUNTIES}/langao"))
    # The holder sets a password and manages the county.
    visitor = langao.client()
    assert visitor.get(link.group(1)).status_code == 200
    assert send(visitor, link.group(1), {"password": PASSWORD, "repeat": PASSWORD}).status_code == 303
    assert visitor.get("/accounts").status_code == 200
    assert langao.client().get(link.group(1)).status_code == 404
    # From now on the county makes its accounts itself; a new link for the same person needs a reason.
    second = send(client, form, {"login": "second", "name": "赵"})
    assert second.status_code == 409
    with langao.uow() as uow:
        account = uow.session.scalars(select(Account)).one()
    renew = f"{COUNTIES}/langao/administrators/{account.id}/link"
    assert send(client, renew, {"reason": " "}).status_code == 422
    again = send(client, renew, {"reason": "手机丢失"})
    assert "/link/" in text(again)
    for county in (langao, operator):
        assert [e.purpose for e in trail(county, "tenant.link")] == ["手机丢失"]
    assert client.get(f"{COUNTIES}/langao/administrators/{account.id + 999}/link").status_code == 404


def test_profiles_on_the_server(client: FlaskClient, operator: County) -> None:
    page = text(client.get("/console/profiles"))
    assert "华容县" in page
    assert "14 个镇、225 个村" in page
    with operator.uow() as uow:
        count = uow.session.scalar(select(func.count()).select_from(Tenant))
    plan = text(client.get("/console/profiles/huarong"))
    mark = re.search(r'name="plan" value="(\w+)"', plan)
    assert mark is not None
    with operator.uow() as uow:
        assert uow.session.scalar(select(func.count()).select_from(Tenant)) == count
    answer = send(client, "/console/profiles/huarong", {"plan": mark.group(1)})
    assert answer.headers["Location"] == f"{COUNTIES}/huarong"
    assert "14 个镇、225 个村、0 个组" in text(client.get(f"{COUNTIES}/huarong"))
    assert "无需变更" in text(client.get("/console/profiles/huarong"))


@pytest.mark.parametrize("name", ["nowhere", "..", "%2e%2e%2ftenants", "."])
def test_only_folders_that_are_listed(client: FlaskClient, name: str) -> None:
    assert client.get(f"/console/profiles/{name}").status_code in (404, 308)


@pytest.fixture
def elsewhere(operator: County, tmp_path: Path) -> Iterator[County]:
    """The same console over another folder of profiles, which holds a broken one."""
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "tenant.toml").write_text(
        'slug = "Broken"\nname = "坏县"\nname_en = "Broken"\narea_code = "610921"\nlocal = "zh"\nhosts = ["x"]\n'
    )
    runtime = Runtime(replace(operator.runtime.settings, profiles_dir=tmp_path))
    yield County(runtime, create_app(runtime=runtime), operator.info)
    runtime.engine.dispose()


def test_faults_of_a_profile_stand_with_file_and_line(elsewhere: County, tmp_path: Path) -> None:
    browser = elsewhere.client("operator_admin")
    assert "broken/tenant.toml:" in text(browser.get("/console/profiles"))
    shown = browser.get("/console/profiles/broken")
    assert shown.status_code == 422
    places = re.findall(r"<code>(broken/tenant\.toml:\d+)</code>", text(shown))
    assert {"broken/tenant.toml:1", "broken/tenant.toml:5", "broken/tenant.toml:6"} <= set(places)
    assert 'name="plan"' not in text(shown)
    assert str(tmp_path) not in text(shown)
    assert send(browser, "/console/profiles/broken", {}, on="/me").status_code == 422


def test_a_plugin_that_a_profile_names_and_nobody_installed(client: FlaskClient) -> None:
    page = text(client.get("/console/plugins"))
    assert "contact321" in page
    assert "已卸载" in page


def test_operators_make_their_own_accounts(client: FlaskClient, operator: County) -> None:
    assert client.get("/accounts").status_code == 200
    made = send(client, "/accounts", {"login": "op2", "name": "赵运营", "role": "operator_support"}, on="/accounts/new")
    assert "/link/" in text(made)
    with operator.uow() as uow:
        assert uow.session.scalars(select(Account.name).where(Account.login == "op2")).one() == "赵运营"
