"""A suspended county: everything stops at the next request, says why, and goes on afterwards."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from accounts_kit import csrf, send
from flask.testing import FlaskClient
from sqlalchemy import select

from xiangyue.access.models import AuditEntry
from xiangyue.jobs.models import Job
from xiangyue.jobs.run import run_with
from xiangyue.jobs.scheduler import Scheduler
from xiangyue.jobs.service import enqueue_job
from xiangyue.runtime import Runtime
from xiangyue.tenancy import lifecycle
from xiangyue.tenancy.models import Tenant
from xiangyue.testing.fixtures import PASSWORD, County
from xiangyue.testing.source import english_page_faults

PAGE = "/console/counties/hanyin"
REASON = "合同到期，等待续签。"


@pytest.fixture(scope="module")
def client(operator: County) -> FlaskClient:
    return operator.client("operator_admin", name="李运营")


@pytest.fixture
def active(hanyin: County) -> Iterator[County]:
    """Hanyin, resumed afterwards however the test ends."""
    yield hanyin
    info = hanyin.runtime.directory.by_slug("hanyin")
    if info is not None and info.state != "active":
        lifecycle.resume(hanyin.runtime, "hanyin")


def version(client: FlaskClient) -> str:
    found = re.search(r'name="version" value="(\d+)"', client.get(PAGE).get_data(as_text=True))
    assert found is not None
    return found.group(1)


def suspend(client: FlaskClient, reason: str = REASON) -> Any:
    return send(client, f"{PAGE}/suspend", {"reason": reason, "version": version(client)}, on=PAGE)


def entries(county: County, action: str) -> list[AuditEntry]:
    with county.uow() as uow:
        found = uow.session.scalars(select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.id))
        return list(found)


def test_pages_api_and_sign_in_stop_and_sessions_go_on(client: FlaskClient, active: County, tongyu: County) -> None:
    account = active.account("county_admin")
    browser = active.client(account)
    assert browser.get("/areas").status_code == 200
    assert suspend(client).status_code == 303
    stopped = browser.get("/areas")
    assert stopped.status_code == 403
    assert REASON in stopped.get_data(as_text=True)
    page = stopped.get_data(as_text=True)
    assert "<h1>本县服务已停用</h1>" in page
    assert "您没有" not in page
    assert "所有数据仍然保留" in page
    english = active.client()
    english.set_cookie("xy_locale", "en", domain=active.host)
    page = english.get("/").get_data(as_text=True)
    assert "<h1>This county&#39;s service is suspended</h1>" in page
    assert english_page_faults(page) == []
    assert active.client().get("/sign-in").status_code == 403
    token = csrf(tongyu.client(), "/sign-in")
    refused = active.client().post("/sign-in", data={"csrf_token": token, "login": account.login, "password": PASSWORD})
    assert refused.status_code == 403
    api = browser.get("/api/v1/areas")
    assert api.status_code == 403
    assert api.content_type == "application/problem+json"
    assert REASON in api.get_json()["detail"]
    assert (api.get_json()["type"], api.get_json()["title"]) == ("urn:xiangyue:error:suspended", "本县服务已停用")
    # Its neighbour does not notice, and the probes still answer.
    assert tongyu.client("county_admin").get("/areas").status_code == 200
    assert active.client().get("/healthz").status_code == 200
    resumed = send(client, f"{PAGE}/resume", {"version": version(client)}, on=PAGE)
    assert resumed.status_code == 303
    assert browser.get("/areas").status_code == 200


def test_another_process_sees_it_at_the_next_request(client: FlaskClient, active: County) -> None:
    """A worker that still remembers the county as active: its sessions are refused by the database all the same."""
    browser = active.client("county_admin")
    assert browser.get("/areas").status_code == 200
    directory = active.runtime.directory
    host = active.host
    remembered = directory.find(host)
    suspend(client)
    directory._known[host] = (float("inf"), remembered)
    assert browser.get("/areas").headers["Location"].startswith("/sign-in")
    directory.forget()


def test_both_trails_say_who_and_why(client: FlaskClient, active: County, operator: County) -> None:
    suspend(client)
    send(client, f"{PAGE}/resume", {"version": version(client)}, on=PAGE)
    own = entries(active, "tenant.suspend")[-1]
    assert (own.actor_kind, own.actor_name, own.account_id, own.purpose) == (
        "system",
        "李运营 @ operator",
        None,
        REASON,
    )
    told = entries(operator, "tenant.suspend")[-1]
    assert (told.actor_name, told.object_label, told.object_id, told.purpose) == (
        "李运营",
        "hanyin",
        active.info.id,
        REASON,
    )
    assert entries(operator, "tenant.resume")[-1].before == {"state": "suspended"}
    assert told.ip == "127.0.0.1"
    page = client.get(PAGE).get_data(as_text=True)
    assert REASON in page


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
def test_a_reason_is_needed(client: FlaskClient, active: County, reason: str) -> None:
    answer = suspend(client, reason)
    assert answer.status_code == 422
    assert active.client().get("/sign-in").status_code == 200


def test_a_stale_page_suspends_nothing(client: FlaskClient, active: County) -> None:
    old = version(client)
    suspend(client)
    send(client, f"{PAGE}/resume", {"version": version(client)}, on=PAGE)
    answer = send(client, f"{PAGE}/suspend", {"reason": REASON, "version": old}, on=PAGE)
    assert answer.status_code == 409
    assert REASON in answer.get_data(as_text=True)  # what was typed is still there
    with active.uow() as uow:
        assert uow.session.scalars(select(Tenant.state).where(Tenant.slug == "hanyin")).one() == "active"


def test_twice_is_refused(client: FlaskClient, active: County) -> None:
    suspend(client)
    now = version(client)
    again = send(client, f"{PAGE}/suspend", {"reason": "x", "version": now}, on=PAGE)
    assert again.status_code == 409
    link = send(client, f"{PAGE}/administrator", {"login": "a1", "name": "王"})
    assert link.status_code == 409


def test_the_operator_itself_cannot_be_suspended(client: FlaskClient) -> None:
    answer = send(client, "/console/counties/operator/suspend", {"reason": "x"}, on="/me")
    assert answer.status_code == 404
    assert client.get("/console/counties/operator").status_code == 404


def test_jobs_wait(client: FlaskClient, active: County, runtime: Runtime) -> None:
    kind = next(iter(runtime.registry.jobs))
    with active.uow() as uow:
        job_id = enqueue_job(uow, kind=kind, params={}).id
    suspend(client)
    assert run_with(runtime, active.info.id, job_id) is None
    Scheduler(runtime).tick()
    with active.uow() as uow:
        assert uow.get(Job, job_id).state == "queued"
    assert REASON in client.get(PAGE).get_data(as_text=True)
    send(client, f"{PAGE}/resume", {"version": version(client)}, on=PAGE)
    assert run_with(runtime, active.info.id, job_id) in ("succeeded", "failed", "queued")
