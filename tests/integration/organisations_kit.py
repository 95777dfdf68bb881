"""A village with two families, a village committee and a supervision committee."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from households_kit import VILLAGE, id_of
from sqlalchemy import delete, select

from xiangyue.features.households.bulk import HouseholdRow, upsert_households
from xiangyue.features.households.models import Household, NameSuffix, Person, PersonMark
from xiangyue.features.households.models_register import HouseholdMember, RegisterAct, RegisterActPart
from xiangyue.features.organisations import service, service_holders
from xiangyue.features.organisations.models import Organisation, OrganisationElection, Post, PostHolder
from xiangyue.features.organisations.policy import EDIT
from xiangyue.testing.fixtures import County

__all__ = ["EDIT", "appointed", "cleared", "county", "holder_values", "organisation", "person", "post_id"]

START = date(2024, 3, 1)


def people() -> list[HouseholdRow]:
    family = [
        {"name": "王建国", "relation": "02", "sex": 1, "birth_date": date(1970, 1, 31)},
        {"name": "陈桂兰", "relation": "12", "sex": 2, "birth_date": date(1972, 3, 1)},
        {"name": "王小山", "relation": "20", "sex": 1, "birth_date": date(1995, 5, 5)},
        {"name": "李春花", "relation": "38", "sex": 2, "birth_date": date(1996, 6, 6)},
        {"name": "王苗苗", "relation": "40", "sex": 2, "birth_date": date(2015, 6, 6)},
    ]
    alone = [
        [{"name": name, "relation": "02", "birth_date": date(1980, 1, 1)}]
        for name in ("赵永红", "孙立", "周全", "吴·木子")
    ]
    rows = (family, *alone)
    return [
        HouseholdRow(VILLAGE + 3, f"610921100200{n:04}", f"三组{n}号", list(some)) for n, some in enumerate(rows, 71)
    ]


@pytest.fixture(scope="module", name="county")
def county(hanyin: County) -> Iterator[County]:
    with hanyin.uow() as uow:
        upsert_households(uow, hanyin.runtime.tenant_keys(uow), people(), source="t")
    yield hanyin
    empty(hanyin)
    with hanyin.uow() as uow:
        for model in (RegisterActPart, RegisterAct, NameSuffix, PersonMark, HouseholdMember, Person, Household):
            uow.session.execute(delete(model))


def empty(county: County) -> None:
    with county.uow() as uow:
        for model in (PostHolder, OrganisationElection, Post, Organisation):
            uow.session.execute(delete(model))


@pytest.fixture(autouse=True)
def cleared(county: County) -> Any:
    yield
    empty(county)


def person(county: County, name: str) -> int:
    return id_of(county, Person, name=name)


def organisation(
    county: County, kind: str = "village_committee", name: str = "", area: int = VILLAGE, **values: Any
) -> Organisation:
    with county.uow(county.actor(EDIT)) as uow:
        return service.create_organisation(
            uow, values={"kind": kind, "name": name or kind, "area": str(area), **values}
        )


def post_id(county: County, organisation: Organisation, key: str) -> int:
    with county.uow() as uow:
        found = select(Post.id).where(Post.organisation_id == organisation.id, Post.key == key)
        return uow.session.scalars(found).one()


def holder_values(county: County, name: str, since: Any = START, **values: Any) -> dict[str, Any]:
    who = {"person_id": person(county, name)} if "outsider_name" not in values else {}
    return {"valid_from": since, "way": "elected", "decided_on": since, **who, **values}


def appointed(
    county: County, organisation: Organisation, key: str, name: str, since: Any = START, **values: Any
) -> PostHolder:
    post = post_id(county, organisation, key)
    with county.uow(county.actor(EDIT)) as uow:
        return service_holders.appoint(uow, post_id=post, values=holder_values(county, name, since, **values))
