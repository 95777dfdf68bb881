"""Who is in charge of grids: terms, one principal, overlaps, the dead and the departed, the public board."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from grids_kit import TOWN, VILLAGE, divided_county, group_grid, homes
from households_kit import hidden, text
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from xiangyue.errors import Conflict, Invalid
from xiangyue.features.grids import service_posts
from xiangyue.features.grids.models import Grid, GridPost
from xiangyue.features.grids.queries_posts import posts_on
from xiangyue.features.households.models import Person
from xiangyue.features.households.person_input import today
from xiangyue.features.households.service_register import do_act
from xiangyue.testing.fixtures import County

__all__ = ["divided_county"]
JANUARY = date(2026, 1, 1)


@pytest.fixture(name="grid", scope="module")
def one_grid(county: County) -> int:
    with county.uow() as uow:
        return group_grid(uow, 1)


def heads(county: County) -> list[int]:
    with county.uow() as uow:
        wanted = select(Person.id).where(Person.household_id.in_(homes(uow, 1)), Person.relation == "02")
        return sorted(uow.session.scalars(wanted))


def test_terms_and_overlaps(county: County, grid: int) -> None:
    first, second, *_rest = heads(county)
    with county.uow() as uow:
        post = service_posts.appoint(uow, grid_id=grid, role="leader", principal=True, person_id=first,
                                     valid_from=JANUARY, term_until=date(2026, 6, 30))  # fmt: skip
        service_posts.appoint(uow, grid_id=grid, role="leader", person_id=second, valid_from=JANUARY)
        service_posts.appoint(uow, grid_id=grid, role="representative", name="外聘代表", unit="司法所",
                              valid_from=JANUARY, office_phone="0915-5210000")  # fmt: skip
        with pytest.raises(Conflict, match="2026-01-01"):
            service_posts.appoint(uow, grid_id=grid, role="leader", principal=True, name="李四", valid_from=JANUARY)
        with pytest.raises(Conflict):
            service_posts.appoint(uow, grid_id=grid, role="leader", person_id=second, valid_from=today())
        with pytest.raises(Invalid) as wrong:
            service_posts.appoint(uow, grid_id=grid, role="boss", name="", valid_from=date(1999, 1, 1),
                                  term_until=date(1998, 1, 1))  # fmt: skip
        assert set(wrong.value.fields) == {"role", "name", "valid_from", "term_until"}
        now = posts_on(uow, [grid], today())[grid]
        assert [(p["role"], p["principal"], p["problem"]) for p in now] == [
            ("leader", True, "term_over"), ("leader", False, ""), ("representative", False, ""),
        ]  # fmt: skip
        service_posts.end_post(uow, post_id=post.id, version=post.version, on=date(2026, 7, 1), reason="换届")
        service_posts.appoint(uow, grid_id=grid, role="leader", principal=True, person_id=first,
                              valid_from=date(2026, 7, 1))  # fmt: skip
        assert [p["since"] for p in posts_on(uow, [grid], date(2026, 6, 30))[grid] if p["principal"]] == [JANUARY]
        with pytest.raises(Conflict):
            service_posts.end_post(uow, post_id=post.id, version=post.version, on=today(), reason="x")


def test_the_database_holds_one_principal_leader(county: County, grid: int) -> None:
    with county.uow() as uow:
        uow.session.add(GridPost(grid_id=grid, area_code=VILLAGE, role="leader", principal=True, name="x",
                                 valid_from=today()))  # fmt: skip
        with pytest.raises(IntegrityError, match="ex_grid_post_one_principal"):
            uow.session.flush()
        uow.rollback()


def test_who_died_is_pointed_out_and_not_appointed(county: County, grid: int) -> None:
    (first, *_others) = heads(county)
    with county.uow() as uow:
        keys = county.runtime.tenant_keys(uow)
        do_act(uow, keys=keys, kind="death", on=today() - timedelta(1), request={"person_id": first})
        problems = [p["problem"] for p in posts_on(uow, [grid], today())[grid] if p["person_id"] == first]
        assert problems == ["died"]
        with pytest.raises(Invalid, match="已去世"):
            service_posts.appoint(uow, grid_id=grid, role="deputy", person_id=first, valid_from=today())
    client = county.client(county.account("town", area=TOWN))
    assert "已去世" in text(client, f"/grids/{grid}")
    assert "1组网格" not in text(client, f"/grids?area={VILLAGE // 1000}&leader=none"), "the other leader is there"


def test_the_board_shows_posts_and_nothing_of_households(county: County, grid: int) -> None:
    client = county.client(county.account("town", area=TOWN))
    url = f"/grids/{grid}/appoint"
    form = {"csrf_token": hidden(text(client, url), "csrf_token"), "role": "worker", "valid_from": today().isoformat()}
    assert client.post(url, data=form).status_code == 422
    assert client.post(url, data={**form, "name": "赵六", "office_phone": "0915-5211111"}).status_code == 303
    found = re.search(r'href="(/g/[0-9a-f-]{36})"', text(client, f"/grids/{grid}"))
    assert found is not None
    board = text(county.client(), found[1])
    assert "赵六" in board
    assert "0915-5211111" in board
    assert "1组1号" not in board
    with county.uow() as uow:
        names = set(uow.session.scalars(select(Person.name).where(Person.household_id.in_(homes(uow, 1)))))
        leaders = {p["name"] for p in posts_on(uow, [grid], today())[grid] if not p["problem"]}
        token = uow.session.scalars(select(Grid.token).where(Grid.id == grid)).one()
    assert not [name for name in names - leaders if name in board]
    assert county.client().get(f"/g/{str(token)[:-4]}0000").status_code == 404


def test_a_post_to_come_is_withdrawn_and_its_day_has_a_bound(county: County, grid: int) -> None:
    later = today() + timedelta(9)
    with county.uow() as uow, pytest.raises(Invalid) as far:
        service_posts.appoint(uow, grid_id=grid, role="worker", name="孙七", valid_from=today() + timedelta(400))
    assert set(far.value.fields) == {"valid_from"}
    client = county.client(county.account("town", area=TOWN))
    url = f"/grids/{grid}/appoint"
    form = {"csrf_token": hidden(text(client, url), "csrf_token"), "role": "worker", "name": "孙七",
            "valid_from": later.isoformat()}  # fmt: skip
    assert client.post(url, data=form).status_code == 303
    page = text(client, f"/grids/{grid}")
    assert f"{later} 起任" in page
    found = re.search(r"/grids/posts/(\d+)/withdraw", page)
    assert found is not None
    with county.uow() as uow, pytest.raises(Conflict, match="撤回"):
        service_posts.end_post(uow, post_id=int(found[1]), version=1, on=later, reason="x")
    assert client.post(found[0], data={"csrf_token": form["csrf_token"], "version": 1}).status_code == 303
    assert "孙七" not in text(client, f"/grids/{grid}")
    headers = county.bearer(county.account("county_admin"))
    body = {"role": "worker", "name": "孙七", "valid_from": later.isoformat()}
    made = client.post(f"/api/v1/grids/{grid}/posts", headers=headers, json=body)
    match = {**headers, "If-Match": made.headers["ETag"]}
    assert client.delete(f"/api/v1/grids/posts/{made.json['id']}", headers=match).status_code == 204
    with county.uow() as uow:
        begun = uow.session.scalars(select(GridPost).where(GridPost.grid_id == grid)).first()
        assert begun is not None
        with pytest.raises(Conflict, match="已经开始"):
            service_posts.withdraw_post(uow, post_id=begun.id, version=begun.version)


def test_whoever_signs_in_is_told_that_the_term_ends(county: County, grid: int) -> None:
    account = county.account("grid_leader", area=VILLAGE)
    with county.uow() as uow:
        with pytest.raises(Invalid) as wrong:
            service_posts.appoint(uow, grid_id=grid, role="deputy", name="周八", valid_from=JANUARY, login="nobody")
        assert set(wrong.value.fields) == {"login"}
        service_posts.appoint(uow, grid_id=grid, role="deputy", name="周八", valid_from=JANUARY, login=account.login,
                              term_until=today() + timedelta(30))  # fmt: skip
    assert f"任期将于{today() + timedelta(30)}届满" in text(county.client(account), "/")
    assert "届满" not in text(county.client(county.account("auditor")), "/")
