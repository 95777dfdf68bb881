"""Plugins are asked before a household changes and told afterwards; what they refuse is said where it was typed."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import pytest
from households_kit import ID_NUMBER, VILLAGE, filled_county, hidden, id_of, post, text
from points_kit import LABEL, faults, probe
from sqlalchemy import select

from xiangyue.db.uow import Uow
from xiangyue.errors import Refused
from xiangyue.features.households import service, service_persons, service_records
from xiangyue.features.households.models import Household, Person, PersonMark
from xiangyue.jobs.models import Job
from xiangyue.testing.fixtures import County

__all__ = ["filled_county"]

CODE = "6109211002000001"
Act = Callable[[Uow, Any], Any]


def home(uow: Uow) -> Household:
    return uow.session.scalars(select(Household).where(Household.code == CODE)).one()


def person(uow: Uow, name: str) -> Person:
    return uow.session.scalars(select(Person).where(Person.name == name)).one()


def mark(uow: Uow) -> PersonMark:
    return uow.session.scalars(select(PersonMark).where(PersonMark.mark_key == "party_member")).one()


def edit(uow: Uow, _keys: Any) -> Any:
    changes = {"note": "搬进新房", "address": "=HYPERLINK(1)", "custom": {"housing": "rented"}}
    return service.edit_household(uow, household_id=home(uow).id, version=home(uow).version, changes=changes)


def leave(uow: Uow, _keys: Any) -> Any:
    who = person(uow, "陈桂兰")
    return service_persons.person_left(
        uow, person_id=who.id, version=who.version, state="moved", on=date(2025, 3, 1), reason="务工"
    )


def rename(uow: Uow, keys: Any) -> Any:
    who = person(uow, "陈桂兰")
    changes = {"name": "陈桂花", "phone": "15400000018"}
    return service_persons.edit_person(uow, keys=keys, person_id=who.id, version=who.version, changes=changes)


#: Act -> (what it does, changes that are asked about besides person_id, who is told of what).
ACTS: dict[str, tuple[Act, dict[str, Any], list[tuple[str, str]]]] = {
    "register": (
        lambda uow, keys: service.register_household(
            uow, keys=keys, area_code=VILLAGE, head={"name": "李长青", "id_number": ""}, address="三组9号"
        ),
        {"area_code": VILLAGE, "address": "三组9号", "location": "", "note": "", "head_name": "李长青"},
        [("household", "household.add"), ("person", "person.add")],
    ),
    "edit": (edit, {"note": "搬进新房", "custom.housing": "rented"}, [("household", "household.edit")]),
    "move": (
        lambda uow, _k: service.edit_household(
            uow, household_id=home(uow).id, version=1, changes={"area_code": VILLAGE}
        ),
        {"area_code": VILLAGE},
        [("household", "household.move")],
    ),
    "close": (
        lambda uow, _k: service.close_household(
            uow, household_id=home(uow).id, version=1, on=date(2025, 3, 1), reason="搬走"
        ),
        {"act": "close", "state": "closed", "on": date(2025, 3, 1), "reason": "搬走"},
        [("household", "household.close"), *[("person", "household.close")] * 2],
    ),
    "income": (
        lambda uow, _k: service_records.set_income(uow, household_id=home(uow).id, year=2023, amount=100),
        {"income": 100, "income_year": 2023, "source": ""},
        [("household", "household.income")],
    ),
    "leave": (
        leave,
        {"act": "move_out", "state": "moved", "on": date(2025, 3, 1), "reason": "务工"},
        [("person", "person.leave")],
    ),
    "rename": (rename, {"name": "陈桂花"}, [("person", "person.edit")]),
    "mark": (
        lambda uow, _k: service_records.add_mark(uow, person_id=person(uow, "陈桂兰").id, key="veteran"),
        {"mark": "veteran", "valid_from": None, "source": "", "note": ""},
        [("person", "mark.add")],
    ),
    "end of a mark": (
        lambda uow, _k: service_records.end_mark(uow, mark_id=mark(uow).id, on=date(2025, 3, 1)),
        {"mark_ended": "party_member", "on": date(2025, 3, 1), "reason": ""},
        [("person", "mark.end")],
    ),
    "own field": (
        lambda uow, _k: service_records.set_custom_values(
            uow, entity="household", owner_id=home(uow).id, values={"housing": "rented"}, version=1
        ),
        {"custom.housing": "rented"},
        [("household", "household.edit")],
    ),
}  # fmt: skip


def told(county: County) -> list[tuple[str, dict[str, Any]]]:
    with county.uow() as uow:
        jobs = uow.session.scalars(select(Job).where(Job.kind == "plugin.event").order_by(Job.id))
        return [(job.params["hook"], job.params["arguments"]) for job in jobs]


def do(county: County, act: Act) -> None:
    with county.uow() as uow:
        act(uow, county.runtime.tenant_keys(uow))


@pytest.mark.parametrize("name", ACTS)
def test_plugins_are_asked_before_and_told_after(county: County, tongyu: County, name: str) -> None:
    act, changes, events = ACTS[name]
    asked: list[tuple[int, dict[str, Any]]] = []

    def household_change_requested(household_id: int, changes: Mapping[str, Any]) -> None:
        asked.append((household_id, dict(changes)))

    def happened(household_id: int, action: str) -> None:
        """Told by a job; here it is enough that there is one."""

    hooks = {"household_change_requested": household_change_requested}
    before = len(told(county))
    with probe(tongyu, **hooks, household_change_happened=happened, person_change_happened=happened):
        with county.uow() as uow:
            act(uow, county.runtime.tenant_keys(uow))
            uow.rollback()
        assert asked == []
    with probe(county, **hooks, household_change_happened=happened, person_change_happened=happened):
        do(county, act)
        assert len(asked) == 1
        household_id, given = asked[0]
        assert given.pop("person_id", None) is None or events[0][0] == "person"
        assert given == changes
        assert ID_NUMBER not in str(asked)
        new = told(county)[before:]
        assert [(hook.partition("_")[0], arguments["action"]) for hook, arguments in new] == events
        assert {arguments["household_id"] for _hook, arguments in new} == {household_id}
        assert all(set(a) <= {"household_id", "person_id", "action"} for _hook, a in new)


@pytest.mark.parametrize("name", ACTS)
def test_what_a_plugin_refuses_is_not_done_and_nobody_is_told(county: County, name: str) -> None:
    def household_change_requested(uow: Uow, household_id: int) -> None:
        uow.get(Household, household_id)  # also a new one can be looked at
        raise Refused("Not this year.")

    def happened(action: str) -> None:
        """Never told."""

    def all_rows() -> list[Any]:
        with county.uow() as uow:
            homes = [(h.code, h.area_code, h.note, h.state, h.version) for h in uow.session.scalars(select(Household))]
            people = [(p.name, p.state, p.version) for p in uow.session.scalars(select(Person))]
            return [sorted(homes), sorted(people), len(uow.session.scalars(select(PersonMark)).all())]

    before, events = all_rows(), told(county)
    hooks = {"household_change_happened": happened, "person_change_happened": happened}
    with probe(county, household_change_requested=household_change_requested, **hooks):
        with pytest.raises(Refused, match="Not this year"):
            do(county, ACTS[name][0])
        assert all_rows() == before
        assert told(county) == events
        assert faults(county) == {}


def test_nothing_is_asked_when_nothing_changes_or_the_input_is_wrong(county: County) -> None:
    asked: list[Any] = []
    with probe(county, household_change_requested=lambda changes: asked.append(changes)):
        do(
            county,
            lambda uow, _k: service.edit_household(uow, household_id=home(uow).id, version=1, changes={"note": ""}),
        )
        client = county.client("county_admin")
        url = f"/households/{id_of(county, Household, code=CODE)}"
        assert post(client, url, f"{url}/incomes", year="1066", amount="5").status_code == 422
        assert asked == []


def refuse(changes: Mapping[str, Any]) -> None:
    raise Refused("Write <the note> out.")


def forms(county: County) -> dict[str, tuple[str, str, dict[str, str], str]]:
    """Name -> (page with the form, where it is sent, fields, what must still stand in it afterwards)."""
    household = f"/households/{id_of(county, Household, code=CODE)}"
    someone = f"/persons/{id_of(county, Person, name='陈桂兰')}"
    village = str(VILLAGE)
    return {
        "new household": (
            f"/households/new?area={VILLAGE}", f"/households/new?area={VILLAGE}",
            {"area_code": village, "head.name": "李长青", "head.birth_date": "1990-01-01", "head.sex": "1",
             "client_id": str(uuid.uuid4())}, "李长青",
        ),
        "edit household": (f"{household}/edit", f"{household}/edit", {"note": "搬进新房", "version": "1"}, "搬进新房"),
        "close": (household, f"{household}/acts/close", {"on": "2025-03-01", "reason": "搬走了"}, "搬走了"),
        "income": (household, f"{household}/incomes", {"year": "2023", "amount": "4711"}, "4711"),
        "new person": (
            f"{household}/persons/new", f"{household}/persons/new",
            {"name": "王小三", "birth_date": "2015-01-01", "sex": "1", "client_id": str(uuid.uuid4())}, "王小三",
        ),
        "edit person": (
            f"{someone}/edit", f"{someone}/edit", {"name": "陈桂花", "sex": "2", "version": "1"}, "陈桂花"
        ),
        "mark": (someone, f"{someone}/marks", {"mark": "veteran", "note": "档案在县里"}, "档案在县里"),
        "leave": (
            someone, f"{household}/acts/move_out",
            {"person_id": someone.rsplit("/", 1)[1], "registered": "1", "living": "1", "on": "2025-03-01",
             "reason": "外出务工"}, "外出务工",
        ),
    }  # fmt: skip


NAMES = ("new household", "edit household", "close", "income", "new person", "edit person", "mark", "leave")


@pytest.mark.parametrize("name", NAMES)
def test_a_form_comes_back_with_what_was_typed_and_the_reason(county: County, name: str) -> None:
    page, url, fields, kept = forms(county)[name]
    client = county.client("county_admin")
    with probe(county, household_change_requested=refuse):
        answer = post(client, page, url, **fields)
        assert answer.status_code == 409
        assert f"“{LABEL}”" in answer.text
        assert "Write &lt;the note&gt; out." in answer.text
        assert kept in answer.text
    # Switched off, the same form goes through.
    assert client.post(url, data={"csrf_token": hidden(text(client, page), "csrf_token"), **fields}).status_code == 303


def test_the_api_says_who_refused_and_why(county: County) -> None:
    client = county.client("county_admin")
    id = id_of(county, Household, code=CODE)
    token = hidden(text(client, f"/households/{id}"), "csrf_token")
    headers = {"If-Match": '"1"', "X-CSRF-Token": token}
    with probe(county, household_change_requested=refuse):
        answer = client.patch(f"/api/v1/households/{id}", json={"note": "搬进新房"}, headers=headers)
        assert answer.status_code == 409
        assert answer.content_type == "application/problem+json"
        assert answer.json["type"] == "urn:xiangyue:error:refused"
        assert answer.json["plugin"] == "probe"
        assert "Write <the note> out." in answer.json["detail"]
    assert client.patch(f"/api/v1/households/{id}", json={"note": "搬进新房"}, headers=headers).status_code == 200
