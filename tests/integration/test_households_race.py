"""Two who change different members of one household at once."""

from __future__ import annotations

import threading
from typing import Any

import psycopg
from sqlalchemy import delete, select

from xiangyue.features.households import service, service_persons
from xiangyue.features.households.models import Household, NameSuffix, Person
from xiangyue.features.households.person_input import today
from xiangyue.testing.fixtures import County
from xiangyue.testing.homes import wait_until

VILLAGE = 610921100200_000


def leave(uow: Any, person_id: int) -> None:
    service_persons.person_left(uow, person_id=person_id, version=1, state="moved", on=today(), reason="外出定居")


def test_the_size_of_a_household_is_right_when_two_members_leave_at_once(hanyin: County) -> None:
    with hanyin.uow() as uow:
        keys = hanyin.runtime.tenant_keys(uow)
        household = service.register_household(uow, keys=keys, area_code=VILLAGE, head={"name": "王德福"})
        ids = [
            service_persons.add_person(
                uow, keys=keys, household_id=household.id, values={"name": name, "relation": "20"}
            ).id
            for name in ("王强", "王芳")
        ]

    def second() -> None:
        with hanyin.uow() as uow:
            leave(uow, ids[1])

    thread = threading.Thread(target=second)
    with hanyin.uow() as uow:
        leave(uow, ids[0])
        uow.session.flush()
        thread.start()
        with psycopg.connect(hanyin.runtime.settings.database_url.replace("xiangyue_app@", "postgres@")) as onlooker:
            waits = "SELECT count(*) FROM pg_locks WHERE NOT granted"
            wait_until(lambda: onlooker.execute(waits).fetchone() != (0,))
    thread.join(10)
    with hanyin.uow() as uow:
        assert uow.session.scalars(select(Household.person_count)).one() == 1
        for model in (NameSuffix, Person, Household):
            uow.session.execute(delete(model))
