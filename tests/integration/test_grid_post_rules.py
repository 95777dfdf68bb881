"""In charge against a plugin's rule: warned of with the clause, done with a reason; posts follow their person."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from drafts_kit import two_groups  # noqa: F401 - a fixture
from grids_kit import TOWN, VILLAGE, group_grid
from households_kit import hidden, text
from sqlalchemy import delete, select
from test_grid_draft_leaders import ON, ONE, approved, force

from plugins_kit import planted, switch
from xiangyue.access.models import AuditEntry
from xiangyue.errors import Invalid
from xiangyue.features.drafts.leaders import Chosen
from xiangyue.features.grids import boards, service_posts
from xiangyue.features.grids.models import GridPost, GridSetting
from xiangyue.features.grids.policy import duty_key
from xiangyue.features.households.person_input import today
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.models import PluginFault
from xiangyue.plugin.registry import RuleWarning
from xiangyue.testing.fixtures import County
from xiangyue.testing.sheets import sheet_words

CLAUSE = "示例〔2026〕1号 三"
ANSWERS: dict[str, Any] = {"leader": [RuleWarning(_l("Reason"), CLAUSE)]}
asked: list[dict[str, Any]] = []


def rule(uow: Any, level: int, area_code: int, person_id: int | None, role: str, on: date) -> Any:
    asked.append({"level": level, "area_code": area_code, "person_id": person_id, "role": role, "on": on})
    return ANSWERS.get(role)


@pytest.fixture(name="ruled")
def with_a_rule(drawn: County) -> Iterator[County]:
    """A plugin that has something against every leader, nothing against deputies, and answers nonsense on workers."""
    ANSWERS["worker"] = ["no warning"]
    asked.clear()
    with planted(drawn.runtime, "probe", grid_leader_requested=rule):
        switch(drawn, "probe")
        yield drawn
        switch(drawn, "probe", enabled=False)


@pytest.fixture(name="grid", scope="module")
def one_grid(drawn: County) -> int:
    with drawn.uow() as uow:
        return group_grid(uow, 1)


def test_the_page_shows_the_clause_and_takes_a_reason(ruled: County, grid: int) -> None:
    client = ruled.client(ruled.account("town", area=TOWN))
    url = f"/grids/{grid}/appoint"
    form = {"csrf_token": hidden(text(client, url), "csrf_token"), "role": "leader", "name": "赵六",
            "unit": "司法所", "valid_from": today().isoformat()}  # fmt: skip
    assert 'name="reason"' not in text(client, url), "nobody is asked before a rule warns"
    ahead = client.post(f"{url}/rules", data=form, headers={"HX-Request": "true"})
    assert CLAUSE in ahead.text
    assert 'name="reason"' in ahead.text
    deputy = client.post(f"{url}/rules", data={**form, "role": "deputy"}, headers={"HX-Request": "true"})
    assert CLAUSE not in deputy.text
    warned = client.post(url, data=form)
    assert warned.status_code == 422
    for words in ("规则提示", CLAUSE, "原因", 'name="reason"', 'value="赵六"', 'value="司法所"'):
        assert words in warned.text, words
    assert asked[-1] == {"level": 2, "area_code": VILLAGE + 1, "person_id": None, "role": "leader", "on": today()}
    too_long = client.post(url, data={**form, "reason": "长" * 201})
    assert too_long.status_code == 422
    assert client.post(url, data={**form, "reason": "组长空缺，暂代"}).status_code == 303
    shown = text(client, f"/grids/{grid}")
    assert CLAUSE in shown
    assert "组长空缺，暂代" in shown
    english = text(ruled.client(ruled.account("town", area=TOWN, locale="en")), f"/grids/{grid}")
    assert "What rules have against it" in english
    with ruled.uow() as uow:
        post = uow.session.scalars(select(GridPost).where(GridPost.name == "赵六")).one()
        assert post.warnings == [{"plugin": "probe", "zh": "原因", "en": "Reason", "source": CLAUSE}]
        entry = uow.session.scalars(
            select(AuditEntry).where(AuditEntry.action == "grid.appoint", AuditEntry.object_id == post.id)
        ).one()
        assert entry.after is not None
        assert (entry.after["reason"], entry.after["warnings"]) == ("组长空缺，暂代", [f"原因 ({CLAUSE})"])
        uow.session.delete(post)


def test_the_api_names_the_field_and_the_warnings(ruled: County, grid: int) -> None:
    client = ruled.client(ruled.account("county_admin"))
    url = f"/api/v1/grids/{grid}/posts"
    head = {"X-CSRF-Token": hidden(text(client, f"/grids/{grid}/appoint"), "csrf_token")}
    body = {"role": "leader", "name": "钱七", "valid_from": today().isoformat()}
    warned = client.post(url, json=body, headers=head)
    assert (warned.status_code, warned.json["type"]) == (422, "urn:xiangyue:error:reason_needed"), warned.json
    assert [error["path"] for error in warned.json["errors"]] == ["reason"]
    assert warned.json["warnings"] == [{"plugin": "probe", "text": "原因", "source": CLAUSE}]
    done = client.post(url, json={**body, "reason": "暂代"}, headers=head)
    assert (done.status_code, done.json["warning_reason"]) == (201, "暂代")
    assert done.json["warnings"] == warned.json["warnings"]
    (read,) = client.get(url).json["items"]
    assert (read["warnings"], read["warning_reason"]) == (done.json["warnings"], "暂代")
    with ruled.uow() as uow:
        uow.session.execute(delete(GridPost))


def test_nothing_is_kept_where_no_rule_warns_and_nonsense_stops_nobody(ruled: County, grid: int) -> None:
    with ruled.uow() as uow:
        post = service_posts.appoint(uow, grid_id=grid, role="deputy", name="孙八", valid_from=today(), reason="多余")
        assert (post.warnings, post.warning_reason) == ([], "")
        worker = service_posts.appoint(uow, grid_id=grid, role="worker", name="周九", valid_from=today())
        assert worker.warnings == []
        uow.session.delete(post)
        uow.session.delete(worker)
    with ruled.uow() as uow:
        assert any("return RuleWarnings" in error for error in uow.session.scalars(select(PluginFault.error)))


def test_leaders_of_a_draft_take_a_reason_each(ruled: County) -> None:
    with ruled.uow() as uow:
        draft = approved(uow, {"1组-1": ONE})
        with pytest.raises(Invalid) as warned:
            force(uow, draft)
        (field,) = warned.value.fields
        part = int(field.removeprefix("reason."))
        assert warned.value.details["warnings"] == [
            {"plugin": "probe", "text": "原因", "source": CLAUSE, "part_id": part}
        ]
        uow.rollback()
    with ruled.uow() as uow:
        draft = approved(uow, {"1组-1": ONE})
        id, version = draft.id, draft.version
    client = ruled.client(ruled.account("county_admin"))
    page = text(client, f"/grid-drafts/{id}")
    assert "规则对这位网格长有提示" in page, "before anything is sent"
    assert asked[-1]["person_id"] is not None
    shown = client.get(f"/api/v1/grid-drafts/{id}", headers=ruled.bearer(ruled.account("county_admin"))).json
    assert [one["warnings"][0]["source"] for one in shown["leader_rules"]] == [CLAUSE]
    part = int(page.split('name="leader.')[1].split('"')[0])
    form = {"csrf_token": hidden(page, "csrf_token"), "version": str(version), "on": ON.isoformat(), "reason": "调整",
            f"leader.{part}": page.split(f'name="leader.{part}" value="')[1].split('"')[0]}  # fmt: skip
    back = client.post(f"/grid-drafts/{id}/force", data=form)
    assert back.status_code == 422
    assert f'name="reason.{part}"' in back.text
    assert CLAUSE in back.text
    with ruled.uow() as uow:
        fresh = uow.get(type(draft), id)
        force(uow, fresh, leaders={part: Chosen("", "", "人选已公示")})
        post = uow.session.scalars(select(GridPost).where(GridPost.name == ONE)).one()
        assert (post.warning_reason, post.warnings[0]["source"]) == ("人选已公示", CLAUSE)
        uow.rollback()


def test_the_printed_sheet_has_the_duties_of_the_level(drawn: County, grid: int) -> None:
    with drawn.uow() as uow:
        duties = {"title": "网格长职责", "items": ["宣传政策", "化解矛盾"], "source": CLAUSE}
        uow.session.add(GridSetting(key=duty_key(2), value=duties))
        uow.session.flush()
        wanted = boards.Boards(today(), grid_id=grid)
        found = boards.standing(uow, wanted)
        (sheet,) = boards.posters(uow, found, today(), county="汉阴县", address=str)
        assert (sheet.items_title, tuple(sheet.items), sheet.items_source) == (
            "网格长职责", ("宣传政策", "化解矛盾"), CLAUSE,
        )  # fmt: skip
        written, _title = boards.print_boards(uow, wanted=wanted, county="汉阴县", address=str)
        (page,) = sheet_words(b"".join(written.pieces()))
        assert "化解矛盾" in page
        uow.rollback()
