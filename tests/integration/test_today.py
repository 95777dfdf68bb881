"""The first page: what waits for me, late first; my area in four numbers; what an empty county needs next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select
from tests.plugins_kit import planted, switch

from xiangyue.access.models import Account, OneTimeLink
from xiangyue.features.areas.models import Area
from xiangyue.features.households.models import Household, Person
from xiangyue.features.imports.models import ImportBatch
from xiangyue.features.today import pages
from xiangyue.files.models import StoredFile
from xiangyue.plugin.registry import WorkItem, WorkProvider
from xiangyue.testing.fixtures import County
from xiangyue.testing.source import english_page_faults


def village_of(county: County) -> int:
    with county.uow() as uow:
        return (
            uow.session.scalars(select(Area.area_code).where(Area.level == "village").order_by(Area.area_code)).first()
            or 0
        )


def batch(county: County, owner: int, errors: int, *, state: str = "checked") -> int:
    with county.uow() as uow:
        file = StoredFile(
            storage_key="k",
            name="花名册.xlsx",
            media_type="x",
            size=1,
            sha256="",
            purpose="import",
            permission="import.run",
        )
        uow.session.add(file)
        uow.session.flush()
        row = ImportBatch(
            file_id=file.id,
            file_name="花名册.xlsx",
            state=state,
            counts={"rows": 9, "errors": errors},
            created_by=owner,
            checked_at=datetime.now(UTC),
        )
        uow.session.add(row)
        uow.session.flush()
        return row.id


def test_an_empty_county_is_told_what_comes_next(tongyu: County) -> None:
    client = tongyu.client("county_admin")
    page = client.get("/").text
    for address in ("/imports", "/households/new", "/accounts/new", "/settings"):
        assert f'href="{address}"' in page
    assert "没有等您办的事" in page


def test_only_what_one_may_do_is_offered(tongyu: County) -> None:
    page = tongyu.client("auditor").get("/")
    assert page.status_code == 200
    assert 'href="/households/new"' not in page.text
    assert "接下来" not in page.text


def test_imports_of_mine_wait_for_me(hanyin: County) -> None:
    me, other = hanyin.account("county_admin", locale="en"), hanyin.account("county_admin")
    mine = batch(hanyin, me.id, 312)
    theirs = batch(hanyin, other.id, 4)
    done = batch(hanyin, me.id, 4, state="committed")
    page = hanyin.client(me).get("/").text
    assert f"/imports/{mine}" in page
    assert "312" in page
    assert "1 thing to do" in page
    assert f"/imports/{theirs}" not in page
    assert f"/imports/{done}" not in page
    assert english_page_faults(page) == []


def test_invitations_that_ran_out_are_named_to_those_who_manage_accounts(hanyin: County) -> None:
    invited = [hanyin.account("village", area=village_of(hanyin)) for _ in range(3)]
    with hanyin.uow() as uow:
        for number, account in enumerate(invited):
            uow.get(Account, account.id).password_hash = ""
            expires = datetime.now(UTC) + timedelta(hours=1 if number == 0 else -1)
            uow.session.add(
                OneTimeLink(token_hash=bytes([number]), account_id=account.id, purpose="invite", expires_at=expires)
            )
    assert "2 个邀请已过期" in hanyin.client("county_admin").get("/").text
    assert "个邀请已过期" not in hanyin.client("town", area=hanyin.info.area_code + 100_000_000).get("/").text


def test_late_things_come_first(hanyin: County) -> None:
    items = [
        WorkItem("later", "", "/a", "do"),
        WorkItem("soon", "", "/b", "do", due="tomorrow", state="soon"),
        WorkItem("late", "", "/c", "do", due="1 day late", state="late"),
        WorkItem("also later", "", "/d", "do"),
    ]
    provider = WorkProvider("chores.all", lambda uow: items)
    client = hanyin.client("village", area=village_of(hanyin))
    with planted(hanyin.runtime, "chores", register_work=(provider,)):
        switch(hanyin, "chores")
        page = client.get("/").text
    places = [page.index(f">{title}</a>") for title in ("late", "soon", "later", "also later")]
    assert places == sorted(places)
    assert "其中 1 件已迟" in page


def test_four_numbers_of_my_area_only(hanyin: County, tongyu: County) -> None:
    village = village_of(hanyin)

    def add(county: County, area: int, code: str, **person: Any) -> None:
        with county.uow() as uow:
            home = Household(area_code=area, code=code, head_name="王德福", person_count=1)
            uow.session.add(home)
            uow.session.flush()
            uow.session.add(Person(area_code=area, household_id=home.id, name="王德福", **person))

    add(hanyin, village, "1", away=True)
    add(hanyin, village, "2")
    add(hanyin, village + 1_000, "3")
    add(tongyu, village_of(tongyu), "1")
    account = hanyin.account("village", area=village)
    with hanyin.uow(_actor(hanyin, village)) as uow:
        numbers, places = pages.my_area(uow, 0)
    assert numbers is not None
    assert (numbers.households, numbers.persons, numbers.away, numbers.villages) == (2, 2, 1, 1)
    assert len(places) == 1
    page = hanyin.client(account).get("/").text
    assert places[0] in page
    english = hanyin.client("village", area=village, locale="en").get("/").text
    assert ">Village</a>" in english
    assert ">Households</a>" in english
    with hanyin.uow() as uow:
        whole, none = pages.my_area(uow, 0)
    assert whole is not None
    assert (whole.households, whole.villages, none) == (3, 160, [])


def _actor(county: County, area: int) -> Any:
    from xiangyue.features.households.policy import HOUSEHOLD_VIEW

    return county.actor(HOUSEHOLD_VIEW, area=area)


def test_without_an_account_one_signs_in_first(hanyin: County) -> None:
    answer = hanyin.client().get("/")
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/sign-in?next=")


def test_on_the_operators_site_the_counties_come_first(operator: County) -> None:
    account = operator.account(None)
    answer = operator.client(account).get("/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/console/counties")
