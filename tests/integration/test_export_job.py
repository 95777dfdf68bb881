"""Exports: a long list is written by a job; every file says who took it along and is found in the trail."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import python_calamine
from households_kit import OTHER_TOWN, TOWN, entries, filled_county, hidden, post, text
from sqlalchemy import func, select, update

from xiangyue.features.accounts.service.own import create_token_for
from xiangyue.features.households import export_job
from xiangyue.features.households.policy import HOUSEHOLD_EXPORT, HOUSEHOLD_VIEW
from xiangyue.files.models import StoredFile
from xiangyue.files.service import expire_files
from xiangyue.jobs.context import JobCancelled, JobContext
from xiangyue.jobs.models import Job
from xiangyue.jobs.run import run_with
from xiangyue.jobs.service import request_cancel
from xiangyue.testing.fixtures import County
from xiangyue.testing.source import english_page_faults
from xiangyue.web import kept_exports

__all__ = ["filled_county"]


@contextmanager
def directly(county: County, rows: int) -> Iterator[None]:
    """Lists with more rows than this go to a job."""
    kept = county.runtime.settings
    county.runtime.settings = replace(kept, export_direct_rows=rows)
    try:
        yield
    finally:
        county.runtime.settings = kept


@pytest.fixture(autouse=True)
def small_limit(county: County) -> Iterator[None]:
    with directly(county, 1):
        yield


def ask(client: Any, address: str, purpose: str = "给镇民政办", format: str = "xlsx") -> Any:
    sent = {"csrf_token": hidden(text(client, address), "csrf_token"), "purpose": purpose, "format": format}
    return client.post(address, data=sent)


def job_id(answer: Any) -> int:
    assert answer.status_code == 303, answer.text
    return int(answer.headers["Location"].rpartition("/")[2])


def job(county: County, id: int) -> Job:
    with county.uow() as uow:
        return uow.get(Job, id)


def fetch(client: Any, url: str, **options: Any) -> bytes:
    with client.get(url, **options) as answer:
        assert answer.status_code == 200, (url, answer.status_code)
        return bytes(answer.data)


def sheet(data: bytes) -> list[list[Any]]:
    return python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0).to_python()


def test_a_long_list_is_a_job_whose_file_is_fetched_until_it_expires(county: County) -> None:
    client = county.client("county_admin", name="钱主任", locale="en")
    address = "/households/export?cols=size,address&sort=-size"
    page = text(client, address)
    assert "This is a long list" in page
    assert english_page_faults(page) == []
    before = len(entries(county, "household.export"))
    answer = ask(client, address)
    id = job_id(answer)
    assert ask(client, address).headers["Location"] == answer.headers["Location"], "asked twice, it is one job"
    assert run_with(county.runtime, county.info.id, id) == "succeeded"
    done = job(county, id)
    assert (done.done, done.total) == (3, 3)
    assert done.result is not None
    shown = text(client, f"/jobs/{id}")
    assert f"3 rows, number {done.result['number']}. The file can be fetched again until" in shown
    url = f"/files/{done.result['file']}"
    assert url in shown
    for _again in range(2):
        rows = sheet(fetch(client, url))
        assert "钱主任" in rows[0][0]
        assert "给镇民政办" in rows[0][0]
        assert done.result["number"] in rows[0][0]
        assert [row[:2] for row in rows[1:3]] == [["Household head", "Household size"], ["王德福", 2]]
        assert len(rows) == 5
    (entry,) = entries(county, "household.export")[before:]
    assert (entry.object_label, entry.purpose, entry.actor_name) == (done.result["number"], "给镇民政办", "钱主任")
    assert entry.after is not None
    assert entry.after["rows"] == 3
    trail = text(county.client("auditor", locale="en"), f"/audit?number={done.result['number'].lower()}")
    assert "Households exported" in trail
    assert "1 entry" in trail
    with county.uow() as uow:
        uow.session.execute(update(StoredFile).values(expires_at=datetime.now(UTC) - timedelta(seconds=1)))
        expired = {**done.result, "expires_at": (datetime.now(UTC) - timedelta(seconds=1)).isoformat()}
        uow.session.execute(update(Job).where(Job.id == id).values(result=expired))
    assert client.get(url).status_code == 404
    gone = text(client, f"/jobs/{id}")
    assert "has expired" in gone
    assert url not in gone
    with county.uow() as uow:
        assert len(expire_files(uow, county.runtime.storage)) >= 1


def test_the_number_stands_on_every_printed_page_and_headings_are_repeated(county: County) -> None:
    client = county.client("county_admin")
    id = job_id(ask(client, "/persons/export?cols=household,relation"))
    run_with(county.runtime, county.info.id, id)
    result = job(county, id).result
    assert result is not None
    with zipfile.ZipFile(io.BytesIO(fetch(client, f"/files/{result['file']}"))) as book:
        xml = book.read("xl/worksheets/sheet1.xml").decode()
        names = book.read("xl/workbook.xml").decode()
    assert f"<oddHeader>&amp;R{result['number']}</oddHeader>" in xml
    assert f"<oddFooter>&amp;L{result['number']}&amp;C&amp;P / &amp;N</oddFooter>" in xml
    assert 'orientation="landscape"' in xml
    assert "Print_Titles" in names
    assert "<f>" not in xml


def test_a_cancelled_or_forbidden_export_leaves_nothing(county: County, monkeypatch: pytest.MonkeyPatch) -> None:
    account = county.account("town", area=TOWN)
    client = county.client(account)
    made = len(entries(county, "household.export"))
    with county.uow() as uow:
        files = uow.session.execute(select(func.count()).select_from(StoredFile)).scalar_one()
    waiting = job_id(ask(client, f"/households/export?area={TOWN // 10**6}"))
    with county.uow() as uow:
        request_cancel(uow, job_id=waiting)
    assert run_with(county.runtime, county.info.id, waiting) is None
    running = job(county, job_id(ask(client, f"/households/export?area={TOWN // 10**6}&sort=size")))
    for rows_between_looks in (1, 500):  # in the middle, and before the file is kept
        monkeypatch.setattr(kept_exports, "PULSE", rows_between_looks)
        context = JobContext(
            county.runtime,
            tenant_id=county.info.id,
            job_id=running.id,
            params=running.params,
            actor=county.actor(HOUSEHOLD_EXPORT, HOUSEHOLD_VIEW),
        )
        context.cancelled.set()
        with pytest.raises(JobCancelled):
            export_job.run_export(context)
    late = job_id(ask(client, f"/households/export?area={TOWN // 10**6}&sort=-size"))
    with county.uow() as uow:
        row = uow.session.merge(account)
        row.state = "disabled"
    assert run_with(county.runtime, county.info.id, late) == "failed"
    assert len(entries(county, "household.export")) == made
    with county.uow() as uow:
        assert uow.session.execute(select(func.count()).select_from(StoredFile)).scalar_one() == files


def test_a_job_stays_in_the_area_of_whom_it_works_for(county: County) -> None:
    with directly(county, 0):
        client = county.client("town", area=OTHER_TOWN)
        id = job_id(ask(client, "/households/export"))
    run_with(county.runtime, county.info.id, id)
    result = job(county, id).result
    assert result is not None
    assert [row[0] for row in sheet(fetch(client, f"/files/{result['file']}"))[2:]] == ["周永贵"]
    assert county.client("town", area=TOWN).get(f"/files/{result['file']}").status_code == 404
    assert county.client("village", area=TOWN).get(f"/files/{result['file']}").status_code == 404


def test_what_a_mark_was_looked_up_for_holds_in_the_job(county: County) -> None:
    client = county.client("county_admin")
    stated = post(client, "/purpose?next=/households", "/purpose", purpose="残联核对", next="/households")
    assert stated.status_code == 303
    with directly(county, 0):
        id = job_id(ask(client, "/households/export?mark=disabled&cols=marks", format="csv"))
    assert run_with(county.runtime, county.info.id, id) == "succeeded"
    result = job(county, id).result
    assert result is not None
    lines = fetch(client, f"/files/{result['file']}").decode("utf-8-sig").splitlines()
    assert re.match("王德福,.*残疾", lines[1]), lines
    assert "编号" in lines[-1]
    assert entries(county, "household.export")[-1].after["marks"] == ["disabled"]  # type: ignore[index]


def test_exports_by_the_api(county: County) -> None:
    with county.uow() as uow:
        account = county.account("town", area=TOWN)
        _, token = create_token_for(uow, account_id=account.id, name="t", scopes=["*"], days=1)
    client, headers = county.client(), {"Authorization": f"Bearer {token}"}

    def send(status: int, **body: Any) -> Any:
        answer = client.post("/api/v1/exports", json=body, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.get_json()

    send(422, list="households", query="")
    send(422, list="nothing", purpose="核对")
    send(422, list="households", purpose="核对", query="min_persons=x")
    strange = send(422, list="households", purpose="核对", query="colour=red&custom.nothing=1&state=closed")
    assert {error["path"] for error in strange["errors"]} == {"colour", "custom.nothing"}
    send(404, list="households", purpose="核对", area=str(OTHER_TOWN))
    made = send(202, list="households", purpose="核对", query="cols=size&sort=-size", format="csv", area=str(TOWN))
    assert client.get(f"/api/v1/exports/{made['id']}/file", headers=headers).status_code == 404
    assert run_with(county.runtime, county.info.id, made["id"]) == "succeeded"
    assert "王德福,2" in fetch(client, f"/api/v1/exports/{made['id']}/file", headers=headers).decode("utf-8-sig")
    stranger = county.client("village", area=TOWN)
    assert stranger.get(f"/api/v1/exports/{made['id']}/file").status_code in (401, 403)
