"""The undo of an import by page and API: what it would do, what stands in the way, the file, the button."""

from __future__ import annotations

import io
from typing import Any

import pytest
from imports_kit import Row, batch_of, checked, commit, empty, register, rows_of, synthetic, work
from imports_kit import workbook as book
from python_calamine import CalamineWorkbook
from sqlalchemy import select

from xiangyue.access.models import AuditEntry
from xiangyue.features.households import service_records
from xiangyue.features.households.models import Person, PersonMark
from xiangyue.features.imports.models import ImportBatch
from xiangyue.features.privacy.models import PersonAccessSet
from xiangyue.testing.fixtures import County


@pytest.fixture(scope="module")
def rows(hanyin: County, tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    return rows_of(synthetic(hanyin, tmp_path_factory.mktemp("rosters"), 5))


@pytest.fixture
def batch(hanyin: County, rows: list[Row]) -> ImportBatch:
    empty(hanyin)
    done = commit(hanyin, checked(hanyin, book(rows)))
    assert done.state == "committed"
    return done


def press(client: Any, batch: ImportBatch, **options: Any) -> Any:
    html = client.get("/imports/new").get_data(as_text=True)
    token = html.split('name="csrf_token" value="')[1].split('"')[0]
    form = {"csrf_token": token, "version": batch.version}
    return client.post(f"/imports/{batch.id}/undo", data=form, **options)


def build_on(county: County) -> str:
    """Give somebody a mark; returns the name."""
    with county.uow() as uow:
        person = uow.session.scalars(select(Person).where(Person.relation == "02").order_by(Person.id)).first()
        assert person is not None
        service_records.add_mark(uow, person_id=person.id, key="veteran")
        return person.name


def test_the_page_says_what_goes_and_the_button_takes_it_back(hanyin: County, batch: ImportBatch) -> None:
    client = hanyin.client("county_admin")
    result = client.get(f"/imports/{batch.id}").text
    assert f"/imports/{batch.id}/undo" in result
    page = client.get(f"/imports/{batch.id}/undo")
    assert page.status_code == 200
    assert "移除" in page.text
    assert f'method="post" action="/imports/{batch.id}/undo"' in page.text
    answer = press(client, batch)
    assert answer.status_code == 303
    assert "正在撤销" in client.get(f"/imports/{batch.id}").text
    assert work(hanyin, batch.id).state == "undone"
    assert register(hanyin)[1] == 0
    after = client.get(f"/imports/{batch.id}").text
    assert "该导入已撤销" in after
    # Asked for again it leads back with a word on it.
    again = client.get(f"/imports/{batch.id}/undo", follow_redirects=True)
    assert "已经撤销" in again.text


def test_what_stands_in_the_way_is_listed_filtered_and_taken_along(hanyin: County, batch: ImportBatch) -> None:
    name = build_on(hanyin)
    client = hanyin.client("county_admin")
    page = client.get(f"/imports/{batch.id}/undo").text
    assert name in page
    assert "之后添加或结束了标识" in page
    assert "/persons/" in page
    assert f'method="post" action="/imports/{batch.id}/undo"' not in page
    assert name in client.get(f"/imports/{batch.id}/undo?what=mark").text
    refused = press(client, batch, follow_redirects=True)
    assert "后续登记" in refused.text
    assert batch_of(hanyin, batch.id).state == "committed"
    exporting = f"/imports/{batch.id}/undo/export"
    assert f"{exporting}?what=mark" in client.get(f"/imports/{batch.id}/undo?what=mark").text
    assert "导出用途" in client.get(exporting).text
    token = client.get(exporting).text.split('name="csrf_token" value="')[1].split('"')[0]
    answer = client.post(exporting, data={"csrf_token": token, "purpose": "", "format": "xlsx"})
    assert answer.status_code == 422
    file = client.post(exporting, data={"csrf_token": token, "purpose": "逐条核对", "format": "xlsx"})
    assert file.status_code == 200
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(file.data)).get_sheet_by_index(0).to_python()
    assert "逐条核对" in str(sheet[0][0])
    assert [line[1] for line in sheet[2:]] == [name]
    with hanyin.uow() as uow:
        found = select(AuditEntry).where(AuditEntry.action == "import.undo_list")
        entry = uow.session.scalars(found).one()
        assert (entry.purpose, entry.object_label in str(sheet[0][0])) == ("逐条核对", True)
        assert entry.after["filters"]["batch"] == [batch.id]
        seen = uow.session.scalars(select(PersonAccessSet).where(PersonAccessSet.number == entry.object_label)).one()
        assert (seen.persons, seen.purpose) == (1, "逐条核对")
    nobody = hanyin.client(hanyin.account_with("import.run", "household.edit", "household.view"))
    assert "undo/export" not in nobody.get(f"/imports/{batch.id}/undo").text
    assert nobody.get(exporting).status_code == 403


def test_by_api(hanyin: County, batch: ImportBatch) -> None:
    client: Any = hanyin.client()
    bearer = hanyin.bearer(hanyin.account("county_admin"))
    client.environ_base["HTTP_AUTHORIZATION"] = bearer["Authorization"]
    path = f"/api/v1/imports/{batch.id}"
    outlook = client.get(f"{path}/undo")
    assert outlook.json["possible"] is True
    assert outlook.json["counts"]["households"] == 5
    name = build_on(hanyin)
    assert client.get(f"{path}/undo").json["built"] == {"mark": 1}
    listed = client.get(f"{path}/undo/built?limit=1").json
    assert [(item["what"], item["entity"], item["name"]) for item in listed["items"]] == [("mark", "person", name)]
    assert listed["next"] is None
    headers = {"If-Match": outlook.headers["ETag"]}
    refused = client.post(f"{path}/undo", headers=headers)
    assert refused.status_code == 409, refused.json
    with hanyin.uow() as uow:
        for mark in uow.session.scalars(select(PersonMark)):
            if mark.mark_key == "veteran" and mark.source == "":
                uow.session.delete(mark)
    assert client.post(f"{path}/undo").status_code == 428
    started = client.post(f"{path}/undo", headers=headers)
    assert (started.status_code, started.json["state"]) == (202, "undoing"), started.json
    assert work(hanyin, batch.id).state == "undone"
    assert client.get(path).json["undone_at"]
    assert client.get(f"{path}/undo").status_code == 409


def test_it_needs_the_right(hanyin: County, batch: ImportBatch) -> None:
    client = hanyin.client("village")
    assert client.get(f"/imports/{batch.id}/undo").status_code == 403
