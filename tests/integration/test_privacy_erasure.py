"""How far an erasure and a copy reach: plugins that are off, imports on their way, records that became part of one."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

import pytest
from households_kit import ID_NUMBER, filled_county, id_of, post, text
from sqlalchemy import delete, select, update
from tests.integration.imports_kit import Row, batch_of, checked, commit, work, workbook

from plugins_kit import planted, switch
from xiangyue.access.crypto import TenantKeys
from xiangyue.errors import Conflict
from xiangyue.features.facts.queries import FactFilter, count_facts
from xiangyue.features.households.models import Household, HouseholdMember, Person
from xiangyue.features.households.models_facts import FactOrigin
from xiangyue.features.households.person_input import today
from xiangyue.features.households.policy import HOUSEHOLD_EDIT
from xiangyue.features.households.service_persons import add_person, edit_person, person_left
from xiangyue.features.imports import repair
from xiangyue.features.imports.models import ImportBatch, ImportRow
from xiangyue.features.imports.models_erased import ErasedPerson
from xiangyue.features.imports.staging import open_row, payload_context
from xiangyue.features.privacy import queries, record, service, service_erase
from xiangyue.features.privacy.models import PrivacyRequest
from xiangyue.features.privacy.policy import ERASE, REQUEST
from xiangyue.jobs.models import Job
from xiangyue.jobs.run import run_with
from xiangyue.plugin.registry import Follows
from xiangyue.testing.fixtures import County
from xiangyue.testing.source import english_page_faults

__all__ = ["filled_county"]


@pytest.fixture(autouse=True)
def _clear(county: County) -> Any:
    yield
    with county.uow() as uow:
        for model in (PrivacyRequest, ErasedPerson, ImportRow):
            uow.session.execute(delete(model))


def person_id(county: County, name: str = "王德福") -> int:
    return id_of(county, Person, name=name)


def asked(county: County, id: int, kind: str = "erase") -> PrivacyRequest:
    values = {"kind": kind, "asked": "都删掉", "channel": "counter", "identity": "card"}
    with county.uow(county.actor(REQUEST)) as uow:
        request = service.register_request(uow, person_id=id, values=values)
        service.take_up(uow, id=request.id, version=1)
        return request


def erase(county: County, id: int, request: PrivacyRequest | None = None) -> PrivacyRequest:
    request = request or asked(county, id)
    with county.uow(county.actor(ERASE, REQUEST)) as uow:
        version = uow.get(Person, id).version
        return service_erase.erase_person(uow, id=request.id, version=2, person_version=version, text="已删除")


def leave(county: County, id: int) -> None:
    with county.uow(county.actor(HOUSEHOLD_EDIT)) as uow:
        person_left(uow, person_id=id, version=uow.get(Person, id).version, state="moved", on=today(), reason="进城")


def row(number: str, name: str, **more: Any) -> Row:
    place = {"town": "城关镇", "village": "东南村委会", "group": "三组", "household_no": number, "relation": "户主"}
    return {**place, "name": name, "sex": "男", "birth_date": "1980-01-31", **more}


def test_what_a_plugin_keeps_goes_and_holds_it_up_also_while_it_is_off(county: County) -> None:
    id = person_id(county)
    request = asked(county, id)

    def offer(found: Any, **more: Any) -> None:
        # A plugin's own tables are claimed elsewhere; any rows with a person's id do for this.
        rows = Follows("probe_rows", "Probe rows", "person", HouseholdMember, "person_id", **more)
        object.__setattr__(found.contributor, "offered", {**found.contributor.offered, "follows": (rows,)})
        county.runtime.registry.take(county.runtime.registry.contributors)

    def members() -> list[HouseholdMember]:
        with county.uow() as uow:
            return list(uow.session.scalars(select(HouseholdMember).where(HouseholdMember.person_id == id)))

    with planted(county.runtime, "probe") as found:
        switch(county, "probe", enabled=False)
        offer(found, open=HouseholdMember.valid_to.is_(None))
        with pytest.raises(Conflict, match="Probe rows"):
            erase(county, id, request)
        assert "Probe rows" in text(county.client("county_admin"), f"/privacy/requests/{request.id}")
        assert len(members()) == 1
        offer(found, erase={"relation": "97"})
        with county.uow() as uow:
            keys_of = queries.obligations(uow, id, but=request.id)
            assert keys_of == []
        done = erase(county, id, request)
        assert "follows:probe_rows" in done.outcome["erased"]
        assert [row.relation for row in members()] == ["97"], "what says who it was is replaced"
        assert "Probe rows" in text(county.client("county_admin"), f"/privacy/requests/{request.id}")
        offer(found)
        with county.uow() as uow:
            other = person_id(county, "吴·木子")
        assert "follows:probe_rows" in erase(county, other).outcome["erased"]
        with county.uow() as uow:
            left = select(HouseholdMember).where(HouseholdMember.person_id == other)
            assert not uow.session.scalars(left).all()


def payloads(county: County, batch_id: int) -> str:
    with county.uow() as uow:
        keys, context = county.runtime.tenant_keys(uow), payload_context(uow.tenant_id)
        rows = uow.session.scalars(select(ImportRow.payload).where(ImportRow.batch_id == batch_id))
        return json.dumps([open_row(keys, context, one) for one in rows], ensure_ascii=False)


def test_an_import_checked_before_and_written_after_does_not_bring_it_back(county: County) -> None:
    id = person_id(county)
    rows = [
        row("0001", "王德福", id_number=ID_NUMBER, phone="15400000017"),
        row("0002", "吴·木子", phone="15400000021"),
        row("0009", "新来户", birth_date="1970-05-05"),
    ]
    batch = checked(county, workbook(rows))
    assert batch.counts["errors"] == 0, batch.counts
    done = erase(county, id)
    assert "15400000017" not in payloads(county, batch.id)
    assert "王德福" not in payloads(county, batch.id)
    assert "15400000021" in payloads(county, batch.id)
    after = batch_of(county, batch.id)
    assert (after.counts["errors"], after.counts["valid_households"], after.counts["households_new"]) == (1, 2, 1)
    (file,) = [one for one in done.outcome["files"] if one["import"] == batch.id]
    assert file["sure"]
    assert file["until"] > today().isoformat()
    client = county.client("county_admin")
    page = text(client, f"/privacy/requests/{done.id}")
    assert "仍保存的上传文件" in page
    assert done.number in text(client, f"/imports/{batch.id}"), "the row says which request"
    assert english_page_faults(text(county.client("county_admin", locale="en"), f"/privacy/requests/{done.id}")) == []
    with county.uow() as uow:
        repair.leave_out(uow, county.runtime.tenant_keys(uow), batch_id=batch.id, rows=[2])
    after = batch_of(county, batch.id)
    assert after.counts["errors"] == 0, "whoever decided leaves the row out"
    commit(county, after)
    with county.uow() as uow:
        assert uow.get(Person, id).phone is None
    # Once written, what is staged of a person goes without a trace.
    other = person_id(county, "吴·木子")
    assert "吴·木子" in payloads(county, batch.id)
    erase(county, other)
    assert "吴·木子" not in payloads(county, batch.id)


def test_an_error_workbook_that_came_back_is_named_among_the_files(county: County) -> None:
    id = person_id(county)
    rows = [row("0001", "王德福", id_number=ID_NUMBER), row("0009", "新来户", phone="12")]
    batch = checked(county, workbook(rows))
    assert batch.counts["errors"] == 1, batch.counts
    with county.client("county_admin").get(f"/imports/{batch.id}/errors.xlsx") as answer:
        book = io.BytesIO(answer.data)
    with county.uow() as uow:
        repair.return_workbook(uow, county.runtime.storage, batch_id=batch.id, stream=book, name="改好.xlsx")
    work(county, batch.id)
    done = erase(county, id)
    files = [(one["name"], one["sure"]) for one in done.outcome["files"] if one["import"] == batch.id]
    assert files == [(batch.file_name, True), ("改好.xlsx", False)]


def test_a_later_roster_asks_before_it_brings_an_erased_phone_again(county: County) -> None:
    id = person_id(county)
    erase(county, id)
    batch = checked(county, workbook([row("0001", "王德福", id_number=ID_NUMBER, phone="15400000017")]))
    assert batch.counts["errors"] == 0
    assert commit(county, batch).state == "committed"
    with county.uow() as uow:
        assert uow.get(Person, id).phone is None
        waiting = count_facts(uow, FactFilter())
        asking = set(uow.session.scalars(select(FactOrigin.field).where(FactOrigin.owner_id == id)))
    assert asking >= {"phone", "custom.works_away_since"}
    assert waiting == 1


def test_somebody_who_left_and_was_erased_comes_back_by_hand_only(county: County) -> None:
    id, home = person_id(county), id_of(county, Household, code="6109211002000001")
    leave(county, id)
    erase(county, id)
    data = workbook([row("0001", "王德福", id_number=ID_NUMBER), row("0009", "新来户", birth_date="1970-05-05")])
    batch = checked(county, data)
    assert (batch.counts["errors"], batch.counts["valid_households"]) == (1, 1)
    assert "王德福" not in payloads(county, batch.id)
    page = text(county.client("county_admin"), f"/imports/{batch.id}")
    assert "已按请求" in page
    with county.uow(county.actor(HOUSEHOLD_EDIT)) as uow:
        keys: TenantKeys = county.runtime.tenant_keys(uow)
        values = {"name": "王德福", "relation": "02", "sex": 1, "id_number": ID_NUMBER, "birth_date": "1980-01-31"}
        add_person(uow, keys=keys, household_id=home, values=values, allow_synthetic=True)
    again = checked(county, data)
    assert again.counts["errors"] == 0, "registered again by a person: rosters may name it"


def test_nothing_is_erased_while_an_import_is_written(county: County) -> None:
    id = person_id(county)
    batch, request = checked(county, workbook([row("0009", "新来户")])), asked(county, id)
    with county.uow() as uow:
        uow.session.execute(update(ImportBatch).where(ImportBatch.id == batch.id).values(state="committing"))
    try:
        with pytest.raises(Conflict, match="导入"):
            erase(county, id, request)
    finally:
        with county.uow() as uow:
            uow.session.execute(update(ImportBatch).where(ImportBatch.id == batch.id).values(state="cancelled"))
    assert erase(county, id, request).state == "done"


def test_a_copy_holds_what_became_part_of_the_record(county: County) -> None:
    id, part = person_id(county), person_id(county, "吴·木子")
    with county.uow(county.actor(HOUSEHOLD_EDIT)) as uow:
        keys = county.runtime.tenant_keys(uow)
        version = uow.get(Person, part).version
        edit_person(uow, keys=keys, person_id=part, version=version, changes={"note": "曾用名吴大"})
    with county.uow() as uow:
        uow.session.execute(update(Person).where(Person.id == part).values(state="merged", merged_into_id=id))
    request = asked(county, id, "copy")
    client = county.client("county_admin")
    page = f"/privacy/requests/{request.id}"
    answer = post(client, page, f"{page}/copy", format="json")
    assert "曾用名吴大" in answer.text
    assert "former1.note" in answer.text
    with county.uow() as uow:
        facts = record.facts_of(uow, county.runtime.tenant_keys(uow), uow.get(Person, part))
    assert [fact.value for fact in facts if fact.key == "state"] == ["并入其他档案"]


def test_exported_files_that_hold_the_person_are_ended(county: County) -> None:
    id = person_id(county)
    kept = county.runtime.settings
    county.runtime.settings = replace(kept, export_direct_rows=1)
    try:
        client, address = county.client("county_admin"), "/households/export?cols=size"
        asked_for = post(client, address, address, purpose="给镇民政办", format="xlsx")
        job_id = int(asked_for.headers["Location"].rpartition("/")[2])
        assert run_with(county.runtime, county.info.id, job_id) == "succeeded"
    finally:
        county.runtime.settings = kept
    with county.uow() as uow:
        url = f"/files/{(uow.get(Job, job_id).result or {})['file']}"
    with client.get(url) as answer:
        assert answer.status_code == 200
    assert "exports" in erase(county, id).outcome["erased"]
    assert client.get(url).status_code == 404
    assert url not in text(client, f"/jobs/{job_id}")
