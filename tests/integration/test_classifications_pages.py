"""Pages, API and exports of classifications: what a reader without the right never gets in any form, and the acts."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook
from sqlalchemy import select
from tests.integration.classifications_kit import (
    EVERY_RIGHT,
    KEY,
    RULE,
    SEE,
    TOWN,
    VILLAGE,
    VILLAGE_STEP,
    account_with,
    compute,
    computed_county,  # noqa: F401 - a fixture
    events_of,
    home_of,
    judge,
    put_in_force,
    row_of,
)
from tests.integration.households_kit import entries, exported_by_job, hidden, post, text

from xiangyue.access.models import AuditEntry
from xiangyue.access.permissions import Permission
from xiangyue.features.areas.policy import AREA_VIEW
from xiangyue.features.audit.policy import AUDIT_VIEW
from xiangyue.features.classifications import points
from xiangyue.features.classifications.policy import CLASSIFICATION_VIEW
from xiangyue.features.classifications.queries import why
from xiangyue.features.cockpit.policy import COCKPIT_VIEW
from xiangyue.features.households.policy import HOUSEHOLD_VIEW, SENSITIVE_VIEW
from xiangyue.jobs.models import Job
from xiangyue.jobs.run import run_with
from xiangyue.testing import statements as recorder
from xiangyue.testing.fixtures import County
from xiangyue.testing.source import english_page_faults

#: What the stored inputs say of the sick member; the name stands in them and nowhere else on these pages.
SECRET = "秘密病名"
PURPOSE = {"X-Purpose": "aid%20review"}


def client_with(county: County, *permissions: Permission, area: int = 0, locale: str = "zh") -> FlaskClient:
    return county.client(account_with(county, *permissions, AREA_VIEW, area=area, locale=locale))


@pytest.fixture(name="secret")
def county_with_a_secret(county: County) -> County:
    """The grounds of the red household hold a word that must not leave them."""
    RULE["sql"] = (
        "SELECT h.id AS household_id, 'red' AS outcome, 'illness' AS clause, jsonb_build_object('ill',"
        f" jsonb_build_array('{SECRET}'), 'income', 30000, 'undeclared', '{SECRET}') AS inputs"
        " FROM household h WHERE {scope:h} AND h.head_name = '患病'"
    )
    compute(county)
    judge(county, "患病", "village", "red", note=f"因{SECRET}")
    return county


def bearer(county: County, *permissions: Permission) -> dict[str, str]:
    from datetime import UTC, datetime, timedelta

    from xiangyue.access.models import ApiToken
    from xiangyue.access.tokens import API_PREFIX, new_token

    account = account_with(county, *permissions, AREA_VIEW)
    token, digest = new_token(API_PREFIX)
    with county.uow() as uow:
        expires = datetime.now(UTC) + timedelta(days=1)
        uow.session.add(ApiToken(account_id=account.id, name="t", token_hash=digest, scopes=["*"], expires_at=expires))
    return {"Authorization": f"Bearer {token}"}


def export(client: FlaskClient, query: str) -> list[list[Any]]:
    page = text(client, f"/classifications/export?{query}")
    form = {"csrf_token": hidden(page, "csrf_token"), "purpose": "核对"}
    answer = client.post(f"/classifications/export?{query}", data=form)
    assert answer.status_code == 200
    return CalamineWorkbook.from_filelike(io.BytesIO(answer.data)).get_sheet_by_index(0).to_python()


ALL_COLUMNS = "cols=name,place,classifier,standing,state,waits,proposed,grounds,valid_from,due,computed,version"


def test_without_the_right_a_restricted_ground_is_nowhere(secret: County) -> None:
    row, home = row_of(secret, "患病"), home_of(secret, "患病")
    client = client_with(secret, *EVERY_RIGHT, COCKPIT_VIEW, AUDIT_VIEW)
    headers = bearer(secret, *EVERY_RIGHT)
    api = secret.client()
    shown = [
        text(client, f"/classifications?{ALL_COLUMNS}&area=all"),
        text(client, f"/classifications/{row.id}"),
        text(client, f"/households/{home}"),
        text(client, "/cockpit?area=all"),
        text(client, "/?area=all"),
        text(client, "/audit?area=all"),
        api.get("/api/v1/classifications", headers=headers).get_data(as_text=True),
        api.get(f"/api/v1/classifications/{row.id}", headers={**headers, **PURPOSE}).get_data(as_text=True),
        str(export(client, f"{ALL_COLUMNS}&area=all")),
    ]
    for page in shown:
        assert SECRET not in page
        assert "1号 二" not in page, "the clause tells the ground"
    for page in (shown[0], shown[1], shown[6], shown[7], shown[8]):
        assert "Red · 依据受限" in page
    record = api.get(f"/api/v1/classifications/{row.id}", headers={**headers, **PURPOSE}).get_json()
    assert record["standing"] == {"outcome": "red", "text": "Red · 依据受限", "tone": "red", "restricted": True}
    assert record["why"]["restricted"]
    assert record["why"]["clause"] is None
    assert [i["input"] for i in record["why"]["inputs"]] == ["income"]
    assert [e["note"] for e in record["history"]] == [None]
    with secret.uow() as uow:
        for entry in uow.session.scalars(select(AuditEntry)):
            assert SECRET not in f"{entry.before}{entry.after}{entry.purpose}{entry.object_label}"


def test_errors_do_not_tell_either(secret: County) -> None:
    row = row_of(secret, "患病")
    headers = bearer(secret, *EVERY_RIGHT)
    decision = {"step": "town", "outcome": "red"}
    api = secret.client()
    late = api.post(f"/api/v1/classifications/{row.id}/decide", json=decision, headers={**headers, "If-Match": '"1"'})
    assert late.status_code == 412
    assert late.get_json()["current"]["version"] == row.version
    wrong = api.post(
        f"/api/v1/classifications/{row.id}/decide",
        json={**decision, "outcome": "green"},
        headers={**headers, "If-Match": f'"{row.version}"'},
    )
    assert wrong.status_code == 422
    missing = api.post(f"/api/v1/classifications/{row.id}/decide", json=decision, headers=headers)
    assert missing.status_code == 428
    for answer in (late, wrong, missing):
        assert SECRET not in answer.get_data(as_text=True)


def test_with_the_right_it_is_shown_for_a_purpose_and_noted(secret: County) -> None:
    row = row_of(secret, "患病")
    account = account_with(secret, *EVERY_RIGHT, SENSITIVE_VIEW, AREA_VIEW)
    client = secret.client(account)
    page = text(client, f"/classifications/{row.id}")
    assert SECRET not in page
    assert "依据受限" not in page
    assert "敏感依据未显示" in page
    assert entries(secret, "classification.read") == []
    post(client, "/purpose", "/purpose", purpose="核对救助", next=f"/classifications/{row.id}")
    page = text(client, f"/classifications/{row.id}")
    assert page.count(SECRET) >= 2, "the ground and the note that speaks of it"
    assert "县发〔2021〕1号 二" in page
    noted = entries(secret, "classification.read")
    assert [(e.purpose, e.after, e.object_id) for e in noted] == [("核对救助", {"classifier": KEY}, row.id)]
    listed = text(client, f"/classifications?{ALL_COLUMNS}&area=all")
    assert SECRET not in listed, "a list is read over shoulders"
    sent = export(client, f"{ALL_COLUMNS}&area=all")
    assert SECRET not in str(sent)
    # A long one is written by a job, with the same in it.
    address = f"/classifications/export?{ALL_COLUMNS}&area=all"
    made = exported_by_job(secret, client, address, purpose="核对", format="xlsx")
    written = CalamineWorkbook.from_filelike(io.BytesIO(made)).get_sheet_by_index(0).to_python()
    assert [row[:6] for row in written[1:]] == [row[:6] for row in sent[1:]]
    assert SECRET not in str(written)
    assert entries(secret, "classification.export")[-1].purpose == "核对"


def test_a_right_elsewhere_does_not_open_it(secret: County) -> None:
    account = account_with(secret, *EVERY_RIGHT)
    from xiangyue.access.models import Role, RoleGrant

    with secret.uow() as uow:
        role = Role(key="elsewhere", name="别处", permissions=[SENSITIVE_VIEW.name])
        uow.session.add(role)
        uow.session.flush()
        uow.session.add(RoleGrant(account_id=account.id, role_id=role.id, area_code=TOWN + 1_000_000))
    client = secret.client(account)
    post(client, "/purpose", "/purpose", purpose="核对", next="/")
    page = text(client, f"/classifications/{row_of(secret, '患病').id}")
    assert "Red · 依据受限" in page
    assert SECRET not in page


def test_why_says_inputs_clause_version_and_history(county: County) -> None:
    put_in_force(county, "清贫", "green", note="议定")
    with county.uow(county.actor(*EVERY_RIGHT)) as uow:
        found = why(uow, home_of(county, "清贫"), KEY)
    assert [(g.label, g.text) for g in found.reason.grounds.shown] == [("Income", "9,000 元"), ("Line", "20,000 元")]
    assert found.reason.clause is not None
    assert found.reason.clause.source == "县发〔2021〕1号 一"
    assert (found.standing.key, found.proposal.outcome.key, found.otherwise) == ("green", "yellow", True)
    assert [e.note for e in found.history] == ["", "议定"]
    with county.uow(county.actor(*EVERY_RIGHT)) as uow:
        missing = why(uow, home_of(county, "未报"), KEY)
    assert [g.text for g in missing.reason.grounds.shown] == ["缺数据", "20,000 元"]
    assert missing.standing.undetermined


def test_pages_show_colour_shape_and_word_in_both_languages(county: County) -> None:
    put_in_force(county, "富有", "green")
    for locale in ("zh", "en"):
        client = client_with(county, *EVERY_RIGHT, COCKPIT_VIEW, locale=locale)
        urls = [
            f"/classifications?{ALL_COLUMNS}&area=all",
            "/classifications?area=all&outcome=shade.colour:open&state=open&mine=1",
            f"/classifications/{row_of(county, '富有').id}",
            f"/classifications/{row_of(county, '两难').id}",
            "/classifications/export?area=all",
            "/cockpit?area=all",
            f"/households/{home_of(county, '富有')}",
            "/?area=all",
        ]
        for url in urls:
            page = text(client, url)
            if locale == "en":
                assert english_page_faults(page) == [], url
        listed = text(client, urls[0])
        assert 'xy-chip xy-chip-green"><span class="xy-chip-mark"' in listed
        assert "xy-chip-undetermined" in listed
        households = text(client, "/households?area=all&cols=name,classification")
        assert 'xy-chip xy-chip-green"><span class="xy-chip-mark"' in households


def test_a_village_sees_its_own(county: County) -> None:
    client = client_with(county, CLASSIFICATION_VIEW, SEE, HOUSEHOLD_VIEW, area=VILLAGE)
    listed = text(client, "/classifications?area=all")
    assert "清贫" in listed
    assert "邻村" not in listed
    assert client.get(f"/classifications/{row_of(county, '邻村').id}").status_code == 404
    blind = client_with(county, CLASSIFICATION_VIEW, HOUSEHOLD_VIEW)
    assert "清贫" not in text(blind, "/classifications?area=all")
    assert blind.get(f"/classifications/{row_of(county, '清贫').id}").status_code == 404
    assert client_with(county, SEE, HOUSEHOLD_VIEW).get("/classifications").status_code == 403
    for client_ in (client, blind):
        assert client_.get("/classifications/export").status_code == 403
    stranger = county.client()
    assert stranger.get("/classifications").status_code in (302, 303, 401)


def test_a_person_decides_on_the_page(county: County) -> None:
    client = client_with(county, *EVERY_RIGHT)
    row = row_of(county, "两难")
    url = f"/classifications/{row.id}"
    page = text(client, url)
    form = {"version": hidden(page, "version"), "step": "village", "outcome": "yellow"}
    answer = post(client, url, f"{url}/decide", **form)
    assert answer.status_code == 422
    assert "请说明理由" in answer.get_data(as_text=True)
    assert post(client, url, f"{url}/decide", **form, note="议定").status_code == 303
    late = post(client, url, f"{url}/decide", **form, note="议定")
    assert late.status_code == 409
    assert hidden(late.get_data(as_text=True), "version") == "2"
    assert post(client, url, f"{url}/decide", version=2, step="town", outcome="yellow").status_code == 303
    assert row_of(county, "两难").state == "in_force"
    assert post(client, url, f"{url}/reopen", version=3, note="").status_code == 422
    assert post(client, url, f"{url}/reopen", version=3, note="有异议").status_code == 303
    assert row_of(county, "两难").state == "reopened"
    assert post(client, url, f"{url}/compute").status_code == 303


def test_a_list_is_confirmed_as_seen(county: County) -> None:
    client = client_with(county, CLASSIFICATION_VIEW, SEE, VILLAGE_STEP, area=VILLAGE)
    listed = text(client, "/classifications?area=all&outcome=shade.colour:green")
    tokens = re.findall(r'name="seen" value="([^"]+)"', listed)
    assert len(tokens) == 2
    found = re.search(r'formaction="([^"]+)"', listed)
    assert found is not None
    target = found[1].replace("&amp;", "&")
    answer = client.post(target, data={"csrf_token": hidden(listed, "csrf_token"), "seen": tokens[:1]})
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/classifications?")
    assert sorted(row_of(county, name).step for name in ("富有", "恰好")) == [0, 1]
    listed = text(client, "/classifications?area=all&state=open")
    assert "按规则全部确认" in listed
    form = {"csrf_token": hidden(listed, "csrf_token"), "as_of": hidden(listed, "as_of")}
    answer = client.post("/classifications/confirm-all?state=open", data=form, follow_redirects=True)
    assert "已确认 3 户" in answer.get_data(as_text=True)
    assert "2 户需逐户认定" in answer.get_data(as_text=True)
    assert len(events_of(county, "清贫")) == 1
    answer = client.post("/classifications/confirm-all?state=open", data={**form, "as_of": "soon"})
    assert answer.status_code == 303


def test_what_waits_for_me_is_on_the_work_list(county: County) -> None:
    client = client_with(county, CLASSIFICATION_VIEW, SEE, VILLAGE_STEP, area=VILLAGE)
    page = text(client, "/?area=all")
    assert "6 户等待：Village review" in page
    assert "其中 2 户规则没有规定" in page
    judge(county, "清贫", "village", "yellow")
    assert "5 户等待：Village review" in text(client, "/?area=all")
    town = client_with(county, CLASSIFICATION_VIEW, SEE, area=VILLAGE)
    assert "户等待" not in text(town, "/?area=all")


def test_computing_is_a_job(county: County) -> None:
    client = client_with(county, *EVERY_RIGHT)
    RULE["line"] = 40_000
    answer = post(client, "/classifications?area=all", "/classifications/compute?area=610921100", classifier=KEY)
    assert answer.status_code == 303
    with county.uow() as uow:
        job = uow.session.scalars(select(Job).order_by(Job.id.desc()).limit(1)).one()
    assert answer.headers["Location"] == f"/jobs/{job.id}"
    assert run_with(county.runtime, county.info.id, job.id) == "succeeded"
    with county.uow() as uow:
        job = uow.get(Job, job.id)
    assert job.result == {"households": 7, "changed": 7, "added": 0, "lapsed": 0}
    assert (job.done, job.total) == (1, 1)
    assert row_of(county, "远乡").inputs["line"] == 20_000
    assert entries(county, "classification.compute")[-1].after == job.result
    assert "计算" in text(client, "/classifications?area=all")


def test_the_daily_job_computes_all_and_marks_reviews(county: County) -> None:
    from xiangyue.jobs.service import enqueue_job

    RULE["line"] = 40_000
    for kind in ("classification.compute", "classification.review"):
        with county.uow() as uow:
            job = enqueue_job(uow, kind=kind, params={"schedule": kind, "slot": 1})
        assert run_with(county.runtime, county.info.id, job.id) == "succeeded"
    assert row_of(county, "远乡").inputs["line"] == 40_000


def test_the_api_lists_filters_and_pages(county: County) -> None:
    put_in_force(county, "富有", "green")
    headers = bearer(county, *EVERY_RIGHT)
    api = county.client()

    def get(query: str) -> Any:
        answer = api.get(f"/api/v1/classifications{query}", headers=headers)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return answer.get_json()

    names, query = [], "?limit=3&sort=name"
    while True:
        page = get(query)
        names += [item["head_name"] for item in page["items"]]
        if page["next"] is None:
            break
        query = f"?limit=3&sort=name&cursor={page['next']}"
    assert sorted(names) == sorted(["富有", "恰好", "两难", "清贫", "患病", "未报", "邻村", "远乡"])

    def heads(query: str) -> set[str]:
        return {item["head_name"] for item in get(query)["items"]}

    assert heads("?outcome=yellow") == {"清贫", "邻村", "远乡"}
    assert heads(f"?outcome={KEY}:green&state=in_force") == {"富有"}
    assert heads("?area=610921101") == {"远乡"}
    assert heads("?state=open&step=village&mine=true&outcome=green") == {"恰好"}
    assert heads(f"?household={home_of(county, '清贫')}") == {"清贫"}
    assert heads("?due=soon") == set()
    assert get("?fields=id,standing&outcome=red")["items"][0].keys() == {"id", "standing"}
    for wrong in ("?outcome=purple", "?step=nowhere", "?state=odd", "?outcome=other:green&classifier=shade.colour"):
        assert api.get(f"/api/v1/classifications{wrong}", headers=headers).status_code == 422
    assert api.get("/api/v1/classifications?classifier=no.such", headers=headers).status_code == 404
    kinds = api.get("/api/v1/classifications/classifiers", headers=headers).get_json()["items"]
    assert [k["key"] for k in kinds] == [KEY]
    record = api.get(f"/api/v1/classifications/{row_of(county, '富有').id}", headers=headers)
    assert record.headers["ETag"].startswith('"3')
    assert record.get_json()["history"][0]["state"] == "in_force"
    from xiangyue.features.classifications.schemas import ClassificationRecordSchema, ClassificationSchema

    assert set(record.get_json()) == set(ClassificationRecordSchema().fields)
    assert list(get("?limit=1")["items"][0]) == list(ClassificationSchema().fields)


def test_the_api_decides_confirms_and_computes(county: County) -> None:
    headers = bearer(county, *EVERY_RIGHT)
    api, row = county.client(), row_of(county, "清贫")
    url = f"/api/v1/classifications/{row.id}"
    done = api.post(
        f"{url}/decide", json={"step": "village", "outcome": "yellow"}, headers={**headers, "If-Match": '"1"'}
    )
    assert done.status_code == 200
    tag = done.headers["ETag"]
    assert tag.startswith('"2')
    assert done.get_json()["waits_for"] == "town"
    back = api.post(f"{url}/reopen", json={"note": "核对"}, headers={**headers, "If-Match": tag})
    assert back.get_json()["waits_for"] == "village"
    wanted = {"classifier": KEY, "step": "village"}
    assert api.post("/api/v1/classifications/confirm", json=wanted, headers=headers).status_code == 422
    items = [{"id": row.id, "version": 3}, {"id": row_of(county, "富有").id, "version": 7}]
    many = api.post("/api/v1/classifications/confirm", json={**wanted, "items": items}, headers=headers).get_json()
    assert many == {"ids": [row.id], "changed": 1, "left": 0, "more": 0}
    job = api.post("/api/v1/classifications/compute", json={"classifier": KEY}, headers=headers)
    assert job.status_code == 202
    assert job.get_json()["job_id"] > 0


def test_points_in_other_pages(county: County) -> None:
    put_in_force(county, "富有", "green")
    home = home_of(county, "富有")
    with county.uow(county.actor(*EVERY_RIGHT)) as uow:
        choices = points.filter_choices(uow)
        assert choices[0] == ("shade.colour:green", "Green")
        sql, params = points.filter_condition(uow, "shade.colour:green")
        from xiangyue.db.sql import scoped_rows
        from xiangyue.plugin.conditions import checked_condition

        checked_condition("classification", (sql, params))
        rows = scoped_rows(uow.session, f"SELECT h.head_name FROM household h WHERE {{scope:h}} AND {sql}", params)
        assert {name for (name,) in rows} == {"富有", "恰好"}
        values = points.column_values(uow, [home, home_of(county, "恰好"), home_of(county, "患病")])
    assert {str(v) for v in values.values()} == {"Green", "Green（建议）", "Red · 依据受限（建议）"}
    assert "xy-chip-green" in values[home].__html__()
    with county.uow(county.actor(CLASSIFICATION_VIEW)) as uow:
        assert points.column_values(uow, [home]) == {}
        assert points.build_panel(uow, home) is None
        assert points.build_card(uow, 0) is None
        assert points.filter_choices(uow) == []


@pytest.mark.parametrize(
    "path",
    ["/classifications?area={}", "/api/v1/classifications?area={}", "/households?area={}&cols=name,classification"],
)
def test_more_rows_take_no_more_statements(county: County, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    put_in_force(county, "富有", "yellow", note="议定")
    put_in_force(county, "清贫", "green", note="议定")
    options: dict[str, Any] = {}
    client = client_with(county, *EVERY_RIGHT)
    if path.startswith("/api"):
        client, options = county.client(), {"headers": bearer(county, *EVERY_RIGHT)}
    run: list[Any] = []
    remember = recorder._remember
    monkeypatch.setattr(recorder, "_remember", lambda query: (run.append(query), remember(query)))

    def once(area: int) -> int:
        run.clear()
        text(client, path.format(area), **options)
        return len(run)

    def count(area: int) -> int:
        """The least of three: now and then a request also notes when the session was last seen."""
        return min(once(area) for _ in range(3))

    one, many = count(610921101), count(610921100)
    assert one == many > 1
