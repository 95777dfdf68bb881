"""Boards of grids on paper: one, all of a village, many by a job; who printed what is on record."""

from __future__ import annotations

from typing import Any

import pytest
from grids_kit import FIRST, TOWN, VILLAGE, divided_county, group_grid, homes
from households_kit import hidden, text
from sqlalchemy import select

from xiangyue.access.models import AuditEntry
from xiangyue.features.grids import boards, service_posts
from xiangyue.features.grids.models import Grid
from xiangyue.features.households.models import Household, Person
from xiangyue.jobs.models import Job
from xiangyue.jobs.run import run_with
from xiangyue.testing.fixtures import County
from xiangyue.testing.sheets import sheet_words as words

__all__ = ["divided_county"]
ADDRESS = f"/grids/boards?area={VILLAGE // 1000}"


@pytest.fixture(name="grids", scope="module")
def led_grids(county: County) -> list[int]:
    """A grid for each of two groups; the first has a leader and somebody from outside."""
    with county.uow() as uow:
        ids = [group_grid(uow, 1), group_grid(uow, 2)]
        service_posts.appoint(uow, grid_id=ids[0], role="leader", principal=True, name="赵网格", valid_from=FIRST,
                              office_phone="0915-5210000", unit="村委会")  # fmt: skip
        return ids


def fetch(client: Any, url: str) -> bytes:
    with client.get(url) as answer:
        assert answer.status_code == 200, (url, answer.status_code)
        return bytes(answer.data)


def ask(client: Any, which: str = "leaf") -> Any:
    token = hidden(text(client, ADDRESS), "csrf_token")
    return client.post(ADDRESS, data={"csrf_token": token, "which": which, "orientation": "portrait"})


def test_one_board_has_what_its_page_has_and_nothing_of_households(county: County, grids: list[int]) -> None:
    client = county.client(county.account("town", area=TOWN, locale="en"))
    assert f"/grids/{grids[0]}/board.pdf" in text(client, f"/grids/{grids[0]}")
    with client.get(f"/grids/{grids[0]}/board.pdf") as answer:
        assert answer.content_type == "application/pdf"
        data = bytes(answer.data)
    (page,) = words(data)
    with county.uow() as uow:
        grid = uow.get(Grid, grids[0])
        entry = uow.session.scalars(select(AuditEntry).where(AuditEntry.action == "grid.print")).one()
        assert entry.object_id == grid.id
        assert entry.area_code == grid.area_code
        inside = homes(uow, 1)
        private = set(uow.session.scalars(select(Person.name).where(Person.household_id.in_(inside))))
        private |= set(uow.session.scalars(select(Household.address).where(Household.id.in_(inside))))
    for wanted in (grid.code, "1组网格", "赵网格", "网格长", "0915-5210000", "村委会", "二级"):
        assert wanted in page, wanted
    assert [one for one in private if one in page] == []


def test_boards_of_a_village_are_one_file(county: County, grids: list[int]) -> None:
    client = county.client(county.account("town", area=TOWN))
    assert "打印公示牌" in text(client, f"/grids?area={VILLAGE // 1000}")
    answer = ask(client)
    pages = words(answer.data)
    assert ["1组网格" in pages[0], "2组网格" in pages[1], len(pages)] == [True, True, 2]
    assert "暂无" in pages[1] or "空缺" in pages[1] or "无人" in pages[1], pages[1]


def test_many_are_drawn_by_a_job(county: County, grids: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boards, "DIRECT", 1)
    client = county.client(county.account("town", area=TOWN))
    answer = ask(client, "all")
    assert answer.status_code == 303
    id = int(answer.headers["Location"].rpartition("/")[2])
    run_with(county.runtime, county.info.id, id)
    with county.uow() as uow:
        job = uow.get(Job, id)
        assert (job.state, job.result["boards"]) == ("succeeded", 2), job.error
    page = text(client, f"/jobs/{id}")
    assert "2 块公示牌" in page
    assert len(words(fetch(client, f"/files/{job.result['file']}"))) == 2


def test_only_with_the_right_and_in_my_area(county: County, grids: list[int]) -> None:
    assert county.client(county.account("auditor")).get(f"/grids/{grids[0]}/board.pdf").status_code == 403
    elsewhere = county.client(county.account("town", area=610921101000_000))
    assert elsewhere.get(f"/grids/{grids[0]}/board.pdf").status_code == 404
    assert elsewhere.get(ADDRESS).status_code == 404
