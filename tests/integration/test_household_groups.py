"""Ten-household groups: sizes with a reason, one group a day, following grids and back, heads, pages and API."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from grids_kit import TOWN, VILLAGE, homes, made_by
from groups_kit import empty_groups, head_of, lay_out
from households_kit import hidden, text
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from xiangyue.errors import Conflict, Invalid
from xiangyue.features.grids import service as grids
from xiangyue.features.grids.jobs import sweep
from xiangyue.features.grids.models import Grid
from xiangyue.features.grids.sizes import ReasonNeeded
from xiangyue.features.household_groups import points, queries, service, service_heads
from xiangyue.features.household_groups.models import HouseholdGroup, HouseholdGroupMember
from xiangyue.features.household_groups.policy import GroupSize
from xiangyue.features.households.models import Household, Person
from xiangyue.features.households.person_input import today
from xiangyue.features.households.service_register import do_act, undo_act
from xiangyue.testing.fixtures import County

Laid = tuple[int, int, int]


@pytest.fixture(name="laid")
def laid_out(hanyin: County) -> Iterator[Laid]:
    yield lay_out(hanyin)
    empty_groups(hanyin)


def inside(county: County, group: int) -> list[str]:
    """Last digits of the households' numbers."""
    with county.uow() as uow:
        return [row["code"][-2:] for row in queries.households_in(uow, group, today())]


def test_chunks_are_even_and_within_the_size_where_that_can_be() -> None:
    rule = GroupSize(8, 12)
    for number in range(1, 200):
        sizes = queries.chunks(number, rule)
        assert sum(sizes) == number
        assert max(sizes) - min(sizes) <= 1
        can = any(number // n >= 8 and -(-number // n) <= 12 for n in range(1, number + 1))
        assert all(map(rule.fits, sizes)) == can, number
    assert queries.chunks(30, rule) == [10, 10, 10]
    assert queries.chunks(0, rule) == []


def test_a_size_outside_asks_for_a_reason_and_never_blocks(hanyin: County, laid: Laid) -> None:
    _grid, first, _second = laid
    with hanyin.uow() as uow:
        version = uow.get(HouseholdGroup, first).version
        fewer = homes(uow, 1)[:3]
        with pytest.raises(ReasonNeeded, match="8 至 12"):
            service.set_members(uow, group_id=first, version=version, household_ids=fewer, on=today())
        change = service.set_members(uow, group_id=first, version=version, household_ids=fewer, on=today(),
                                     size_reason="三户独居山上")  # fmt: skip
        assert change.sizes["households"] == {"一组": 3}
        with pytest.raises(Invalid, match="一个网格之内"):
            service.set_members(
                uow, group_id=first, version=version + 1, household_ids=[-1], on=today(), size_reason="x"
            )
    client = hanyin.client(hanyin.account("town", area=TOWN))
    shown = text(client, f"/ten-household-groups/{first}")
    assert "三户独居山上" in shown
    assert "3户" in shown.replace(" ", "")


def test_a_household_is_in_one_group_a_day(hanyin: County, laid: Laid) -> None:
    _grid, first, second = laid
    with hanyin.uow() as uow:
        twice = homes(uow, 1)[0]
        uow.session.add(HouseholdGroupMember(household_id=twice, group_id=second, area_code=VILLAGE, opened_by=1,
                                             valid_from=today()))  # fmt: skip
        with pytest.raises(IntegrityError, match="ex_household_group_member_one_a_day"):
            uow.session.flush()
        uow.rollback()
    with hanyin.uow() as uow:  # who comes leaves the other group
        version = uow.get(HouseholdGroup, second).version
        service.set_members(uow, group_id=second, version=version, household_ids=[twice, *homes(uow, 1)[6:]],
                            on=today(), size_reason="x")  # fmt: skip
    assert "01" in inside(hanyin, second)
    assert "01" not in inside(hanyin, first)


def test_groups_follow_grids_and_come_back(hanyin: County, laid: Laid) -> None:
    """Most of a group goes along; who lies elsewhere leaves it; the undo of the change of grids puts it back."""
    grid, first, second = laid
    with hanyin.uow() as uow:
        version = uow.get(Grid, grid).version
        parts = [{"name": "后山", "household_ids": [*homes(uow, 1)[:5], homes(uow, 1)[6]]}]
        change = grids.split_grid(uow, grid_id=grid, version=version, on=today(), parts=parts, size_reason="x")
        new = made_by(change)
        assert queries.find_group(uow, first, today())["grid_id"] == new  # type: ignore[index]
        assert queries.find_group(uow, second, today())["grid_id"] == grid  # type: ignore[index]
        id, version = change.id, change.version
    assert inside(hanyin, first) == ["01", "02", "03", "04", "05"]
    assert inside(hanyin, second) == ["08", "09", "10", "11", "12"]
    with hanyin.uow() as uow:
        grids.undo_change(uow, change_id=id, version=version, reason="划错了")
        assert queries.find_group(uow, first, today())["grid_id"] == grid  # type: ignore[index]
        assert [c["kind"] for c in queries.changes_of(uow, first, VILLAGE) if c["state"] == "undone"] == ["follow"]
    assert inside(hanyin, first) == ["01", "02", "03", "04", "05", "06"]
    assert inside(hanyin, second) == ["07", "08", "09", "10", "11", "12"]


def test_a_closed_household_leaves_and_the_undo_brings_it_back(hanyin: County, laid: Laid) -> None:
    _grid, first, _second = laid
    with hanyin.uow() as uow:
        keys = hanyin.runtime.tenant_keys(uow)
        act = do_act(uow, keys=keys, kind="close", on=today(), reason="举家迁出",
                     request={"household_id": homes(uow, 1)[0]})  # fmt: skip
        id, version = act.id, act.version
    assert "01" not in inside(hanyin, first)
    with hanyin.uow() as uow:
        undo_act(uow, act_id=id, version=version, reason="登记错误")
    assert "01" in inside(hanyin, first)


def test_who_comes_back_by_whatever_way_is_in_the_group_again(hanyin: County, laid: Laid) -> None:
    """An import that is undone, or a form, tells grids where a household lies, not which act is taken back."""
    _grid, first, second = laid
    seen = []
    for area in (VILLAGE + 2, VILLAGE + 1):
        with hanyin.uow() as uow:
            code = select(Household.id).order_by(Household.code).limit(1).scalar_subquery()
            uow.session.execute(update(Household).where(Household.id == code).values(area_code=area))
            sweep(uow)
        seen.append("01" in inside(hanyin, first))
    assert seen == [False, True]
    with hanyin.uow() as uow:  # who was taken out by hand stays out
        version = uow.get(HouseholdGroup, first).version
        service.set_members(uow, group_id=first, version=version, household_ids=homes(uow, 1)[1:6], on=today(),
                            size_reason="x")  # fmt: skip
    for area in (VILLAGE + 2, VILLAGE + 1):
        with hanyin.uow() as uow:
            code = select(Household.id).order_by(Household.code).limit(1).scalar_subquery()
            uow.session.execute(update(Household).where(Household.id == code).values(area_code=area))
            sweep(uow)
    assert "01" not in inside(hanyin, first) + inside(hanyin, second)


def test_heads_live_there_and_who_died_is_pointed_out(hanyin: County, laid: Laid) -> None:
    _grid, first, second = laid
    with hanyin.uow() as uow:
        head = head_of(uow, first)
        with pytest.raises(Invalid) as wrong:
            service_heads.name_head(uow, group_id=second, person_id=head.person_id, valid_from=today(), login="nobody")
        assert set(wrong.value.fields) == {"person_id", "login"}
        with pytest.raises(Invalid, match="现任十户长"):
            head_of(uow, first, 1)
        keys = hanyin.runtime.tenant_keys(uow)
        do_act(uow, keys=keys, kind="death", on=today(), request={"person_id": head.person_id})
        assert queries.find_group(uow, first, today())["head_problem"] == "died"  # type: ignore[index]
        found = queries.list_groups(uow, queries.GroupFilter(on=today(), head="problem"))
        assert [row["id"] for row in found.items] == [first]
        none = queries.list_groups(uow, queries.GroupFilter(on=today(), head="none"))
        assert [row["id"] for row in none.items] == [second]
    client = hanyin.client(hanyin.account("town", area=TOWN))
    assert "已去世" in text(client, f"/ten-household-groups?area={VILLAGE // 1000}")
    with hanyin.uow() as uow:
        household = queries.households_in(uow, first, today())[1]["id"]
    assert re.search("十户长[:：].*已去世", text(client, f"/households/{household}"))


def test_an_undo_names_what_was_built_on_it(hanyin: County, laid: Laid) -> None:
    _grid, first, _second = laid
    with hanyin.uow() as uow:
        made = queries.changes_of(uow, first, VILLAGE)[0]
        renamed = service.rename_group(uow, group_id=first, version=uow.get(HouseholdGroup, first).version,
                                       name="上湾组", on=today())  # fmt: skip
        with pytest.raises(Conflict, match=str(renamed.id)):
            service.undo_change(uow, change_id=made["id"], version=made["version"], reason="x")
        service.undo_change(uow, change_id=renamed.id, version=renamed.version, reason="x")
        service.undo_change(uow, change_id=made["id"], version=made["version"], reason="x")
        assert queries.count_groups(uow, queries.GroupFilter(on=today())) == 0
        with pytest.raises(Invalid, match="不存在"):
            service.rename_group(uow, group_id=first, version=uow.get(HouseholdGroup, first).version, name="x",
                                 on=today() - timedelta(400))  # fmt: skip


def test_the_panel_of_a_grid_says_what_it_leaves_out(hanyin: County, laid: Laid, monkeypatch: Any) -> None:
    grid, first, second = laid
    monkeypatch.setattr(points, "SHOWN", 1)
    client = hanyin.client(hanyin.account("town", area=TOWN))
    shown = text(client, f"/grids/{grid}")
    assert "共 2 个组，此处列出 1 个" in shown
    link = re.search(r'href="(/ten-household-groups\?[^"]*grid=[^"]*)"', shown)
    assert link is not None
    every = text(client, link[1].replace("&amp;", "&"))
    assert all(f"/ten-household-groups/{id}" in every for id in (first, second))
    nothing = text(client, f"/ten-household-groups?area={VILLAGE // 1000}&grid=NONE1")
    assert f"/ten-household-groups/{first}" not in nothing


def test_pages_suggest_make_and_show_groups(hanyin: County, laid: Laid) -> None:
    grid, first, second = laid
    client = hanyin.client(hanyin.account("village", area=VILLAGE))
    for id in (first, second):
        url = f"/ten-household-groups/{id}/close"
        form = {"csrf_token": hidden(text(client, url), "csrf_token"), "version": hidden(text(client, url), "version")}
        assert client.post(url, data={**form, "on": today().isoformat()}).status_code == 422
        assert client.post(url, data={**form, "on": today().isoformat(), "reason": "重新编组"}).status_code == 303
    assert "12 户" in text(client, f"/grids/{grid}")
    url = f"/ten-household-groups/suggest?grid={grid}"
    page = text(client, url)
    with hanyin.uow() as uow:
        everyone = homes(uow, 1)
    form = {"csrf_token": hidden(page, "csrf_token"), "on": today().isoformat(), "name0": "上湾组",
            **{f"at{id}": "0" for id in everyone[:11]}, f"at{everyone[11]}": ""}  # fmt: skip
    assert client.post(url, data=form).status_code == 303
    assert "上湾组" in text(client, f"/grids/{grid}")
    assert "上湾组" in text(client, f"/households/{everyone[0]}")
    assert "上湾组" in text(client, "/search?q=上湾")
    with hanyin.uow() as uow:
        group = queries.list_groups(uow, queries.GroupFilter(on=today())).items[0]
        person = uow.session.scalars(select(Person.id).where(Person.household_id == everyone[0])).first()
    assert group["households"] == 11
    url = f"/ten-household-groups/{group['id']}/head"
    form = {"csrf_token": hidden(text(client, url), "csrf_token"), "valid_from": today().isoformat()}
    assert client.post(url, data=form).status_code == 422
    assert client.post(url, data={**form, "person_id": str(person)}).status_code == 303
    assert client.get("/ten-household-groups/size").status_code == 403
    admin = hanyin.client(hanyin.account("county_admin"))
    url = "/ten-household-groups/size"
    form = {"csrf_token": hidden(text(admin, url), "csrf_token"), "min_households": "12", "max_households": "8"}
    assert admin.post(url, data=form).status_code == 422
    assert admin.post(url, data={**form, "max_households": "15"}).status_code == 303
    assert "12" in text(client, f"/ten-household-groups/{group['id']}")
    answer = admin.get(f"/api/v1/ten-household-groups?grid={grid}&size=out")
    assert [item["name"] for item in answer.json["items"]] == ["上湾组"]
    assert admin.get("/ten-household-groups/export").status_code == 200
