"""A county with a classifier of its own: three tones by income, red by a sensitive mark, two steps."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest
from sqlalchemy import create_engine, select, text

from xiangyue.access.models import Account, Role, RoleGrant
from xiangyue.access.permissions import Permission
from xiangyue.features.classifications.models import Classification, ClassificationEvent
from xiangyue.features.classifications.policy import (
    CLASSIFICATION_COMPUTE,
    CLASSIFICATION_EXPORT,
    CLASSIFICATION_VIEW,
)
from xiangyue.features.classifications.service import decide
from xiangyue.features.classifications.service_compute import compute_area
from xiangyue.features.households.models import Household, HouseholdIncome, Person, PersonMark
from xiangyue.features.households.policy import HOUSEHOLD_VIEW, SENSITIVE_VIEW
from xiangyue.plugin.offer import Contributor
from xiangyue.plugin.registry import Classifier, Clause, Input, Outcome, Proposals, RuleVersion, Step
from xiangyue.runtime import Runtime
from xiangyue.testing.fixtures import County

VILLAGE = 610921100200_000
OTHER_VILLAGE = 610921100201_000
TOWN = 610921100000_000
OTHER_TOWN = 610921101000_000
YEAR = 2025
KEY = "shade.colour"

SEE = Permission("shade.view", "See shades")
VILLAGE_STEP = Permission("shade.village", "Confirm shades for the village")
TOWN_STEP = Permission("shade.town", "Confirm shades for the town")
EVERY_RIGHT = (
    SEE, VILLAGE_STEP, TOWN_STEP, CLASSIFICATION_VIEW, CLASSIFICATION_COMPUTE, CLASSIFICATION_EXPORT, HOUSEHOLD_VIEW,
)  # fmt: skip

#: What a test may turn: the line between poor and rich, and the whole statement.
RULE: dict[str, Any] = {}
LINE = 20_000

_SQL = """
SELECT h.id AS household_id, v.outcome, v.clause,
       jsonb_strip_nulls(jsonb_build_object('ill', ill.names)) || jsonb_build_object('income', i.amount,
           'line', CAST(:line AS bigint)) AS inputs
  FROM household h
  LEFT JOIN household_income i ON {tenant:i} AND i.household_id = h.id AND i.year = :year
  LEFT JOIN LATERAL (
       SELECT jsonb_agg(p.name ORDER BY p.id) AS names
         FROM person_mark k JOIN person p ON {tenant:p} AND p.id = k.person_id
        WHERE {tenant:k} AND k.household_id = h.id AND k.mark_key = 'disabled' AND k.valid_to IS NULL) ill ON true
 CROSS JOIN LATERAL (SELECT CASE WHEN ill.names IS NOT NULL THEN 'red' WHEN i.amount IS NULL THEN 'open'
            WHEN i.amount >= :line THEN 'green' WHEN i.amount < :line - 5000 THEN 'yellow' ELSE 'open' END AS outcome,
       CASE WHEN ill.names IS NOT NULL THEN 'illness' WHEN i.amount IS NULL THEN 'missing'
            WHEN i.amount >= :line OR i.amount < :line - 5000 THEN 'income' ELSE 'gap' END AS clause) v
 WHERE {scope:h} AND h.state = 'active'
"""


def propose(_uow: Any, _on: date) -> Proposals:
    return Proposals(RULE.get("sql", _SQL), {"line": RULE.get("line", LINE), "year": YEAR} | RULE.get("more", {}))


CLASSIFIER = Classifier(
    key=KEY,
    label="Shade",
    permission=SEE,
    outcomes=(
        Outcome("green", "Green", "green"),
        Outcome("yellow", "Yellow", "yellow"),
        Outcome("red", "Red", "red"),
        Outcome("open", "Open", "grey", undetermined=True),
    ),
    inputs=(
        Input("income", "Income", "money"),
        Input("line", "Line", "money"),
        Input("ill", "Members who are ill", "list", SENSITIVE_VIEW),
    ),
    versions=(
        RuleVersion(
            "2021",
            date(2021, 1, 1),
            (
                Clause("income", "县发〔2021〕1号 一", "按收入"),
                Clause("illness", "县发〔2021〕1号 二", "按疾病"),
                Clause("gap", "县发〔2021〕1号 三", "未规定"),
                Clause("missing", "县发〔2021〕1号 四", "缺数据"),
            ),
        ),
        RuleVersion("2100", date(2100, 1, 1), ()),
    ),
    steps=(Step("village", "Village review", VILLAGE_STEP), Step("town", "Town review", TOWN_STEP)),
    propose=propose,
)


@contextmanager
def classifier_planted(runtime: Runtime) -> Iterator[None]:
    """The classifier and its rights, as a feature of the core: every county has it."""
    offered = {"permissions": (SEE, VILLAGE_STEP, TOWN_STEP), "classifiers": (CLASSIFIER,)}
    original = runtime.registry.contributors
    runtime.registry.take([*original, Contributor("shade", sys.modules[__name__], offered=offered)])
    RULE.clear()
    try:
        yield
    finally:
        runtime.registry.take(original)


#: Household (name of the head) -> (area, income, marks of the head).
HOMES: dict[str, tuple[int, int | None, tuple[str, ...]]] = {
    "富有": (VILLAGE, 25_000, ()),
    "恰好": (VILLAGE, 20_000, ()),
    "两难": (VILLAGE, 16_000, ()),
    "清贫": (VILLAGE, 9_000, ()),
    "患病": (VILLAGE, 30_000, ("disabled",)),
    "未报": (VILLAGE, None, ()),
    "邻村": (OTHER_VILLAGE, 9_000, ()),
    "远乡": (OTHER_TOWN + 200_000, 9_000, ()),
}


@pytest.fixture(name="county")
def computed_county(hanyin: County) -> Iterator[County]:
    with classifier_planted(hanyin.runtime):
        fill(hanyin)
        compute(hanyin)
        yield hanyin
        empty(hanyin)


def fill(county: County) -> None:
    with county.uow() as uow:
        for n, (name, (area, income, marks)) in enumerate(HOMES.items(), 1):
            home = Household(area_code=area, code=f"{area // 1000}{n:04}", head_name=name, person_count=1)
            uow.session.add(home)
            uow.session.flush()
            person = Person(area_code=area, household_id=home.id, name=name, relation="02")
            uow.session.add(person)
            if income is not None:
                uow.session.add(HouseholdIncome(area_code=area, household_id=home.id, year=YEAR, amount=income))
            uow.session.flush()
            uow.session.add_all(
                PersonMark(area_code=area, person_id=person.id, household_id=home.id, mark_key=mark) for mark in marks
            )


def empty(county: County) -> None:
    """As the owner: the runtime role cannot take history away."""
    url = county.runtime.settings.migration_database_url.replace("postgresql://", "postgresql+psycopg://", 1)
    engine = create_engine(url)
    with engine.begin() as connection:
        for model in (ClassificationEvent, Classification, HouseholdIncome, PersonMark, Person, Household):
            connection.execute(
                text(f"DELETE FROM {model.__tablename__} WHERE tenant_id = :tenant"), {"tenant": county.info.id}
            )
    engine.dispose()


def compute(county: County, **options: Any) -> dict[str, int]:
    with county.uow() as uow:
        return compute_area(uow, classifier=KEY, **options).numbers()


def home_of(county: County, name: str) -> int:
    with county.uow() as uow:
        return uow.session.scalars(select(Household.id).where(Household.head_name == name)).one()


def row_of(county: County, name: str) -> Classification:
    household = home_of(county, name)
    with county.uow() as uow:
        return uow.session.scalars(select(Classification).where(Classification.household_id == household)).one()


def events_of(county: County, name: str) -> list[ClassificationEvent]:
    row = row_of(county, name)
    with county.uow() as uow:
        statement = select(ClassificationEvent).where(ClassificationEvent.classification_id == row.id)
        return list(uow.session.scalars(statement.order_by(ClassificationEvent.id)))


def judge(county: County, name: str, step: str, outcome: str, *, note: str = "", actor: Any = None) -> Classification:
    """One step as somebody with every right (or as ``actor``)."""
    row = row_of(county, name)
    with county.uow(actor or county.actor(*EVERY_RIGHT)) as uow:
        return decide(
            uow,
            household_id=row.household_id,
            classifier=KEY,
            step=step,
            outcome=outcome,
            version=row.version,
            note=note,
        )


def put_in_force(county: County, name: str, outcome: str, *, note: str = "") -> Classification:
    judge(county, name, "village", outcome, note=note)
    return judge(county, name, "town", outcome)


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
