"""Reads of the register: who belonged to a household on a day, acts and reports, counts on both bases."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import and_, or_, select

from xiangyue.db.paging import decode_ids, encode_cursor
from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.features.areas import queries as areas
from xiangyue.features.households.models import Household, HouseholdMember, Person, RegisterAct, RegisterActPart
from xiangyue.features.households.person_input import today
from xiangyue.text.codes import HEAD

_WHY = "a member who lives in another area is named with where that is"


@dataclass(slots=True)
class Elsewhere:
    """The household where a member lives instead. ``inside``: the actor may open it."""

    household_id: int
    code: str
    head_name: str
    area_path: list[tuple[int, str]]
    inside: bool


@dataclass(slots=True)
class MemberOn:
    """Who belonged to a household on a day, on which base. ``since``: of this belonging; None: from the first.

    ``lives``: where instead, when registered here and living in another household of the county; ``away``: registered
    here and living in none. ``inside``: the actor may open the person's page."""

    person_id: int
    name: str
    sex: int
    birth_date: date | None
    relation: str
    registered: bool
    living: bool
    since: date | None
    inside: bool
    lives: Elsewhere | None = None
    registered_at: Elsewhere | None = None

    @property
    def away(self) -> bool:
        return self.registered and not self.living and self.lives is None


@dataclass(slots=True)
class HouseholdOn:
    """A household as of a day. ``state``: not_yet (before a split made it), active or closed, then."""

    household: Household
    on: date
    state: str
    members: list[MemberOn] = field(default_factory=list)

    @property
    def registered(self) -> int:
        return sum(member.registered for member in self.members)

    @property
    def living(self) -> int:
        return sum(member.living for member in self.members)

    @property
    def headless(self) -> bool:
        """Whether it has members, and none of them is the head."""
        return bool(self.members) and not any(m.relation == HEAD for m in self.members)

    @property
    def head(self) -> MemberOn | None:
        """The head, or who stands for one."""
        return next((m for m in self.members if m.relation == HEAD), self.members[0] if self.members else None)


def household_on(uow: Uow, household_id: int, on: date | None = None) -> HouseholdOn:
    """A household inside the scope as of the end of a day (today when missing), in a constant number of statements.
    Raises NotFound."""
    household = uow.get(Household, household_id)
    day = on or today()
    return HouseholdOn(household, day, _state_on(uow, household, day), members_as_of(uow, household, day))


def members_as_of(uow: Uow, household: Household, on: date) -> list[MemberOn]:
    """Who belonged to the household on that day, the head in front, then by relation."""
    rows = scoped_rows(uow.session, _MEMBERS, {"household": household.id, "day": on})
    found: dict[int, MemberOn] = {}
    with uow.tenant_wide(_WHY):
        persons = {p.id: p for p in uow.session.scalars(select(Person).where(Person.id.in_([row[0] for row in rows])))}
        others = _elsewhere(uow, household.id, list(persons), on)
    for id, relation, registered, living, since in rows:
        person = persons[id]
        inside = uow.scope.contains(person.area_code)
        found[id] = MemberOn(
            id, person.name, person.sex, person.birth_date, relation, registered, living, since, inside
        )
    _name_places(uow, found, others)
    return sorted(found.values(), key=lambda m: (m.relation != HEAD, m.relation or "~", m.person_id))


#: Somebody of whom there were two records is one.
_MEMBERS = """
SELECT coalesce(p.merged_into_id, p.id), max(k.relation), bool_or(k.registered), bool_or(k.living),
       CASE WHEN bool_or(k.opened_by IS NULL) THEN NULL ELSE max(k.valid_from) END
  FROM household_member k JOIN person p ON p.id = k.person_id
 WHERE {scope:k} AND {tenant:p} AND k.household_id = :household
   AND k.valid_from <= :day AND (k.valid_to IS NULL OR k.valid_to > :day)
 GROUP BY 1
"""


_Belonging = tuple[HouseholdMember, Household]


def _elsewhere(uow: Uow, household_id: int, person_ids: Sequence[int], on: date) -> list[_Belonging]:
    statement = (
        select(HouseholdMember, Household)
        .join(Household, and_(Household.tenant_id == HouseholdMember.tenant_id,
                              Household.id == HouseholdMember.household_id))
        .where(
            HouseholdMember.person_id.in_(person_ids),
            HouseholdMember.household_id != household_id,
            HouseholdMember.valid_from <= on,
            or_(HouseholdMember.valid_to.is_(None), HouseholdMember.valid_to > on),
        )
    )  # fmt: skip
    return [(row[0], row[1]) for row in uow.session.execute(statement)]


def _name_places(uow: Uow, found: dict[int, MemberOn], others: Iterable[_Belonging]) -> None:
    pairs = list(others)
    paths = areas.paths(uow, {household.area_code for _row, household in pairs})
    for row, household in pairs:
        place = Elsewhere(
            household.id,
            household.code,
            household.head_name,
            paths.get(household.area_code, []),
            uow.scope.contains(household.area_code),
        )
        if row.living:
            found[row.person_id].lives = place
        if row.registered:
            found[row.person_id].registered_at = place


def _state_on(uow: Uow, household: Household, on: date) -> str:
    acts = [
        act
        for act in acts_of(uow, "household", household.id, parts=False)
        if act.state == "done" and act.kind in ("split", "merge", "close", "reopen")
        and (act.kind != "split" or act.other_household_id == household.id)
        and (act.kind != "merge" or act.household_id == household.id)
    ]  # fmt: skip
    made = next((act for act in acts if act.kind == "split"), None)
    if made is not None and on < made.on_date:
        return "not_yet"
    changes = [act for act in acts if act.kind != "split" and act.on_date <= on]
    if changes:
        last = max(changes, key=lambda act: (act.on_date, act.id))
        return "active" if last.kind == "reopen" else "closed"
    ended = household.state == "closed" and household.left_on is not None and household.left_on <= on
    return "closed" if ended and not any(act.kind != "split" for act in acts) else "active"


def acts_of(uow: Uow, of: str, id: int, *, parts: bool = True) -> list[RegisterAct]:
    """Acts that touched a ``person`` or ``household`` inside the scope, the latest day first; also those done in
    another area, because they are the history of this one. ``parts``: with those of the records that became part of
    it."""
    model: type[Household] | type[Person] = Household if of == "household" else Person
    uow.get(model, id)
    touched = [id, *(part_ids(uow, model, id) if parts else ())]
    ids = select(RegisterActPart.act_id).where(RegisterActPart.kind == of, RegisterActPart.thing_id.in_(touched))
    with uow.tenant_wide("an act done in another area belongs to the history of whoever it touched"):
        found = uow.session.scalars(
            select(RegisterAct)
            .where(RegisterAct.id.in_(ids))
            .order_by(RegisterAct.on_date.desc(), RegisterAct.id.desc())
        )
        return list(found)


def part_ids(uow: Uow, model: type[Household] | type[Person], id: int) -> list[int]:
    """Records that became part of this one."""
    with uow.tenant_wide("parts of a record are its history wherever they lie"):
        return list(uow.session.scalars(select(model.id).where(model.merged_into_id == id)))


def persons_of_acts(uow: Uow, acts: Iterable[RegisterAct]) -> dict[int, list[tuple[int, str]]]:
    """(person id, name) that each act touched; those taken out of the register by an undo are missing."""
    ids = [act.id for act in acts]
    rows = scoped_rows(
        uow.session,
        "SELECT w.act_id, p.id, p.name FROM register_act_part w JOIN person p ON p.tenant_id = w.tenant_id"
        " AND p.id = w.thing_id WHERE {tenant:w} AND w.kind = 'person' AND w.act_id = ANY(:ids) ORDER BY p.id",
        {"ids": ids},
    )
    found: dict[int, list[tuple[int, str]]] = {id: [] for id in ids}
    for act_id, person_id, name in rows:
        found[act_id].append((person_id, name))
    return found


@dataclass(slots=True)
class ActPage:
    items: list[RegisterAct]
    next: str | None


def list_acts(
    uow: Uow, *, state: str = "", kind: str = "", area: int = 0, limit: int = 50, after: str | None = None
) -> ActPage:
    """Acts inside the scope (below ``area``), newest first."""
    statement = select(RegisterAct).order_by(RegisterAct.id.desc()).limit(limit + 1)
    if state:
        statement = statement.where(RegisterAct.state == state)
    if kind:
        statement = statement.where(RegisterAct.kind == kind)
    if after:
        (last,) = decode_ids(after)
        statement = statement.where(RegisterAct.id < last)
    scope = uow.scope.narrowed(area) if area else uow.scope
    with uow.scoped(scope):
        found = list(uow.session.scalars(statement))
    more = len(found) > limit
    return ActPage(found[:limit], encode_cursor(found[limit - 1].id) if more else None)


def waiting_count(uow: Uow) -> int:
    """Reports inside the scope that wait to be confirmed."""
    rows = scoped_rows(uow.session, "SELECT count(*) FROM register_act a WHERE {scope:a} AND a.state = 'reported'")
    return int(rows[0][0])


def counts_by_base(uow: Uow, area: int = 0, on: date | None = None) -> tuple[int, int]:
    """(registered, living) in the scope (below ``area``) as of a day, today when missing. Somebody registered in one
    village and living in another counts once on each base, and of whom there were two records counts once."""
    scope = uow.scope.narrowed(area) if area else uow.scope
    if on is None or on == today():
        sql = (
            "SELECT coalesce(sum(h.registered_count), 0)::bigint, coalesce(sum(h.living_count), 0)::bigint"
            " FROM household h WHERE {scope:h} AND h.state = 'active'"
        )
        rows = scoped_rows(uow.session, sql, scope=scope)
    else:
        sql = (
            "SELECT count(DISTINCT coalesce(p.merged_into_id, p.id)) FILTER (WHERE k.registered),"
            " count(DISTINCT coalesce(p.merged_into_id, p.id)) FILTER (WHERE k.living)"
            " FROM household_member k JOIN person p ON p.id = k.person_id"
            " WHERE {scope:k} AND {tenant:p} AND k.valid_from <= :day AND (k.valid_to IS NULL OR k.valid_to > :day)"
        )
        rows = scoped_rows(uow.session, sql, {"day": on}, scope=scope)
    return int(rows[0][0]), int(rows[0][1])
