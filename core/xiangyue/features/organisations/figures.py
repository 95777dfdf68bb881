"""Figures over those who hold posts (任职人员统计): how many, women, ages, by kind of organisation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import and_, func, select

from xiangyue.db.uow import Uow
from xiangyue.features.households.person_input import today
from xiangyue.features.households.queries_persons import age_on
from xiangyue.features.organisations import queries
from xiangyue.features.organisations.dates import holds_on
from xiangyue.features.organisations.holders import Who, people
from xiangyue.features.organisations.models import Organisation, PostHolder
from xiangyue.features.organisations.queries import OrganisationFilter
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.text.idnumber import FEMALE
from xiangyue.web.components import Column

#: Youngest and oldest of each band of ages; provinces ask how many are 55 or younger.
BANDS = {"to_35": (0, 35), "to_45": (36, 45), "to_55": (46, 55), "above": (56, 200)}
COLUMNS = (
    Column("kind", _l("Kind of organisation"), primary=True),
    Column("organisations", _l("Organisations"), numeric=True),
    Column("people", _l("People in them"), numeric=True),
    Column("women", _l("Women"), numeric=True),
    Column("mean", _l("Average age"), numeric=True),
    Column("to_35", _l("Up to 35"), numeric=True),
    Column("to_45", _l("36 to 45"), numeric=True),
    Column("to_55", _l("46 to 55"), numeric=True),
    Column("above", _l("Over 55"), numeric=True),
    Column("outside", _l("From outside the register"), numeric=True),
)
#: Persons that are looked up at a time.
_STEP = 5000


@dataclass(slots=True)
class Figures:
    """Of one kind of organisation (``key``), or of all ("all"): each person counts once, whatever posts he or she
    holds in them."""

    key: str
    kind: Any
    organisations: int = 0
    persons: set[int] = field(default_factory=set)
    outsiders: set[str] = field(default_factory=set)
    women: int = 0
    ages: list[int] = field(default_factory=list)

    @property
    def id(self) -> str:
        return self.key

    @property
    def people(self) -> int:
        return len(self.persons) + len(self.outsiders)

    @property
    def outside(self) -> int:
        return len(self.outsiders)

    @property
    def mean(self) -> float | None:
        """Of those whose birth is known."""
        return round(sum(self.ages) / len(self.ages), 1) if self.ages else None

    def band(self, key: str) -> int:
        low, high = BANDS[key]
        return sum(low <= age <= high for age in self.ages)

    def value(self, column: str) -> Any:
        return self.band(column) if column in BANDS else getattr(self, column)


def figures(uow: Uow, wanted: OrganisationFilter) -> list[Figures]:
    """By kind of organisation, in the order of the kinds, and of all together where there are several kinds; on the day
    of ``wanted`` (today)."""
    day = wanted.on or today()
    conditions = queries.conditions_of(uow, wanted)
    numbers = select(Organisation.kind_key, func.count()).where(*conditions).group_by(Organisation.kind_key)
    labels = queries.kind_names(uow)
    found = {key: Figures(key, labels.get(key, key), organisations=n) for key, n in uow.session.execute(numbers)}
    whose = and_(Organisation.tenant_id == PostHolder.tenant_id, Organisation.id == PostHolder.organisation_id)
    statement = (
        select(Organisation.kind_key, PostHolder.person_id, PostHolder.outsider_name, PostHolder.organisation_id)
        .join(Organisation, whose)
        .where(holds_on(day), *conditions)
        .distinct()
    )
    for kind, person, outsider, organisation in uow.session.execute(statement):
        if person is not None:
            found[kind].persons.add(person)
        else:
            # Two of one name in different organisations are two people, as far as anybody knows.
            found[kind].outsiders.add(f"{organisation} {outsider}")
    order = {kind.key: number for number, kind in enumerate(queries.kinds(uow, active=False))}
    made = sorted(found.values(), key=lambda one: order.get(one.key, len(order)))
    if len(made) > 1:
        every = Figures("all", _l("All together"), sum(one.organisations for one in made))
        for one in made:
            every.persons |= one.persons
            every.outsiders |= one.outsiders
        made.append(every)
    _look_up(uow, made, day)
    return made


def _look_up(uow: Uow, made: Iterable[Figures], day: date) -> None:
    """Sex and age of those on the register."""
    where: dict[int, list[Figures]] = defaultdict(list)
    for one in made:
        for id in one.persons:
            where[id].append(one)
    ids = list(where)
    for start in range(0, len(ids), _STEP):
        for id, who in people(uow, ids[start : start + _STEP]).items():
            _count(where[id], who, day)


def _count(places: Iterable[Figures], who: Who, day: date) -> None:
    age = age_on(who.birth_date, day)
    for one in places:
        one.women += who.sex == FEMALE
        if age is not None:
            one.ages.append(age)
