"""Reads of persons with their marks and own fields."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from xiangyue.access.crypto import TenantKeys
from xiangyue.access.sensitive import sensitive_ranges
from xiangyue.db.uow import Uow
from xiangyue.errors import NotFound
from xiangyue.features.areas import queries as areas
from xiangyue.features.households import policy
from xiangyue.features.households.custom import FieldValue, values_of
from xiangyue.features.households.identifiers import ID_NUMBER, PHONE, masked
from xiangyue.features.households.models import Household, MarkKind, Person, PersonMark
from xiangyue.i18n import TIMEZONE
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.text.codes import HEAD


class PartOfAnother(NotFound):
    """The record is part of another one now: ``survivor_id`` of ``model``, which may lie outside the actor's area."""

    code = "merged"
    told = ("person_id", "household_id")

    def __init__(self, model: type[Person] | type[Household], survivor_id: int) -> None:
        noun = model.__tablename__
        super().__init__(_l("This record is part of another one now."), **{f"{noun}_id": survivor_id})
        self.model = model
        self.survivor_id = survivor_id


def survivor_of(uow: Uow, merged: PartOfAnother) -> int:
    """Where it is now. Raises NotFound outside the actor's area, saying no more than of any other."""
    return uow.get(merged.model, merged.survivor_id).id


@dataclass(slots=True)
class MarkView:
    """A mark with its kind."""

    mark: PersonMark
    kind: MarkKind


@dataclass(slots=True)
class PersonView:
    """A person with everything its page shows; identifiers masked, "" where there are none. ``marks`` stand,
    ``ended`` are former ones."""

    person: Person
    household: Household
    id_number: str
    phone: str
    marks: list[MarkView]
    ended: list[MarkView]
    custom: list[FieldValue]
    area_path: list[tuple[int, str]]

    @property
    def age(self) -> int | None:
        return age_on(self.person.birth_date, datetime.now(TIMEZONE).date())

    @property
    def sensitive(self) -> list[str]:
        """Keys of the sensitive marks that are shown: reading them is noted in the audit trail."""
        keys = (m.kind.key for m in (*self.marks, *self.ended) if m.kind.sensitivity != "normal")
        return list(dict.fromkeys(keys))


def age_on(born: date | None, day: date) -> int | None:
    """Full years, None when the date of birth is unknown."""
    if born is None:
        return None
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def persons_of(uow: Uow, keys: TenantKeys, household: Household) -> list[PersonView]:
    """All members, present ones first with the head in front, in a constant number of statements."""
    statement = select(Person).where(Person.household_id == household.id, Person.merged_into_id.is_(None))
    persons = sorted(
        uow.session.scalars(statement),
        key=lambda p: (p.state != "active", p.relation != HEAD, p.relation or "~", p.id),
    )
    return _views(uow, keys, persons, {household.id: household})


def person_view(uow: Uow, keys: TenantKeys, id: int) -> PersonView:
    """One person inside the scope. Raises NotFound."""
    person = uow.get(Person, id)
    if person.merged_into_id is not None:
        raise PartOfAnother(Person, person.merged_into_id)
    return _views(uow, keys, [person], {person.household_id: uow.get(Household, person.household_id)})[0]


def _views(uow: Uow, keys: TenantKeys, persons: Sequence[Person], households: dict[int, Household]) -> list[PersonView]:
    marks = marks_by_person(uow, [p.id for p in persons], sorted(households))
    custom = values_of(uow, "person", persons, retired=True)
    paths = areas.paths(uow, {p.area_code for p in persons})
    return [
        PersonView(
            p,
            households[p.household_id],
            masked(keys, uow.tenant_id, ID_NUMBER, p.id_number),
            masked(keys, uow.tenant_id, PHONE, p.phone),
            [m for m in marks.get(p.id, []) if m.mark.valid_to is None],
            [m for m in marks.get(p.id, []) if m.mark.valid_to is not None],
            custom[p.id],
            paths.get(p.area_code, []),
        )
        for p in persons
    ]


def marks_by_person(uow: Uow, person_ids: Sequence[int], household_ids: Sequence[int]) -> dict[int, list[MarkView]]:
    """Marks of these persons (of these households, by which they are found), standing and ended, in the order of
    their kinds. Sensitive ones only where the actor may see them."""
    ranges = sensitive_ranges(uow, policy.SENSITIVE_VIEW)
    kinds = {k.key: k for k in uow.session.scalars(select(MarkKind))}
    statement = select(PersonMark).where(
        PersonMark.household_id.in_(household_ids), PersonMark.person_id.in_(person_ids)
    )
    found: dict[int, list[MarkView]] = {}
    for mark in uow.session.scalars(statement):
        kind = kinds[mark.mark_key]
        hidden = kind.sensitivity != "normal" and not (
            ranges is None or any(lo <= mark.area_code <= hi for lo, hi in ranges)
        )
        if not hidden:
            found.setdefault(mark.person_id, []).append(MarkView(mark, kind))
    for views in found.values():
        views.sort(key=lambda v: (v.kind.position, v.mark.id))
    return found
