"""The audit trail's pages, API, export, job and command."""

from __future__ import annotations

import io
import json
import re
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner
from python_calamine import CalamineWorkbook
from sqlalchemy import select

from xiangyue.access.audit import audit
from xiangyue.access.models import ApiToken, AuditEntry
from xiangyue.access.seal import seal_entries
from xiangyue.access.seal_report import read_back
from xiangyue.access.tokens import API_PREFIX, new_token
from xiangyue.access.verify import verify
from xiangyue.errors import Forbidden
from xiangyue.features.audit import jobs
from xiangyue.features.audit.commands import group
from xiangyue.features.audit.policy import AUDIT_VIEW
from xiangyue.jobs.models import Job
from xiangyue.jobs.run import run_with
from xiangyue.jobs.service import enqueue_job
from xiangyue.runtime import Runtime
from xiangyue.testing.fixtures import County
from xiangyue.testing.source import english_page_faults


@pytest.fixture(autouse=True)
def empty(runtime: Runtime) -> None:
    with psycopg.connect(runtime.settings.migration_database_url, autocommit=True) as connection:
        connection.execute("DELETE FROM audit_entry")
        connection.execute("DELETE FROM audit_seal")


def write(county: County, label: str, **values: Any) -> int:
    with county.uow() as uow:
        values = {"action": "household.edit", "object_type": "household", "object_id": 7, **values}
        audit(uow, label=label, **values)
        uow.session.flush()
        return uow.session.scalars(select(AuditEntry.id).order_by(AuditEntry.id.desc())).first() or 0


def town_of(county: County) -> int:
    return county.info.area_code + 100_000_000


def api(county: County, role: str = "county_admin", **options: Any) -> dict[str, str]:
    """Headers of a new account's token."""
    from datetime import UTC, datetime, timedelta

    account = county.account(role, **options)
    token, digest = new_token(API_PREFIX)
    with county.uow() as uow:
        expires = datetime.now(UTC) + timedelta(hours=1)
        uow.session.add(ApiToken(account_id=account.id, name="t", token_hash=digest, scopes=["*"], expires_at=expires))
    return {"Authorization": f"Bearer {token}"}


def test_the_list_says_who_did_what_to_which_thing(hanyin: County) -> None:
    write(hanyin, "王德福", before={"address": "旧址", "away": True}, after={"address": "新村三组", "away": False})
    page = hanyin.client("auditor").get("/audit").text
    assert "王德福" in page
    assert "旧址" in page
    assert "新村三组" in page
    assert "住址" in page
    assert "1 条未封存" in page


def test_an_english_page_marks_the_countys_own_words(hanyin: County) -> None:
    id = write(hanyin, "王德福", area_code=town_of(hanyin), before={"address": "旧址"}, after={"address": "新村"})
    client = hanyin.client("auditor", locale="en")
    for path in ("/audit", f"/audit/{id}", "/audit/verify"):
        page = client.get(path)
        assert page.status_code == 200
        assert english_page_faults(page.text) == []


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("action=account.edit", {"B"}),
        ("action=household.", {"A", "C"}),
        ("object_type=household&object_id=9", {"C"}),
        ("purpose=yes", {"C"}),
        ("purpose=no", {"A", "B"}),
        ("since=2000-01-01", {"A", "B", "C"}),
        ("until=2000-01-01", set()),
        ("who=tester", {"B"}),
        ("who=nobody-here", set()),
    ],
)
def test_filters(hanyin: County, query: str, shown: set[str]) -> None:
    write(hanyin, "thing-A")
    with hanyin.uow(hanyin.actor(AUDIT_VIEW)) as uow:
        audit(uow, action="account.edit", object_type="account", object_id=1, label="thing-B")
    write(hanyin, "thing-C", object_id=9, purpose="核对低保")
    page = hanyin.client("auditor").get(f"/audit?{query}").text
    assert {name for name in "ABC" if f"thing-{name}" in page} == shown


def test_paging_goes_on_and_back_without_loss(hanyin: County) -> None:
    ids = [write(hanyin, str(n)) for n in range(7)]
    headers = api(hanyin)
    client = hanyin.client()
    seen: list[int] = []
    cursor = ""
    while True:
        found = client.get(f"/api/v1/audit?limit=3&fields=id&action=household.edit{cursor}", headers=headers).json
        seen += [item["id"] for item in found["items"]]
        if found["next"] is None:
            break
        cursor = f"&cursor={found['next']}"
    assert seen == ids[::-1]
    with hanyin.uow() as uow:
        from xiangyue.features.audit.queries import EntryFilter, find_entries

        first = find_entries(uow, EntryFilter(), limit=3)
        second = find_entries(uow, EntryFilter(), limit=3, after=first.next)
        back = find_entries(uow, EntryFilter(), limit=3, before=second.back)
        assert [e.id for e in back.entries] == [e.id for e in first.entries]
        assert (first.back, back.back) == (None, None)
        assert back.next == first.next


def test_an_unreadable_cursor_is_a_clear_error(hanyin: County) -> None:
    answer = hanyin.client().get("/api/v1/audit?cursor=WyJhIl0", headers=api(hanyin))
    assert answer.status_code == 422
    assert answer.json["errors"][0]["path"] == "cursor"


def test_an_area_bound_auditor_sees_only_the_area(hanyin: County) -> None:
    town = town_of(hanyin)
    inside = write(hanyin, "inside", area_code=town + 3_000)
    outside = write(hanyin, "outside", area_code=town + 1_000_000)
    county = write(hanyin, "whole-county")
    client = hanyin.client("auditor", area=town)
    page = client.get("/audit").text
    assert "inside" in page
    assert "outside" not in page
    assert "whole-county" not in page
    assert client.get(f"/audit/{inside}").status_code == 200
    assert client.get(f"/audit/{outside}").status_code == 404
    assert client.get(f"/audit/{county}").status_code == 404
    assert client.get("/audit/verify").status_code == 403


def test_another_countys_trail_does_not_exist(hanyin: County, tongyu: County) -> None:
    id = write(tongyu, "there-only")
    client = hanyin.client("auditor")
    assert client.get(f"/audit/{id}").status_code == 404
    assert "there-only" not in client.get("/audit").text
    assert client.get("/audit/export").status_code == 200


def test_without_the_right_there_is_no_trail(hanyin: County) -> None:
    client = hanyin.client("village", area=town_of(hanyin))
    for path in ("/audit", "/audit/1", "/audit/verify", "/audit/export"):
        assert client.get(path).status_code == 403


def test_the_operator_reads_its_own_trail(operator: County, hanyin: County) -> None:
    from xiangyue.access.models import Role

    write(hanyin, "county-entry")
    write(operator, "operator-entry", action="tenant.suspend", object_type="tenant")
    with operator.uow() as uow:
        uow.session.add(Role(key="watcher", name="watcher", permissions=[AUDIT_VIEW.name]))
    page = operator.client("watcher").get("/audit").text
    assert "operator-entry" in page
    assert "county-entry" not in page


def test_the_export_holds_what_is_shown_and_is_recorded(hanyin: County) -> None:
    write(hanyin, "=1+1", before={"away": False}, after={"away": True}, purpose="核对低保")
    write(hanyin, "other", action="area.add", object_type="area")
    client = hanyin.client("auditor")
    url = "/audit/export?action=household.&cols=at,thing,changes,purpose"
    token = client.get(url).text.split('name="csrf_token" value="')[1].split('"')[0]
    assert client.post(url, data={"csrf_token": token, "purpose": "", "format": "xlsx"}).status_code == 422
    answer = client.post(url, data={"csrf_token": token, "purpose": "上级检查", "format": "xlsx"})
    assert answer.status_code == 200
    marked, *rows = CalamineWorkbook.from_filelike(io.BytesIO(answer.data)).get_sheet_by_index(0).to_python()
    assert rows[0] == ["做了什么", "时间", "对象", "改前 → 改后", "用途"]
    assert [row[2:] for row in rows[1:]] == [["户 =1+1", "外出: 否 → 是", "核对低保"]]
    with hanyin.uow() as uow:
        entry = uow.session.scalars(select(AuditEntry).where(AuditEntry.action == "audit.export")).one()
        assert entry.after == {
            "rows": 1,
            "filters": {"action": ["household."]},
            "fields": ["action", "at", "thing", "changes", "purpose"],
        }
        assert entry.purpose == "上级检查"
        assert entry.object_label in marked[0]
    assert "上级检查" in client.get(f"/audit?number={entry.object_label}").text


def test_the_chains_own_records_are_shown_to_those_who_ask(hanyin: County) -> None:
    write(hanyin, "a")
    with hanyin.uow() as uow:
        seal_entries(uow)
    client = hanyin.client("auditor")
    assert "audit/" in client.get("/audit").text
    assert client.get("/audit").text.count("封存审计记录</b>") == 0
    assert client.get("/audit?action=audit.seal").text.count("封存审计记录</b>") == 1


def tamper(runtime: Runtime, id: int) -> None:
    with psycopg.connect(runtime.settings.migration_database_url, autocommit=True) as connection:
        connection.execute("UPDATE audit_entry SET purpose = 'x' WHERE id = %s", (id,))


def checked(county: County, client: Any, head: str = "") -> str:
    """The page of the check after one has been asked for there and a worker has done it."""
    page = client.get("/audit/verify").text
    token = re.search(r'name="csrf_token" value="(\w+)"', page)
    assert token is not None
    assert client.post("/audit/verify", data={"csrf_token": token[1], "head": head}).status_code == 303
    waiting = client.get("/audit/verify").text
    assert "hx-trigger" in waiting
    (card,) = re.findall(r'id="job-(\d+)"', waiting)
    assert "开始核查" not in waiting
    assert run_with(county.runtime, county.info.id, int(card)) == "succeeded"
    # The card that polls is told to show the result.
    assert client.get("/audit/verify", headers={"HX-Request": "true"}).headers["HX-Refresh"] == "true"
    return str(client.get("/audit/verify").text)


def test_the_check_is_a_job_whose_result_stands_on_the_page(hanyin: County, runtime: Runtime) -> None:
    id = write(hanyin, "a")
    context: Any = SimpleNamespace(uow=hanyin.uow)
    assert jobs.run_seal(context)["entries"] == 1
    headers, client = api(hanyin), hanyin.client("auditor")
    assert "还没有核查过" in client.get("/audit/verify").text
    good = hanyin.client().get("/api/v1/audit/verify", headers=headers).json
    assert (good["ok"], good["seals"], good["entries"], good["broken"]) == (True, 1, 1, [])
    assert "审计记录完整" in checked(hanyin, client)
    with hanyin.uow() as uow:
        job = uow.session.scalars(select(Job).order_by(Job.id.desc())).first()
        assert job is not None
        assert (job.kind, job.done, job.total) == ("audit.verify", 1, 1)
    tamper(runtime, id)
    bad = hanyin.client().get("/api/v1/audit/verify", headers=headers).json
    assert bad["ok"] is False
    assert [(b["problem"], b["changed"]) for b in bad["broken"]] == [("entries_changed", [id])]
    assert "审计记录完整" in client.get("/audit/verify").text  # looking at the page computes nothing
    page = checked(hanyin, client)
    assert "审计记录被篡改" in page
    assert f"/audit/{id}" in page
    assert "ab12" in checked(hanyin, client, head=" AB12 ")
    lost = hanyin.client().get("/api/v1/audit/verify?head=abcd", headers=headers).json
    assert lost["lost_head"] == "abcd"


def test_only_auditors_of_the_whole_county_have_the_seals_checked(hanyin: County) -> None:
    client = hanyin.client("auditor", area=town_of(hanyin))
    token = re.search(r'name="csrf_token" value="(\w+)"', client.get("/audit").text)
    assert token is not None
    assert client.post("/audit/verify", data={"csrf_token": token[1]}).status_code == 403
    with hanyin.uow(hanyin.actor(AUDIT_VIEW, area=town_of(hanyin))) as uow:
        job = enqueue_job(uow, kind="audit.verify", params={})
    context: Any = SimpleNamespace(uow=hanyin.uow, actor=hanyin.actor(AUDIT_VIEW, area=town_of(hanyin)), params={})
    with pytest.raises(Forbidden):
        jobs.run_verify(context)
    with hanyin.uow() as uow:
        uow.session.delete(uow.get(Job, job.id))


def test_a_report_keeps_what_it_says(hanyin: County, runtime: Runtime) -> None:
    id = write(hanyin, "a")
    with hanyin.uow() as uow:
        seal_entries(uow)
    tamper(runtime, id)
    with hanyin.uow() as uow:
        report = verify(uow, head="ff")
    assert not report.ok
    assert read_back(json.loads(json.dumps(report.kept()))) == report


def run(runtime: Runtime, *args: str) -> Any:
    return CliRunner().invoke(group, args, obj=lambda: nullcontext(runtime))


def test_the_command_seals_and_names_what_is_broken(hanyin: County, tongyu: County, runtime: Runtime) -> None:
    id = write(hanyin, "a")
    sealed = run(runtime, "seal", "--tenant", "hanyin")
    assert sealed.stdout.startswith("hanyin: 1 entries sealed, head ")
    head = sealed.stdout.split()[-1]
    good = run(runtime, "verify", "--tenant", "hanyin", "--head", head)
    assert (good.exit_code, good.stdout.split(",")[0]) == (0, "hanyin: ok")
    tamper(runtime, id)
    bad = run(runtime, "verify", "--all")
    assert bad.exit_code == 1
    assert "hanyin: BROKEN" in bad.stdout
    assert f"entry {id} changed" in bad.stdout
    assert "tongyu: ok" in bad.stdout
    assert run(runtime, "verify", "--tenant", "tongyu").exit_code == 0
    assert run(runtime, "verify").exit_code == 2
    assert run(runtime, "verify", "--tenant", "nowhere").exit_code == 1


def test_every_action_has_words(runtime: Runtime) -> None:
    """A code in the trail's list would be for developers only."""
    import re
    from pathlib import Path

    import xiangyue
    from xiangyue.features.audit.words import Words

    found: set[str] = set()
    for path in Path(xiangyue.__file__).parent.rglob("*.py"):
        found |= set(re.findall(r'action="([a-z_.]+)"', path.read_text("utf-8")))
    spoken = Words(runtime.registry.actions, {}, lambda _name: None)
    assert len(found) > 20
    assert [name for name in sorted(found) if spoken.action(name) == name] == []


def test_a_day_or_number_that_cannot_be_meant_is_named_and_left_out(hanyin: County) -> None:
    client = hanyin.client("auditor")
    answer = client.get("/audit?since=nonsense&object_id=x&purpose=maybe&who=a")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/audit?who=a")
    page = client.get(answer.headers["Location"]).text
    for said in ("条件“起”不能使用：“nonsense”不是日期", "“x”不是整数", "没有“maybe”这个选项"):
        assert said in page
    url = "/audit/export?since=nonsense"
    token = client.get(url).text.split('name="csrf_token" value="')[1].split('"')[0]
    assert client.post(url, data={"csrf_token": token, "purpose": "上级检查"}).status_code == 422
    assert client.get("/api/v1/audit?since=nonsense").status_code == 422
    assert client.get("/api/v1/audit?from=2026-01-01").status_code == 422


@pytest.mark.parametrize("address", ["/jobs?state=maybe", "/imports?state=maybe", "/accounts?state=maybe"])
def test_other_lists_name_what_they_leave_out(hanyin: County, address: str) -> None:
    client = hanyin.client("county_admin")
    answer = client.get(address)
    assert answer.headers["Location"] == address.partition("?")[0]
    assert "没有“maybe”这个选项" in client.get(answer.headers["Location"]).text


@pytest.mark.parametrize(
    ("entry", "said", "code"),
    [
        ({"action": "saved_view.add", "after": {"list": "households"}}, "列表—户", "households"),
        (
            {"action": "saved_view.edit", "before": {"query": "state=closed"},
             "after": {"query": "area=610921107&custom.housing=own&cols=size%2Ccode&sort=-size"}},
            ("自建房", "漩涡镇", "列: 人口、户号"), ("custom.housing", "own", "610921107", "size"),
        ),
        (
            {"action": "person.export", "object_type": "export",
             "after": {"fields": ["name", "household"], "filters": {"custom.housing.filled": ["yes"], "away": ["no"]}}},
            ("姓名", "住房来源"), ("household", "custom", "yes"),
        ),
        (
            {"action": "audit.export", "object_type": "export", "after": {"filters": {"action": ["household."]}}},
            "条件—做了什么: 户", "household.",
        ),
        ({"action": "person.erase", "object_type": "person", "after": {"fields": ["phone", "exports"]}},
         "服务器上保存的导出文件", "exports"),
        (
            {"action": "notice.edit", "object_type": "notice",
             "after": {"fields": ["title_en", "retention"], "number": 2}},
            ("英文标题", "保存期限", "版本—2"), ("title_en", "文件上的编号"),
        ),
        ({"action": "privacy_request.add", "object_type": "privacy_request", "after": {"kind": "erase"}},
         "删除", "erase"),
        ({"action": "person.leave", "object_type": "person", "after": {"state": "deceased"}}, "已去世", "deceased"),
        ({"action": "register.undo", "object_type": "register_act", "after": {"state": "undone"}}, "已撤销", "undone"),
        ({"action": "import.upload", "after": {"file_expires_at": "2026-12-23T03:47:24+00:00"}},
         "2026-12-23 11:47", "03:47"),
    ],
)  # fmt: skip
def test_codes_stand_in_words(hanyin: County, entry: dict[str, Any], said: Any, code: Any) -> None:
    id = write(hanyin, "x", **entry)
    page = hanyin.client("auditor").get(f"/audit/{id}").text
    told = re.sub(r"<[^>]+>", "", page[page.index("<tbody") : page.index("</tbody")])
    assert [one for one in ([said] if isinstance(said, str) else said) if one not in told] == [], told
    assert [one for one in ([code] if isinstance(code, str) else code) if one in told] == [], told


def test_a_job_is_called_by_its_name(hanyin: County) -> None:
    id = write(hanyin, "files.clear", action="job.cancel", object_type="job")
    page = hanyin.client("auditor").get(f"/audit/{id}").text
    assert "files.clear" not in page
