"""A county with three households, and what the tests of its pages share."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import delete, select

from xiangyue.access.models import AuditEntry
from xiangyue.features.households.bulk import HouseholdRow, upsert_households
from xiangyue.features.households.models import (
    CustomValue,
    Household,
    HouseholdAward,
    HouseholdIncome,
    NameSuffix,
    Person,
    PersonMark,
)
from xiangyue.jobs.models import Job
from xiangyue.jobs.run import run_with
from xiangyue.testing.fixtures import County

VILLAGE = 610921100200_000
TOWN = 610921100000_000
OTHER_VILLAGE = 610921101200_000
OTHER_TOWN = 610921101000_000
ID_NUMBER = "610921198001310011"


def roster() -> list[HouseholdRow]:
    head = {
        "name": "王德福", "relation": "02", "sex": 1, "birth_date": date(1980, 1, 31), "id_number": ID_NUMBER,
        "phone": "15400000017", "marks": ["party_member", "disabled"],
    }  # fmt: skip
    wife = {"name": "陈桂兰", "relation": "12", "sex": 2, "birth_date": date(1982, 3, 1), "away": True}
    return [
        HouseholdRow(VILLAGE + 3, "6109211002000001", "=HYPERLINK(1)", [head, wife], (2024, 32000), {"housing": "own"}),
        HouseholdRow(VILLAGE + 3, "6109211002000002", "三组2号", [{"name": "吴·木子", "relation": "02"}]),
        HouseholdRow(OTHER_VILLAGE, "6109211012000001", "一组1号", [{"name": "周永贵", "relation": "02"}]),
    ]


@pytest.fixture(name="county")
def filled_county(hanyin: County) -> Iterator[County]:
    with hanyin.uow() as uow:
        upsert_households(uow, hanyin.runtime.tenant_keys(uow), roster(), source="2024年花名册")
    yield hanyin
    with hanyin.uow() as uow:
        for model in (CustomValue, HouseholdAward, HouseholdIncome, NameSuffix, PersonMark, Person, Household):
            uow.session.execute(delete(model))


def id_of(county: County, model: Any, **match: Any) -> int:
    with county.uow() as uow:
        conditions = [getattr(model, name) == value for name, value in match.items()]
        return int(uow.session.scalars(select(model.id).where(*conditions)).one())


def text(client: Any, url: str, **options: Any) -> str:
    answer = client.get(url, **options)
    assert answer.status_code == 200, (url, answer.status_code)
    return str(answer.get_data(as_text=True))


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None, name
    return found[1]


def post(client: Any, page: str, url: str, **fields: Any) -> Any:
    return client.post(url, data={"csrf_token": hidden(text(client, page), "csrf_token"), **fields})


def entries(county: County, action: str) -> list[AuditEntry]:
    with county.uow() as uow:
        found = select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.id)
        return list(uow.session.scalars(found))


def exported_by_job(county: County, client: Any, address: str, **values: str) -> bytes:
    """The file of an export that is too long to be sent at once."""
    kept = county.runtime.settings
    county.runtime.settings = replace(kept, export_direct_rows=0)
    try:
        answer = post(client, address, address, **values)
    finally:
        county.runtime.settings = kept
    assert answer.status_code == 303, answer.text
    id = int(answer.headers["Location"].rpartition("/")[2])
    assert run_with(county.runtime, county.info.id, id) == "succeeded"
    with county.uow() as uow:
        token = uow.get(Job, id).result["file"]  # type: ignore[index]
    with client.get(f"/files/{token}") as file:
        assert file.status_code == 200
        return bytes(file.data)
