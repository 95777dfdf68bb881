"""Reads of requests: each is reached through its person, so the reader's area holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, tuple_

from xiangyue.access.models import AuditEntry
from xiangyue.db.paging import decode_as, encode_cursor
from xiangyue.db.scope import area_range
from xiangyue.db.uow import Uow
from xiangyue.errors import NotFound
from xiangyue.features.audit.forgotten import hide_forgotten
from xiangyue.features.households.models import Person, PersonMark
from xiangyue.features.households.models_register import RegisterAct
from xiangyue.features.households.person_input import today
from xiangyue.features.privacy.models import PrivacyRequest
from xiangyue.features.privacy.policy import OPEN_STATES
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.follows import open_rows
from xiangyue.text.workdays import working_days_between

#: Acts that put a record right, or complete it.
CHANGES = ("person.edit", "person.move", "mark.add", "mark.end")
SORTS = {"due": PrivacyRequest.due_on, "received": PrivacyRequest.received_on}


@dataclass(frozen=True, slots=True)
class Line:
    """A request with its person, as far as the person still has a name."""

    request: PrivacyRequest
    person: Person

    @property
    def id(self) -> int:
        return self.request.id

    @property
    def open(self) -> bool:
        return self.request.state in OPEN_STATES

    @property
    def days_left(self) -> int:
        """Working days until it is due; negative when it is late."""
        return working_days_between(today(), self.request.due_on)

    @property
    def late(self) -> bool:
        return self.open and self.request.due_on < today()


@dataclass(frozen=True, slots=True)
class RequestFilter:
    """``state``: one of the states, open or "" for all; ``due``: late or soon; ``q``: start of the number or part of
    the person's name."""

    q: str = ""
    kind: str = ""
    state: str = ""
    due: str = ""
    since: date | None = None
    until: date | None = None
    person_id: int | None = None
    area: int = 0


def _lines() -> Any:
    whose = and_(Person.tenant_id == PrivacyRequest.tenant_id, Person.id == PrivacyRequest.person_id)
    return select(PrivacyRequest, Person).join(Person, whose)


def _conditions(wanted: RequestFilter, soon_until: date | None = None) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.q:
        starts = PrivacyRequest.number.startswith(wanted.q, autoescape=True)
        found.append(or_(starts, Person.name.contains(wanted.q, autoescape=True)))
    if wanted.kind:
        found.append(PrivacyRequest.kind == wanted.kind)
    if wanted.state == "open" or wanted.due:
        found.append(PrivacyRequest.state.in_(OPEN_STATES))
    elif wanted.state:
        found.append(PrivacyRequest.state == wanted.state)
    if wanted.due == "late":
        found.append(PrivacyRequest.due_on < today())
    if wanted.due == "soon" and soon_until is not None:
        found.append(PrivacyRequest.due_on.between(today(), soon_until))
    if wanted.since is not None:
        found.append(PrivacyRequest.received_on >= wanted.since)
    if wanted.until is not None:
        found.append(PrivacyRequest.received_on <= wanted.until)
    if wanted.person_id is not None:
        found.append(PrivacyRequest.person_id == wanted.person_id)
    if wanted.area:
        found.append(Person.area_code.between(*area_range(wanted.area)))
    return found


@dataclass(frozen=True, slots=True)
class Page:
    """A page of requests and the cursors of its neighbours."""

    lines: list[Line]
    next: str | None
    back: str | None


def list_requests(
    uow: Uow,
    wanted: RequestFilter,
    *,
    soon_until: date | None = None,
    sort: str = "-received",
    limit: int = 50,
    after: str | None = None,
    before: str | None = None,
) -> Page:
    """A page by keyset over (day, id). ``soon_until``: last day that counts as soon. Raises Invalid on a cursor."""
    column = SORTS[sort.removeprefix("-")]
    backwards = before is not None
    ascending = sort.startswith("-") == backwards
    statement = _lines().where(*_conditions(wanted, soon_until))
    mark = after if after is not None else before
    if mark is not None:
        made_for, day, last = decode_as(mark, str, date, int)
        place = tuple_(column, PrivacyRequest.id)
        if made_for == sort:
            there = (day, last)
            statement = statement.where(place > there if ascending else place < there)
    order = (column.asc(), PrivacyRequest.id.asc()) if ascending else (column.desc(), PrivacyRequest.id.desc())
    found = [Line(row[0], row[1]) for row in uow.session.execute(statement.order_by(*order).limit(limit + 1))]
    more, found = len(found) > limit, found[:limit]
    if backwards:
        found.reverse()
    if not found:
        return Page([], None, None)

    def cursor(line: Line) -> str:
        return encode_cursor(sort, getattr(line.request, column.key), line.id)

    has_next, has_back = more or backwards, more if backwards else after is not None
    return Page(found, cursor(found[-1]) if has_next else None, cursor(found[0]) if has_back else None)


def count_requests(uow: Uow, wanted: RequestFilter, *, soon_until: date | None = None) -> int:
    inner = _lines().where(*_conditions(wanted, soon_until)).with_only_columns(PrivacyRequest.id).subquery()
    return uow.session.execute(select(func.count()).select_from(inner)).scalar_one()


def each_request(uow: Uow, wanted: RequestFilter, *, soon_until: date | None, sort: str, limit: int) -> Iterator[Line]:
    """The requests of an export, in order."""
    after: str | None = None
    while limit > 0:
        page = list_requests(uow, wanted, soon_until=soon_until, sort=sort, limit=min(limit, 500), after=after)
        yield from page.lines
        limit -= len(page.lines)
        after = page.next
        if after is None:
            return


def get_request(uow: Uow, id: int, *, lock: bool = False) -> Line:
    """One request of a person inside the area. Raises NotFound."""
    statement = _lines().where(PrivacyRequest.id == id)
    if lock:
        statement = statement.with_for_update(of=PrivacyRequest).execution_options(populate_existing=True)
    found = uow.session.execute(statement).one_or_none()
    if found is None:
        raise NotFound(_l("There is no such request, or it lies outside your area."))
    return Line(found[0], found[1])


def requests_of(uow: Uow, person_id: int, *, limit: int = 10) -> list[Line]:
    """Those about one person, newest first."""
    statement = _lines().where(PrivacyRequest.person_id == person_id).order_by(PrivacyRequest.id.desc()).limit(limit)
    return [Line(row[0], row[1]) for row in uow.session.execute(statement)]


def changes_since(uow: Uow, line: Line) -> list[AuditEntry]:
    """Entries that changed the person's record since the request came in, oldest first."""
    statement = (
        select(AuditEntry)
        .where(
            AuditEntry.object_type == "person",
            AuditEntry.object_id == line.person.id,
            AuditEntry.action.in_(CHANGES),
            AuditEntry.at >= line.request.created_at,
        )
        .order_by(AuditEntry.id)
        .limit(100)
    )
    return list(uow.session.scalars(statement))


def entries_by_id(uow: Uow, ids: Sequence[int]) -> list[AuditEntry]:
    """What a finished request was answered with."""
    statement = select(AuditEntry).where(AuditEntry.id.in_(ids)).order_by(AuditEntry.id)
    return hide_forgotten(uow, list(uow.session.scalars(statement)))


def open_requests(uow: Uow, *, limit: int = 50) -> list[Line]:
    """What waits to be answered, most urgent first."""
    statement = _lines().where(PrivacyRequest.state.in_(OPEN_STATES))
    statement = statement.order_by(PrivacyRequest.due_on, PrivacyRequest.id).limit(limit)
    return [Line(row[0], row[1]) for row in uow.session.execute(statement)]


def obligations(uow: Uow, person_id: int, *, but: int = 0) -> list[tuple[Any, int]]:
    """Open work that hangs on the person: (what, how many), by what features and plugins registered as following a
    person, also plugins that are off. Marks are none: they are part of the record. ``but``: the request that asks for
    the erasure."""
    found: list[tuple[Any, int]] = []
    for item, ids in open_rows(uow, of="person", owner=person_id):
        if item.model is PersonMark:
            continue
        number = len(ids) - (item.model is PrivacyRequest and but in ids)
        if number:
            found.append((item.label, number))
    waiting = select(func.count()).select_from(RegisterAct)
    waiting = waiting.where(RegisterAct.state == "reported", RegisterAct.request["person_id"].astext == str(person_id))
    if number := uow.session.execute(waiting).scalar_one():
        found.append((_l("Reported changes of the register"), number))
    return found


__all__ = [
    "CHANGES",
    "SORTS",
    "Line",
    "Page",
    "RequestFilter",
    "changes_since",
    "count_requests",
    "each_request",
    "entries_by_id",
    "get_request",
    "list_requests",
    "obligations",
    "open_requests",
    "requests_of",
]
