"""A county that came aboard by its code alone gets its towns and villages: file, faults by line, plan, both trails."""

from __future__ import annotations

import io
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from accounts_kit import csrf
from flask.testing import FlaskClient
from sqlalchemy import func, select

from xiangyue.access.models import AuditEntry
from xiangyue.features.accounts.service.own import create_token_for
from xiangyue.features.areas.models import Area
from xiangyue.tenancy import provision
from xiangyue.tenancy.counties import minimal_profile
from xiangyue.testing.fixtures import County

PAGE = "/console/counties/ziyang/divisions"
TOWN, VILLAGE = "城关镇", "环城路社区"
GOOD = f"code,name\n610924100000,{TOWN}\n610924100001,{VILLAGE}居委会\n610924100200,新桃村村委会\n"


@pytest.fixture(scope="module")
def client(operator: County) -> FlaskClient:
    return operator.client("operator_admin", name="李运营")


@pytest.fixture(scope="module")
def ziyang(operator: County) -> County:
    """Ziyang county (紫阳县, 610924), aboard by its code alone."""
    provision.apply(operator.runtime, minimal_profile("610924", "ziyang"))
    info = operator.runtime.directory.by_slug("ziyang")
    assert info is not None
    return County(operator.runtime, operator.app, info)


def areas(county: County) -> dict[str, str]:
    with county.uow() as uow:
        return {str(row.area_code // 1000): row.name for row in uow.session.scalars(select(Area))}


def upload(client: FlaskClient, data: str | bytes, name: str = "区划.csv") -> Any:
    raw = data.encode() if isinstance(data, str) else data
    form = {"csrf_token": csrf(client, PAGE), "file": (io.BytesIO(raw), name)}
    return client.post(PAGE, data=form)


def plan_of(page: str) -> dict[str, str]:
    hidden = dict(re.findall(r'name="(csrf_token|plan|name)" value="([^"]*)"', page))
    written = re.search(r'<textarea name="text"[^>]*>\n(.*?)</textarea>', page, re.DOTALL)
    assert written is not None
    return {**{k: unescape(v) for k, v in hidden.items()}, "text": unescape(written[1])}


def entries(county: County) -> list[AuditEntry]:
    with county.uow() as uow:
        return list(uow.session.scalars(select(AuditEntry).where(AuditEntry.action == "tenant.divisions")))


@pytest.mark.parametrize("path", ["/", "/areas", "/households/new", "/imports", "/imports/new"])
def test_an_administrator_without_areas_is_told_who_brings_them(ziyang: County, path: str) -> None:
    html = ziyang.client("county_admin").get(path).get_data(as_text=True)
    assert "本县还没有镇和村" in html
    assert "运营方" in html


def test_the_operator_is_led_to_the_upload(client: FlaskClient, ziyang: County) -> None:
    html = client.get("/console/counties/ziyang").get_data(as_text=True)
    assert f'href="{PAGE}"' in html
    template = client.get(f"{PAGE}/template.csv")
    assert template.headers["Content-Type"].startswith("text/csv")
    assert template.get_data().startswith("\ufeffcode,name\r\n610924100000,".encode())
    assert "是模板里的示例" in upload(client, template.get_data()).get_data(as_text=True)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("code,name\n610924100000,城关镇\n61092410020,新桃村\n", "第 3 行"),
        ("code,name\n610924100200,新桃村\n", "610924100000"),
        ("code,name\n610921100000,城关镇\n", "610924"),
        ("code,name\n610924100000,城关镇\n610924100000,城关镇\n", "第 3 行"),
        ("code,nam\n", "name"),
        ("", "区划.csv"),
        ("code,name\n", "其中没有镇，也没有村"),
        ("code,name\n610924100000,城关镇\n".encode("gb18030"), "GB18030"),
    ],
)
def test_faults_are_told_by_line_and_nothing_is_kept(
    client: FlaskClient, ziyang: County, data: str | bytes, said: str
) -> None:
    before = areas(ziyang)
    answer = upload(client, data)
    assert answer.status_code == 422
    assert said in answer.get_data(as_text=True)
    assert areas(ziyang) == before


def test_no_file_and_a_large_one(client: FlaskClient, ziyang: County) -> None:
    assert client.post(PAGE, data={"csrf_token": csrf(client, PAGE)}).status_code == 422
    assert upload(client, "x" * 300_001).status_code == 422


@pytest.fixture
def planned(client: FlaskClient, ziyang: County) -> dict[str, str]:
    answer = upload(client, GOOD)
    assert answer.status_code == 200
    return plan_of(answer.get_data(as_text=True))


def test_the_plan_is_shown_then_applied_told_in_both_trails_and_the_second_time_nothing(
    client: FlaskClient, ziyang: County, operator: County, planned: dict[str, str]
) -> None:
    assert len(areas(ziyang)) == 1
    changed = client.post(f"{PAGE}/apply", data={**planned, "plan": "0" * 32})
    assert changed.status_code == 409
    assert len(areas(ziyang)) == 1
    done = client.post(f"{PAGE}/apply", data=planned)
    assert (done.status_code, done.headers["Location"]) == (303, "/console/counties/ziyang")
    assert areas(ziyang) == {
        "610924000000": "紫阳县", "610924100000": TOWN, "610924100001": VILLAGE, "610924100200": "新桃村",
    }  # fmt: skip
    html = client.get("/console/counties/ziyang").get_data(as_text=True)
    assert "1 个镇、2 个村" in html
    assert "从文件写入镇和村" in html
    for county in (ziyang, operator):
        (entry,) = entries(county)
        assert (entry.after or {})["changes"] == 3
        assert (entry.after or {})["file"] == "区划.csv"
    assert "该县已有这些区划" in upload(client, GOOD).get_data(as_text=True)
    assert client.post(f"{PAGE}/apply", data=planned).status_code == 409  # the plan is another one by now: empty
    assert len(entries(ziyang)) == 1
    # The county can work now.
    admin = ziyang.client("county_admin")
    assert "新桃村" in admin.get("/households/new").get_data(as_text=True)
    assert "本县还没有镇和村" not in admin.get("/areas").get_data(as_text=True)


def test_a_profiles_own_file_is_read_too(client: FlaskClient, ziyang: County) -> None:
    root = Path(__file__).resolve().parents[2]
    rows = (root / "tenants" / "hanyin" / "divisions.csv").read_text("utf-8")
    answer = client.post(
        "/console/counties/hanyin/divisions",
        data={"csrf_token": csrf(client, PAGE), "file": (io.BytesIO(rows.encode()), "divisions.csv")},
    )
    assert "该县已有这些区划" in answer.get_data(as_text=True)
    assert "10 个镇、160 个村" in answer.get_data(as_text=True)


def test_it_is_for_those_who_manage_counties(operator: County, ziyang: County) -> None:
    support = operator.client("operator_support")
    assert support.get(PAGE).status_code == 403
    assert PAGE not in support.get("/console/counties/ziyang").get_data(as_text=True)


@pytest.fixture
def headers(operator: County) -> dict[str, str]:
    account = operator.account("operator_admin")
    with operator.uow() as uow:
        _row, token = create_token_for(uow, account_id=account.id, name="test", scopes=["*"], days=1)
    return {"Authorization": f"Bearer {token}"}


def test_the_api_does_the_same(operator: County, ziyang: County, headers: dict[str, str]) -> None:
    def send(text: str, **form: str) -> Any:
        data = {"file": (io.BytesIO(text.encode()), "a.csv"), **form}
        return operator.client().post("/api/v1/operator/counties/ziyang/divisions", data=data, headers=headers)

    more = GOOD + "610924101000,蒿坪镇\n610924101200,双星村村委会\n"
    before = areas(ziyang)
    plan = send(more, dry_run="true")
    assert (plan.status_code, plan.get_json()["applied"]) == (200, False)
    assert areas(ziyang) == before
    done = send(more).get_json()
    assert done["applied"] is True
    assert done["changes"] == plan.get_json()["changes"]
    assert areas(ziyang)["610924101200"] == "双星村"
    assert send(more).get_json()["changes"] == []
    wrong = send("code,name\n61,x\n")
    assert wrong.status_code == 422
    assert "a.csv:2" in str(wrong.get_json()["errors"])
    assert operator.client().post("/api/v1/operator/counties/ziyang/divisions", headers=headers).status_code == 422
    with ziyang.uow() as uow:
        assert uow.session.scalar(select(func.count()).select_from(Area)) == len(areas(ziyang))
