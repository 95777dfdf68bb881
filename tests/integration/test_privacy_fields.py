"""Who answers for which field, on what ground an import was taken in, and what is deleted when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from households_kit import filled_county, id_of
from sqlalchemy import delete, select, update
from tests.integration.test_imports_pages import GOOD, MIXED, checked, html, send, token, uploaded, work

from xiangyue.access.models import AuditEntry
from xiangyue.errors import Conflict
from xiangyue.features.households.models import Person
from xiangyue.features.imports.models import ImportBatch, ImportRow
from xiangyue.features.imports.policy import KEEP_ROWS_DAYS
from xiangyue.features.imports.service import match_columns
from xiangyue.jobs.service import enqueue_job
from xiangyue.tenancy.models import Tenant
from xiangyue.testing.fixtures import County
from xiangyue.testing.source import english_page_faults

__all__ = ["filled_county"]


def said(county: County, **settings: Any) -> None:
    """Change switches of the county, as an apply of its profile does."""
    with county.uow() as uow:
        tenant = uow.session.scalars(select(Tenant).where(Tenant.id == county.info.id)).one()
        tenant.settings = {**tenant.settings, **settings}


@pytest.fixture
def owners(hanyin: County) -> Any:
    said(hanyin, field_owners={"person.phone": "township", "custom.household.courtyard": "housing"})
    yield
    said(hanyin, field_owners={})


def test_the_table_of_fields_says_who_answers(hanyin: County, owners: None) -> None:
    client = hanyin.client("village", area=610921101000_000)
    page = client.get("/privacy/fields").text
    assert "公民身份号码" in page
    assert "公安" in page
    assert "镇（乡）政府" in page, "the county's profile says otherwise for the phone"
    account = hanyin.account("auditor")
    items = {
        line["field"]: line
        for line in client.get("/api/v1/privacy/fields", headers=hanyin.bearer(account)).json["items"]
    }
    assert items["person.id_number"]["department"] == "police"
    assert items["person.id_number"]["stays"] is True
    assert items["person.phone"]["department"] == "township"
    assert items["custom.household.courtyard"]["department"] == "housing"
    assert items["mark.disabled"]["department"] == "残联"
    english = hanyin.client("village", area=610921101000_000, locale="en").get("/privacy/fields").text
    assert english_page_faults(english) == []
    nobody = hanyin.client(hanyin.account_with("import.run"))
    assert nobody.get("/privacy/fields").status_code == 403


def test_forms_show_the_department_under_the_field(county: County, owners: None) -> None:
    client = county.client("county_admin")
    page = client.get(f"/persons/{id_of(county, Person, name='王德福')}/edit").text
    assert "归口：公安" in page
    assert "归口：镇（乡）政府" in page


def test_an_import_says_on_what_ground_and_when_its_file_goes(hanyin: County) -> None:
    said(hanyin, import_file_days=12)
    client = hanyin.client("county_admin")
    assert "12 天后删除" in html(client, "/imports/new")
    batch_id = uploaded(client, GOOD, lawful_basis="consent")
    said(hanyin, import_file_days=30)
    work(hanyin, batch_id)
    with hanyin.uow() as uow:
        batch = uow.get(ImportBatch, batch_id)
        assert batch.lawful_basis == "consent"
        assert batch.file_expires_at is not None
        assert 11.9 < (batch.file_expires_at - datetime.now(UTC)) / timedelta(days=1) < 12.1
        entry = uow.session.scalars(
            select(AuditEntry).where(AuditEntry.action == "import.upload").order_by(AuditEntry.id.desc()).limit(1)
        ).one()
        assert (entry.after or {})["lawful_basis"] == "consent"
    page = html(client, f"/imports/{batch_id}")
    assert "取得个人同意" in page
    assert "删除" in page
    again = html(client, f"/imports/new?again={batch_id}")
    assert '<option value="consent" selected' in again
    refused = send(client, GOOD, lawful_basis="because")
    assert refused.status_code == 422
    account = hanyin.account("county_admin")
    shown = client.get(f"/api/v1/imports/{batch_id}", headers=hanyin.bearer(account)).json
    assert shown["lawful_basis"] == "consent"
    assert shown["file_expires_at"]


def test_nothing_breaks_when_the_file_and_its_rows_are_gone(hanyin: County) -> None:
    client = hanyin.client("county_admin")
    batch_id = checked(hanyin, client, MIXED)
    with client.get(f"/imports/{batch_id}/errors.xlsx") as book:
        assert book.status_code == 200
    past = datetime.now(UTC) - timedelta(days=1)
    with hanyin.uow() as uow:
        uow.session.execute(update(ImportBatch).where(ImportBatch.id == batch_id).values(file_expires_at=past))
    page = html(client, f"/imports/{batch_id}")
    assert "已于" in page
    assert f"/imports/{batch_id}/columns" not in page
    assert client.get(f"/imports/{batch_id}/columns").status_code == 302
    with hanyin.uow() as uow:
        batch = uow.get(ImportBatch, batch_id)
        with pytest.raises(Conflict):
            match_columns(uow, hanyin.runtime.tenant_keys(uow), batch_id=batch_id, version=batch.version, targets={})
    done = client.post(
        f"/imports/{batch_id}/commit",
        data={"csrf_token": token(client), "version": batch.version, "valid_only": "1"},
    )
    assert done.status_code == 303
    assert work(hanyin, batch_id).state == "committed", "what was checked is written without the file"
    with hanyin.uow() as uow:
        uow.session.execute(delete(ImportRow).where(ImportRow.batch_id == batch_id))
    page = html(client, f"/imports/{batch_id}")
    assert "errors.xlsx" not in page
    gone = client.get(f"/imports/{batch_id}/errors.xlsx", follow_redirects=True)
    assert "各行已按约定删除" in gone.text


def test_examples_that_name_people_go_with_the_rows(hanyin: County) -> None:
    client = hanyin.client("county_admin")
    batch_id = checked(hanyin, client, GOOD)
    with hanyin.uow() as uow:
        batch = uow.get(ImportBatch, batch_id)
        batch.counts = {**batch.counts, "samples": [{"label": "王"}], "written": {"samples": [1], "households": 1}}
        batch.state, batch.committed_at = "committed", datetime.now(UTC) - timedelta(days=KEEP_ROWS_DAYS + 1)
    with hanyin.uow() as uow:
        enqueue_job(uow, kind="imports.clear", params={})
    hanyin.run_jobs()
    with hanyin.uow() as uow:
        counts = uow.get(ImportBatch, batch_id).counts
    assert "samples" not in counts
    assert counts["written"] == {"households": 1}
    assert counts["rows"] == 2
