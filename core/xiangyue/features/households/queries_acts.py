"""The ledger of acts (变动台账): filtered, sorted and paged, with who and where; what an undo would put back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select

from xiangyue.db.paging import decode_as, encode_cursor
from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.features.areas import queries as areas
from xiangyue.features.households.models import Household, HouseholdMember, Person, RegisterAct, RegisterActPart
from xiangyue.features.households.register.undo import standing_against
from xiangyue.i18n import join_words

_WHY = "an act names whoever it touched, also those who live in another area by now"
#: As many acts of one household or person are shown on its page; the ledger has the rest.
SHOWN = 30


@dataclass(frozen=True, slots=True)
class ActFilter:
    """Conditions of the ledger. ``since``/``until``: days of the acts, both included; ``q``: name of a person or of a
    head, or a household number; ``reports``: only what was reported and not done at once; ``by``: account that
    reported it."""

    kind: str = ""
    state: str = ""
    since: date | None = None
    until: date | None = None
    q: str = ""
    area: int = 0
    reports: bool = False
    by: int | None = None


@dataclass(slots=True)
class HomeRow:
    """A household that an act names. ``inside``: the reader may open it."""

    id: int
    code: str
    head_name: str
    area_code: int
    inside: bool


@dataclass(slots=True)
class ActRow:
    """An act with names. ``persons``: (id or None, name, whether the reader may open the page)."""

    act: RegisterAct
    persons: list[tuple[int | None, str, bool]] = field(default_factory=list)
    household: HomeRow | None = None
    other: HomeRow | None = None
    area_name: str = ""

    @property
    def id(self) -> int:
        return self.act.id

    @property
    def names(self) -> str:
        return join_words(name for _id, name, _inside in self.persons)

    @property
    def told(self) -> bool:
        """Reported first and decided by somebody later, not done at once."""
        return self.act.state in ("reported", "refused") or self.act.reported_at != self.act.decided_at


@dataclass(slots=True)
class LedgerPage:
    rows: list[ActRow]
    next: str | None


def ledger(uow: Uow, wanted: ActFilter, *, sort: str = "-day", limit: int = 50, after: str | None = None) -> LedgerPage:
    """Acts inside the scope (below ``wanted.area``) by ``day`` or by when they were ``recorded``, in a constant number
    of statements. Raises Invalid (cursor)."""
    down = sort.startswith("-")
    id, day = RegisterAct.id, RegisterAct.on_date
    statement = select(RegisterAct).where(*_conditions(uow, wanted)).limit(limit + 1)
    if sort.removeprefix("-") == "recorded":
        statement = statement.order_by(id.desc() if down else id)
        if after:
            (last,) = decode_as(after, int)
            statement = statement.where(id < last if down else id > last)
    else:
        statement = statement.order_by(*((day.desc(), id.desc()) if down else (day, id)))
        if after:
            on, last = decode_as(after, date, int)
            statement = statement.where(
                or_(day < on, and_(day == on, id < last)) if down else or_(day > on, and_(day == on, id > last))
            )
    with uow.scoped(uow.scope.narrowed(wanted.area) if wanted.area else uow.scope):
        found = list(uow.session.scalars(statement))
    next = None
    if len(found) > limit:
        found = found[:limit]
        edge = found[-1]
        next = encode_cursor(edge.id) if "recorded" in sort else encode_cursor(edge.on_date.isoformat(), edge.id)
    return LedgerPage(act_rows(uow, found), next)


def count_ledger(uow: Uow, wanted: ActFilter) -> int:
    statement = select(func.count()).select_from(RegisterAct).where(*_conditions(uow, wanted))
    with uow.scoped(uow.scope.narrowed(wanted.area) if wanted.area else uow.scope):
        return int(uow.session.scalar(statement) or 0)


def _conditions(uow: Uow, wanted: ActFilter) -> list[ColumnElement[bool]]:
    act = RegisterAct
    found: list[ColumnElement[bool]] = []
    if wanted.kind:
        found.append(act.kind == wanted.kind)
    if wanted.state:
        found.append(act.state == wanted.state)
    if wanted.since:
        found.append(act.on_date >= wanted.since)
    if wanted.until:
        found.append(act.on_date <= wanted.until)
    if wanted.reports:
        later = and_(act.state == "done", act.reported_at != act.decided_at)
        found.append(or_(act.state.in_(("reported", "refused")), later))
    if wanted.by is not None:
        found.append(act.reported_by == wanted.by)
    if wanted.q:
        found.append(_named(uow, wanted.q))
    return found


def _named(uow: Uow, q: str) -> ColumnElement[bool]:
    """Acts that touch somebody of this name, or a household of this number or head."""
    part = RegisterActPart
    persons = select(Person.id).where(Person.name.contains(q, autoescape=True))
    homes = select(Household.id).where(or_(Household.code == q, Household.head_name.contains(q, autoescape=True)))
    parts = select(part.act_id).where(
        or_(
            and_(part.kind == "person", part.thing_id.in_(persons)),
            and_(part.kind == "household", part.thing_id.in_(homes)),
        )
    )
    told = RegisterAct.request["values"]["name"].as_string().contains(q, autoescape=True)
    return or_(RegisterAct.id.in_(parts), told)


def act_rows(uow: Uow, acts: Sequence[RegisterAct]) -> list[ActRow]:
    """Acts with the names of persons, households and areas, in a constant number of statements."""
    persons = _persons(uow, [act.id for act in acts])
    homes = _homes(uow, {id for act in acts for id in (act.household_id, act.other_household_id) if id is not None})
    paths = areas.paths(uow, {act.area_code for act in acts})
    rows = []
    for act in acts:
        row = ActRow(act, persons.get(act.id, []), homes.get(act.household_id))
        row.other = homes.get(act.other_household_id) if act.other_household_id is not None else None
        row.area_name = " · ".join(name for _code, name in paths.get(act.area_code, [])[-2:])
        told = (act.request.get("values") or {}).get("name") if not row.persons else None
        if told:
            row.persons = [(None, str(told), False)]
        rows.append(row)
    return rows


def _persons(uow: Uow, act_ids: Sequence[int]) -> dict[int, list[tuple[int | None, str, bool]]]:
    rows = scoped_rows(
        uow.session,
        "SELECT w.act_id, p.id, p.name, p.area_code FROM register_act_part w"
        " JOIN person p ON p.tenant_id = w.tenant_id AND p.id = w.thing_id"
        " WHERE {tenant:w} AND w.kind = 'person' AND w.act_id = ANY(:ids) ORDER BY w.act_id, p.id",
        {"ids": list(act_ids)},
    )
    found: dict[int, list[tuple[int | None, str, bool]]] = {}
    for act_id, id, name, area_code in rows:
        found.setdefault(act_id, []).append((id, name, uow.scope.contains(area_code)))
    return found


def _homes(uow: Uow, ids: Iterable[int]) -> dict[int, HomeRow]:
    statement = select(Household.id, Household.code, Household.head_name, Household.area_code)
    with uow.tenant_wide(_WHY):
        rows = uow.session.execute(statement.where(Household.id.in_(list(ids)))).all()
    return {
        row.id: HomeRow(row.id, row.code, row.head_name, row.area_code, uow.scope.contains(row.area_code))
        for row in rows
    }


@dataclass(slots=True)
class Belonging:
    """Where somebody belonged, on which base, from when to when. ``since`` None: from the first."""

    home: HomeRow
    relation: str
    registered: bool
    living: bool
    since: date | None
    until: date | None


def belongings(uow: Uow, person_id: int) -> list[Belonging]:
    """Everywhere a person inside the scope belongs and belonged, the latest first."""
    uow.get(Person, person_id)
    with uow.tenant_wide(_WHY):
        rows = list(
            uow.session.scalars(
                select(HouseholdMember)
                .where(HouseholdMember.person_id == person_id)
                .order_by(HouseholdMember.valid_from.desc(), HouseholdMember.id.desc())
            )
        )
    homes = _homes(uow, {row.household_id for row in rows})
    return [
        Belonging(
            homes[row.household_id],
            row.relation,
            row.registered,
            row.living,
            None if row.opened_by is None else row.valid_from,
            row.valid_to,
        )
        for row in rows
    ]


@dataclass(slots=True)
class PutBack:
    """A person as an undo leaves him or her. ``state``: what the record says then; ``homes``: where, on which base;
    ``gone``: the record itself goes, for the act brought it."""

    name: str
    state: str
    homes: list[Belonging] = field(default_factory=list)
    gone: bool = False


@dataclass(slots=True)
class UndoView:
    """What an undo of an act would put back, and what stands ``against`` it, in words."""

    persons: list[PutBack]
    #: (household, the state it gets back); ``made``: those the act made, which stay closed.
    households: list[tuple[HomeRow, str]]
    made: list[HomeRow]
    followed: int
    against: list[str]


def undo_view(uow: Uow, act: RegisterAct) -> UndoView:
    """What taking a done act back would do. Changes nothing."""
    changes: dict[str, Any] = act.changes
    made_homes = [int(id) for id in changes["made"].get("households", ())]
    made_persons = [int(id) for id in changes["made"].get("persons", ())]
    rows = {id: _rows_back(uow, int(id), change) for id, change in changes["persons"].items()}
    places = {back[0] for found in rows.values() for back in found}
    homes = _homes(uow, places | {int(id) for id in changes["households"]} | set(made_homes))
    with uow.tenant_wide(_WHY):
        ids = [*(int(id) for id in changes["persons"]), *made_persons]
        names = {p.id: p.name for p in uow.session.scalars(select(Person).where(Person.id.in_(ids)))}
    persons = [
        PutBack(
            names.get(int(id), ""),
            change["was"].get("state", "active"),
            [Belonging(homes[home], relation, reg, living, None, None) for home, relation, reg, living in rows[id]],
        )
        for id, change in changes["persons"].items()
        if int(id) in names
    ]
    persons += [PutBack(names[id], "active", gone=True) for id in made_persons if id in names]
    return UndoView(
        persons,
        [(homes[int(id)], was["state"]) for id, was in changes["households"].items() if int(id) in homes],
        [homes[id] for id in made_homes if id in homes],
        sum(len(ids) for ids in (changes.get("followed") or {}).values()),
        standing_against(uow, act),
    )


_Back = tuple[int, str, bool, bool]


def _rows_back(uow: Uow, person_id: int, change: dict[str, Any]) -> list[_Back]:
    """(household, relation, registered, living) of the memberships that would stand again."""
    found: list[_Back] = [
        (kept["household_id"], kept["relation"], kept["registered"], kept["living"]) for kept in change["removed"]
    ]
    if change["ended"]:
        with uow.tenant_wide(_WHY):
            rows = uow.session.scalars(
                select(HouseholdMember).where(
                    HouseholdMember.person_id == person_id, HouseholdMember.id.in_(change["ended"])
                )
            )
            found += [(row.household_id, row.relation, row.registered, row.living) for row in rows]
    return found
