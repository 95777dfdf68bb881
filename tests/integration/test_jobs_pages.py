"""Pages and API of background work: whose one sees, cancel, repeat; and the real worker as a process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import select

from xiangyue.access.models import AuditEntry
from xiangyue.jobs.actors import account_actor
from xiangyue.jobs.models import Job
from xiangyue.jobs.service import enqueue_job
from xiangyue.local.plan import environ_of
from xiangyue.testing.fixtures import County
from xiangyue.testing.source import english_page_faults


def start(county: County, account: Any, kind: str = "jobs.tidy", **values: Any) -> int:
    with county.uow() as uow:
        actor = account_actor(uow, account.id, tenant_area=county.info.area_code)
    with county.uow(actor) as uow:
        job = enqueue_job(uow, kind=kind, params={})
        for key, value in values.items():
            setattr(job, key, value)
        return job.id


def show(county: County, job_id: int) -> Job:
    with county.uow() as uow:
        return uow.get(Job, job_id)


def token(client: Any) -> str:
    """The CSRF token that the page's forms carry."""
    html = client.get("/jobs").get_data(as_text=True)
    return str(html.split('name="csrf_token" value="')[1].split('"')[0])


def until(condition: Callable[[], Any], seconds: float = 30) -> None:
    gate = threading.Event()
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        gate.wait(0.05)


def test_one_sees_ones_own_and_the_administrator_everyones(hanyin: County) -> None:
    mine, other = hanyin.account("village", name="吴示范"), hanyin.account("town")
    my_job, their_job = start(hanyin, mine), start(hanyin, other)
    client = hanyin.client(mine)
    listed = client.get("/api/v1/jobs").get_json()["items"]
    assert [job["id"] for job in listed] == [my_job]
    assert client.get(f"/jobs/{my_job}").status_code == 200
    assert client.get(f"/jobs/{their_job}").status_code == 404
    assert client.get(f"/api/v1/jobs/{their_job}").status_code == 404
    assert client.post(f"/jobs/{their_job}/cancel", data={"csrf_token": token(client)}).status_code == 404
    everyone = hanyin.client("county_admin").get("/api/v1/jobs?limit=200").get_json()["items"]
    assert {my_job, their_job} <= {job["id"] for job in everyone}


def test_the_list_is_exported_as_it_is_shown(hanyin: County) -> None:
    mine, other = hanyin.account("village", name="吴示范"), hanyin.account("town", name="他人")
    start(hanyin, mine, state="failed")
    start(hanyin, mine)
    start(hanyin, other, state="failed")
    client = hanyin.client(mine)
    url = "/jobs/export?state=failed&cols=kind,state,who"
    assert "/jobs/export" in client.get("/jobs").text
    sent = client.post(url, data={"csrf_token": token(client), "purpose": "报修", "format": "csv"})
    lines = sent.get_data(as_text=True).lstrip("\ufeff").splitlines()
    assert lines[0] == "任务,状态,发起人"
    assert [line.split(",")[1:] for line in lines[1:2]] == [["未成功", "吴示范"]]
    assert "他人" not in "".join(lines)
    with hanyin.uow() as uow:
        entry = uow.session.scalars(select(AuditEntry).where(AuditEntry.action == "job.export")).one()
        assert (entry.purpose, entry.after["rows"]) == ("报修", 1)  # type: ignore[index]


def test_another_countys_job_is_not_found(hanyin: County, tongyu: County) -> None:
    job_id = start(hanyin, hanyin.account())
    assert tongyu.client("county_admin").get(f"/jobs/{job_id}").status_code == 404


def test_cancel_and_repeat_on_the_page(hanyin: County) -> None:
    account = hanyin.account("village")
    client = hanyin.client(account)
    job_id = start(hanyin, account)
    form = {"csrf_token": token(client)}
    assert client.post(f"/jobs/{job_id}/cancel", data=form).status_code == 303
    assert show(hanyin, job_id).state == "cancelled"
    page = client.get(f"/jobs/{job_id}").get_data(as_text=True)
    assert "重做这个任务" in page
    assert client.post(f"/jobs/{job_id}/repeat", data=form).status_code == 303
    assert show(hanyin, job_id).state == "queued"
    assert client.post(f"/jobs/{job_id}/repeat", data=form).status_code == 409


def test_an_auditor_may_look_but_not_cancel(hanyin: County) -> None:
    job_id = start(hanyin, hanyin.account("village"))
    auditor = hanyin.client("auditor")
    assert auditor.get(f"/jobs/{job_id}").status_code == 200
    assert "/cancel" not in auditor.get(f"/jobs/{job_id}").get_data(as_text=True)
    assert auditor.post(f"/jobs/{job_id}/cancel", data={"csrf_token": token(auditor)}).status_code == 403


def test_the_card_is_polled_as_a_fragment(hanyin: County) -> None:
    account = hanyin.account("village")
    client = hanyin.client(account)
    job_id = start(hanyin, account, state="running", done=5, total=20, step="Clearing away old work")
    fragment = client.get(f"/jobs/{job_id}", headers={"HX-Request": "true"}).get_data(as_text=True)
    assert "<html" not in fragment
    assert f'id="job-{job_id}"' in fragment
    assert "清理旧任务" in fragment
    assert "25 %" in fragment


def test_what_is_polled_brings_the_particulars_along_and_a_file_is_downloaded(hanyin: County) -> None:
    account = hanyin.account("village")
    client = hanyin.client(account)
    kept = {"file": 1, "expires_at": "2999-01-01T00:00:00+00:00", "rows": 1, "number": "A"}
    ended = {"state": "succeeded", "attempts": 1, "result": kept}
    job_id = start(hanyin, account, kind="households.export", **ended)
    fragment = client.get(f"/jobs/{job_id}", headers={"HX-Request": "true"}).get_data(as_text=True)
    assert f'id="job-{job_id}-particulars" hx-swap-oob="true"' in fragment
    assert "1 次" in fragment
    page = client.get(f"/jobs/{job_id}").get_data(as_text=True)
    assert f'id="job-{job_id}-particulars"' in page
    assert "hx-swap-oob" not in page
    assert "下载文件" in page
    assert "查看结果" not in page


def test_pages_are_complete_in_english(hanyin: County) -> None:
    account = hanyin.account("county_admin", locale="en", name="陈示范")
    client = hanyin.client(account)
    failed = start(hanyin, account, state="failed", error="发起这项任务的账号已停用。")
    for path in ("/jobs", "/jobs?state=failed&mine=1", f"/jobs/{failed}"):
        answer = client.get(path)
        assert answer.status_code == 200
        main = answer.get_data(as_text=True).partition("<main")[2]
        assert english_page_faults(f"<div {main}") == []


def test_pages_keep_their_place_by_cursor(hanyin: County) -> None:
    account = hanyin.account("village")
    jobs = [start(hanyin, account) for _ in range(5)]
    client = hanyin.client(account)
    first = client.get("/api/v1/jobs?limit=3").get_json()
    rest = client.get(f"/api/v1/jobs?limit=3&cursor={first['next']}").get_json()
    assert [j["id"] for j in first["items"] + rest["items"]] == jobs[::-1]
    assert rest["next"] is None
    assert client.get("/api/v1/jobs?cursor=nonsense").status_code == 422


@pytest.fixture
def program(hanyin: County) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts ``xiangyue …`` as a process of its own; whatever still runs at the end is killed."""
    started: list[subprocess.Popen[bytes]] = []

    def start_program(*arguments: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "xiangyue.cli", *arguments],
            env=environ_of(hanyin.runtime.settings),
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start_program
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def test_worker_and_scheduler_run_as_processes_and_end_at_sigterm(
    hanyin: County, program: Callable[..., subprocess.Popen[bytes]]
) -> None:
    worker, scheduler = program("worker"), program("scheduler")
    job_id = start(hanyin, hanyin.account())
    until(lambda: show(hanyin, job_id).state == "succeeded")
    for process in (worker, scheduler):
        process.terminate()
        assert process.wait(60) == 0
