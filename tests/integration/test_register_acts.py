"""Acts of the register: what each does, what may be undone, and who may report."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select

from xiangyue.access.models import AuditEntry
from xiangyue.errors import AlreadyUsed, Conflict, Forbidden, Invalid, NotFound
from xiangyue.features.households import policy, service_records
from xiangyue.features.households.bulk import HouseholdRow, upsert_households
from xiangyue.features.households.models import (
    CustomValue,
    Household,
    HouseholdIncome,
    NameSuffix,
    Person,
    PersonMark,
    RegisterAct,
    RegisterActPart,
)
from xiangyue.features.households.person_input import today
from xiangyue.features.households.queries_register import acts_of, counts_by_base, household_on, list_acts
from xiangyue.features.households.queries_search import search
from xiangyue.features.households.service_persons import edit_person
from xiangyue.features.households.service_register import confirm_act, do_act, refuse_act, report_act, undo_act
from xiangyue.testing.fixtures import County

VILLAGE = 610921100200_000
OTHER = 610921101200_000
BORN = date(1980, 1, 31)
DAY = date(2026, 5, 1)


@dataclass
class Register:
    """A county's three families and short ways to act on them."""

    county: County
    person: dict[str, int]
    home: dict[str, int]

    def act(self, kind: str, on: date = DAY, actor: Any = None, reason: str = "", **request: Any) -> RegisterAct:
        with self.county.uow(actor) as uow:
            keys = self.county.runtime.tenant_keys(uow)
            act = do_act(uow, keys=keys, kind=kind, on=on, request=request, reason=reason, allow_synthetic=True)
            uow.session.flush()
            uow.session.refresh(act)
            uow.session.expunge(act)
            return act

    def undo(self, act: RegisterAct) -> None:
        with self.county.uow() as uow:
            undo_act(uow, act_id=act.id, version=act.version, reason="错登")

    def members(self, home: int, on: date | None = None, actor: Any = None) -> list[str]:
        """Name with bases: r registered, l living."""
        with self.county.uow(actor) as uow:
            found = household_on(uow, home, on)
            return [f"{m.name}{m.relation} " + "r" * m.registered + "l" * m.living for m in found.members]

    def row(self, name: str) -> Person:
        with self.county.uow() as uow:
            return uow.get(Person, self.person[name])

    def counts(self, area: int, on: date | None = None) -> tuple[int, int]:
        with self.county.uow() as uow:
            return counts_by_base(uow, area, on)


@pytest.fixture(name="register")
def filled(hanyin: County) -> Iterator[Register]:
    def person(name: str, relation: str = "02", **more: Any) -> Any:
        return {"name": name, "relation": relation, "birth_date": BORN, **more}

    rows = [
        HouseholdRow(
            VILLAGE, "6109211002000001", "一组1号",
            [person("张老"), person("张婆", "12"), person("张甲", "20"), person("张媳", "38"), person("张孙", "41")],
            (2025, 32000),
        ),
        HouseholdRow(OTHER, "6109211012000001", "二组1号", [person("张乙"), person("张乙妻", "12")]),
        HouseholdRow(VILLAGE, "6109211002000002", "一组2号", [person("王德福", marks=["party_member"])]),
    ]  # fmt: skip
    with hanyin.uow() as uow:
        upsert_households(uow, hanyin.runtime.tenant_keys(uow), rows)
        persons = {p.name: p.id for p in uow.session.scalars(select(Person))}
        homes = {h.head_name: h.id for h in uow.session.scalars(select(Household))}
    yield Register(hanyin, persons, homes)
    with hanyin.uow() as uow:
        for model in (CustomValue, HouseholdIncome, NameSuffix, PersonMark, Person, Household):
            uow.session.execute(delete(model))
        uow.session.execute(delete(RegisterActPart))
        uow.session.execute(delete(RegisterAct))


def test_registered_with_one_son_and_living_with_the_other(register: Register) -> None:
    """Scenario 9, first half: counted once on each base, visited where he lives."""
    old, new = register.home["张老"], register.home["张乙"]
    father = register.person["张婆"]
    assert (register.counts(VILLAGE), register.counts(OTHER)) == ((6, 6), (2, 2))
    register.act("move", person_id=father, household_id=new, relation="52", registered=False)
    assert (register.counts(VILLAGE), register.counts(OTHER)) == ((6, 5), (2, 3))
    assert register.counts(0) == (8, 8)
    assert (register.row("张婆").household_id, register.row("张婆").area_code, register.row("张婆").away) == (
        new, OTHER, False,
    )  # fmt: skip
    assert "张婆12 r" in register.members(old)
    assert register.members(new) == ["张乙02 rl", "张乙妻12 rl", "张婆52 l"]
    viewer = register.county.actor(policy.HOUSEHOLD_VIEW, area=VILLAGE)
    with register.county.uow(viewer) as uow, uow.scoped(viewer.scope(policy.HOUSEHOLD_VIEW)):
        seen = next(m for m in household_on(uow, old).members if m.name == "张婆")
        assert seen.lives is not None
        assert (seen.inside, seen.lives.inside, seen.lives.head_name, seen.away) == (False, False, "张乙", False)
    with register.county.uow() as uow:
        found = search(uow, "张婆")
        assert [(p["household_id"], p["head_name"]) for p in found.persons] == [(new, "张乙")]
    day_before = DAY - timedelta(1)
    assert "张婆12 rl" in register.members(old, day_before)
    assert register.counts(VILLAGE, day_before) == (6, 6)


def test_a_split_and_its_undoing(register: Register) -> None:
    old = register.home["张老"]
    before = register.members(old)
    couple = [register.person[name] for name in ("张甲", "张媳", "张孙")]
    with pytest.raises(Invalid) as error:
        register.act("split", household_id=old, persons=[], person_id=couple[0])
    assert list(error.value.fields) == ["persons"]
    with pytest.raises(Invalid):
        register.act("split", household_id=old, persons=list(register.person.values()), person_id=couple[0])
    relations = {str(couple[1]): "妻", str(couple[2]): "20"}
    act = register.act(
        "split", household_id=old, persons=couple, person_id=couple[0], relations=relations, address="新村8号"
    )
    # Somebody else had the same form open: they were members when it was shown.
    with pytest.raises(Invalid) as error:
        register.act("split", household_id=old, persons=couple, person_id=couple[0])
    assert "已不全在本户" in str(error.value.fields["persons"][0])
    new = act.other_household_id
    assert new is not None
    assert register.members(new) == ["张甲02 rl", "张媳12 rl", "张孙20 rl"]
    assert register.members(old) == ["张老02 rl", "张婆12 rl"]
    assert register.members(old, DAY - timedelta(1)) == before
    with register.county.uow() as uow:
        made = uow.get(Household, new)
        assert (made.code, made.head_name, made.person_count, made.address) == (
            "6109211002000003",
            "张甲",
            3,
            "新村8号",
        )
        assert household_on(uow, new, DAY - timedelta(1)).state == "not_yet"
        assert [i.household_id for i in uow.session.scalars(select(HouseholdIncome))] == [old]
        assert [h["id"] for h in search(uow, "新村8号").households] == [new]
        service_records.set_income(uow, household_id=new, year=2025, amount=1)
    with pytest.raises(Conflict) as conflict:
        register.undo(act)
    assert len(conflict.value.details["built_on"]) == 1
    with register.county.uow() as uow:
        service_records.set_income(uow, household_id=new, year=2025, amount=None)
    register.undo(act)
    assert (register.members(old), register.members(new)) == (before, [])
    with register.county.uow() as uow:
        assert (uow.get(Household, new).state, uow.get(Household, old).person_count) == ("closed", 5)
    with pytest.raises(Conflict):
        register.undo(RegisterAct(id=act.id, version=act.version + 1))


def test_a_merge_takes_everybody_along_and_what_came_later_stands_in_the_way_of_undoing(register: Register) -> None:
    old, into = register.home["王德福"], register.home["张老"]
    act = register.act("merge", household_id=old, other_household_id=into, relations={
        str(register.person["王德福"]): "99"})  # fmt: skip
    assert register.members(into)[-1] == "王德福99 rl"
    with register.county.uow() as uow:
        assert (uow.get(Household, old).state, uow.get(Household, into).person_count) == ("closed", 6)
        assert uow.session.scalars(select(PersonMark.household_id)).all() == [into]
        assert household_on(uow, old, DAY).state == "closed"
        assert household_on(uow, old, DAY - timedelta(1)).state == "active"
    died = register.act("death", DAY + timedelta(3), person_id=register.person["王德福"])
    with pytest.raises(Conflict) as conflict:
        register.undo(act)
    assert "2026-05-04" in str(conflict.value)
    register.undo(died)
    with register.county.uow() as uow:
        assert uow.session.scalars(select(PersonMark.valid_to)).all() == [None]
    register.undo(act)
    assert register.members(old) == ["王德福02 rl"]
    with register.county.uow() as uow:
        assert (uow.get(Household, old).state, uow.get(Household, into).person_count) == ("active", 5)
        assert [a.state for a in acts_of(uow, "person", register.person["王德福"])] == ["undone", "undone"]


def test_birth_is_taken_out_again_unless_something_was_recorded(register: Register) -> None:
    home = register.home["张老"]
    act = register.act("birth", household_id=home, values={"name": "张小", "relation": "41", "sex": "1"})
    with register.county.uow() as uow:
        (child,) = uow.session.scalars(select(Person).where(Person.name == "张小"))
        assert (child.birth_date, child.household_id, child.away) == (DAY, home, False)
        assert uow.get(Household, home).person_count == 6
    assert "张小41 rl" in register.members(home, DAY)
    assert "张小41 rl" not in register.members(home, DAY - timedelta(1))
    with register.county.uow() as uow:
        mark = service_records.add_mark(uow, person_id=child.id, key="left_behind_child")
    with pytest.raises(Conflict):
        register.undo(act)
    with register.county.uow() as uow:
        uow.session.execute(delete(PersonMark).where(PersonMark.id == mark.id))
    register.undo(act)
    with register.county.uow() as uow:
        assert uow.session.scalars(select(Person).where(Person.name == "张小")).all() == []
        assert uow.get(Household, home).person_count == 5


def test_an_act_has_a_day_it_can_have(register: Register) -> None:
    home, person = register.home["张老"], register.person["张甲"]
    register.act("leave", DAY, person_id=person)
    for on, kind, what in (
        (today() + timedelta(1), "death", "on"),
        (DAY - timedelta(1), "return", "on"),
        (BORN - timedelta(1), "death", "on"),
    ):
        with pytest.raises(Invalid) as error:
            register.act(kind, on, person_id=person)
        assert list(error.value.fields) == [what]
    with pytest.raises(Invalid) as error:
        register.act("death", DAY - timedelta(1), person_id=person)
    assert "2026-05-01" in str(error.value.fields["on"][0])
    # Somebody else of the same household died before that: registered late, as it happens.
    register.act("death", DAY - timedelta(20), person_id=register.person["张老"])
    assert register.members(home, DAY - timedelta(20))[0] == "张婆12 rl"


def test_another_head_and_everybodys_relation_to_the_new_one(register: Register) -> None:
    home = register.home["张老"]
    relations = {
        str(register.person[n]): r for n, r in (("张老", "51"), ("张婆", "52"), ("张媳", "12"), ("张孙", "20"))
    }
    act = register.act("head_change", household_id=home, person_id=register.person["张甲"], relations=relations)
    assert register.members(home)[0] == "张甲02 rl"
    assert register.row("张老").relation == "51"
    with register.county.uow() as uow:
        assert uow.get(Household, home).head_name == "张甲"
    assert register.members(home, DAY - timedelta(1))[0] == "张老02 rl"
    with pytest.raises(Invalid):
        register.act("head_change", household_id=home, person_id=register.person["张甲"], relations={
            str(register.person["张老"]): "02"})  # fmt: skip
    register.undo(act)
    assert (register.row("张老").relation, register.row("张甲").relation) == ("02", "20")


def test_a_correction_by_a_form_or_an_import_stands_in_the_way_of_undoing(register: Register) -> None:
    person = register.person["张甲"]
    act = register.act("leave", DAY, person_id=person)
    back = {"name": "张甲", "birth_date": BORN, "away": False, "relation": "20"}
    rows: list[Any] = [back, {"name": "张老", "birth_date": BORN}]
    rows = [HouseholdRow(VILLAGE, "6109211002000001", "", rows)]
    with register.county.uow() as uow:
        upsert_households(uow, register.county.runtime.tenant_keys(uow), rows)
    assert not register.row("张甲").away
    with pytest.raises(Conflict) as conflict:
        register.undo(act)
    assert "张甲" in str(conflict.value)
    with register.county.uow() as uow:
        keys = register.county.runtime.tenant_keys(uow)
        version = uow.get(Person, person).version
        edit_person(uow, keys=keys, person_id=person, version=version, changes={"away": True})
        kinds = [(a.kind, a.on_date) for a in acts_of(uow, "person", person)]
    assert kinds == [("leave", today()), ("leave", DAY)]


def test_a_report_does_nothing_until_the_village_confirms_it(register: Register) -> None:
    county, person = register.county, register.person["张老"]
    leader = county.actor(policy.HOUSEHOLD_VIEW, policy.REGISTER_REPORT, area=VILLAGE)
    clerk = county.actor(policy.HOUSEHOLD_VIEW, policy.HOUSEHOLD_EDIT, area=VILLAGE)
    away = county.actor(policy.HOUSEHOLD_VIEW, policy.HOUSEHOLD_EDIT, area=OTHER)

    def report(kind: str, client_id: uuid.UUID | None = None, reason: str = "", **request: Any) -> RegisterAct:
        with county.uow(leader) as uow:
            keys = county.runtime.tenant_keys(uow)
            return report_act(uow, keys=keys, kind=kind, on=DAY, request=request, client_id=client_id, reason=reason)

    with county.uow(leader) as uow, pytest.raises(Forbidden):
        do_act(uow, keys=county.runtime.tenant_keys(uow), kind="death", on=DAY, request={"person_id": person})
    once = uuid.uuid4()
    died = report("death", once, person_id=person)
    assert report("death", once, person_id=person).id == died.id
    with pytest.raises(AlreadyUsed):
        report("death", once, person_id=person, reason="病故")
    with pytest.raises(Conflict):
        report("death", person_id=person)
    with pytest.raises(NotFound):
        report("leave", person_id=register.person["张乙"])
    with pytest.raises(Invalid):
        report("split", household_id=register.home["张老"])
    with pytest.raises(Invalid) as error:
        report("birth", household_id=register.home["张老"], values={"name": "张小", "id_number": "610921202601010012"})
    assert list(error.value.fields) == ["values.id_number"]
    with pytest.raises(Invalid) as error:
        report("birth", household_id=register.home["张老"], values={"name": "张小"})
    assert list(error.value.fields) == ["values.sex"]
    assert register.row("张老").state == "active"
    born = report("birth", household_id=register.home["张老"], values={"name": "张小", "relation": "41", "sex": "1"})
    with county.uow(clerk) as uow:
        assert [a.id for a in list_acts(uow, state="reported").items] == [born.id, died.id]
        keys = county.runtime.tenant_keys(uow)
        done = confirm_act(uow, keys=keys, act_id=died.id, version=1, on=DAY + timedelta(1))
        assert (done.state, done.on_date, done.decided_name, done.reported_name) == (
            "done", DAY + timedelta(1), "tester", "tester",
        )  # fmt: skip
        with pytest.raises(Invalid):
            refuse_act(uow, act_id=born.id, version=1, reason=" ")
        refuse_act(uow, act_id=born.id, version=1, reason="不是本村")
        with pytest.raises(Conflict):
            refuse_act(uow, act_id=born.id, version=2, reason="不是本村")
    with county.uow(away) as uow, uow.scoped(away.scope(policy.HOUSEHOLD_VIEW)):
        assert list_acts(uow).items == []
        with pytest.raises(NotFound):
            undo_act(uow, act_id=died.id, version=2, reason="x")
    gone = register.row("张老")
    assert (gone.state, gone.left_on) == ("deceased", DAY + timedelta(1))
    with county.uow() as uow:
        undo_act(uow, act_id=died.id, version=2, reason="错报")
        actions = list(uow.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))
    assert [a for a in actions if a.startswith("register.")][-5:] == [
        "register.report", "register.report", "register.confirm", "register.refuse", "register.undo",
    ]  # fmt: skip
    assert register.row("张老").state == "active"


def test_over_the_api(register: Register) -> None:
    county = register.county
    admin, leader = county.account("county_admin"), county.account("grid_leader", area=VILLAGE)
    client, old = county.client(), register.home["张老"]

    def call(who: Any, method: str, path: str, body: Any = None, **headers: str) -> Any:
        return client.open(f"/api/v1{path}", method=method, json=body, headers={**county.bearer(who), **headers})

    body = {"kind": "death", "on": "2026-05-01", "person_id": register.person["张老"]}
    assert call(leader, "POST", "/register/acts", body).status_code == 403
    told = call(leader, "POST", "/register/reports", body)
    assert (told.status_code, told.get_json()["state"]) == (201, "reported")
    path = f"/register/acts/{told.get_json()['id']}"
    assert call(admin, "POST", f"{path}/confirm", {}).status_code == 428
    done = call(admin, "POST", f"{path}/confirm", {}, **{"If-Match": told.headers["ETag"]})
    assert (done.status_code, done.get_json()["state"], done.get_json()["persons"]) == (
        200, "done", [{"id": register.person["张老"], "name": "张老"}],
    )  # fmt: skip
    members = call(admin, "GET", f"/households/{old}/members?on=2026-04-30").get_json()
    assert (members["registered"], members["members"][0]["name"], members["state"]) == (5, "张老", "active")
    assert call(admin, "GET", f"/households/{old}/members").get_json()["registered"] == 4
    assert call(admin, "GET", f"/register/counts?area={VILLAGE // 1000}").get_json()["living"] == 5
    assert call(admin, "POST", f"{path}/undo", {"reason": "x"}, **{"If-Match": '"1"'}).status_code == 412
    assert (
        call(admin, "POST", f"{path}/undo", {"reason": "错报"}, **{"If-Match": '"2"'}).get_json()["state"] == "undone"
    )
    split = {"kind": "split", "on": "2026-05-01", "household_id": old, "persons": [register.person["张甲"]],
             "person_id": register.person["张甲"], "client_id": str(uuid.uuid4())}  # fmt: skip
    first, again = (call(admin, "POST", "/register/acts", split) for _ in range(2))
    assert (first.status_code, first.get_json()["id"]) == (201, again.get_json()["id"])
    listed = call(admin, "GET", f"/households/{old}/acts").get_json()["items"]
    assert sorted((a["kind"], a["state"]) for a in listed) == [("death", "undone"), ("split", "done")]
    late = call(admin, "POST", "/register/acts", {**split, "on": "2026-04-01", "client_id": None, "household_id": first
                .get_json()["other_household_id"]})  # fmt: skip
    assert late.status_code == 422
    page = call(admin, "GET", "/register/acts?limit=1&state=done").get_json()
    assert ([a["kind"] for a in page["items"]], page["next"]) == (["split"], None)
    assert call(admin, "GET", f"/persons/{register.person['张甲']}/acts").get_json()["items"][0]["kind"] == "split"
