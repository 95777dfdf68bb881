"""A village of six households with the numbers of the county's own example, and shorthands."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook
from sqlalchemy import create_engine, select, text

from xiangyue.sdk.access import Permission
from xiangyue.sdk.db import scoped_rows
from xiangyue.sdk.i18n import today
from xiangyue.sdk.register import (
    AREA_VIEW,
    CLASSIFICATION_COMPUTE,
    CLASSIFICATION_EXPORT,
    CLASSIFICATION_VIEW,
    HOUSEHOLD_EDIT,
    HOUSEHOLD_VIEW,
    Household,
    HouseholdAward,
    HouseholdIncome,
    Person,
    PersonMark,
    compute_area,
    decide,
)
from xiangyue.sdk.testing import County
from xiangyue.sdk.testing import switch as switch_plugin
from xiangyue_contact321 import policy

VILLAGE = 610921100200_000
OTHER_VILLAGE = 610921100203_000
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
    switch_plugin(county, "contact321", enabled)


def set_rule(county: County, **values: Any) -> None:
    county.set_plugin("contact321", **values)


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


def empty(county: County, *more: str) -> None:
    """As the owner: the runtime role cannot take history away."""
    url = county.runtime.settings.migration_database_url.replace("postgresql://", "postgresql+psycopg://", 1)
    engine = create_engine(url)
    with engine.begin() as connection:
        for table in (*more, *_TABLES):
            connection.execute(text(f"DELETE FROM {table} WHERE tenant_id = :tenant"), {"tenant": county.info.id})
    engine.dispose()


def compute(county: County, *, area: int = 0, on: date | None = None) -> dict[str, int]:
    with county.uow() as uow:
        return compute_area(uow, classifier=policy.COLOUR, area=area, on=on).numbers()


def home_of(county: County, name: str) -> int:
    with county.uow() as uow:
        return uow.session.scalars(select(Household.id).where(Household.head_name == name)).one()


@dataclass(frozen=True)
class Row:
    """A classification as it is stored."""

    head: str
    id: int
    household_id: int
    proposed: str
    clause: str
    rule_version: str
    inputs: dict[str, Any]
    state: str
    step: int
    outcome: str
    review_due: date | None
    version: int


def rows(county: County) -> dict[str, Row]:
    """By head; lapsed ones are left out."""
    with county.uow() as uow:
        found = scoped_rows(
            uow.session,
            "SELECT h.head_name, c.id, c.household_id, c.proposed, c.clause, c.rule_version, c.inputs, c.state, c.step,"
            " c.outcome, c.review_due, c.version FROM classification c JOIN household h ON h.id = c.household_id"
            " WHERE {tenant:c} AND {tenant:h} AND c.classifier = :key AND c.state <> 'lapsed'",
            {"key": policy.COLOUR},
        )
    return {row[0]: Row(*row) for row in found}


def row_of(county: County, name: str) -> Row:
    return rows(county)[name]


def colours(county: County) -> dict[str, str]:
    """Head -> colour proposed, or the reason why there is none."""
    return {
        name: row.inputs["reason"] if row.proposed == "undetermined" else row.proposed
        for name, row in rows(county).items()
    }


def judge(county: County, name: str, step: str, outcome: str, *, note: str = "") -> Row:
    row = row_of(county, name)
    with county.uow(county.actor(*EVERY_RIGHT)) as uow:
        decide(
            uow,
            household_id=row.household_id,
            classifier=policy.COLOUR,
            step=step,
            outcome=outcome,
            version=row.version,
            note=note,
        )
    return row_of(county, name)


def entries(county: County, action: str) -> list[dict[str, Any]]:
    """What entries of the audit trail say of an action."""
    with county.uow() as uow:
        sql = "SELECT a.after FROM audit_entry a WHERE {tenant:a} AND a.action = :action ORDER BY a.id"
        return [row[0] for row in scoped_rows(uow.session, sql, {"action": action})]


def client_with(county: County, *rights: Permission | str, area: int = 0, locale: str = "zh") -> FlaskClient:
    return county.client(county.account_with(*rights, AREA_VIEW, area=area, locale=locale))


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
    found: list[list[Any]] = CalamineWorkbook.from_filelike(io.BytesIO(answer.data)).get_sheet_by_index(0).to_python()
    return found
