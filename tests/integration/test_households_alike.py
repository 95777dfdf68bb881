"""At entry: who is registered already is shown, in one's own area only; entering goes on when it is somebody else."""

from __future__ import annotations

from typing import Any

import pytest
from households_kit import OTHER_TOWN, OTHER_VILLAGE, TOWN, VILLAGE, filled_county, hidden, id_of, text

from xiangyue.features.duplicates.models import DuplicatePair
from xiangyue.features.households.alike import LooksLike
from xiangyue.features.households.models import Household, Person
from xiangyue.features.households.policy import HOUSEHOLD_EDIT
from xiangyue.features.households.service import register_household
from xiangyue.features.households.service_persons import add_person, edit_person
from xiangyue.testing.fixtures import County
from xiangyue.text.idnumber import check_digit, one_off

__all__ = ["filled_county"]

BODY = "61092119770405002"
RIGHT = BODY + check_digit(BODY)
SLIP = next(n for n in (f"61092119770405{i:03}{RIGHT[17]}" for i in range(1000)) if n != RIGHT and RIGHT in one_off(n))


def home(county: County, code: str = "6109211002000002") -> int:
    return id_of(county, Household, code=code)


def add(county: County, household: int, *, area: int = 0, **values: Any) -> Person:
    with county.uow(county.actor(HOUSEHOLD_EDIT, area=area)) as uow:
        keys = county.runtime.tenant_keys(uow)
        return add_person(uow, keys=keys, household_id=household, values=values, allow_synthetic=True)


def reasons(raised: pytest.ExceptionInfo[LooksLike]) -> dict[str, list[str]]:
    return {one["name"]: one["reasons"] for one in raised.value.details["persons"]}


LIKE = [
    ({"name": "王德福", "birth_date": "1980-01-31"}, "name_birth"),
    ({"name": "王德福", "phone": "15400000017"}, "phone_name"),
    ({"name": "吴·木子", "relation": "20"}, "name_address"),
]


@pytest.mark.parametrize(("values", "reason"), LIKE)
def test_who_may_be_registered_already_is_named(county: County, values: dict[str, Any], reason: str) -> None:
    with pytest.raises(LooksLike) as raised:
        add(county, home(county), **values)
    assert list(reasons(raised).values()) == [[reason]]
    person = add(county, home(county), **values, different=True)
    with county.uow() as uow:
        pairs = [p for p in uow.session.query(DuplicatePair) if person.id in (p.first_id, p.second_id)]
        assert [(p.state, p.reasons) for p in pairs] == [("different", f"|{reason}|")]
        uow.session.delete(pairs[0])


def test_a_number_one_character_off_is_told_both_ways(county: County) -> None:
    first = add(county, home(county), name="赵一", id_number=RIGHT)
    with pytest.raises(LooksLike) as raised:
        add(county, home(county), name="赵乙", id_number=SLIP)
    assert reasons(raised) == {"赵一": ["id_number"]}
    assert RIGHT not in str(raised.value)
    with county.uow() as uow:
        keys = county.runtime.tenant_keys(uow)
        edit_person(uow, keys=keys, person_id=first.id, version=first.version, changes={"id_number": SLIP},
                    allow_synthetic=True)  # fmt: skip
    with pytest.raises(LooksLike):
        add(county, home(county), name="赵乙", id_number=RIGHT)


def test_others_are_let_in(county: County) -> None:
    """The same name alone, or with a number of one's own, is nothing."""
    add(county, home(county), name="王德福")
    abroad = home(county, "6109211012000001")
    add(county, abroad, name="王德福", birth_date="1980-01-31", id_number="610921198001310039")


def test_nothing_is_told_of_other_areas(county: County) -> None:
    abroad = home(county, "6109211012000001")
    person = add(county, abroad, area=OTHER_TOWN, name="王德福", birth_date="1980-01-31")
    assert person.household_id == abroad
    with pytest.raises(LooksLike):
        add(county, home(county), area=TOWN, name="王德福", birth_date="1980-01-31")


def test_a_head_is_looked_at_too_and_so_is_a_change(county: County) -> None:
    head = {"name": "王德福", "birth_date": "1980-01-31"}
    with pytest.raises(LooksLike), county.uow() as uow:
        register_household(uow, keys=county.runtime.tenant_keys(uow), area_code=OTHER_VILLAGE, head=head)
    with county.uow() as uow:
        keys = county.runtime.tenant_keys(uow)
        made = register_household(
            uow, keys=keys, area_code=VILLAGE, head={**head, "birth_date": "1981-01-31"}, address="x"
        )
        person = uow.session.query(Person).filter_by(household_id=made.id).one()
    with pytest.raises(LooksLike), county.uow() as uow:
        edit_person(uow, keys=keys, person_id=person.id, version=person.version, changes={"birth_date": "1980-01-31"})
    with county.uow() as uow:
        assert uow.get(Person, person.id).birth_date == person.birth_date
        edit_person(uow, keys=keys, person_id=person.id, version=person.version, changes={"note": "nothing compared"})


def test_the_form_shows_who_and_goes_on_with_the_tick(county: County) -> None:
    client = county.client("county_admin", locale="en")
    url = f"/households/{home(county)}/persons/new"
    form = text(client, url)
    assert "somebody else" not in form
    fields = {"name": "王德福", "birth_date": "1980-01-31", "client_id": hidden(form, "client_id")}
    first = client.post(url, data={**fields, "csrf_token": hidden(form, "csrf_token")})
    page = first.get_data(as_text=True)
    assert first.status_code == 422
    assert f"/persons/{id_of(county, Person, name='王德福')}" in page
    assert "same name and date of birth" in page
    done = client.post(url, data={**fields, "csrf_token": hidden(form, "csrf_token"), "different": "1"})
    assert done.status_code == 303
    # Who is on the register already is saved, not registered once more.
    url = f"/persons/{id_of(county, Person, name='陈桂兰')}/edit"
    form = text(client, url)
    token, version = hidden(form, "csrf_token"), hidden(form, "version")
    like = client.post(url, data={**fields, "csrf_token": token, "version": version})
    assert "It is somebody else: save all the same" in like.get_data(as_text=True)


def test_the_api_refuses_with_who_it_may_be(county: County) -> None:
    headers = county.bearer(county.account("county_admin"))
    url = f"/api/v1/households/{home(county)}/persons"
    body = {"name": "王德福", "birth_date": "1980-01-31"}
    refused = county.client().post(url, headers=headers, json=body)
    assert (refused.status_code, refused.json["type"]) == (409, "urn:xiangyue:error:looks_like")
    assert refused.json["persons"][0]["reasons"] == ["name_birth"]
    assert county.client().post(url, headers=headers, json={**body, "different": True}).status_code == 201
