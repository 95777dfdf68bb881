"""A village of six households with the numbers of the county's own example, and shorthands."""

from __future__ import annotations

import io
import re
from datetime import date
from typing import Any

from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook
from sqlalchemy import create_engine, select, text

from xiangyue.access.models import Account, Role, RoleGrant
from xiangyue.access.permissions import Permission
from xiangyue.features.areas.policy import AREA_VIEW
from xiangyue.features.classifications.compute import today
from xiangyue.features.classifications.models import Classification
from xiangyue.features.classifications.policy import (
    CLASSIFICATION_COMPUTE,
    CLASSIFICATION_EXPORT,
    CLASSIFICATION_VIEW,
)
from xiangyue.features.classifications.service import decide
from xiangyue.features.classifications.service_compute import compute_area
from xiangyue.features.households.models import Household, HouseholdAward, HouseholdIncome, Person, PersonMark
from xiangyue.features.households.policy import HOUSEHOLD_EDIT, HOUSEHOLD_VIEW
from xiangyue.features.plugins.service import set_plugin_settings, switch_plugin
from xiangyue.jobs.models import Job
from xiangyue.jobs.run import run_with
from xiangyue.plugin.models import TenantPlugin
from xiangyue.testing.fixtures import County
from xiangyue_contact321 import policy

VILLAGE = 610921100200_000
OTHER_VILLAGE = 610921100201_000
#: The year of the incomes, and the last that was rated.
YEAR = today().year - 1
SAFE = "safe_family"

#: Head -> (income of the year, won the award in (the year, the year before, two before), marks).
Home = tuple[int | None, tuple[bool | None, bool | None, bool | None], tuple[str, ...]]
SIX: dict[str, Home] = {
    "甲持平": (20_000, (True, True, True), ()),
    "乙略低": (19_999, (False, False, None), ()),
    "丙较高": (25_000, (True, False, True), ()),
    "丁去年": (15_000, (True, None, None), ()),
    "戊残疾": (30_000, (True, True, True), ("disabled",)),
    "己缺档": (10_001, (None, None, None), ()),
}
EVERY_RIGHT = (
    policy.VIEW, policy.CONFIRM_VILLAGE, policy.CONFIRM_TOWN, CLASSIFICATION_VIEW, CLASSIFICATION_COMPUTE,
    CLASSIFICATION_EXPORT, HOUSEHOLD_VIEW, HOUSEHOLD_EDIT,
)  # fmt: skip


def switch(county: County, enabled: bool = True) -> None:
    """As the county's page does it."""
    with county.uow() as uow:
        switch_plugin(uow, name="contact321", enabled=enabled)


def set_rule(county: County, **values: Any) -> None:
    with county.uow() as uow:
        row = uow.session.scalars(select(TenantPlugin).where(TenantPlugin.name == "contact321")).one()
        set_plugin_settings(uow, name="contact321", version=row.version, values=values)


def fill(county: County, homes: dict[str, Home], *, area: int = VILLAGE, members: int = 1, year: int = YEAR) -> None:
    """These households in a village, with records as they are."""
    with county.uow() as uow:
        for n, (name, (income, awards, marks)) in enumerate(homes.items(), 1):
            code = f"{area // 1000}{n:04}"
            home = Household(area_code=area, code=code, head_name=name, sort_key=name, person_count=members)
            uow.session.add(home)
            uow.session.flush()
            person = Person(area_code=area, household_id=home.id, name=name, relation="02")
            uow.session.add(person)
            if income is not None:
                uow.session.add(HouseholdIncome(area_code=area, household_id=home.id, year=year, amount=income))
            for back, awarded in enumerate(awards):
                if awarded is not None:
                    award = HouseholdAward(area_code=area, household_id=home.id, award_key=SAFE, year=year - back)
                    award.awarded = awarded
                    uow.session.add(award)
            uow.session.flush()
            for mark in marks:
                uow.session.add(PersonMark(area_code=area, person_id=person.id, household_id=home.id, mark_key=mark))


_TABLES = (
    "classification_event", "classification", "household_income", "household_award", "person_mark", "name_suffix",
    "custom_value", "person", "household", "tenant_plugin", "outbox_message", "job",
)  # fmt: skip


def empty(county: County) -> None:
    """As the owner: the runtime role cannot take history away."""
    url = county.runtime.settings.migration_database_url.replace("postgresql://", "postgresql+psycopg://", 1)
    engine = create_engine(url)
    with engine.begin() as connection:
        for table in _TABLES:
            connection.execute(text(f"DELETE FROM {table} WHERE tenant_id = :tenant"), {"tenant": county.info.id})
    engine.dispose()


def compute(county: County, *, area: int = 0, on: date | None = None) -> dict[str, int]:
    with county.uow() as uow:
        return compute_area(uow, classifier=policy.COLOUR, area=area, on=on).numbers()


def home_of(county: County, name: str) -> int:
    with county.uow() as uow:
        return uow.session.scalars(select(Household.id).where(Household.head_name == name)).one()


def row_of(county: County, name: str) -> Classification:
    household = home_of(county, name)
    with county.uow() as uow:
        return uow.session.scalars(select(Classification).where(Classification.household_id == household)).one()


def colours(county: County) -> dict[str, str]:
    """Head -> colour proposed, or the reason why there is none."""
    with county.uow() as uow:
        joined = select(Household.head_name, Classification.proposed, Classification.inputs).join(
            Classification,
            (Classification.tenant_id == Household.tenant_id) & (Classification.household_id == Household.id),
        )
        found = uow.session.execute(joined.where(Classification.state != "lapsed")).all()
    return {name: inputs["reason"] if colour == "undetermined" else colour for name, colour, inputs in found}


def judge(county: County, name: str, step: str, outcome: str, *, note: str = "", actor: Any = None) -> Classification:
    row = row_of(county, name)
    with county.uow(actor or county.actor(*EVERY_RIGHT)) as uow:
        return decide(
            uow,
            household_id=row.household_id,
            classifier=policy.COLOUR,
            step=step,
            outcome=outcome,
            version=row.version,
            note=note,
        )


def account_with(county: County, *permissions: Permission, area: int = 0, locale: str = "zh") -> Account:
    """An account whose only role has exactly these rights."""
    account = county.account(None, locale=locale)
    with county.uow() as uow:
        role = Role(key=f"role{account.id}", name="角色", permissions=[p.name for p in permissions])
        uow.session.add(role)
        uow.session.flush()
        code = area or county.info.area_code
        uow.session.add(RoleGrant(account_id=account.id, role_id=role.id, area_code=code))
    return account


def client_with(county: County, *permissions: Permission, area: int = 0, locale: str = "zh") -> FlaskClient:
    return county.client(account_with(county, *permissions, AREA_VIEW, area=area, locale=locale))


def page_text(client: FlaskClient, url: str, **options: Any) -> str:
    answer = client.get(url, **options)
    assert answer.status_code == 200, (url, answer.status_code)
    return str(answer.get_data(as_text=True))


def post(client: FlaskClient, page: str, url: str, **fields: Any) -> Any:
    """As the form of a page would."""
    token = re.search(r'name="csrf_token" value="([^"]*)"', page_text(client, page))
    assert token is not None
    return client.post(url, data={"csrf_token": token[1], **fields})


def sheet(answer: Any) -> list[list[Any]]:
    assert answer.status_code == 200, answer.get_data(as_text=True)[:500]
    rows: list[list[Any]] = CalamineWorkbook.from_filelike(io.BytesIO(answer.data)).get_sheet_by_index(0).to_python()
    return rows


def open_jobs(county: County) -> list[Job]:
    with county.uow() as uow:
        return list(uow.session.scalars(select(Job).where(Job.state == "queued").order_by(Job.id)))


def run_jobs(county: County) -> list[str]:
    """Do what waits, and what comes of it; the kinds in order."""
    kinds = []
    while waiting := open_jobs(county):
        for job in waiting:
            assert run_with(county.runtime, county.info.id, job.id) == "succeeded", (job.kind, job.params)
            kinds.append(job.kind)
    return kinds
