"""Reads of the audit trail."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, false, func, or_, select

from xiangyue.access.audit import EXPORTED
from xiangyue.access.models import Account, AuditEntry, Role
from xiangyue.access.seal import SEAL_ACTION
from xiangyue.access.seal_report import VerifyReport
from xiangyue.access.verify import verify
from xiangyue.db.paging import decode_ids, encode_cursor
from xiangyue.db.uow import Uow
from xiangyue.errors import Forbidden, NotFound
from xiangyue.features.areas.models import Area
from xiangyue.features.audit.forgotten import hide_forgotten
from xiangyue.features.audit.policy import COUNT_LIMIT, VERIFY_KIND
from xiangyue.features.households.models import AwardKind, CustomField, Household, MarkKind, Person
from xiangyue.i18n import TIMEZONE, current_locale
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.jobs.models import Job


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """Conditions on the trail. ``action`` ending in a dot is all of a kind; days are those of Asia/Shanghai."""

    who: str = ""
    action: str = ""
    object_type: str = ""
    object_id: int | None = None
    since: date | None = None
    until: date | None = None
    purpose: str = ""  # "", yes, no
    #: Of an export, as it stands in the file.
    number: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of entries and the cursors of its neighbours."""

    entries: list[AuditEntry]
    next: str | None
    back: str | None


def visible(uow: Uow) -> list[ColumnElement[bool]]:
    """The area wall: an area-bound auditor sees entries of the area, not those of the county as a whole."""
    if uow.scope.ranges is None:
        return []
    within = [AuditEntry.area_code.between(lo, hi) for lo, hi in uow.scope.ranges]
    return [or_(false(), *within)]


def _day_start(day: date) -> datetime:
    return datetime.combine(day, time(), TIMEZONE).astimezone(UTC)


def _conditions(uow: Uow, wanted: EntryFilter) -> list[ColumnElement[bool]]:
    found = visible(uow)
    if wanted.who:
        found.append(_by(uow, wanted.who))
    if wanted.action.endswith("."):
        found.append(AuditEntry.action.startswith(wanted.action, autoescape=True))
    elif wanted.action:
        found.append(AuditEntry.action == wanted.action)
    else:
        # The chain's own records come every minute; they are shown to those who ask for them.
        found.append(AuditEntry.action != SEAL_ACTION)
    if wanted.object_type:
        found.append(AuditEntry.object_type == wanted.object_type)
    if wanted.object_id is not None:
        found.append(AuditEntry.object_id == wanted.object_id)
    if wanted.since is not None:
        found.append(AuditEntry.at >= _day_start(wanted.since))
    if wanted.until is not None:
        found.append(AuditEntry.at < _day_start(wanted.until + timedelta(days=1)))
    if wanted.number:
        # By the kind of thing first: that has an index.
        found.append(and_(AuditEntry.object_type == EXPORTED, AuditEntry.object_label == wanted.number.upper()))
    if wanted.purpose:
        found.append(AuditEntry.purpose != "" if wanted.purpose == "yes" else AuditEntry.purpose == "")
    return found


def _by(uow: Uow, who: str) -> ColumnElement[bool]:
    """Entries of the accounts with these words in name or sign-in name, and of actors without an account."""
    accounts = select(Account.id).where(
        or_(Account.login.contains(who.lower(), autoescape=True), Account.name.contains(who, autoescape=True))
    )
    ids = list(uow.session.scalars(accounts.limit(500)))
    other = and_(AuditEntry.account_id.is_(None), AuditEntry.actor_name.contains(who, autoescape=True))
    return or_(AuditEntry.account_id.in_(ids), other)


def find_entries(
    uow: Uow,
    wanted: EntryFilter,
    *,
    limit: int = 50,
    oldest_first: bool = False,
    after: str | None = None,
    before: str | None = None,
) -> Page:
    """A page by keyset over ids, which follow the time of writing. Raises Invalid for an unreadable cursor."""
    conditions = _conditions(uow, wanted)
    backwards = before is not None
    mark = _cursor_id(after if after is not None else before)
    ascending = oldest_first != backwards
    if mark is not None:
        conditions.append(AuditEntry.id > mark if ascending else AuditEntry.id < mark)
    order = AuditEntry.id.asc() if ascending else AuditEntry.id.desc()
    rows = uow.session.scalars(select(AuditEntry).where(*conditions).order_by(order).limit(limit + 1))
    found = hide_forgotten(uow, list(rows))
    more, found = len(found) > limit, found[:limit]
    if backwards:
        found.reverse()
    if not found:
        return Page([], None, None)
    has_next = more or backwards
    has_back = more if backwards else after is not None
    return Page(
        found,
        encode_cursor(found[-1].id) if has_next else None,
        encode_cursor(found[0].id) if has_back else None,
    )


def _cursor_id(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    return decode_ids(cursor)[0]


def count_entries(uow: Uow, wanted: EntryFilter) -> int:
    """How many there are, counted up to COUNT_LIMIT + 1."""
    inner = select(AuditEntry.id).where(*_conditions(uow, wanted)).limit(COUNT_LIMIT + 1).subquery()
    return uow.session.execute(select(func.count()).select_from(inner)).scalar_one()


def each_entry(uow: Uow, wanted: EntryFilter, *, limit: int, oldest_first: bool = False) -> Iterator[AuditEntry]:
    """The entries of an export, newest first, in small memory."""
    order = AuditEntry.id.asc() if oldest_first else AuditEntry.id.desc()
    statement = select(AuditEntry).where(*_conditions(uow, wanted)).order_by(order).limit(limit)
    for some in uow.session.scalars(statement.execution_options(yield_per=500)).partitions():
        yield from hide_forgotten(uow, some)


def get_entry(uow: Uow, id: int) -> AuditEntry:
    """One entry inside the area; NotFound for any other."""
    found = uow.session.scalars(select(AuditEntry).where(AuditEntry.id == id, *visible(uow))).one_or_none()
    if found is None:
        raise NotFound(_l("There is no such entry, or it lies outside your area."))
    return hide_forgotten(uow, [found])[0]


def history_of(uow: Uow, object_type: str, object_id: int, *, limit: int = 20) -> list[AuditEntry]:
    """What happened to one thing, newest first; for the thing's own page, whose right its reader has."""
    statement = (
        select(AuditEntry)
        .where(AuditEntry.object_type == object_type, AuditEntry.object_id == object_id)
        .order_by(AuditEntry.id.desc())
        .limit(limit)
    )
    return hide_forgotten(uow, list(uow.session.scalars(statement)))


def area_names(uow: Uow, codes: Iterable[int] | None = None) -> dict[int, str]:
    """Town, village and group by 15-digit code (“漩涡镇 · 上七村 · 4组”), all without ``codes``; whatever the reader's
    area: a bare code says less, not more."""
    statement = select(Area.area_code, Area.name)
    wanted: set[int] | None = None
    if codes is not None:
        wanted = set(codes)
        if not wanted:
            return {}
        statement = statement.where(Area.area_code.in_({above for code in wanted for above in _path(code)}))
    with uow.tenant_wide("names of areas in audit entries the reader may see"):
        names = {row[0]: row[1] for row in uow.session.execute(statement)}
    return {
        code: " · ".join(names[above] for above in _path(code) if above in names)
        for code in (names if wanted is None else wanted)
        if code in names
    }


def record_names(uow: Uow, kind: str, ids: set[int]) -> dict[int, str]:
    """What households (by their heads) and persons are called, of those that the reader may see."""
    if not ids:
        return {}
    model, name = (Household, Household.head_name) if kind == "household" else (Person, Person.name)
    return {row[0]: row[1] for row in uow.session.execute(select(model.id, name).where(model.id.in_(ids)))}


def own_names(uow: Uow) -> dict[tuple[str, str], tuple[str, bool]]:
    """(list, key) -> (name in the reader's language, whether it is Chinese data): the county's marks, awards, roles
    and own fields, retired ones too."""
    english = current_locale() == "en"
    found = {}
    for name, model in (("mark", MarkKind), ("award", AwardKind), ("role", Role), ("custom", CustomField)):
        for row in uow.session.execute(select(model.key, model.name, model.name_en)):
            translated = english and bool(row.name_en)
            found[name, row.key] = (row.name_en if translated else row.name, not translated)
    for field in uow.session.scalars(select(CustomField).where(CustomField.type == "choice")):
        for option in field.options:
            translated = english and bool(option.get("name_en"))
            name = option["name_en"] if translated else option["name"]
            found[f"option {field.key}", option["key"]] = (name, not translated)
    return found


def _path(code: int) -> list[int]:
    """Codes of the town, village and group that an area is or lies in; the county's own for the county."""
    town, village = code - code % 10**6, code - code % 1000
    return [code] if code % 10**9 == 0 else list(dict.fromkeys((town, village, code)))


def need_whole_county(ranges: object) -> None:
    """The chain is one for the whole county, so only those who may see all of it may check it. Raises Forbidden."""
    if ranges is not None:
        raise Forbidden(_l("The chain is one for the whole county: only an auditor of the whole county can check it."))


def checked_trail(uow: Uow, *, head: str = "") -> VerifyReport:
    """Every seal computed again. Raises Forbidden."""
    need_whole_county(uow.scope.ranges)
    return verify(uow, head=head)


def last_checks(uow: Uow) -> tuple[Job | None, Job | None]:
    """(the newest check asked for, the newest one that came to a result), None where there is none."""
    statement = select(Job).where(Job.kind == VERIFY_KIND).order_by(Job.id.desc()).limit(1)
    return (
        uow.session.scalars(statement).one_or_none(),
        uow.session.scalars(statement.where(Job.state == "succeeded")).one_or_none(),
    )


def plain_entry(entry: AuditEntry, fields: list[str]) -> dict[str, Any]:
    """An entry for the API."""
    return {name: getattr(entry, name) for name in fields}
