"""Any sequence of acts and undos keeps every person in one household a day, and what was then can be read now."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Invalid
from xiangyue.features.households.bulk import HouseholdRow, upsert_households
from xiangyue.features.households.models import (
    Household,
    HouseholdMember,
    NameSuffix,
    Person,
    RegisterAct,
    RegisterActPart,
)
from xiangyue.features.households.person_input import today
from xiangyue.features.households.queries_register import counts_by_base, household_on
from xiangyue.features.households.service_register import do_act, undo_act
from xiangyue.testing.fixtures import County

VILLAGE = 610921100200_000
DAYS = 4
BORN = date(1980, 1, 31)

#: Where somebody is: (registered in, living in), None for nowhere.
Where = tuple[int | None, int | None]


@dataclass
class Replay:
    """The register as plain Python: where everybody was on each day."""

    first: date
    days: list[dict[int, Where]]
    undo: dict[int, tuple[date, dict[int, Where]]] = field(default_factory=dict)

    def put(self, act: int, on: date, moved: dict[int, Where]) -> None:
        """From that day on these persons are there."""
        self.undo[act] = (on, {id: self.at(self.last, id) for id in moved})
        self.lay(on, moved)

    def back(self, act: int) -> None:
        on, was = self.undo[act]
        self.lay(on, was)

    def lay(self, on: date, moved: dict[int, Where]) -> None:
        for day in self.days[(on - self.first).days :]:
            day.update(moved)

    @property
    def last(self) -> date:
        return self.first + timedelta(len(self.days) - 1)

    def at(self, day: date, id: int) -> Where:
        return self.days[(day - self.first).days].get(id, (None, None))


@pytest.fixture(name="county", scope="module")
def stocked(hanyin: County) -> Iterator[County]:
    """Three households of three."""
    families = (("王一", "王二", "王三"), ("李一", "李二", "李三"), ("张一", "张二", "张三"))
    rows = []
    for n, names in enumerate(families, 1):
        persons: list[Any] = [
            {"name": name, "relation": relation, "birth_date": BORN}
            for name, relation in zip(names, ("02", "12", "20"), strict=True)
        ]
        rows.append(HouseholdRow(VILLAGE, f"610921100200{n:04}", f"{n}号", persons))
    with hanyin.uow() as uow:
        upsert_households(uow, hanyin.runtime.tenant_keys(uow), rows)
    yield hanyin
    with hanyin.uow() as uow:
        for model in (NameSuffix, Person, Household):
            uow.session.execute(delete(model))


KINDS = ("birth", "move_in", "move", "move", "move_out", "leave", "return", "death", "head_change", "split", "merge",
         "close", "reopen", "undo", "undo", "undo")  # fmt: skip
STEPS = st.lists(
    st.tuples(
        st.sampled_from(KINDS), st.integers(0, DAYS - 1), st.integers(0, 11), st.integers(0, 7), st.integers(0, 3)
    ),
    min_size=10,
    max_size=18,
)


class Rolled(Exception):
    """The example is over; nothing of it stays."""


@settings(
    max_examples=14, deadline=None, database=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(steps=STEPS)
def test_any_sequence_of_acts_and_undos(county: County, steps: list[tuple[str, int, int, int, int]]) -> None:
    with suppress(Rolled), county.uow() as uow:
        keys = county.runtime.tenant_keys(uow)
        first = today() - timedelta(DAYS - 1)
        members = uow.session.execute(select(Person.id, Person.household_id)).all()
        start: dict[int, Where] = {id: (home, home) for id, home in members}
        replay = Replay(first, [dict(start) for _ in range(DAYS)])
        for kind, day, who, where, bits in steps:
            step(uow, keys, replay, kind, first + timedelta(day), who, where, bits)
        check(uow, replay)
        raise Rolled


def step(uow: Uow, keys: Any, replay: Replay, kind: str, on: date, who: int, where: int, bits: int) -> None:
    """Try it; what is refused changes nothing in either."""
    persons = sorted(uow.session.scalars(select(Person.id)))
    households = sorted(uow.session.scalars(select(Household.id)))
    person, household = persons[who % len(persons)], households[where % len(households)]
    at = replay.at(replay.last, person)
    bases = {"registered": bits != 1, "living": bits != 2}

    def moved(to: int | None, was: Where = at) -> Where:
        return to if bases["registered"] else was[0], to if bases["living"] else was[1]

    if kind == "undo":
        acts = sorted(uow.session.scalars(select(RegisterAct.id).where(RegisterAct.state == "done")))
        if acts:
            take_back(uow, replay, acts[-1 - who % len(acts)])
        return
    request: dict[str, Any] = {"person_id": person, "household_id": household, **bases}
    expected: dict[int, Where] = {person: at}
    if kind in ("birth", "move_in"):
        request = {"household_id": household, "values": {"name": "赵新", "relation": "99", "sex": "1"}, **bases}
    elif kind == "move":
        expected = {person: moved(household)}
    elif kind == "move_out":
        expected = {person: moved(None)}
    elif kind == "leave":
        expected = {person: (at[0], None)}
    elif kind == "return":
        gone = at == (None, None)
        expected = {person: moved(household) if gone else (at[0], household)}
    elif kind == "death":
        expected = {person: (None, None)}
    elif kind == "head_change":
        request["household_id"] = home = at[1] or at[0]
        request["relations"] = {str(id): "99" for id in persons if home in replay.at(replay.last, id) and id != person}
        expected = {}
    elif kind == "split":
        home = at[bits % 2]
        inside = [id for id in persons if home is not None and home in replay.at(replay.last, id)]
        request = {"household_id": home, "person_id": person, "persons": list({person, *inside[:bits]})}
    elif kind == "merge":
        request = {"household_id": household, "other_household_id": households[who % len(households)]}
    else:
        request = {"household_id": household}
    act = attempt(uow, keys, kind, on, request)
    if act is None:
        return
    if kind in ("birth", "move_in"):
        new = uow.session.scalars(select(RegisterActPart.thing_id).where(
            RegisterActPart.act_id == act.id, RegisterActPart.kind == "person")).one()  # fmt: skip
        expected = {new: moved(household, (None, None))}
    elif kind in ("split", "merge", "close"):
        to = None if kind == "close" else act.other_household_id
        source = act.household_id
        chosen = request["persons"] if kind == "split" else list(replay.days[-1])
        expected = {}
        for id in chosen:
            was = replay.at(replay.last, id)
            if source in was:
                expected[id] = (to if was[0] == source else was[0], to if was[1] == source else was[1])
    elif kind == "reopen":
        expected = {}
    replay.put(act.id, act.on_date, expected)


def attempt(uow: Uow, keys: Any, kind: str, on: date, request: dict[str, Any]) -> RegisterAct | None:
    savepoint = uow.session.begin_nested()
    try:
        act = do_act(uow, keys=keys, kind=kind, on=on, request=request, reason="x")
    except (Invalid, Conflict):
        savepoint.rollback()
        uow.session.expire_all()
        return None
    savepoint.commit()
    return act


def take_back(uow: Uow, replay: Replay, act_id: int) -> None:
    version = uow.session.scalars(select(RegisterAct.version).where(RegisterAct.id == act_id)).one()
    savepoint = uow.session.begin_nested()
    try:
        undo_act(uow, act_id=act_id, version=version, reason="错登")
    except Conflict:
        savepoint.rollback()
        uow.session.expire_all()
        return
    savepoint.commit()
    replay.back(act_id)


def check(uow: Uow, replay: Replay) -> None:
    uow.session.flush()
    uow.session.expire_all()
    rows = list(uow.session.scalars(select(HouseholdMember)))
    for offset, expected in enumerate(replay.days):
        day = replay.first + timedelta(offset)
        standing = [k for k in rows if k.valid_from <= day and (k.valid_to is None or k.valid_to > day)]
        for base in ("registered", "living"):
            ids = [k.person_id for k in standing if getattr(k, base)]
            assert len(ids) == len(set(ids)), (day, base)
        members = {
            household.id: {m.person_id: (m.registered, m.living) for m in household_on(uow, household.id, day).members}
            for household in uow.session.scalars(select(Household))
        }
        told: dict[int, dict[int, tuple[bool, bool]]] = {id: {} for id in members}
        for person, (registered, living) in expected.items():
            for home in {registered, living} - {None}:
                assert home is not None
                told[home][person] = (registered == home, living == home)
        assert members == told, day
        totals = tuple(sum(at[base] is not None for at in expected.values()) for base in (0, 1))
        assert counts_by_base(uow, on=day if offset < DAYS - 1 else None) == totals
    for person_row in uow.session.scalars(select(Person)):
        registered, living = replay.at(replay.last, person_row.id)
        current = living or registered
        assert (person_row.state == "active") == (current is not None), person_row.name
        if current is not None:
            assert (person_row.household_id, person_row.away) == (current, living is None)
    for home_row in uow.session.scalars(select(Household)):
        present = [at for at in replay.days[-1].values() if (at[1] or at[0]) == home_row.id]
        if home_row.state == "active":
            assert home_row.person_count == len(present)
        heads = uow.session.scalars(
            select(Person.id).where(
                Person.household_id == home_row.id, Person.relation == "02", Person.state == "active"
            )
        ).all()
        assert len(heads) <= 1
