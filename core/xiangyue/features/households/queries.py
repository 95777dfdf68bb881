"""Reads of one household, its history, and the county's kinds; lists are in ``list_query``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import and_, or_, select

from xiangyue.access.crypto import TenantKeys
from xiangyue.access.models import AuditEntry
from xiangyue.db.uow import Uow
from xiangyue.features.areas import queries as areas
from xiangyue.features.audit.forgotten import hide_forgotten
from xiangyue.features.households.custom import FieldValue, active_fields, values_of
from xiangyue.features.households.list_query import with_head
from xiangyue.features.households.listing import Ranges, mark_rights
from xiangyue.features.households.models import (
    AwardKind,
    CustomField,
    Household,
    HouseholdAward,
    HouseholdIncome,
    MarkKind,
    Person,
    RegisterAct,
    RegisterActPart,
)
from xiangyue.features.households.person_input import today
from xiangyue.features.households.queries_persons import (
    MarkView,
    PartOfAnother,
    PersonView,
    marks_by_person,
    persons_of,
)
from xiangyue.features.households.queries_register import part_ids
from xiangyue.features.households.queries_search import SearchResult, search

NORMAL = "normal"


@dataclass(slots=True)
class MarkGroup:
    """A mark of the household and the members it follows from."""

    kind: MarkKind
    persons: list[Person] = field(default_factory=list)


@dataclass(slots=True)
class AwardRow:
    """A kind of award by year, last year's always among them; None where nothing is recorded, which is not the same
    as not awarded."""

    kind: AwardKind
    years: dict[int, HouseholdAward | None]


@dataclass(slots=True)
class HouseholdView:
    """A household with everything its page shows."""

    household: Household
    persons: list[PersonView]
    marks: list[MarkGroup]
    incomes: list[HouseholdIncome]
    awards: list[AwardRow]
    custom: list[FieldValue]
    area_path: list[tuple[int, str]]
    has_head: bool

    @property
    def sensitive(self) -> list[str]:
        """Keys of the sensitive marks that are shown: reading them is noted in the audit trail."""
        keys = (m.kind.key for p in self.persons for m in (*p.marks, *p.ended) if m.kind.sensitivity != NORMAL)
        return list(dict.fromkeys(keys))


def household_view(uow: Uow, keys: TenantKeys, id: int) -> HouseholdView:
    """A household inside the scope with members (present ones first, the head in front), marks, incomes, awards and
    own fields, in a constant number of statements. Raises NotFound."""
    household = uow.get(Household, id)
    if household.merged_into_id is not None:
        raise PartOfAnother(Household, household.merged_into_id)
    persons = persons_of(uow, keys, household)
    incomes = select(HouseholdIncome).where(HouseholdIncome.household_id == id).order_by(HouseholdIncome.year.desc())
    awards = uow.session.scalars(select(HouseholdAward).where(HouseholdAward.household_id == id)).all()
    paths = areas.paths(uow, [household.area_code])
    return HouseholdView(
        household,
        persons,
        _groups(persons),
        list(uow.session.scalars(incomes)),
        _award_rows(award_kinds(uow), awards),
        values_of(uow, "household", [household], retired=True)[household.id],
        paths.get(household.area_code, []),
        bool(with_head(uow, [id])),
    )


def _groups(persons: Iterable[PersonView]) -> list[MarkGroup]:
    groups: dict[str, MarkGroup] = {}
    for view in persons:
        for mark in view.marks:
            if mark.kind.follows_to_household:
                groups.setdefault(mark.kind.key, MarkGroup(mark.kind)).persons.append(view.person)
    return sorted(groups.values(), key=lambda g: (g.kind.position, g.kind.id))


def _award_rows(kinds: Sequence[AwardKind], awards: Sequence[HouseholdAward]) -> list[AwardRow]:
    found = {(a.award_key, a.year): a for a in awards}
    years = sorted({a.year for a in awards} | {today().year - 1}, reverse=True)
    shown = [k for k in kinds if k.active or any(key == k.key for key, _year in found)]
    return [AwardRow(kind, {year: found.get((kind.key, year)) for year in years}) for kind in shown]


def mark_kinds(uow: Uow, *, retired: bool = False) -> list[MarkKind]:
    """The county's marks in order; sensitive ones only for those who may see them somewhere."""
    rights = mark_rights(uow)
    statement = select(MarkKind).where(MarkKind.key.in_([*rights.normal, *rights.sensitive, *rights.closed]))
    if not retired:
        statement = statement.where(MarkKind.active.is_(True))
    return list(uow.session.scalars(statement.order_by(MarkKind.position, MarkKind.id)))


def award_kinds(uow: Uow, *, retired: bool = True) -> list[AwardKind]:
    """The county's awards in order."""
    statement = select(AwardKind).order_by(AwardKind.position, AwardKind.id)
    if not retired:
        statement = statement.where(AwardKind.active.is_(True))
    return list(uow.session.scalars(statement))


def custom_fields(uow: Uow, entity: str) -> list[CustomField]:
    """The county's own fields on ``household`` or ``person``, in order."""
    return active_fields(uow, entity)


def history(uow: Uow, object_type: str, id: int, *, limit: int = 50) -> list[AuditEntry]:
    """What happened to a household (and its present persons) or to a person, and to the records that became part of
    it, newest first; also that a change of the register which touched it was undone.

    Entries about sensitive marks only for those who may see them there. Raises NotFound outside the area.
    """
    model: type[Household] | type[Person] = Household if object_type == "household" else Person
    uow.get(model, id)
    records = [id, *part_ids(uow, model, id)]
    about = and_(AuditEntry.object_type == object_type, AuditEntry.object_id.in_(records))
    if object_type == "household":
        members = list(uow.session.scalars(select(Person.id).where(Person.household_id == id)))
        about = or_(about, and_(AuditEntry.object_type == "person", AuditEntry.object_id.in_(members)))
    # What an act did is told of what it touched; that it was undone is told of the act.
    part, act = RegisterActPart, RegisterAct
    undone = (
        select(part.act_id)
        .join(act, and_(act.tenant_id == part.tenant_id, act.id == part.act_id))
        .where(part.kind == object_type, part.thing_id.in_(records), act.state == "undone")
    )
    with uow.tenant_wide("an act may have been done in the area where somebody came from"):
        acts = list(uow.session.scalars(undone))
    if acts:
        taken_back = (AuditEntry.action == "register.undo", AuditEntry.object_type == "register_act")
        about = or_(about, and_(*taken_back, AuditEntry.object_id.in_(acts)))
    rights = mark_rights(uow)
    sensitive = set(uow.session.scalars(select(MarkKind.key).where(MarkKind.sensitivity != NORMAL)))
    entries = uow.session.scalars(select(AuditEntry).where(about).order_by(AuditEntry.id.desc()).limit(2 * limit))
    shown = [e for e in entries if not _marks_in(e) & sensitive or _inside(rights.ranges, e.area_code)]
    return hide_forgotten(uow, shown[:limit])


def _marks_in(entry: AuditEntry) -> set[str]:
    found: set[str] = set()
    for values in (entry.before, entry.after):
        for name in ("mark", "marks"):
            value: Any = (values or {}).get(name)
            found |= {value} if isinstance(value, str) else set(value or ())
    return found


def _inside(ranges: Ranges, area_code: int) -> bool:
    return ranges is None or any(lo <= area_code <= hi for lo, hi in ranges)


__all__ = [
    "AwardRow",
    "FieldValue",
    "HouseholdView",
    "MarkGroup",
    "MarkView",
    "PersonView",
    "SearchResult",
    "award_kinds",
    "custom_fields",
    "history",
    "household_view",
    "mark_kinds",
    "marks_by_person",
    "search",
]
