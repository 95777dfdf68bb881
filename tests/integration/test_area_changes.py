"""Changes of areas: everything goes along, comes back, and what does not fit is said."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from areas_kit import DAY, OTHER_TOWN, TOWN, A, B, C, areas, astray, do, draft, fill, latest, places, put_in_force, undo
from imports_kit import actor_of
from sqlalchemy import select

from register_kit import checksum, clear
from xiangyue.access.actor import system_actor
from xiangyue.access.models import RoleGrant
from xiangyue.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from xiangyue.features.areas import service_groups
from xiangyue.features.areas.changes import ahead, job, queries, refusal, service, tables
from xiangyue.features.areas.changes.labels import table_label
from xiangyue.features.areas.models import Area, AreaChange
from xiangyue.features.households import service as households
from xiangyue.features.households.models import Household
from xiangyue.i18n import in_locale, today
from xiangyue.jobs.context import JobContext, JobInterrupted
from xiangyue.jobs.run import run_with
from xiangyue.jobs.service import request_cancel
from xiangyue.testing.fixtures import County
from xiangyue.testing.source import english_page_faults

BEFORE = DAY - timedelta(days=1)


@pytest.fixture
def admin(hanyin: County) -> Iterator[Any]:
    fill(hanyin, (A, (1, 2)), (B, (1,)))
    with in_locale("en"):
        yield hanyin.account()
    _reset(hanyin)


def _reset(county: County) -> None:
    """Every change undone or thrown away, the register empty."""
    account = county.account()
    with county.uow() as uow:
        done = list(
            uow.session.scalars(select(AreaChange).where(AreaChange.state == "done").order_by(AreaChange.id.desc()))
        )
    for change in done:
        assert undo(county, account, change) == "succeeded"
    clear(county.runtime.settings.migration_database_url, county.info.id)


def total(county: County) -> tuple[str, int]:
    return checksum(county.runtime.settings.migration_database_url, county.info.id)


def test_a_merge_takes_everything_along_and_comes_back(hanyin: County, admin: Any) -> None:
    before, stood = total(hanyin), places(hanyin)
    village = hanyin.account("village", area=A)
    change = do(hanyin, admin, "merge", areas=[A], into=B)

    assert change.counts["households"] == 5
    now = places(hanyin)
    # The groups keep their numbers where they are free: 2 is, 1 is not.
    assert set(now.values()) == {B, B + 1, B + 2, B + 3}
    assert {now[code] for code, was in stood.items() if was == A + 2} == {B + 2}
    assert {now[code] for code, was in stood.items() if was == A + 1} == {B + 3}
    assert astray(hanyin) == 0
    known = areas(hanyin, A, B, A + 1, B + 3)
    assert (known[A].active, known[A].valid_to, known[A].succeeded_by) == (False, DAY, B)
    assert known[B + 3].name == f"{known[A].name}{known[A + 1].name}"
    assert known[A].name in known[B].former_names
    # As it was then.
    assert places(hanyin, BEFORE) == stood
    assert places(hanyin, DAY) == now
    with hanyin.uow() as uow:
        assert {a.area_code for a in queries.areas_on(uow, BEFORE, under=TOWN)} >= {A, A + 1, A + 2, B, B + 1}
        assert not {B + 2, B + 3} & {a.area_code for a in queries.areas_on(uow, BEFORE, under=TOWN)}
        assert not {A, A + 1} & {a.area_code for a in queries.areas_on(uow, DAY, under=TOWN)}
        assert queries.counts_on(uow, BEFORE)[A + 1].households == 2
        assert queries.successor(uow, A + 1) == B + 3
    # A role in the village that went reaches its groups, and nothing of the other village.
    with hanyin.uow() as uow:
        held = select(RoleGrant.area_code).where(RoleGrant.account_id == village.id)
        assert set(uow.session.scalars(held)) == {B + 2, B + 3}

    assert undo(hanyin, admin, change) == "succeeded"
    assert total(hanyin) == before
    assert places(hanyin, BEFORE) == stood
    assert areas(hanyin, A)[A].active
    assert not areas(hanyin, B + 3)
    with hanyin.uow() as uow:
        assert set(uow.session.scalars(select(RoleGrant.area_code).where(RoleGrant.account_id == village.id))) == {A}


def test_a_village_under_another_town_gets_a_code_there(hanyin: County, admin: Any) -> None:
    before = total(hanyin)
    town = hanyin.account("town", area=OTHER_TOWN)
    change = do(hanyin, admin, "move", area=A, parent=OTHER_TOWN, code=OTHER_TOWN + 390_000)
    assert {code for code in places(hanyin).values() if code // 10**6 * 10**6 == OTHER_TOWN} == {
        OTHER_TOWN + 390_000, OTHER_TOWN + 390_001, OTHER_TOWN + 390_002,
    }  # fmt: skip
    assert latest(hanyin, change.id).state == "done"
    # What is registered under the new code since goes back with the village.
    actor = actor_of(hanyin, town)
    with hanyin.runtime.uow(hanyin.info.id, actor=actor) as uow:
        keys = hanyin.runtime.tenant_keys(uow)
        new = households.register_household(uow, keys=keys, area_code=OTHER_TOWN + 390_001, head={"name": "新户"})
        assert new.code.startswith(str((OTHER_TOWN + 390_000) // 1000))
    assert undo(hanyin, admin, change) == "succeeded"
    with hanyin.uow() as uow:
        assert uow.session.scalars(select(Household.area_code).where(Household.id == new.id)).one() == A + 1
    assert total(hanyin)[1] == before[1] + 1


def test_a_split_by_group_house_number_and_sheet(hanyin: County, admin: Any) -> None:
    part = {"code": A + 99_000, "name": "新桥村村委会", "children": [A + 1]}
    stood = places(hanyin)
    alone = next(code for code, area in stood.items() if area == A)
    with hanyin.uow() as uow:
        named = uow.session.scalars(select(Household.id).where(Household.code == alone)).one()
    change = do(
        hanyin, admin, "split", area=A, parts=[part], households={str(named): A + 99_000},
        rules=[{"groups": [A + 2], "first": 2, "last": 9, "to": A + 99_000}],
    )  # fmt: skip
    now = places(hanyin)
    assert now[alone] == A + 99_000
    assert {now[code] for code, was in stood.items() if was == A + 1} == {A + 99_001}
    assert sorted(now[code] for code, was in stood.items() if was == A + 2) == [A + 2, A + 99_000]
    assert areas(hanyin, A + 99_000)[A + 99_000].name == "新桥村"
    assert places(hanyin, BEFORE) == stood
    assert astray(hanyin) == 0
    # Registered in the new village since: that is in the way, and named.
    with hanyin.uow() as uow:
        keys = hanyin.runtime.tenant_keys(uow)
        new = households.register_household(uow, keys=keys, area_code=A + 99_000, head={"name": "新户"})
    with pytest.raises(Conflict) as caught:
        undo(hanyin, admin, change)
    assert "1" in str(caught.value.message)
    with hanyin.uow() as uow:
        row = uow.get(Household, new.id)
        households.edit_household(uow, household_id=row.id, version=row.version, changes={"area_code": A})
    assert undo(hanyin, admin, change) == "succeeded"


def test_nobody_is_left_without_an_area(hanyin: County, admin: Any) -> None:
    parts = [{"name": name, "children": [A + group]} for group, name in ((1, "新桥村"), (2, "旧桥村"))]
    change = draft(hanyin, admin, "split", area=A, keep=False, parts=parts)
    with pytest.raises(Conflict, match="1 households would be left without an area"):
        put_in_force(hanyin, admin, change)
    with pytest.raises(Invalid) as caught:
        draft(hanyin, admin, "split", area=A, keep=False, parts=[{"name": "新桥村", "children": [A + 1]}])
    assert "parts" in caught.value.fields
    change = draft(hanyin, admin, "close", area=A + 2)
    with pytest.raises(Conflict, match="2 households would be left without an area"):
        put_in_force(hanyin, admin, change)


def test_a_code_is_never_used_again(hanyin: County, admin: Any) -> None:
    with pytest.raises(Invalid) as caught:
        draft(hanyin, admin, "recode", area=A, code=B)
    assert "is the code of" in str(caught.value.fields["code"][0])
    do(hanyin, admin, "recode", area=A, code=A + 90_000)
    with pytest.raises(Invalid) as caught:
        draft(hanyin, admin, "create", parent=TOWN, code=A, name="另一村")
    assert "never used again" in str(caught.value.fields["code"][0])
    with pytest.raises(Invalid) as caught:
        draft(hanyin, admin, "create", parent=TOWN, code=OTHER_TOWN + 399_000, name="另一村")
    assert "begins with" in str(caught.value.fields["code"][0])
    # The old code leads on.
    with pytest.raises(Invalid) as caught:
        draft(hanyin, admin, "rename", area=A, name="另一村")
    assert "Choose that" in str(caught.value.fields["area"][0])


def test_the_order_of_days_and_two_at_once(hanyin: County, admin: Any) -> None:
    do(hanyin, admin, "rename", area=B, name="新名村")
    with pytest.raises(Invalid) as caught:
        draft(hanyin, admin, "rename", BEFORE, area=B, name="又名村")
    assert str(DAY) in str(caught.value.fields["on"][0])
    first = draft(hanyin, admin, "merge", areas=[A], into=B)
    second = draft(hanyin, admin, "rename", area=A, name="别名村")
    assert put_in_force(hanyin, admin, second) == "succeeded"
    with pytest.raises(Stale, match="Somebody changed"):
        put_in_force(hanyin, admin, first)
    with hanyin.uow() as uow:
        names = {a.area_code: a.name for a in queries.areas_on(uow, BEFORE)}
        assert names[B] != "新名村"
    assert areas(hanyin, B)[B].name == "新名村"


def arranged(county: County, account: Any, name: str) -> AreaChange:
    """A new name for village A in a month, arranged."""
    change = draft(county, account, "rename", today() + timedelta(days=30), area=A, name=name)
    with county.runtime.uow(county.info.id, actor=actor_of(county, account)) as uow:
        return service.request_change(uow, id=change.id, version=change.version)


def its_day_comes(county: County, change: AreaChange) -> None:
    with county.uow() as uow:
        uow.get(AreaChange, change.id).on_date = today()


def a_round(county: County, stop: threading.Event | None = None) -> int:
    """How many changes it started."""
    context = JobContext(
        county.runtime, tenant_id=county.info.id, job_id=0, params={}, actor=system_actor(county.info.id), stop=stop
    )
    return int(ahead.run(context)["started"])


def test_a_change_dated_ahead_is_put_in_force_on_its_day(hanyin: County, admin: Any) -> None:
    name = areas(hanyin, A)[A].name
    change = arranged(hanyin, admin, "明日村")
    assert (change.state, latest(hanyin, change.id).arranged_by) == ("arranged", admin.id)
    with hanyin.uow() as uow:
        assert [one.id for one in queries.ahead(uow, A + 1)] == [change.id]
    headers, url = hanyin.bearer(admin), f"/api/v1/areas/changes/{change.id}"
    shown = hanyin.client().get(url, headers=headers)
    assert (shown.json["state"], shown.json["arranged_by"]) == ("arranged", admin.name)
    back = hanyin.client().post(f"{url}/call-back", headers={**headers, "If-Match": shown.headers["ETag"]})
    assert back.json["state"] == "draft"
    again = hanyin.client().post(f"{url}/force", headers={**headers, "If-Match": back.headers["ETag"]})
    assert (again.status_code, again.json["state"]) == (202, "arranged")
    assert (a_round(hanyin), areas(hanyin, A)[A].name) == (0, name)
    its_day_comes(hanyin, change)
    with pytest.raises(JobInterrupted):
        a_round(hanyin, StopsAfter(0))
    assert (a_round(hanyin), a_round(hanyin)) == (1, 0)
    hanyin.run_jobs()
    now = latest(hanyin, change.id)
    assert (now.state, now.done_name, areas(hanyin, A)[A].name) == ("done", admin.name, "明日村")


def test_what_cannot_be_put_in_force_on_its_day_says_so(hanyin: County, admin: Any) -> None:
    change = arranged(hanyin, admin, "明日村")
    do(hanyin, admin, "rename", area=A, name="今日村")
    page = hanyin.client(admin).get(f"/areas/changes/{change.id}").text
    its_day_comes(hanyin, change)
    assert a_round(hanyin) == 0
    now = latest(hanyin, change.id)
    assert (now.state, areas(hanyin, A)[A].name) == ("draft", "今日村")
    chinese, english = "期间有人改动了今日村", "Somebody changed 今日村 in between."
    for account in (admin, hanyin.account("village", area=A)):
        assert chinese in hanyin.client(account).get("/").text
    assert chinese not in hanyin.client(hanyin.account("village", area=B)).get("/").text
    # It was refused while nobody read: whoever does reads it in his or her own language.
    reader = hanyin.account("county_admin", locale="en")
    pages = [hanyin.client(reader).get(url).text for url in ("/", f"/areas/changes/{change.id}")]
    for shown in pages:
        assert english_page_faults(shown) == []
        assert english in re.sub("<.*?>", "", shown)
    assert chinese in hanyin.client(admin).get(f"/areas/changes/{change.id}").text
    headers = hanyin.bearer(reader)
    answer = hanyin.client().get(f"/api/v1/areas/changes/{change.id}", headers={**headers, "Accept-Language": "en"})
    assert answer.json["refused"].startswith(english)
    assert refusal.shown("旧版本记下的原因") == "旧版本记下的原因"
    assert "照目前情况，到期不能生效" in page


def test_only_what_one_may_change(hanyin: County, admin: Any) -> None:
    town = hanyin.account_with("area.view", "area.restructure", area=TOWN)
    with pytest.raises(Invalid) as caught:
        draft(hanyin, town, "move", area=A, parent=OTHER_TOWN)
    assert set(caught.value.fields) == {"parent"}
    with pytest.raises(Invalid) as caught:
        draft(hanyin, hanyin.account_with("area.restructure", area=A + 1), "rename", area=A, name="新名村")
    assert set(caught.value.fields) == {"area"}
    with pytest.raises(Forbidden):
        draft(hanyin, hanyin.account("town", area=TOWN), "rename", area=A, name="新名村")
    change = draft(hanyin, admin, "rename", area=B, name="新名村")
    elsewhere = hanyin.account_with("area.restructure", area=OTHER_TOWN)
    with hanyin.runtime.uow(hanyin.info.id, actor=actor_of(hanyin, elsewhere)) as uow, pytest.raises(NotFound):
        service.request_change(uow, id=change.id, version=change.version)


def test_an_undo_waits_for_what_came_after(hanyin: County, admin: Any) -> None:
    first = do(hanyin, admin, "merge", areas=[A], into=B)
    second = do(hanyin, admin, "rename", DAY + timedelta(days=1), area=B, name="新名村")
    with pytest.raises(Conflict) as caught:
        undo(hanyin, admin, first)
    assert "2026-05-02" in str(caught.value.message)
    assert undo(hanyin, admin, second) == "succeeded"
    with hanyin.uow() as uow:
        service_groups.add_group(uow, village=B, number=77)
    assert undo(hanyin, admin, first) == "succeeded"  # a group of the village that stays is in nobody's way


def test_the_other_county_sees_nothing(hanyin: County, tongyu: County, admin: Any) -> None:
    change = do(hanyin, admin, "merge", areas=[A, C], into=B)
    with tongyu.uow() as uow:
        assert queries.list_changes(uow) == []
        with pytest.raises(NotFound):
            service.look(uow, id=change.id)
        assert uow.session.scalars(select(Area.id).where(Area.area_code == A)).all() == []


class StopsAfter(threading.Event):
    """A worker that is told to stop in the middle of its work."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps = steps

    def is_set(self) -> bool:
        self.steps -= 1
        return self.steps < 0


def test_a_worker_that_ends_in_the_middle_leaves_nothing_half_done(hanyin: County, admin: Any) -> None:
    before = total(hanyin)
    change = draft(hanyin, admin, "merge", areas=[A], into=B)
    actor = actor_of(hanyin, admin)
    with hanyin.runtime.uow(hanyin.info.id, actor=actor) as uow:
        started = service.request_change(uow, id=change.id, version=change.version)
        job_id = started.job_id or 0
    context = JobContext(
        hanyin.runtime, tenant_id=hanyin.info.id, job_id=job_id, params={"change_id": change.id}, actor=actor,
        stop=StopsAfter(6),
    )  # fmt: skip
    with pytest.raises(JobInterrupted):
        job.run(context)
    assert total(hanyin) == before
    assert (latest(hanyin, change.id).state, areas(hanyin, A)[A].active) == ("working", True)
    # Meanwhile nobody else changes the same areas.
    with pytest.raises(Conflict, match="at this moment"):
        draft(hanyin, admin, "rename", area=B, name="新名村")
    assert run_with(hanyin.runtime, hanyin.info.id, job_id) == "succeeded"
    assert latest(hanyin, change.id).counts["households"] == 5


def test_a_cancelled_change_is_a_draft_again(hanyin: County, admin: Any) -> None:
    change = draft(hanyin, admin, "merge", areas=[A], into=B)
    with hanyin.runtime.uow(hanyin.info.id, actor=actor_of(hanyin, admin)) as uow:
        started = service.request_change(uow, id=change.id, version=change.version)
        request_cancel(uow, job_id=started.job_id or 0)
    assert latest(hanyin, change.id).state == "draft"
    assert put_in_force(hanyin, admin, latest(hanyin, change.id)) == "succeeded"


def test_every_table_that_goes_along_is_told_in_words(hanyin: County, admin: Any) -> None:
    with hanyin.runtime.uow(hanyin.info.id, actor=actor_of(hanyin, admin)) as uow:
        named = {one.name: table_label(uow, one.name) for one in tables.area_tables(uow)
                 if one.table not in tables.SEARCH}  # fmt: skip
    assert not {name: label for name, label in named.items() if label == name.partition(".")[2]}
