"""A person's access log: looks, lists, exports, copies and imports, found by index, shown to those with the right."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import openpyxl
import pytest
from households_kit import OTHER_TOWN, TOWN, entries, filled_county, id_of, post, text
from sqlalchemy import delete, select
from tests.integration.test_imports_pages import checked, head, roster, token, work

from xiangyue.db.sql import scoped_rows
from xiangyue.errors import Forbidden, NotFound
from xiangyue.features.households.models import Household, Person
from xiangyue.features.households.person_input import today
from xiangyue.features.households.policy import (
    HOUSEHOLD_EXPORT,
    HOUSEHOLD_VIEW,
    IDENTIFIER_REVEAL,
    SENSITIVE_VIEW,
)
from xiangyue.features.households.service_export import note_export
from xiangyue.features.households.service_persons import reveal_identifier
from xiangyue.features.imports.models import ImportBatch
from xiangyue.features.privacy import queries_log, service
from xiangyue.features.privacy.access_log import RUN, Ids
from xiangyue.features.privacy.models import PersonAccessMember, PersonAccessSet, PrivacyRequest
from xiangyue.features.privacy.policy import LOG_VIEW, REQUEST
from xiangyue.features.privacy.queries_log import LogFilter
from xiangyue.features.privacy.service_log import open_log
from xiangyue.testing.fixtures import County
from xiangyue.testing.source import english_page_faults

__all__ = ["filled_county"]


@pytest.fixture(autouse=True)
def _clear(county: County) -> Any:
    yield
    with county.uow() as uow:
        uow.session.execute(delete(PrivacyRequest))


def person(county: County, name: str = "王德福") -> int:
    return id_of(county, Person, name=name)


def log(county: County, name: str = "王德福", **conditions: Any) -> list[queries_log.Look]:
    """The log without the registration itself."""
    id = person(county, name)
    with county.uow() as uow:
        found = queries_log.read_log(uow, uow.get(Person, id), LogFilter(**conditions)).looks
    return [look for look in found if look.way != "import"]


def test_the_import_that_brought_the_values_stands_in_it(county: County) -> None:
    client = county.client("county_admin")
    batch_id = checked(county, client, roster(head(77, name="赵进口", id_number=None)))
    with county.uow() as uow:
        version = uow.get(ImportBatch, batch_id).version
    answer = client.post(f"/imports/{batch_id}/commit", data={"csrf_token": token(client), "version": version})
    assert answer.status_code == 303, answer.text
    assert work(county, batch_id).state == "committed"
    id = person(county, "赵进口")
    with county.uow() as uow:
        (look,) = queries_log.read_log(uow, uow.get(Person, id), LogFilter()).looks
    assert (look.way, look.seen, look.purpose, look.number) == ("import", "values", "核对底册", str(batch_id))


def test_a_reveal_says_who_when_and_what_for(county: County) -> None:
    id = person(county)
    client = county.client(county.account("county_admin", name="李管理"))
    post(client, f"/persons/{id}", f"/persons/{id}/reveal", purpose="核对低保")
    (look,) = log(county)
    assert (look.actor_name, look.way, look.seen, look.purpose) == ("李管理", "page", "identifiers", "核对低保")
    headers = county.bearer(county.account_with(HOUSEHOLD_VIEW, IDENTIFIER_REVEAL))
    answer = county.client().post(f"/api/v1/persons/{id}/reveal", json={"purpose": "系统对账"}, headers=headers)
    assert answer.status_code == 200
    assert (log(county)[0].way, log(county)[0].purpose) == ("api", "系统对账")
    assert log(county, "陈桂兰") == []


def test_sensitive_marks_count_for_those_who_have_them(county: County) -> None:
    home = id_of(county, Household, code="6109211002000001")
    headers = {
        **county.bearer(county.account_with(HOUSEHOLD_VIEW, SENSITIVE_VIEW)),
        "X-Purpose": "%E8%AE%A1%E5%88%92",
    }
    client = county.client()
    assert client.get(f"/api/v1/persons/{person(county)}", headers=headers).status_code == 200
    assert client.get(f"/api/v1/households/{home}", headers=headers).status_code == 200
    assert client.get("/api/v1/persons?mark=disabled&fields=name", headers=headers).json["items"] == [
        {"name": "王德福"}
    ]
    assert client.get("/api/v1/households?mark=disabled", headers=headers).status_code == 200
    assert [(look.way, look.seen, look.detail) for look in log(county)] == [
        ("list", "marks", "disabled"),
        ("list", "marks", "disabled"),
        ("api", "marks", "disabled"),
        ("api", "marks", "disabled"),
    ]
    assert log(county, "陈桂兰") == [], "the wife has no sensitive mark"


def test_a_list_by_a_sensitive_mark_counts_for_those_it_showed(county: County) -> None:
    client = county.client("county_admin")
    page = "/persons?area=all&mark=disabled"
    asked = client.get(page)
    assert asked.status_code in (302, 303), "what for is asked first"
    form = asked.headers["Location"]
    assert post(client, form, form.split("?")[0], purpose="摸底", next=page).status_code == 303
    assert "王德福" in text(client, page)
    (look,) = log(county, way="list")
    assert (look.purpose, look.detail, look.persons) == ("摸底", "disabled", 1)
    assert "王德福" in text(client, "/households?area=all&mark=disabled")
    assert len(log(county, way="list")) == 2


def test_an_export_counts_for_everybody_in_it_by_its_number(county: County) -> None:
    client = county.client("county_admin")
    page = "/persons/export?area=all&q=王德福"
    answer = post(client, page, page, purpose="年终核对", format="xlsx")
    assert answer.status_code == 200
    answer.close()
    (look,) = log(county, way="export")
    assert (look.purpose, look.seen, look.persons) == ("年终核对", "columns", 1)
    assert entries(county, "person.export")[-1].object_label == look.number
    assert log(county, "陈桂兰", way="export") == []
    page = "/households/export?area=all"
    post(client, page, page, purpose="打印", format="csv").close()
    assert len(log(county, "陈桂兰", way="export")) == 1, "a household's export is about its members"


def test_a_ledger_counts_for_everybody_in_it(county: County) -> None:
    client = county.client("county_admin")
    page = f"/households/ledgers?area={TOWN // 1000}"
    sent = {"ledger": "registered", "purpose": "上报", "on": "", "full": "1"}
    post(client, page, page, **sent).close()
    (look,) = log(county, way="export")
    assert (look.purpose, look.seen) == ("上报", "identifiers")
    assert len(log(county, "吴·木子", way="export")) == 1
    assert log(county, "周永贵", way="export") == [], "in another town"


def test_a_copy_for_the_person_counts(county: County) -> None:
    with county.uow(county.actor(REQUEST)) as uow:
        values = {"kind": "copy", "channel": "counter", "identity": "card"}
        request = service.register_request(uow, person_id=person(county), values=values)
    client = county.client("town", area=TOWN)
    path = f"/privacy/requests/{request.id}"
    post(client, path, f"{path}/copy", format="json").close()
    (look,) = log(county, way="copy")
    assert (look.seen, look.purpose) == ("record", request.number)


def test_a_large_export_is_a_few_rows_and_found_by_index(county: County) -> None:
    id = person(county)
    seen = Ids([id, *range(RUN * 100, RUN * 103)])
    assert (len(seen), sorted(seen)[0]) == (3 * RUN + 1, id)
    with county.uow(county.actor(HOUSEHOLD_EXPORT)) as uow:
        note_export(
            uow,
            entity="person",
            number="AAAA-BBBB",
            purpose="对账",
            area_code=0,
            rows=len(seen),
            columns=["name"],
            conditions={},
            seen=seen,
        )
        made = uow.session.scalars(select(PersonAccessSet).where(PersonAccessSet.number == "AAAA-BBBB")).one()
        rows = uow.session.scalars(select(PersonAccessMember).where(PersonAccessMember.id == made.id)).all()
        assert len(rows) == 4
        assert {len(row.members) for row in rows} == {RUN // 8}
        plan = scoped_rows(
            uow.session,
            "EXPLAIN SELECT m.id FROM person_access_member m WHERE {tenant:m} AND m.bucket = 100",
        )
        assert any("pk_person_access_member" in line for (line,) in plan) or len(plan) <= 2
    (look,) = log(county, who="tester", way="export")
    assert (look.number, look.persons) == ("AAAA-BBBB", 3 * RUN + 1)
    assert log(county, "陈桂兰", who="tester", way="export") == []


def test_the_log_is_for_its_own_right_and_area_and_reading_it_is_on_record(county: County) -> None:
    id = person(county)
    with county.uow(county.actor(HOUSEHOLD_VIEW)) as uow, pytest.raises(Forbidden):
        open_log(uow, person_id=id)
    with county.uow(county.actor(LOG_VIEW, area=OTHER_TOWN)) as uow, pytest.raises(NotFound):
        open_log(uow, person_id=id)
    town = county.client("town", area=TOWN)
    assert town.get(f"/privacy/persons/{id}/log").status_code == 403
    assert "谁查阅过" not in text(town, f"/persons/{id}")
    before = len(entries(county, "person_access.read"))
    page = text(county.client("county_admin"), f"/privacy/persons/{id}/log")
    assert "还没有人查阅" in page
    assert len(entries(county, "person_access.read")) == before + 1
    assert "查看查阅记录" not in text(county.client("county_admin"), f"/persons/{id}").split("谁查阅过")[0]


def test_pages_filter_page_and_export_the_log(county: County) -> None:
    id = person(county)
    with county.uow(county.actor(IDENTIFIER_REVEAL)) as uow:
        for n in range(60):
            reveal_identifier(uow, keys=county.runtime.tenant_keys(uow), person_id=id, purpose=f"第{n}次")
    client = county.client(county.account_with(LOG_VIEW, HOUSEHOLD_VIEW))
    page = text(client, f"/privacy/persons/{id}/log?seen=identifiers")
    assert "60 次" in page
    tomorrow = today() + timedelta(days=1)
    assert "没有符合条件的记录" in text(client, f"/privacy/persons/{id}/log?since={tomorrow}")
    export = f"/privacy/persons/{id}/log/export?seen=identifiers"
    assert post(client, export, export, purpose="", format="xlsx").status_code == 422
    book = openpyxl.load_workbook(io.BytesIO(post(client, export, export, purpose="本人查询", format="xlsx").data))
    rows = list(book.active.iter_rows(values_only=True))
    assert len(rows) == 62
    entry = entries(county, "person_access.export")[-1]
    assert entry.purpose == "本人查询"
    assert "本人查询" in rows[0][0]
    assert (entry.after or {})["number"] in rows[0][0]
    assert english_page_faults(text(county.client("county_admin", locale="en"), export)) == []
    headers = county.bearer(county.account_with(LOG_VIEW))
    path = f"/api/v1/privacy/persons/{id}/log"
    first = county.client().get(f"{path}?limit=40&seen=identifiers&fields=purpose", headers=headers).json
    rest = (
        county.client()
        .get(f"{path}?limit=40&seen=identifiers&fields=purpose&cursor={first['next']}", headers=headers)
        .json
    )
    assert len({look["purpose"] for look in first["items"] + rest["items"]}) == 60
    assert rest["next"] is None


def test_the_log_is_english_for_english_readers(county: County) -> None:
    id = person(county)
    with county.uow(county.actor(IDENTIFIER_REVEAL)) as uow:
        reveal_identifier(uow, keys=county.runtime.tenant_keys(uow), person_id=id, purpose="核对")
    client = county.client("county_admin", locale="en")
    assert english_page_faults(text(client, f"/privacy/persons/{id}/log")) == []
    page = text(client, f"/persons/{id}")
    assert "Who looked" in page
    assert english_page_faults(page) == []
