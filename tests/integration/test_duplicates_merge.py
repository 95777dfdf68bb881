"""Two records become one and two again, exactly; numbers of both stay found, and nobody belongs to two households."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from households_kit import OTHER_TOWN, OTHER_VILLAGE, TOWN, VILLAGE, entries, filled_county, id_of, post, text
from sqlalchemy import delete, select

from plugins_kit import planted, switch
from xiangyue.errors import Conflict, NotFound, Refused
from xiangyue.features.duplicates import policy, queries, service, service_merge
from xiangyue.features.duplicates.facts import Fact, facts_of
from xiangyue.features.duplicates.models import DuplicatePair, RecordMerge
from xiangyue.features.households.bulk import HouseholdRow, upsert_households
from xiangyue.features.households.identifiers import in_full
from xiangyue.features.households.memberships import home_of, standing
from xiangyue.features.households.models import (
    CustomValue,
    Household,
    HouseholdIncome,
    HouseholdMember,
    HouseholdPiece,
    NameSuffix,
    Person,
    PersonMark,
)
from xiangyue.features.households.queries_search import search
from xiangyue.features.households.service_persons import edit_person
from xiangyue.features.households.service_records import add_mark, set_income
from xiangyue.plugin.hookspecs import hookimpl
from xiangyue.testing.fixtures import County

__all__ = ["filled_county"]

NUMBER = "610921197502030013"
OTHER_NUMBER = "610921197502030021"
WATCHED = (Household, Person, PersonMark, HouseholdIncome, CustomValue, HouseholdMember, NameSuffix, HouseholdPiece)
#: Tell when and how often a row was written.
TOLD = {"updated_at", "version"}


def roster() -> list[HouseholdRow]:
    return [
        HouseholdRow(VILLAGE + 3, "6109211002000011", "三组8号", [
            {"name": "李建国", "relation": "02", "sex": 1, "birth_date": date(1975, 2, 3), "phone": "15400000027",
             "id_number": NUMBER, "marks": ["party_member"]},
            {"name": "李小龙", "relation": "20", "birth_date": date(2005, 6, 1)},
        ], (2024, 11000)),
        HouseholdRow(OTHER_VILLAGE, "6109211012000012", "一组8号", [
            {"name": "李建国", "relation": "02", "phone": "15400000028", "birth_date": date(1975, 2, 3),
             "id_number": OTHER_NUMBER, "marks": ["party_member", "disabled"]},
        ], (2023, 12000), {"housing": "own"}),
    ]  # fmt: skip


@pytest.fixture(name="twice")
def county_with_duplicates(county: County) -> Iterator[County]:
    with county.uow() as uow:
        upsert_households(uow, county.runtime.tenant_keys(uow), roster(), source="again")
    yield county
    with county.uow() as uow:
        uow.session.execute(delete(RecordMerge))
        uow.session.execute(delete(DuplicatePair))


def state_of(county: County) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the register, but for when and how often it was written."""
    found = {}
    with county.uow() as uow:
        for model in WATCHED:
            columns = [getattr(model, c.key) for c in model.__table__.columns if c.key not in TOLD]
            rows = uow.session.execute(select(*columns)).all()
            found[model.__tablename__] = sorted((tuple(row) for row in rows), key=str)
    return found


def persons(county: County) -> tuple[int, int]:
    with county.uow() as uow:
        statement = select(Person.id).where(Person.name == "李建国").order_by(Person.household_id)
        one, other = uow.session.scalars(statement)
        return one, other


def households(county: County) -> tuple[int, int]:
    return tuple(id_of(county, Household, code=code) for code in ("6109211002000011", "6109211012000012"))  # type: ignore[return-value]


def pair(county: County, kind: str, ids: tuple[int, int]) -> int:
    with county.uow() as uow:
        return service.name_pair(uow, kind=kind, one=ids[0], other=ids[1]).id


def side(ids: tuple[int, int], keep: int) -> str:
    return "first" if keep == min(ids) else "second"


def merge(county: County, id: int, keep: str, **take: str) -> None:
    with county.uow() as uow:
        version = uow.get(DuplicatePair, id).version
        keys = county.runtime.tenant_keys(uow)
        service_merge.merge_pair(uow, keys=keys, id=id, version=version, keep=keep, take=take)


def undo(county: County, id: int) -> None:
    with county.uow() as uow:
        service_merge.undo_merge(uow, id=id, version=uow.get(DuplicatePair, id).version)


def test_persons_are_merged_and_two_again_exactly(twice: County) -> None:
    ids = persons(twice)
    one, other = ids
    before = state_of(twice)
    found = pair(twice, policy.PERSON, ids)
    keep, go = side(ids, one), side(ids, other)
    with twice.uow() as uow:
        counts = {
            f.follows.key: (len(f.move), len(f.stay)) for f in service_merge.preview(uow, id=found, keep=keep).following
        }
        assert counts == {"person_mark": (1, 1)}
    merge(twice, found, keep, id_number=go, living=go)
    with twice.uow() as uow:
        survivor, loser = uow.get(Person, one), uow.get(Person, other)
        homes = households(twice)
        assert (loser.state, loser.merged_into_id, loser.household_id) == ("merged", one, survivor.household_id)
        assert (survivor.household_id, survivor.relation, survivor.state) == (homes[1], "02", "active")
        rows = uow.session.scalars(select(HouseholdMember).where(HouseholdMember.valid_to.is_(None)))
        assert sorted((r.household_id, r.registered, r.living) for r in rows if r.person_id in ids) == [
            (homes[0], True, False),
            (homes[1], False, True),
        ]
        marks = uow.session.scalars(select(PersonMark).where(PersonMark.person_id == one))
        assert sorted(m.mark_key for m in marks) == ["disabled", "party_member"]
        keys = twice.runtime.tenant_keys(uow)
        for word in (NUMBER, OTHER_NUMBER, "0027", "0028"):
            assert [p["id"] for p in search(uow, word, keys=keys).persons] == [one], word
        assert [
            h.head_name
            for h in uow.session.scalars(select(Household).where(Household.id.in_(homes)).order_by(Household.id))
        ] == ["李小龙", "李建国"]
    undo(twice, found)
    assert state_of(twice) == before
    assert [e.action for e in entries(twice, "person.fold")] == ["person.fold"] * 2
    with twice.uow() as uow:
        assert uow.get(DuplicatePair, found).state == "open"


def test_households_are_merged_and_two_again_exactly(twice: County) -> None:
    ids = households(twice)
    before = state_of(twice)
    found = pair(twice, policy.HOUSEHOLD, ids)
    keep, go = side(ids, ids[0]), side(ids, ids[1])
    merge(twice, found, keep, address=go)
    with twice.uow() as uow:
        survivor, loser = uow.get(Household, ids[0]), uow.get(Household, ids[1])
        assert (survivor.person_count, survivor.head_name, survivor.address) == (3, "李建国", "一组8号")
        assert (loser.state, loser.merged_into_id, loser.person_count) == ("merged", ids[0], 0)
        members = list(uow.session.scalars(select(Person).where(Person.household_id == ids[0])))
        assert sorted(p.relation for p in members) == ["", "02", "20"]
        years = uow.session.scalars(select(HouseholdIncome.year).where(HouseholdIncome.household_id == ids[0]))
        assert sorted(years) == [2023, 2024]
        assert [h["id"] for h in search(uow, "6109211012000012").households] == [ids[0]]
        assert [h["id"] for h in search(uow, "一组8号").households] == [ids[0]]
    undo(twice, found)
    assert state_of(twice) == before


def test_own_fields_may_be_taken_from_either(twice: County) -> None:
    ids = households(twice)
    with twice.uow() as uow:
        row = uow.session.scalars(select(CustomValue).where(CustomValue.owner_id == ids[1])).one()
        uow.session.add(CustomValue(area_code=VILLAGE + 3, field_id=row.field_id, owner_id=ids[0], text_value="rent"))
    before = state_of(twice)
    found = pair(twice, policy.HOUSEHOLD, ids)
    merge(twice, found, side(ids, ids[0]), **{"custom.housing": side(ids, ids[1])})
    with twice.uow() as uow:
        kept = uow.session.scalars(select(CustomValue.text_value).where(CustomValue.owner_id == ids[0]))
        assert list(kept) == ["own"]
    undo(twice, found)
    assert state_of(twice) == before


def test_nothing_is_undone_on_which_something_was_built(twice: County) -> None:
    ids = persons(twice)
    found = pair(twice, policy.PERSON, ids)
    merge(twice, found, side(ids, ids[0]))
    with twice.uow() as uow:
        keys = twice.runtime.tenant_keys(uow)
        person = uow.get(Person, ids[0])
        edit_person(uow, keys=keys, person_id=person.id, version=person.version, changes={"note": "new"})
    with pytest.raises(service_merge.BuiltOn):
        undo(twice, found)
    page = twice.client("county_admin", locale="en")
    with twice.uow() as uow:
        version = uow.get(DuplicatePair, found).version
    answer = post(page, f"/duplicates/{found}", f"/duplicates/{found}/undo", version=version)
    assert answer.status_code == 409
    assert "Person changed" in answer.get_data(as_text=True)


def test_what_was_merged_is_not_changed_and_leads_on(twice: County) -> None:
    ids = persons(twice)
    found = pair(twice, policy.PERSON, ids)
    merge(twice, found, side(ids, ids[0]))
    with twice.uow() as uow:
        version = uow.get(Person, ids[1]).version
        keys = twice.runtime.tenant_keys(uow)
    with pytest.raises(Conflict), twice.uow() as uow:
        edit_person(uow, keys=keys, person_id=ids[1], version=version, changes={"note": "x"})
    with pytest.raises(Conflict):
        merge(twice, found, side(ids, ids[0]))
    town = twice.client("town", area=TOWN)
    led = town.get(f"/persons/{ids[1]}")
    assert (led.status_code, led.headers["Location"]) == (302, f"/persons/{ids[0]}")
    assert twice.client("town", area=OTHER_TOWN).get(f"/persons/{ids[1]}").status_code == 404
    headers = twice.bearer(twice.account("county_admin"))
    api = twice.client().get(f"/api/v1/persons/{ids[1]}", headers=headers)
    assert (api.status_code, api.headers["Location"]) == (307, f"/api/v1/persons/{ids[0]}")
    homes = households(twice)
    again = pair(twice, policy.HOUSEHOLD, homes)
    merge(twice, again, side(homes, homes[0]))
    assert town.get(f"/households/{homes[1]}").headers["Location"] == f"/households/{homes[0]}"
    with pytest.raises(Conflict), twice.uow() as uow:
        set_income(uow, household_id=homes[1], year=2022, amount=1)
    with pytest.raises(Conflict), twice.uow() as uow:
        add_mark(uow, person_id=ids[1], key="disabled")


def test_an_import_finds_the_one_that_stayed(twice: County) -> None:
    """The roster still has both, under both numbers."""
    ids, homes = persons(twice), households(twice)
    merge(twice, pair(twice, policy.PERSON, ids), side(ids, ids[0]))
    merge(twice, pair(twice, policy.HOUSEHOLD, homes), side(homes, homes[0]))
    row = roster()[1]
    changed = HouseholdRow(row.area_code, row.code, "", [{**row.persons[0], "nationality": "02"}])
    with twice.uow() as uow:
        counts = upsert_households(uow, twice.runtime.tenant_keys(uow), [changed])
        assert (counts.households_new, counts.persons_new, counts.conflicts) == (0, 0, [])
    with twice.uow() as uow:
        survivor, loser = uow.get(Person, ids[0]), uow.get(Person, ids[1])
        assert (survivor.nationality, survivor.household_id) == ("02", homes[0])
        assert (loser.state, loser.nationality) == ("merged", "")
    with twice.uow() as uow:
        both = upsert_households(uow, twice.runtime.tenant_keys(uow), roster())
        assert (both.households_new, both.persons_new) == (0, 0)
        assert {conflict.kind for conflict in both.conflicts} <= {"household_twice", "person_twice"}
    with twice.uow() as uow:
        keys = twice.runtime.tenant_keys(uow)
        for number in (NUMBER, OTHER_NUMBER):
            assert [p["id"] for p in search(uow, number, keys=keys).persons] == [ids[0]]
        assert in_full(keys, uow.tenant_id, "id_number", uow.get(Person, ids[0]).id_number) == NUMBER


def test_a_second_head_is_refused(twice: County) -> None:
    with twice.uow() as uow:
        uow.session.add(Person(household_id=households(twice)[1], area_code=OTHER_VILLAGE, name="王二", relation="02"))
    ids = persons(twice)
    found = pair(twice, policy.PERSON, ids)
    with pytest.raises(Conflict, match="王二"):
        merge(twice, found, side(ids, ids[0]), living=side(ids, ids[1]))
    with twice.uow() as uow:
        uow.session.execute(delete(Person).where(Person.name == "王二"))


def facts(county: County, id: int) -> dict[str, Fact]:
    with county.uow() as uow:
        found, first, second = queries.get_pair(uow, id)
        return {f.key: f for f in facts_of(uow, county.runtime.tenant_keys(uow), found.kind, first, second)}


def homes_of(county: County, id: int) -> tuple[int | None, int | None]:
    with county.uow() as uow:
        home = home_of(standing(uow, [id])[id])
        return tuple(place and place.household_id for place in (home.registered, home.living))  # type: ignore[return-value]


def test_whoever_is_away_by_one_record_is_not_made_to_live_with_the_other(twice: County) -> None:
    ids, homes = persons(twice), households(twice)
    with twice.uow() as uow:
        keys, away = twice.runtime.tenant_keys(uow), uow.get(Person, ids[0])
        edit_person(uow, keys=keys, person_id=away.id, version=away.version, changes={"away": True})
    found = pair(twice, policy.PERSON, ids)
    keep, go = side(ids, ids[0]), side(ids, ids[1])
    living = facts(twice, found)["living"]
    assert (str(getattr(living, keep).text), living.better(keep), living.differs) == ("外出", keep, True)
    page = text(twice.client("county_admin"), f"/duplicates/{found}?keep={keep}")
    assert re.findall(r'name="take\.living" value="(\w+)"( checked)?', page) == [
        (name, " checked" if name == keep else "") for name in ("first", "second")
    ]
    merge(twice, found, keep)
    assert homes_of(twice, ids[0]) == (homes[0], None)
    undo(twice, found)
    merge(twice, found, go, registered=keep, living=keep)
    assert homes_of(twice, ids[1]) == (homes[0], None)
    undo(twice, found)
    merge(twice, found, keep, living=go)
    assert homes_of(twice, ids[0]) == (homes[0], homes[1])
    undo(twice, found)
    with twice.uow() as uow:
        row = uow.session.scalars(select(HouseholdMember).where(HouseholdMember.person_id == ids[1])).one()
        row.registered = False
    assert facts(twice, found)["living"].better(go) == keep, "what the registered record says"
    with pytest.raises(Conflict):
        merge(twice, found, go, registered=go, living=keep)


def test_what_was_taken_keeps_where_it_came_from_and_nothing_contradicts_nobody(twice: County) -> None:
    ids = persons(twice)
    with twice.uow() as uow:
        keys, other = twice.runtime.tenant_keys(uow), uow.get(Person, ids[1])
        changes = {"phone": "15400000029", "note": "外来"}
        edit_person(uow, keys=keys, person_id=other.id, version=other.version, changes=changes)
    found = pair(twice, policy.PERSON, ids)
    keep, go = side(ids, ids[0]), side(ids, ids[1])
    shown = facts(twice, found)
    assert {key for key, fact in shown.items() if fact.differs} == {"id_number", "phone", "registered", "living"}

    def came_from(fact: str) -> str:
        return str(getattr(facts(twice, found)[fact], keep).origin.what)

    assert came_from("phone") == "person.add"
    merge(twice, found, keep, phone=go)
    assert (came_from("phone"), came_from("note"), came_from("living")) == ("person.edit", "person.edit", "person.add")
    undo(twice, found)
    assert came_from("phone") == "person.add"


def test_the_page_merges_and_undoes(twice: County) -> None:
    ids = persons(twice)
    found = pair(twice, policy.PERSON, ids)
    admin = twice.client("county_admin", locale="en")
    page = text(admin, f"/duplicates/{found}?keep=second")
    assert "What goes along" in page
    sent = post(admin, f"/duplicates/{found}", f"/duplicates/{found}/merge", version=0, keep="first")
    assert sent.status_code == 409
    sent = post(admin, f"/duplicates/{found}", f"/duplicates/{found}/merge", version=1, keep="first")
    assert sent.status_code == 303
    assert "Merged into one record" in text(admin, f"/duplicates/{found}")
    assert "Merged into one record" not in text(admin, "/duplicates?area=all")
    undone = post(admin, f"/duplicates/{found}", f"/duplicates/{found}/undo", version=2)
    assert undone.status_code == 303
    assert "Merge into one record" in text(admin, f"/duplicates/{found}")


def test_two_records_are_named_on_the_page_of_one(twice: County) -> None:
    ids, homes = persons(twice), households(twice)
    admin = twice.client("county_admin")
    for kind, (one, other), page, word in (
        ("person", ids, f"/persons/{ids[0]}", "李建国"),
        ("household", homes, f"/households/{homes[0]}", "6109211012000012"),
    ):
        url = f"/duplicates/name/{kind}/{one}"
        assert f'href="{url}"' in text(admin, page)
        found = post(admin, url, url, q=word).text
        assert re.findall(r'name="other_id" value="(\d+)"', found) == [str(other)], "the other one, and never itself"
        assert "没有找到" in post(admin, url, url, q="无此人").text
        answer = post(admin, url, url, other_id=other)
        assert answer.status_code == 303
        assert "待核对" in text(admin, answer.location)
        assert post(admin, url, url, other_id=one).status_code == 409
    assert "由工作人员提出" in text(admin, answer.location)
    assert admin.get(f"/duplicates/name/organisation/{ids[0]}").status_code == 404
    sees = twice.client("grid_leader", area=TOWN)
    assert "/duplicates/name/" not in text(sees, f"/persons/{ids[0]}")
    assert sees.get(f"/duplicates/name/person/{ids[0]}").status_code == 403
    assert twice.client("village", area=OTHER_TOWN).get(f"/duplicates/name/person/{ids[0]}").status_code == 404


def test_api_merges_and_undoes(twice: County) -> None:
    ids = persons(twice)
    found = pair(twice, policy.PERSON, ids)
    headers = twice.bearer(twice.account("county_admin"))
    client, url = twice.client(), f"/api/v1/duplicates/{found}"
    shown = client.get(f"{url}/preview?keep=second", headers=headers).json
    assert {f["key"] for f in shown["facts"] if not f["same"]} >= {"id_number", "phone", "registered", "living"}
    assert NUMBER not in str(shown)
    bad = client.post(
        f"{url}/merge", headers={**headers, "If-Match": "1"}, json={"keep": "first", "take": {"x": "first"}}
    )
    assert bad.status_code == 422
    done = client.post(f"{url}/merge", headers={**headers, "If-Match": "1"}, json={"keep": "first"})
    assert (done.status_code, done.json["state"]) == (200, "merged")
    back = client.post(f"{url}/undo", headers={**headers, "If-Match": done.headers["ETag"]})
    assert (back.status_code, back.json["state"]) == (200, "open")


def test_who_sees_one_only_merges_nothing(twice: County) -> None:
    found = pair(twice, policy.PERSON, persons(twice))
    town = twice.client("town", area=TOWN)
    assert town.get(f"/duplicates/{found}").status_code == 404
    actor = twice.actor(policy.DUPLICATE_MERGE, area=TOWN)
    with twice.uow() as uow:
        keys = twice.runtime.tenant_keys(uow)
    with pytest.raises(NotFound), twice.uow(actor) as uow:
        service_merge.merge_pair(uow, keys=keys, id=found, version=1, keep="first")
    with twice.uow() as uow:
        assert queries.get_pair(uow, found)[0].state == "open"


def test_a_plugin_may_refuse(twice: County) -> None:
    found = pair(twice, policy.PERSON, persons(twice))
    before = state_of(twice)

    @hookimpl
    def household_change_requested(changes: Any) -> None:
        if "merged_into" in changes:
            raise Refused("not this one")

    with planted(twice.runtime, "probe", household_change_requested=household_change_requested):
        switch(twice, "probe")
        with pytest.raises(Refused, match="not this one"):
            merge(twice, found, "first")
    assert state_of(twice) == before
