"""Reads: lists by day due, one errand, counts for lists, panels and cards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import and_, func, select, tuple_

from xiangyue.sdk.db import Uow, area_range, scoped_rows
from xiangyue.sdk.i18n import today
from xiangyue.sdk.register import Area, Household, Person
from xiangyue_errands.models import Errand, Station
from xiangyue_errands.policy import STALE_DAYS


@dataclass(frozen=True, slots=True)
class Line:
    """An errand with the head of its household."""

    errand: Errand
    head_name: str

    @property
    def id(self) -> int:
        return self.errand.id

    @property
    def late(self) -> bool:
        return self.errand.state == "open" and self.errand.due_on < today()


def _lines() -> Any:
    home = and_(Household.tenant_id == Errand.tenant_id, Household.id == Errand.household_id)
    return select(Errand, Household.head_name).join(Household, home)


def _found(uow: Uow, statement: Any) -> list[Line]:
    return [Line(errand, head) for errand, head in uow.session.execute(statement)]


def list_errands(
    uow: Uow, *, state: str = "open", household_id: int = 0, after: Sequence[Any] | None = None, limit: int = 50
) -> list[Line]:
    """Errands in the scope by day due; ``state`` open, done or "" for both; ``after``: day and id of the last one."""
    statement = _lines().order_by(Errand.due_on, Errand.id).limit(limit)
    if state:
        statement = statement.where(Errand.state == state)
    if household_id:
        statement = statement.where(Errand.household_id == household_id)
    if after is not None:
        statement = statement.where(tuple_(Errand.due_on, Errand.id) > tuple(after))
    return _found(uow, statement)


def find_errand(uow: Uow, id: int) -> Line:
    """One errand inside the scope. Raises NotFound."""
    errand = uow.get(Errand, id)
    return Line(errand, uow.get(Household, errand.household_id).head_name)


def search(uow: Uow, word: str, limit: int) -> list[Line]:
    """Errands whose title holds the word, open ones first."""
    fits = Errand.title.contains(word, autoescape=True)
    return _found(uow, _lines().where(fits).order_by(Errand.state.desc(), Errand.due_on, Errand.id).limit(limit))


def count_open(uow: Uow, area: int = 0) -> tuple[int, int]:
    """(open, of these overdue) in the scope, below ``area`` (15 digits, 0 for all of it)."""
    late = func.count().filter(Errand.due_on < today())
    statement = select(func.count(), late).select_from(Errand).where(Errand.state == "open")
    if area:
        statement = statement.where(Errand.area_code.between(*area_range(area)))
    found = uow.session.execute(statement).one()
    return int(found[0]), int(found[1])


def count_stations(uow: Uow, area: int = 0) -> int:
    """Villages with a station in the scope, below ``area``."""
    statement = select(func.count()).select_from(Station)
    if area:
        statement = statement.where(Station.area_code.between(*area_range(area)))
    return int(uow.session.scalars(statement).one())


def open_by_household(uow: Uow, ids: Sequence[int]) -> dict[int, int]:
    """Open errands of each of these households that has any, in one statement."""
    rows = scoped_rows(
        uow.session,
        "SELECT e.household_id, count(*) FROM plugin_errands.errand e"
        " WHERE {scope:e} AND e.state = 'open' AND e.household_id = ANY(:ids) GROUP BY e.household_id",
        {"ids": list(ids)},
    )
    return dict(rows)


def has_late(uow: Uow, household_id: int) -> bool:
    """Whether an errand of the household is overdue."""
    late = select(Errand.id).where(Errand.household_id == household_id, Errand.state == "open", Errand.due_on < today())
    return uow.session.scalars(late.limit(1)).first() is not None


def towns(uow: Uow) -> list[tuple[int, str]]:
    """The county's towns as choices of a setting: (15-digit code, name)."""
    with uow.tenant_wide("a setting holds for the whole county"):
        found = select(Area.area_code, Area.name).where(Area.level == "town", Area.active.is_(True))
        return [(code, name) for code, name in uow.session.execute(found.order_by(Area.area_code))]


def stale_day() -> date:
    """Open errands that were due before this day are asked about again."""
    return today() - timedelta(days=STALE_DAYS)


def household_of(uow: Uow, person_id: int) -> int | None:
    """Where a person is, None for nobody."""
    return uow.session.scalars(select(Person.household_id).where(Person.id == person_id)).one_or_none()
