"""Coverage: every number is the length of the list that it leads to, on any day, at each level."""

from __future__ import annotations

import re
from datetime import date, timedelta
from html import unescape
from typing import Any

import pytest
from grids_kit import FIRST, TOWN, VILLAGE, divided_county, families, fill, group_grid, homes
from households_kit import hidden, text
from sqlalchemy import select

from xiangyue.db.uow import Uow
from xiangyue.features.grids import service, service_posts, service_rules
from xiangyue.features.grids.models import GridSize, GridVersion
from xiangyue.features.grids.pages.coverage import NUMBERS
from xiangyue.features.grids.policy import SIZE_CONDITIONS
from xiangyue.features.grids.queries import GridFilter, count_grids, list_grids, settled
from xiangyue.features.grids.sizes import Size, sizes
from xiangyue.features.households.models import Person
from xiangyue.features.households.person_input import today
from xiangyue.features.households.service_register import do_act
from xiangyue.features.organisations.models import Organisation
from xiangyue.testing.fixtures import County

__all__ = ["divided_county"]


@pytest.fixture(name="divided", scope="module")
def a_village_with_gaps(county: County) -> County:
    """Group 1: a grid too large without a reason, its leader has died; group 2: one with a reason, its leader's term is
    over, another's ends soon; two households wait; a special grid has nobody."""
    with county.uow() as uow:
        one, two = homes(uow, 1), homes(uow, 2)
        first = group_grid(uow, 1, household_ids=one[:4])
        second = group_grid(uow, 2, household_ids=two[:3])
        group_grid(uow, 0, name="市场", level=0, kind="special", special_kind="market", household_ids=[])
        service_rules.set_rules(uow, sizes={2: {"max_households": 2}, 3: {"max_households": 3}})
        service.explain_size(uow, grid_id=second, reason="自然院落")
        head = uow.session.scalars(
            select(Person.id).where(Person.household_id == one[0], Person.relation == "02")
        ).one()
        service_posts.appoint(uow, grid_id=first, role="leader", principal=True, person_id=head, valid_from=FIRST)
        service_posts.appoint(uow, grid_id=second, role="leader", name="李四", valid_from=FIRST,
                              term_until=today() - timedelta(1))  # fmt: skip
        service_posts.appoint(uow, grid_id=second, role="leader", name="王五", valid_from=FIRST,
                              term_until=today() + timedelta(89))  # fmt: skip
        keys = county.runtime.tenant_keys(uow)
        do_act(uow, keys=keys, kind="death", on=today() - timedelta(1), request={"person_id": head})
        for name, area, level, until in (
            ("某村委会", VILLAGE, "village", today() - timedelta(1)),
            ("某镇委员会", TOWN, "town", today() + timedelta(10)),
        ):
            uow.session.add(Organisation(name=name, sort_key="m", kind_key="village_committee", level=level,
                                         area_code=area, term_until=until))  # fmt: skip
    return county


def counted(page: str) -> dict[str, int]:
    """Lists that a page's numbers lead to -> the number."""
    links = re.findall(r'href="(/(?:grids|organisations)[^"]*\?[^"]+)"[^>]*>(?:<[^>]*>|\s)*([\d,]+)<', page)
    return {unescape(url): int(number.replace(",", "")) for url, number in links}


def lines_of(page: str) -> int:
    """How many entries a list says that it has."""
    found = re.search(r'data-announce="([\d,]+)', page)
    assert found is not None
    return int(found[1].replace(",", ""))


@pytest.mark.parametrize("area", ["all", TOWN // 1000, VILLAGE // 1000])
@pytest.mark.parametrize("days_ago", [0, 30])
def test_a_number_is_the_length_of_its_list(divided: County, area: object, days_ago: int) -> None:
    client = divided.client(divided.account("county_admin"))
    on = (today() - timedelta(days_ago)).isoformat()
    cols = ",".join(NUMBERS)
    numbers = counted(text(client, f"/grids/coverage?area={area}&on={on}&cols={cols}"))
    assert len(numbers) > 8
    for url, number in numbers.items():
        assert lines_of(text(client, url)) == number, url


def test_what_is_owed(divided: County) -> None:
    account = divided.account("county_admin")
    answer = divided.client().get(f"/api/v1/grids/coverage?area={VILLAGE // 1000}", headers=divided.bearer(account))
    total: dict[str, Any] = answer.get_json()["total"]
    expected = {
        "households": 9, "waiting": 2, "twice": 0, "grids": 3, "leaves": 2, "leaves2": 2, "to_divide": 1,
        "unexplained": 1, "explained": 1, "leaderless": 2, "no_principal": 1, "term_over": 1, "term_soon": 1,
        "leader_gone": 1, "org_late": 1, "org_soon": 0,
    }  # fmt: skip
    assert {key: total[key] for key in expected} == expected
    assert total["since"] is not None
    towns = divided.client().get("/api/v1/grids/coverage", headers=divided.bearer(account)).get_json()
    assert towns["total"]["org_soon"] == 1
    assert sum(line["waiting"] for line in towns["items"]) == towns["total"]["waiting"]
    assert {line["level"] for line in towns["items"]} == {"town"}
    before = divided.client().get(f"/api/v1/grids/coverage?on={FIRST - timedelta(1)}", headers=divided.bearer(account))
    assert before.get_json()["total"]["grids"] == 0
    waiting = divided.client().get(f"/api/v1/grids/households?area={VILLAGE // 1000}", headers=divided.bearer(account))
    assert len(waiting.get_json()["items"]) == 2


def test_whoever_sees_one_village_counts_one_village(divided: County) -> None:
    fill(divided, families(1, 50, 1))
    other = divided.account("village", area=VILLAGE + 1000)
    answer = divided.client().get("/api/v1/grids/coverage", headers=divided.bearer(other)).get_json()
    assert answer["total"]["households"] == answer["total"]["grids"] == 0
    assert "未划入网格" not in text(divided.client(other), "/")


def test_sizes_of_today_are_those_of_the_history(divided: County) -> None:
    with divided.uow() as uow:
        leaves = list(uow.session.scalars(select(GridVersion.grid_id).where(GridVersion.leaf)))
        now, then = (sizes(uow, leaves, today() + timedelta(n)) for n in (0, 1))
        kept = {
            row.grid_id: Size(row.households, row.registered, row.living)
            for row in uow.session.scalars(select(GridSize).where(GridSize.households > 0))
        }
    assert now == then == kept
    assert any(size.registered for size in now.values())


@pytest.mark.parametrize(
    "limits",
    [
        {"max_persons": 6, "basis": "registered"},
        {"min_persons": 7, "basis": "living"},
        {"min_households": 4, "max_persons": 99},
    ],
)
def test_the_list_of_today_is_picked_as_by_the_history(divided: County, limits: dict[str, Any]) -> None:
    with divided.uow() as uow:
        service_rules.set_rules(uow, sizes={2: limits, 3: limits})
        for wanted in SIZE_CONDITIONS:
            picked = [found(uow, wanted, today() + timedelta(n)) for n in (0, 1)]
            assert picked[0] == picked[1], wanted
        assert found(uow, "out", today())
        uow.rollback()


def found(uow: Uow, size: str, on: date) -> set[int]:
    wanted = settled(uow, GridFilter(on, size=size))
    ids = {item["id"] for item in list_grids(uow, wanted).items}
    assert count_grids(uow, wanted) == len(ids)
    return ids


def test_the_way_out_of_waiting(divided: County) -> None:
    client = divided.client(divided.account("town", area=TOWN))
    todo = text(client, "/")
    assert "户未划入网格" in todo
    assert "网格长已去世或迁出" in todo
    assert "网格覆盖" in text(client, f"/cockpit?area={TOWN // 1000}")
    url = f"/grids/households?area={VILLAGE // 1000}"
    page = text(client, url)
    before = lines_of(page)
    ids = re.findall(r'name="household_ids" value="(\d+)"', page)
    place = f"/grids/households/place?village={VILLAGE // 1000}"
    with divided.uow() as uow:
        own = [str(id) for id in homes(uow, 1) if str(id) in ids]
    form = {"csrf_token": hidden(page, "csrf_token"), "household_ids": own}
    asked = client.post(place, data=form)
    assert asked.status_code == 200
    grid = re.search(r'<option value="(\d+)"[^>]*>1组网格', asked.get_data(as_text=True))
    assert grid is not None
    given = {**form, "grid_id": grid[1], "on": today().isoformat()}
    refused = client.post(place, data=given)
    assert refused.status_code == 422, "outside the size rule it takes a reason"
    assert client.post(place, data={**given, "size_reason": "同一院落"}).status_code == 303
    assert lines_of(text(client, url)) == before - len(own)


def test_the_table_leaves_with_a_purpose(divided: County) -> None:
    client = divided.client(divided.account("town", area=TOWN))
    for url in ("/grids/coverage/export", "/grids/households/export"):
        address = f"{url}?area={TOWN // 1000}"
        form = {"csrf_token": hidden(text(client, address), "csrf_token"), "format": "csv", "purpose": "镇例会"}
        sent = client.post(address, data=form)
        assert sent.status_code == 200
        assert sent.headers["Content-Disposition"].startswith("attachment")
