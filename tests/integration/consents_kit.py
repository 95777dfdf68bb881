"""What the tests of notices and consents share: a notice, a child, what people say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from households_kit import VILLAGE, id_of
from sqlalchemy import delete, select
from tests.integration.test_privacy_care import years_ago

from xiangyue.features.households.bulk import HouseholdRow, upsert_households
from xiangyue.features.households.models import Person
from xiangyue.features.imports.models_erased import ErasedPerson
from xiangyue.features.privacy import queries_consent as queries
from xiangyue.features.privacy import service_consent, service_notice
from xiangyue.features.privacy.models import PrivacyRequest
from xiangyue.features.privacy.models_care import PersonCare
from xiangyue.features.privacy.models_consent import Notice, NoticeVersion, PersonConsent
from xiangyue.features.privacy.policy_consent import CONSENT_EDIT, NOTICE_MANAGE
from xiangyue.testing.fixtures import County

WORDS = {
    "title": "个人信息收集使用同意书",
    "title_en": "Consent to keeping personal data",
    "body": "为联系群众，村委会登记您的电话。\n您可以不同意。",
    "body_en": "To reach you, the village keeps your phone.",
    "purpose": "联系群众、通知办事",
    "lawful_basis": "consent",
    "source": "个人信息保护法第十三条",
    "fields": "电话\n备注",
    "retention": "在册期间",
    "handler": "东南村委会，0915-0000000",
    "consequence": "不再电话通知，改为上门。",
}


@pytest.fixture(name="clear_consents", autouse=True)
def clear(county: County) -> Iterator[None]:
    with county.uow() as uow:
        uow.session.execute(delete(Notice))
    yield
    with county.uow() as uow:
        for model in (PersonConsent, NoticeVersion, Notice, PersonCare, PrivacyRequest, ErasedPerson):
            uow.session.execute(delete(model))


def draft(county: County, **values: Any) -> int:
    with county.uow(county.actor(NOTICE_MANAGE)) as uow:
        return service_notice.add_notice(uow, values={**WORDS, "kind": "consent", **values}).id


def publish(county: County, id: int) -> NoticeVersion:
    with county.uow(county.actor(NOTICE_MANAGE)) as uow:
        found = queries.get_notice(uow, id).draft
        return service_notice.publish_draft(uow, id=id, version=found.version if found is not None else 0)


def published(county: County, **values: Any) -> int:
    id = draft(county, **values)
    publish(county, id)
    return id


def say(county: County, notice: int, name: str = "王德福", answer: str = "given", **values: Any) -> PersonConsent:
    person = id_of(county, Person, name=name)
    with county.uow(county.actor(CONSENT_EDIT)) as uow:
        values = {"answer": answer, "how": "phone", **values}
        return service_consent.record_consent(uow, person_id=person, notice_id=notice, values=values)


def standing(county: County, notice: int, which: str = "") -> dict[str, str]:
    with county.uow() as uow:
        found = queries.list_standers(uow, queries.get_notice(uow, notice), queries.StanderFilter(which))
        return {row.name: row.standing for row in found.rows}


def child(county: County, **more: Any) -> int:
    row = {"name": "李小苗", "relation": "02", "birth_date": years_ago(9), **more}
    with county.uow() as uow:
        keys = county.runtime.tenant_keys(uow)
        upsert_households(uow, keys, [HouseholdRow(VILLAGE + 3, "6109211002000077", "三组77号", [row])], source="t")
    return id_of(county, Person, name="李小苗")


def rows(county: County) -> list[PersonConsent]:
    with county.uow() as uow:
        return list(uow.session.scalars(select(PersonConsent).order_by(PersonConsent.id)))
