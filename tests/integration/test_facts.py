"""What somebody put right by hand is not overwritten by a roster: it waits, side by side, and is decided."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from households_kit import ID_NUMBER, OTHER_TOWN, TOWN, entries, filled_county, id_of, post, roster, text
from sqlalchemy import delete

from xiangyue.features.facts import queries, service
from xiangyue.features.facts.policy import FACT_DECIDE
from xiangyue.features.households.bulk import BulkCounts, HouseholdRow, upsert_households
from xiangyue.features.households.identifiers import in_full
from xiangyue.features.households.models import Person
from xiangyue.features.households.models_facts import FactConflict, FactOrigin
from xiangyue.features.households.policy import HOUSEHOLD_EDIT
from xiangyue.features.households.service_persons import edit_person
from xiangyue.testing.fixtures import County

__all__ = ["filled_county"]

PHONE = "15400000099"


@pytest.fixture(name="corrected")
def county_with_a_correction(county: County) -> Iterator[County]:
    """The village has put right the phone and nationality of one person."""
    edit(county, phone=PHONE, nationality="02")
    yield county
    with county.uow() as uow:
        uow.session.execute(delete(FactConflict))
        uow.session.execute(delete(FactOrigin))


def edit(county: County, **changes: Any) -> None:
    with county.uow() as uow:
        person = uow.get(Person, id_of(county, Person, id_number_index=index(county)))
        keys = county.runtime.tenant_keys(uow)
        edit_person(uow, keys=keys, person_id=person.id, version=person.version, changes=changes, allow_synthetic=True)


def index(county: County) -> bytes:
    from xiangyue.access.crypto import blind_index

    with county.uow() as uow:
        return blind_index(county.runtime.tenant_keys(uow), "id_number", ID_NUMBER)


def bring(county: County, *, dry_run: bool = False, **changes: Any) -> BulkCounts:
    """The roster once more, with changes of the corrected person."""
    first, *rest = roster()
    head, *others = first.persons
    rows = [HouseholdRow(first.area_code, first.code, "", [{**head, **changes}, *others]), *rest]
    with county.uow() as uow:
        return upsert_households(uow, county.runtime.tenant_keys(uow), rows, source="old roster", dry_run=dry_run)


def person(county: County) -> Person:
    with county.uow() as uow:
        return uow.get(Person, id_of(county, Person, id_number_index=index(county)))


def phone(county: County) -> str:
    with county.uow() as uow:
        return in_full(county.runtime.tenant_keys(uow), uow.tenant_id, "phone", person(county).phone)


def waiting(county: County, state: str = "open") -> dict[str, tuple[str, str]]:
    with county.uow() as uow:
        keys = county.runtime.tenant_keys(uow)
        rows = queries.list_facts(uow, keys, queries.FactFilter(state=state)).items
        return {row["field"]: (row["ours"], row["value"]) for row in rows}


def ids(county: County) -> list[int]:
    with county.uow() as uow:
        return queries.ids_of(uow, queries.FactFilter(), 10)


def test_a_roster_does_not_overwrite_a_correction(corrected: County) -> None:
    assert bring(corrected, dry_run=True, nationality="01").facts_waiting == 2
    assert waiting(corrected) == {}
    counts = bring(corrected, nationality="01", name="王得福")
    assert counts.facts_waiting == 2
    found = person(corrected)
    # What nobody had set by hand follows the roster.
    assert (found.name, found.nationality, phone(corrected)) == ("王得福", "02", PHONE)
    assert waiting(corrected)["phone"] == ("154****0099", "154****0017")
    assert "nationality" in waiting(corrected)
    assert bring(corrected, nationality="01", name="王得福").numbers()["persons_changed"] == 0
    assert len(ids(corrected)) == 2


def test_the_same_value_agrees_and_an_empty_one_says_nothing(corrected: County) -> None:
    assert bring(corrected, phone=PHONE, nationality="").facts_waiting == 0
    assert waiting(corrected) == {}


def test_kept_is_not_asked_again_and_taken_is_written(corrected: County) -> None:
    bring(corrected, nationality="01")
    with corrected.uow() as uow:
        keys = corrected.runtime.tenant_keys(uow)
        rows = {r["field"]: r["id"] for r in queries.list_facts(uow, keys, queries.FactFilter()).items}
        assert service.decide_facts(uow, keys=keys, ids=[rows["phone"]], way="take", allow_synthetic=True) == (1, [])
        assert service.decide_facts(uow, keys=keys, ids=[rows["nationality"]], way="keep") == (1, [])
    assert (phone(corrected), person(corrected).nationality) == ("15400000017", "02")
    bring(corrected, nationality="01")
    assert waiting(corrected) == {}
    assert (phone(corrected), person(corrected).nationality) == ("15400000017", "02")
    assert [len(entries(corrected, f"fact.{way}")) for way in ("take", "keep")] == [1, 1]


def test_pages(corrected: County) -> None:
    bring(corrected, nationality="01")
    admin = corrected.client("county_admin", locale="en")
    page = text(admin, "/facts?area=all")
    assert "154****0017" in page
    assert "15400000017" not in page
    assert "values wait for a decision" in text(admin, "/")
    out = "/facts/export?area=all&field=phone"
    assert post(admin, out, out, purpose="", format="csv").status_code == 422
    sheet = post(admin, out, out, purpose="ask the family", format="csv").get_data(as_text=True)
    assert "154****0017" in sheet
    assert "15400000017" not in sheet
    (noted,) = entries(corrected, "fact.export")
    assert (noted.purpose, noted.after["rows"], noted.object_label in sheet) == ("ask the family", 1, True)
    one = ids(corrected)[0]
    assert post(admin, "/facts?area=all", "/facts/decide?way=keep", fact=str(one)).status_code == 303
    assert post(admin, "/facts?area=all", "/facts/decide-all?way=take&area=all").status_code == 303
    assert ids(corrected) == []
    assert "No value waits here" in text(admin, "/facts?area=all")
    assert corrected.client("auditor").get("/facts").status_code == 403


def test_nobody_decides_outside_the_area(corrected: County) -> None:
    bring(corrected, nationality="01")
    for area, number in ((OTHER_TOWN, 0), (TOWN, 2)):
        actor = corrected.actor(FACT_DECIDE, HOUSEHOLD_EDIT, area=area)
        with corrected.uow(actor) as uow:
            keys = corrected.runtime.tenant_keys(uow)
            assert service.decide_facts(uow, keys=keys, ids=ids(corrected), way="keep")[0] == number


def test_who_may_not_change_may_not_take(corrected: County) -> None:
    bring(corrected, nationality="01")
    with corrected.uow(corrected.actor(FACT_DECIDE)) as uow:
        keys = corrected.runtime.tenant_keys(uow)
        done, failed = service.decide_facts(uow, keys=keys, ids=ids(corrected), way="take")
        assert (done, len(failed)) == (0, 2)


def test_api(corrected: County) -> None:
    bring(corrected, nationality="01")
    headers = corrected.bearer(corrected.account("county_admin"))
    client = corrected.client()
    items = client.get("/api/v1/facts?field=phone", headers=headers).json["items"]
    assert [(item["ours"], item["value"]) for item in items] == [("154****0099", "154****0017")]
    body = {"ids": [items[0]["id"]], "way": "take"}
    assert client.post("/api/v1/facts/decide", headers=headers, json=body).json == {"decided": 1, "failed": []}
    assert phone(corrected) == "15400000017"
