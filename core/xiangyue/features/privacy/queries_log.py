"""A person's access log: looks at the person alone, sets the person was in, and imports that brought values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import select

from xiangyue.db.paging import decode_as, encode_cursor
from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.features.households.models import Person
from xiangyue.features.privacy.access_log import RUN
from xiangyue.i18n import TIMEZONE

# ruff: noqa: S608 - statements are put together from constants; values are always parameters

_ONE = """
SELECT a.at, 0 AS kind, a.id, a.account_id, a.actor_kind, a.actor_name, a.way, a.seen, a.detail, a.purpose,
       '' AS number, 1 AS persons
  FROM person_access a WHERE {tenant:a} AND a.person_id = ANY(:ids)
"""
_SETS = """
SELECT s.at, 1 AS kind, s.id, s.account_id, s.actor_kind, s.actor_name, s.way, s.seen, s.detail, s.purpose,
       s.number, s.persons
  FROM person_access_member m JOIN person_access_set s ON s.tenant_id = m.tenant_id AND s.id = m.id
 WHERE {tenant:m} AND {tenant:s} AND m.bucket = %(bucket)s AND get_bit(m.members, %(bit)s) = 1
"""
_IMPORTS = """
SELECT e.at, 2 AS kind, e.id, e.account_id, e.actor_kind, e.actor_name, 'import' AS way, 'values' AS seen,
       '' AS detail, e.purpose, '' AS number, 1 AS persons
  FROM audit_entry e
 WHERE {tenant:e} AND e.object_type = 'person' AND e.object_id = ANY(:ids) AND e.action = 'person.import'
"""
# The import that brought somebody new writes no entry for each: it stands with the person.
_BATCH = """
SELECT b.committed_at AS at, 3 AS kind, b.id, b.created_by AS account_id, 'account' AS actor_kind,
       b.created_by_name AS actor_name, 'import' AS way, 'values' AS seen, '' AS detail, b.purpose,
       CAST(b.id AS text) AS number, 1 AS persons
  FROM person p JOIN import_batch b ON b.tenant_id = p.tenant_id AND b.id = p.import_batch_id
 WHERE {tenant:p} AND {tenant:b} AND p.id = ANY(:ids) AND b.committed_at IS NOT NULL
   AND NOT EXISTS (SELECT 1 FROM audit_entry x WHERE {tenant:x} AND x.object_type = 'person' AND x.object_id = p.id
                      AND x.action = 'person.import')
"""
_COLUMNS = "l.at, l.kind, l.id, l.account_id, l.actor_kind, l.actor_name, l.way, l.seen, l.detail, l.purpose, l.number"


@dataclass(frozen=True, slots=True)
class Look:
    """A line of the log. ``persons``: how many were seen together; ``number``: of the export."""

    at: datetime
    kind: int
    id: int
    account_id: int | None
    actor_kind: str
    actor_name: str
    way: str
    seen: str
    detail: str
    purpose: str
    number: str
    persons: int

    @property
    def key(self) -> str:
        return f"{self.kind}-{self.id}"


@dataclass(frozen=True, slots=True)
class LogFilter:
    """``who``: part of a name; days are those of Asia/Shanghai."""

    who: str = ""
    way: str = ""
    seen: str = ""
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Newest first."""

    looks: list[Look]
    next: str | None


def _start(day: date) -> datetime:
    return datetime.combine(day, time(), TIMEZONE).astimezone(UTC)


def _conditions(wanted: LogFilter) -> tuple[str, dict[str, Any]]:
    parts: list[str] = []
    params: dict[str, Any] = {}
    if wanted.who:
        parts.append("position(:who IN l.actor_name) > 0")
        params["who"] = wanted.who
    for name in ("way", "seen"):
        if value := getattr(wanted, name):
            parts.append(f"l.{name} = :{name}")
            params[name] = value
    if wanted.since is not None:
        parts.append("l.at >= :since")
        params["since"] = _start(wanted.since)
    if wanted.until is not None:
        parts.append("l.at < :until")
        params["until"] = _start(wanted.until + timedelta(days=1))
    return "".join(f" AND {part}" for part in parts), params


def person_ids(uow: Uow, person: Person) -> list[int]:
    """The person's record and those that became part of it: their log is this one's."""
    parts = select(Person.id).where(Person.merged_into_id == person.id)
    with uow.tenant_wide("records that became part of one that the reader may see"):
        return [person.id, *uow.session.scalars(parts)]


def _log(ids: list[int]) -> tuple[str, dict[str, Any]]:
    sources = [_ONE, _IMPORTS, _BATCH]
    params: dict[str, Any] = {"ids": ids}
    for n, id in enumerate(ids):
        sources.append(_SETS % {"bucket": f":bucket{n}", "bit": f":bit{n}"})
        params[f"bucket{n}"], params[f"bit{n}"] = id // RUN, id % RUN
    return " UNION ALL ".join(sources), params


def read_log(uow: Uow, person: Person, wanted: LogFilter, *, limit: int = 50, after: str | None = None) -> Page:
    """A page of the log by keyset; the caller has checked the right at the person. Raises Invalid on a cursor."""
    sql, params = _log(person_ids(uow, person))
    more, values = _conditions(wanted)
    params |= values
    if after is not None:
        at, kind, id = decode_as(after, datetime, int, int)
        more += " AND (l.at, l.kind, l.id) < (:last_at, :last_kind, :last_id)"
        params |= {"last_at": at, "last_kind": kind, "last_id": id}
    statement = (
        f"SELECT {_COLUMNS}, l.persons FROM ({sql}) l WHERE true{more}"
        f" ORDER BY l.at DESC, l.kind DESC, l.id DESC LIMIT {int(limit) + 1}"
    )
    rows = [Look(*row) for row in scoped_rows(uow.session, statement, params)]
    following = rows[limit - 1] if len(rows) > limit else None
    cursor = encode_cursor(following.at, following.kind, following.id) if following is not None else None
    return Page(rows[:limit], cursor)


def count_log(uow: Uow, person: Person, wanted: LogFilter) -> int:
    """How many lines."""
    sql, params = _log(person_ids(uow, person))
    more, values = _conditions(wanted)
    rows = scoped_rows(uow.session, f"SELECT count(*) FROM ({sql}) l WHERE true{more}", {**params, **values})
    return int(rows[0][0])


def each_look(uow: Uow, person: Person, wanted: LogFilter, *, limit: int) -> Iterator[Look]:
    """The lines of an export, newest first."""
    after: str | None = None
    while limit > 0:
        page = read_log(uow, person, wanted, limit=min(limit, 500), after=after)
        yield from page.looks
        limit -= len(page.looks)
        after = page.next
        if after is None:
            return
