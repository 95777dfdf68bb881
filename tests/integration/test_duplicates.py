"""Pairs that may be one: found by the rules, kept, decided, and back only when something changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from households_kit import OTHER_VILLAGE, TOWN, VILLAGE, entries, filled_county, id_of, post, text
from sqlalchemy import delete, select

from xiangyue.features.duplicates import policy, queries, service
from xiangyue.features.duplicates.models import DuplicatePair, RecordMerge
from xiangyue.features.households.bulk import HouseholdRow, upsert_households
from xiangyue.features.households.models import Household, Person
from xiangyue.features.households.policy import HOUSEHOLD_VIEW
from xiangyue.features.households.service_persons import edit_person
from xiangyue.features.privacy.models import PersonAccessSet
from xiangyue.testing.fixtures import County
from xiangyue.text.idnumber import check_digit, one_off

__all__ = ["filled_county"]

#: A right number and the same with a slip in it, wrong like all made-up ones.
BODY = "61092119770405002"
RIGHT = BODY + check_digit(BODY)
SLIP = next(n for n in (f"61092119770405{i:03}{RIGHT[17]}" for i in range(1000)) if n != RIGHT and RIGHT in one_off(n))


def again() -> list[HouseholdRow]:
    """Families that stand in the register a second time, and some that only look so."""
    born = date(1980, 1, 31)
    return [
        HouseholdRow(VILLAGE + 3, "6109211002000011", "三组 8号", [
            {"name": "李建国", "relation": "02", "sex": 1, "birth_date": date(1975, 2, 3), "phone": "15400000027"},
            {"name": "李小龙", "relation": "20", "birth_date": date(2005, 6, 1)},
        ]),
        HouseholdRow(VILLAGE + 3, "6109211002000012", "三组8号", [
            {"name": "李建国", "relation": "02", "sex": 1, "phone": "15400000027"},
            {"name": "李小龙", "relation": "20", "birth_date": date(2005, 6, 1)},
        ]),
        # Another with the name and birthday of one in the kit, but a number of his own.
        HouseholdRow(VILLAGE, "6109211002000013", "", [
            {"name": "王德福", "relation": "02", "birth_date": born, "id_number": "610921198001310039"},
        ]),
        HouseholdRow(VILLAGE, "6109211002000014", "", [{"name": "赵一", "relation": "02", "id_number": RIGHT}]),
        HouseholdRow(OTHER_VILLAGE, "6109211012000015", "", [{"name": "赵乙", "relation": "02", "id_number": SLIP}]),
    ]  # fmt: skip


@pytest.fixture(name="twice")
def county_with_duplicates(county: County) -> Iterator[County]:
    with county.uow() as uow:
        upsert_households(uow, county.runtime.tenant_keys(uow), again())
    yield county
    with county.uow() as uow:
        uow.session.execute(delete(RecordMerge))
        uow.session.execute(delete(DuplicatePair))


def look(county: County) -> dict[str, int]:
    with county.uow() as uow:
        return service.find_all(uow, keys=county.runtime.tenant_keys(uow))


def found(county: County, kind: str = policy.PERSON, **wanted: Any) -> dict[tuple[str, str], set[str]]:
    with county.uow() as uow:
        rows = queries.list_pairs(uow, queries.PairFilter(kind=kind, **wanted)).items
        return {(row["first_code"], row["second_code"]): set(row["reasons"]) for row in rows}


LI = ("6109211002000011", "6109211002000012")
ZHAO = ("6109211002000014", "6109211012000015")


def test_the_register_is_looked_through(twice: County) -> None:
    counts = look(twice)
    persons = found(twice)
    with twice.uow() as uow:
        rows = queries.list_pairs(uow, queries.PairFilter()).items
    assert sorted((row["first_name"], row["second_name"]) for row in rows) == [
        ("李小龙", "李小龙"),
        ("李建国", "李建国"),
        ("赵一", "赵乙"),
    ]
    assert persons[ZHAO] == {"id_number"}
    by_name = {row["first_name"]: row for row in rows}
    assert set(by_name["李建国"]["reasons"]) == {"phone_name", "name_address"}
    assert set(by_name["李小龙"]["reasons"]) == {"name_birth", "name_address"}
    assert by_name["李小龙"]["score"] == 85
    assert found(twice, policy.HOUSEHOLD) == {LI: {"head_address", "heads", "members"}, ZHAO: {"heads"}}
    assert counts["persons_found"] == 3
    assert look(twice)["persons_written"] == 0


def test_what_is_different_stays_so_until_something_changes(twice: County) -> None:
    look(twice)
    with twice.uow() as uow:
        row = queries.list_pairs(uow, queries.PairFilter(reason="phone_name")).items[0]
        service.say_different(uow, id=row["id"], version=row["version"], note="cousins")
    assert look(twice)["persons_gone"] == 0
    assert found(twice, reason="phone_name") == {}
    assert found(twice, state="different") == {LI: {"phone_name", "name_address"}}
    with twice.uow() as uow:
        person = uow.get(Person, row["second_id"])
        edit_person(
            uow,
            keys=twice.runtime.tenant_keys(uow),
            person_id=person.id,
            version=person.version,
            changes={"sex": "2"},
        )
    look(twice)
    assert found(twice, reason="phone_name") == {LI: {"phone_name", "name_address"}}
    assert [e.after["note"] for e in entries(twice, "duplicate.different") if e.after] == ["cousins"]


def test_a_pair_goes_when_the_values_do(twice: County) -> None:
    look(twice)
    with twice.uow() as uow:
        person = uow.session.scalars(select(Person).where(Person.name == "赵乙")).one()
        uow.session.execute(
            Person.__table__.update()
            .where(Person.__table__.c.id == person.id, Person.__table__.c.tenant_id == uow.tenant_id)
            .values(id_number=None, id_number_index=None)
        )
    assert look(twice)["persons_gone"] == 1
    assert ZHAO not in found(twice)


def test_one_sees_a_pair_when_one_sees_both(twice: County) -> None:
    look(twice)
    actor = twice.actor(policy.DUPLICATE_MERGE, HOUSEHOLD_VIEW, area=TOWN)
    with twice.uow(actor) as uow, uow.scoped(uow.actor.scope(policy.DUPLICATE_MERGE)):
        names = {row["first_name"] for row in queries.list_pairs(uow, queries.PairFilter()).items}
        assert names == {"李小龙", "李建国"}
    town = twice.client("town", area=TOWN)
    hidden = id_of(twice, DuplicatePair, kind="person", reasons="|id_number|")
    assert town.get(f"/duplicates/{hidden}").status_code == 404
    page = text(town, "/duplicates?area=all")
    assert "李建国" in page
    assert "赵一" not in page
    # What a town finds anew touches no pair that it does not see.
    with twice.uow(actor) as uow:
        service.find_all(uow, keys=twice.runtime.tenant_keys(uow))
    assert ZHAO in found(twice)


def test_pages_list_and_compare(twice: County) -> None:
    admin = twice.client("county_admin", locale="en")
    empty = text(admin, "/duplicates?area=all")
    assert "Nothing waits here" in empty
    assert post(admin, "/duplicates?area=all", "/duplicates/find").status_code == 303
    twice.run_jobs()
    page = text(admin, "/duplicates?area=all&least=80")
    assert "李小龙" in page
    assert "赵一" not in page
    pair = id_of(twice, DuplicatePair, kind="person", reasons="|id_number|")
    side = text(admin, f"/duplicates/{pair}")
    assert "citizen numbers differ in one character" in side
    assert RIGHT not in side
    assert "possible duplicates" in text(admin, "/")
    sent = post(admin, f"/duplicates/{pair}", f"/duplicates/{pair}/different", version=1, note="checked")
    assert sent.status_code == 303
    again = post(admin, f"/duplicates/{pair}", f"/duplicates/{pair}/different", version=1)
    assert again.status_code == 409
    assert "Said to be different" in text(admin, f"/duplicates/{pair}")
    assert text(admin, "/duplicates?area=all&state=nonsense")
    assert twice.client("auditor").get("/duplicates").status_code == 403


def test_export_is_what_is_shown_and_asks_what_for(twice: County) -> None:
    look(twice)
    admin = twice.client("county_admin", locale="en")
    url = "/duplicates/export?area=all"
    assert post(admin, url, url, purpose="", format="csv").status_code == 422
    sent = post(admin, url, url, purpose="for the village", format="csv")
    assert "李小龙" in sent.get_data(as_text=True)
    (entry,) = entries(twice, "duplicate.export")
    assert entry.purpose == "for the village"
    with twice.uow() as uow:
        seen = uow.session.scalars(select(PersonAccessSet).where(PersonAccessSet.number == entry.object_label)).one()
        pairs = uow.session.scalars(select(DuplicatePair).where(DuplicatePair.kind == "person")).all()
        assert seen.persons == len({id for pair in pairs for id in (pair.first_id, pair.second_id)}) > 1


def test_api(twice: County) -> None:
    look(twice)
    headers = twice.bearer(twice.account("county_admin"))
    client = twice.client()
    items = client.get("/api/v1/duplicates?sort=-score", headers=headers).json["items"]
    assert items[0]["first"]["name"] == "李小龙"
    one = client.get(f"/api/v1/duplicates/{items[0]['id']}", headers=headers)
    match = {**headers, "If-Match": one.headers["ETag"]}
    done = client.post(f"/api/v1/duplicates/{items[0]['id']}/different", headers=match, json={"note": "no"})
    assert (done.status_code, done.json["state"]) == (200, "different")
    assert client.post(f"/api/v1/duplicates/{items[0]['id']}/open", headers=match).status_code == 412
    fresh = {**headers, "If-Match": done.headers["ETag"]}
    assert client.post(f"/api/v1/duplicates/{items[0]['id']}/open", headers=fresh).json["state"] == "open"
    one_id, other_id = id_of(twice, Household, code=LI[0]), id_of(twice, Household, code="6109211012000001")
    body = {"kind": "household", "one_id": other_id, "other_id": one_id}
    made = client.post("/api/v1/duplicates", headers=headers, json=body)
    assert (made.status_code, made.json["reasons"]) == (201, ["by_hand"])
    assert client.post("/api/v1/duplicates", headers=headers, json={**body, "one_id": one_id}).status_code == 422
    look(twice)
    assert (LI[0], "6109211012000001") in {tuple(sorted(k)) for k in found(twice, policy.HOUSEHOLD)}
    assert client.post("/api/v1/duplicates/find", headers=headers).status_code == 202
