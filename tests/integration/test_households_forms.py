"""Forms of households and persons: sent twice, sent late, sent wrong."""

from __future__ import annotations

import uuid
from html import unescape

from households_kit import (
    ID_NUMBER,
    OTHER_VILLAGE,
    VILLAGE,
    filled_county,
    hidden,
    id_of,
    post,
    text,
)
from sqlalchemy import func, select

from xiangyue.features.households.models import (
    Household,
    Person,
    PersonMark,
)
from xiangyue.testing.fixtures import County

__all__ = ["filled_county"]


def test_registering_twice_is_one_household_and_errors_keep_what_was_typed(county: County) -> None:
    client = county.client("village", area=VILLAGE)
    form = text(client, "/households/new?area=610921100200003")
    fields = {
        "csrf_token": hidden(form, "csrf_token"), "client_id": hidden(form, "client_id"), "area_code": str(VILLAGE + 3),
        "address": "三组9号", "head.name": "李长青", "head.id_number": "12", "custom.courtyard": "李家院子",
    }  # fmt: skip
    wrong = client.post("/households/new", data=fields)
    page = wrong.get_data(as_text=True)
    assert wrong.status_code == 422
    assert 'value="李家院子"' in page
    assert hidden(page, "client_id") == fields["client_id"]
    fields["head.id_number"] = ""
    answers = [client.post("/households/new", data=fields) for _ in range(2)]
    assert {a.status_code for a in answers} == {303}
    assert len({a.headers["Location"] for a in answers}) == 1
    shown = text(client, answers[0].headers["Location"])
    assert "李长青" in shown
    assert "6109211002000003" in shown
    assert "已登记" in shown
    with county.uow() as uow:
        count = select(func.count()).select_from(Person).where(Person.name == "李长青")
        assert uow.session.scalar(count) == 1
    # The browser's way back, and another family typed over the first: it is not taken for a repetition.
    other = client.post("/households/new", data={**fields, "head.name": "周小满"})
    back = other.get_data(as_text=True)
    assert other.status_code == 422
    assert f'href="{answers[0].headers["Location"]}"' in back
    assert hidden(back, "client_id") != fields["client_id"]
    fields |= {"head.name": "周小满", "client_id": hidden(back, "client_id")}
    assert client.post("/households/new", data=fields).headers["Location"] != answers[0].headers["Location"]


def test_a_number_that_somebody_has_leads_to_that_person(county: County) -> None:
    client = county.client("county_admin")
    form = text(client, "/households/new?area=610921101200")
    answer = client.post(
        "/households/new",
        data={
            "csrf_token": hidden(form, "csrf_token"), "client_id": str(uuid.uuid4()), "area_code": str(OTHER_VILLAGE),
            "head.name": "王德福", "head.id_number": ID_NUMBER,
        },
    )  # fmt: skip
    assert answer.status_code == 422
    assert f'href="/persons/{id_of(county, Person, name="王德福")}"' in answer.get_data(as_text=True)


def test_the_village_is_asked_first_when_it_is_not_known(county: County) -> None:
    admin = county.client("county_admin")
    assert "住在哪个村" in text(admin, "/households/new?area=all")
    village = county.client("village", area=VILLAGE)
    assert 'name="head.name"' in text(village, "/households/new")


def test_a_lost_update_shows_both_values_and_can_be_saved_on_top(county: County) -> None:
    household = id_of(county, Household, code="6109211002000002")
    url = f"/households/{household}/edit"
    client = county.client("county_admin")
    form = text(client, url)
    base = {"csrf_token": hidden(form, "csrf_token"), "area_code": str(VILLAGE + 3), "note": ""}
    assert client.post(url, data={**base, "version": "1", "address": "三组20号"}).status_code == 303
    late = client.post(url, data={**base, "version": "1", "address": "三组30号", "area_code": str(VILLAGE)})
    page = late.get_data(as_text=True)
    assert late.status_code == 409
    assert "三组30号" in page
    assert "三组20号" in page
    assert f'data-take-value="{VILLAGE + 3}"' in page
    version = hidden(page, "version")
    assert version == "2"
    assert client.post(url, data={**base, "version": version, "address": "三组30号"}).status_code == 303
    shown = text(client, f"/households/{household}")
    assert '三组20号</span> → <span lang="zh-CN">三组30号' in shown


def test_a_persons_lost_update_and_kept_identifiers(county: County) -> None:
    person = id_of(county, Person, name="王德福")
    url = f"/persons/{person}/edit"
    client = county.client("county_admin")
    form = text(client, url)
    base = {
        "csrf_token": hidden(form, "csrf_token"), "relation": "02", "sex": "1", "birth_date": "1980-01-31",
        "nationality": "", "away": "no", "id_number": "", "phone": "", "note": "",
    }  # fmt: skip
    assert client.post(url, data={**base, "version": "1", "name": "王得福"}).status_code == 303
    late = client.post(url, data={**base, "version": "1", "name": "王德富", "away": "yes"})
    assert late.status_code == 409
    assert "王得福" in late.get_data(as_text=True)
    with county.uow() as uow:
        row = uow.get(Person, person)
        assert (row.name, row.id_number is not None, row.phone is not None) == ("王得福", True, True)
    removed = client.post(url, data={**base, "version": "2", "name": "王得福", "remove": "phone"})
    assert removed.status_code == 303
    with county.uow() as uow:
        row = uow.get(Person, person)
        assert (row.id_number is not None, row.phone) == (True, None)


def test_marks_are_added_and_ended(county: County) -> None:
    person = id_of(county, Person, name="陈桂兰")
    url = f"/persons/{person}"
    client = county.client("county_admin")
    added = post(client, url, f"{url}/marks", mark="veteran", source="退役军人事务局", valid_from="2020-01-01")
    assert added.status_code == 303
    nothing = post(client, url, f"{url}/marks", mark="")
    assert (nothing.status_code, "没有“”" in nothing.text) == (422, False)
    again = post(client, url, f"{url}/marks", mark="veteran")
    assert again.status_code == 409
    assert "退役军人" in text(client, f"/households/{id_of(county, Household, code='6109211002000001')}")
    mark = id_of(county, PersonMark, mark_key="veteran")
    early = post(client, url, f"/marks/{mark}/end", on="2019-01-01")
    assert early.status_code == 422
    assert post(client, url, f"/marks/{mark}/end", on="2024-05-01", reason="核查").status_code == 303
    assert "2024-05-01" in text(client, url)


def test_incomes_and_awards_by_year(county: County) -> None:
    url = f"/households/{id_of(county, Household, code='6109211002000002')}"
    client = county.client("county_admin")
    assert post(client, url, f"{url}/incomes", year="2023", amount="41,000", source="入户核算").status_code == 303
    assert post(client, url, f"{url}/incomes", year="2023", amount="viel").status_code == 422
    assert post(client, url, f"{url}/awards", award="safe_family", year="2023", awarded="no").status_code == 303
    page = text(client, url)
    assert "41,000" in page
    assert "未评上" in page
    assert post(client, url, f"{url}/incomes", year="2023", remove="1", version="1").status_code == 303
    assert "还没有记录" in text(client, url)
    assert post(client, url, f"{url}/awards", award="safe_family", year="2023", awarded="?").status_code == 422


def opened(page: str) -> str:
    return unescape(hidden(page, "opened"))


def test_what_each_of_two_people_changed_stands(county: County) -> None:
    household = id_of(county, Household, code="6109211002000002")
    url, client = f"/households/{household}/edit", county.client("county_admin")
    form = text(client, url)
    base = {
        "csrf_token": hidden(form, "csrf_token"), "opened": opened(form), "version": "1",
        "area_code": str(VILLAGE + 3), "address": "三组2号", "note": "",
    }  # fmt: skip
    assert client.post(url, data={**base, "note": "甲备注"}).status_code == 303
    # The second has touched another field: both stand, and the note is said to be somebody else's.
    assert client.post(url, data={**base, "address": "三组22号"}).status_code == 303
    with county.uow() as uow:
        row = uow.get(Household, household)
        assert (row.address, row.note, row.version) == ("三组22号", "甲备注", 3)
    assert "别人同时改过的内容也保留：备注" in text(client, f"/households/{household}")
    # Both touched the address: only that is a conflict, and the untouched note takes what stands.
    late = client.post(url, data={**base, "address": "五组5号"})
    page = late.get_data(as_text=True)
    assert late.status_code == 409
    assert page.count("data-take=") == 1
    assert "甲备注</textarea>" in page
    again = {**base, "version": hidden(page, "version"), "opened": opened(page), "address": "五组5号", "note": "甲备注"}
    assert client.post(url, data=again).status_code == 303
    with county.uow() as uow:
        row = uow.get(Household, household)
        assert (row.address, row.note) == ("五组5号", "甲备注")


def test_two_people_change_different_fields_of_a_person(county: County) -> None:
    person = id_of(county, Person, name="王德福")
    url, client = f"/persons/{person}/edit", county.client("county_admin")
    form = text(client, url)
    base = {
        "csrf_token": hidden(form, "csrf_token"), "opened": opened(form), "version": "1", "name": "王德福",
        "relation": "02", "sex": "1", "birth_date": "1980-01-31", "nationality": "", "note": "",
        "id_number": "", "phone": "",
    }  # fmt: skip
    assert client.post(url, data={**base, "note": "腿疾"}).status_code == 303
    assert client.post(url, data={**base, "name": "王得福", "phone": "15400000025"}).status_code == 303
    with county.uow() as uow:
        row = uow.get(Person, person)
        assert (row.name, row.note, row.version) == ("王得福", "腿疾", 3)
    wrong = client.post(url, data={**base, "name": "王德富", "birth_date": "2999-01-01"})
    assert wrong.status_code == 409
    late = client.post(url, data={**base, "birth_date": "2999-01-01"})
    page = late.get_data(as_text=True)
    assert (late.status_code, 'value="王得福"' in page, hidden(page, "version")) == (422, True, "3")


def test_where_a_refused_form_came_back_leads_to_the_page_above_when_it_is_reloaded(county: County) -> None:
    client, id = county.client("county_admin"), id_of(county, Household, code="6109211002000001")
    url = f"/households/{id}"
    refused = post(client, url, f"{url}/incomes", year="2025", amount="-5")
    assert refused.status_code == 422
    assert "请填写整数" not in refused.text
    again = client.get(f"{url}/incomes?area=610921100&x=1")
    assert (again.status_code, again.headers["Location"]) == (303, f"{url}?area=610921100")
    swapped = client.get(f"{url}/incomes", headers={"HX-Request": "true"})
    assert swapped.headers["HX-Redirect"] == url
    # Nothing above, no page, or no reading.
    assert client.get("/sign-out").status_code == 405
    assert client.get("/api/v1/duplicates/1/merge").status_code == 405
    assert client.delete(url).status_code == 405
