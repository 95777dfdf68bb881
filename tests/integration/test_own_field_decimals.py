"""A county's own number with two places after the point on its whole way: made in the settings, brought by a roster,
typed, told, waiting for a decision, cleared and put back, by API and in a file."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import openpyxl
import pytest
from households_kit import hidden, id_of, post, text
from imports_kit import batch_of, checked, commit, empty, register, undo
from sqlalchemy import create_engine, delete, select
from sqlalchemy import text as sql
from tests.corpus.case import HEAD, HEADER, OTHER
from tests.corpus.formats import xlsx
from tests.integration.test_imports_update import changed_by, errors
from tests.integration.test_imports_update_clear import mend

from xiangyue.config import Settings
from xiangyue.db.migrate import downgrade, upgrade
from xiangyue.features.facts import queries, service
from xiangyue.features.households.models import CustomField, CustomValue, Household
from xiangyue.features.households.models_facts import FactConflict, FactOrigin
from xiangyue.features.imports.models import ImportBatch
from xiangyue.testing.fixtures import County
from xiangyue.testing.source import english_page_faults

NAME = "耕地面积"
PATH = "/settings/custom-fields/new"


@pytest.fixture(name="county")
def county_with_a_decimal(hanyin: County) -> Iterator[County]:
    empty(hanyin)
    made = post(
        hanyin.client("county_admin"), PATH, PATH, entity="household", type="decimal", name=NAME, name_en="Farmland"
    )
    assert made.status_code == 303
    yield hanyin
    empty(hanyin)
    with hanyin.uow() as uow:
        for model in (FactConflict, FactOrigin):
            uow.session.execute(delete(model))
        uow.session.execute(delete(CustomField).where(CustomField.name == NAME))


def brought(county: County, one: Any, other: Any) -> ImportBatch:
    return checked(county, xlsx([[*HEADER, NAME], [*HEAD, one], [*OTHER, other]]))


def sheet_of(client: Any, path: str) -> Any:
    return openpyxl.load_workbook(io.BytesIO(client.get(path, buffered=True).data)).active


def kept(county: County) -> list[int | None]:
    with county.uow() as uow:
        return list(uow.session.scalars(select(CustomValue.int_value).order_by(CustomValue.int_value)))


def typed(county: County, value: str) -> Any:
    home = f"/households/{id_of(county, Household, head_name='王试一')}"
    client = county.client("county_admin")
    page = text(client, f"{home}/edit")
    sent = {name: hidden(page, name) for name in ("csrf_token", "version")}
    return client.post(f"{home}/edit", data={**sent, "custom.farmland": value})


def test_a_roster_brings_it_and_says_what_it_cannot_take(county: County) -> None:
    admin = county.client("county_admin")
    assert NAME in [cell.value for row in sheet_of(admin, "/imports/template.xlsx").iter_rows() for cell in row]
    batch = brought(county, 3.555, "3.5亩")
    assert errors(county, batch) == [
        (2, "household.farmland", "decimal_format"), (3, "household.farmland", "decimal_format"),
    ]  # fmt: skip
    assert "不是数字，或多于两位小数" in text(admin, f"/imports/{batch.id}")
    wrong = sheet_of(admin, f"/imports/{batch.id}/errors.xlsx")
    assert "小数点后最多两位" in str([cell.value for cell in wrong[2]])
    mend(county, batch, 2, "household.farmland", "３２．７５")
    mend(county, batch, 3, "household.farmland", "-0.5")
    assert commit(county, batch_of(county, batch.id)).state == "committed"
    assert kept(county) == [-50, 3275]
    again = brought(county, "32.750", -0.5)
    assert (errors(county, again), again.counts["households_changed"]) == ([], 0)


def test_it_is_typed_and_told_as_it_is_written(county: County) -> None:
    commit(county, brought(county, 32.75, None))
    refused = typed(county, "3.555")
    assert 'inputmode="decimal"' in refused.text
    assert refused.status_code == 422
    assert "小数点后最多两位" in refused.text
    assert 'value="3.555"' in refused.text
    assert typed(county, "３．５０").status_code == 303
    assert kept(county) == [350]
    home = f"/households/{id_of(county, Household, head_name='王试一')}"
    admin = county.client("county_admin")
    page = text(admin, home)
    assert f"{NAME}</dt><dd>3.5</dd>" in page.replace("\n", "")
    assert "32.75 → 3.5" in page.replace("</span>", "")
    assert "32.75" in text(admin, "/audit?action=household.edit")
    english = county.client("county_admin", locale="en")
    assert english_page_faults(text(english, f"{home}/edit")) == []
    assert english_page_faults(text(english, PATH)) == []


def test_a_roster_that_says_otherwise_waits_and_can_be_taken(county: County) -> None:
    commit(county, brought(county, 32.75, None))
    typed(county, "3.5")
    commit(county, brought(county, 12.25, None))
    assert kept(county) == [350]
    with county.uow() as uow:
        keys = county.runtime.tenant_keys(uow)
        (row,) = queries.list_facts(uow, keys, queries.FactFilter()).items
        assert (row["ours"], row["value"]) == ("3.5", "12.25")
        service.decide_facts(uow, keys=keys, ids=[row["id"]], way="take")
    assert kept(county) == [1225]


def test_what_a_file_cleared_comes_back_only_as_what_it_was(county: County) -> None:
    commit(county, brought(county, 32.75, None))
    before = register(county)
    with county.uow() as uow:
        code = uow.session.scalars(select(Household.code).where(Household.head_name == "王试一")).one()
    file = [["户编码", NAME], [code, "清空"]]
    batch = changed_by(county, file)
    assert batch.counts["samples"][0]["before"] == {"custom.farmland": "32.75"}
    undo(county, commit(county, batch))
    assert register(county) == before
    batch = commit(county, changed_by(county, file))
    with county.uow() as uow:
        uow.session.scalars(select(CustomField).where(CustomField.name == NAME)).one().type = "integer"
    assert undo(county, batch).state == "undone"
    assert kept(county) == []


def test_by_the_api_and_in_a_file_it_is_a_number(county: County) -> None:
    commit(county, brought(county, 32.75, 4))
    admin = county.account("county_admin")
    client, headers = county.client(), county.bearer(admin)
    url = f"/api/v1/households/{id_of(county, Household, head_name='王试一')}"
    version = client.get(url, headers=headers).headers["ETag"]
    for given, status in ((3.555, 422), ("3.5亩", 422), (1234.5, 200)):
        answer = client.patch(url, json={"custom": {"farmland": given}}, headers={**headers, "If-Match": version})
        assert answer.status_code == status, answer.text
    assert client.get(url, headers=headers).json["custom"]["farmland"] == 1234.5
    (field,) = [
        one for one in client.get("/api/v1/custom-fields", headers=headers).json["items"] if one["key"] == "farmland"
    ]
    assert (field["type"], field["used"]) == ("decimal", 2)
    path = "/households/export?cols=custom.farmland&sort=custom.farmland"
    file = post(county.client(admin), path, path, purpose="核对", format="xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(file.data)).active
    assert sheet is not None
    found = [row[-1] for row in sheet.iter_rows(min_row=3, values_only=True)]
    assert found == [4, 1234.5]


def test_going_back_to_the_version_before_leaves_texts(pg_server: Any, provisioned: Settings) -> None:
    owner, _app = pg_server.create_database("decimals")
    upgrade(owner, provisioned.migrations_dir)
    engine = create_engine(owner.replace("postgresql://", "postgresql+psycopg://", 1))
    with engine.begin() as connection:
        connection.execute(
            sql(
                "INSERT INTO custom_field (tenant_id, id, entity, key, type, name, name_en, help, help_en, options,"
                " position) VALUES (1, 1, 'household', 'land', 'decimal', '地', '', '', '', '[]', 0)"
            )
        )
        connection.execute(
            sql(
                "INSERT INTO custom_value (tenant_id, area_code, field_id, owner_id, int_value)"
                " VALUES (1, 1, 1, 1, 3275), (1, 1, 1, 2, 400)"
            )
        )
    downgrade(owner, provisioned.migrations_dir, "0041")
    with engine.connect() as connection:
        rows = connection.execute(
            sql("SELECT f.type, v.text_value, v.int_value FROM custom_value v, custom_field f ORDER BY v.owner_id")
        ).all()
    engine.dispose()
    assert [tuple(row) for row in rows] == [("text", "32.75", None), ("text", "4", None)]
