"""Reads of organisations: kinds, lists, one of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, tuple_
from sqlalchemy.orm import aliased

from xiangyue.db.paging import decode_as, encode_cursor
from xiangyue.db.scope import area_range
from xiangyue.db.uow import Uow
from xiangyue.errors import NotFound
from xiangyue.features.households.models import Person
from xiangyue.features.households.person_input import today
from xiangyue.features.organisations.dates import holds_on, stands_on
from xiangyue.features.organisations.models import (
    Organisation,
    OrganisationElection,
    OrganisationKind,
    Post,
    PostHolder,
    PostKind,
)
from xiangyue.features.organisations.policy import SOON_DAYS
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.i18n import pick
from xiangyue.text.pinyin import fold

#: What a list may be ordered by -> expression; the id follows.
SORTS: dict[str, Any] = {
    "name": Organisation.sort_key,
    "area": Organisation.area_code,
    "term": func.coalesce(Organisation.term_until, date.max),
}
_KINDS: dict[str, type] = {"name": str, "area": int, "term": date}


@dataclass(frozen=True, slots=True)
class OrganisationFilter:
    """``term``: late, or soon: within ``policy.SOON_DAYS``; ``until``: the term ends by this day; ``open``: vacant,
    gone (a holder died or moved away); ``on``: as it was on a day; ``dissolved``: those that are no more too."""

    q: str = ""
    kind: str = ""
    family: str = ""
    level: str = ""
    open: str = ""
    term: str = ""
    until: date | None = None
    on: date | None = None
    dissolved: bool = False
    parent_id: int | None = None
    area: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    """A page of organisations and the cursors of its neighbours."""

    rows: list[Organisation]
    next: str | None
    back: str | None


def kinds(uow: Uow, *, active: bool = True) -> list[OrganisationKind]:
    """The county's kinds, in order."""
    statement = select(OrganisationKind).order_by(OrganisationKind.position, OrganisationKind.id)
    if active:
        statement = statement.where(OrganisationKind.active.is_(True))
    return list(uow.session.scalars(statement))


def kind_of(uow: Uow, key: str) -> OrganisationKind | None:
    return uow.session.scalars(select(OrganisationKind).where(OrganisationKind.key == key)).one_or_none()


def kind_names(uow: Uow) -> dict[str, str]:
    """Name by key in the reader's language, of those out of use too."""
    return {kind.key: pick(kind.name, kind.name_en) for kind in kinds(uow, active=False)}


def post_kinds(uow: Uow, kind_key: str) -> list[PostKind]:
    """Posts that an organisation of the kind begins with."""
    statement = select(PostKind).where(PostKind.kind_key == kind_key, PostKind.active.is_(True))
    return list(uow.session.scalars(statement.order_by(PostKind.position, PostKind.id)))


def get_organisation(uow: Uow, id: int) -> Organisation:
    """Raises NotFound outside the area."""
    return uow.get(Organisation, id)


def get_post(uow: Uow, id: int, *, lock: bool = False) -> tuple[Post, Organisation]:
    """A post of an organisation inside the area. Raises NotFound."""
    whose = and_(Organisation.tenant_id == Post.tenant_id, Organisation.id == Post.organisation_id)
    statement = select(Post, Organisation).join(Organisation, whose).where(Post.id == id)
    if lock:
        statement = statement.with_for_update(of=Post).execution_options(populate_existing=True)
    found = uow.session.execute(statement).one_or_none()
    if found is None:
        raise NotFound(_l("There is no such post, or it lies outside your area."))
    return found[0], found[1]


def get_holder(uow: Uow, id: int) -> tuple[PostHolder, Post, Organisation]:
    """An entry about a post of an organisation inside the area. Raises NotFound."""
    of = and_(Organisation.tenant_id == PostHolder.tenant_id, Organisation.id == PostHolder.organisation_id)
    statement = select(PostHolder, Organisation).join(Organisation, of).where(PostHolder.id == id)
    found = uow.session.execute(statement).one_or_none()
    if found is None:
        raise NotFound(_l("There is no such entry, or it lies outside your area."))
    return found[0], uow.get(Post, found[0].post_id), found[1]


def _vacant(day: date) -> ColumnElement[bool]:
    """Fewer people than must be in one of its posts."""
    taken = (
        select(func.count())
        .select_from(PostHolder)
        .where(PostHolder.tenant_id == Post.tenant_id, PostHolder.post_id == Post.id, holds_on(day))
        .correlate(Post)
        .scalar_subquery()
    )
    return exists(
        select(Post.id)
        .where(
            Post.tenant_id == Organisation.tenant_id,
            Post.organisation_id == Organisation.id,
            Post.active.is_(True),
            Post.seats_min > taken,
        )
        .correlate(Organisation)
    )


def with_gone(uow: Uow) -> set[int]:
    """Organisations of which somebody who died, moved away or became part of another record still holds a post."""
    whose = and_(Person.tenant_id == PostHolder.tenant_id, Person.id == PostHolder.person_id)
    statement = select(PostHolder.organisation_id).join(Person, whose)
    statement = statement.where(PostHolder.valid_to.is_(None), Person.state != "active").distinct()
    with uow.tenant_wide("a holder may live elsewhere; the organisation's own area is looked at by the list"):
        return set(uow.session.scalars(statement))


def conditions_of(uow: Uow, wanted: OrganisationFilter) -> list[ColumnElement[bool]]:
    """Conditions on ``Organisation``."""
    day = wanted.on or today()
    found: list[ColumnElement[bool]] = []
    if not wanted.dissolved:
        found.append(stands_on(day))
    if wanted.q:
        found.append(_named(wanted.q, day))
    if wanted.kind:
        found.append(Organisation.kind_key == wanted.kind)
    if wanted.family:
        of = select(OrganisationKind.key).where(OrganisationKind.family == wanted.family)
        found.append(Organisation.kind_key.in_(of))
    if wanted.level:
        found.append(Organisation.level == wanted.level)
    if wanted.open == "vacant":
        found.append(_vacant(day))
    elif wanted.open == "gone":
        found.append(Organisation.id.in_(with_gone(uow)))
    if wanted.term == "late":
        found.append(Organisation.term_until < day)
    elif wanted.term == "soon":
        found.append(Organisation.term_until.between(day, day + timedelta(days=SOON_DAYS)))
    elif wanted.term == "none":
        found.append(Organisation.term_until.is_(None))
    if wanted.until is not None:
        found.append(Organisation.term_until <= wanted.until)
    if wanted.parent_id is not None:
        found.append(Organisation.parent_id == wanted.parent_id)
    if wanted.area:
        found.append(Organisation.area_code.between(*area_range(wanted.area)))
    return found


def _named(q: str, day: date) -> ColumnElement[bool]:
    """Part of the name, start of its pinyin, or somebody outside the register who holds a post."""
    word = fold(q)
    by_outsider = select(PostHolder.organisation_id).where(
        PostHolder.outsider_name.contains(q, autoescape=True), holds_on(day)
    )
    return or_(
        Organisation.name.contains(q, autoescape=True),
        Organisation.sort_key.startswith(word, autoescape=True),
        Organisation.registration_code == q.upper(),
        Organisation.id.in_(by_outsider),
    )


def list_organisations(
    uow: Uow,
    wanted: OrganisationFilter,
    *,
    sort: str = "area",
    limit: int = 50,
    after: str | None = None,
    before: str | None = None,
) -> Page:
    """A page by keyset over (sort value, id). Raises Invalid on a cursor."""
    key = sort.removeprefix("-")
    column, backwards = SORTS[key], before is not None
    ascending = sort.startswith("-") == backwards
    statement = select(Organisation, column.label("place")).where(*conditions_of(uow, wanted))
    mark = after if after is not None else before
    if mark is not None:
        made_for, value, last = decode_as(mark, str, _KINDS[key], int)
        if made_for == sort:
            place, there = tuple_(column, Organisation.id), tuple_(value, last)
            statement = statement.where(place > there if ascending else place < there)
    order = (column.asc(), Organisation.id.asc()) if ascending else (column.desc(), Organisation.id.desc())
    found = list(uow.session.execute(statement.order_by(*order).limit(limit + 1)))
    more, found = len(found) > limit, found[:limit]
    if backwards:
        found.reverse()
    rows = [row[0] for row in found]
    if not rows:
        return Page([], None, None)

    def cursor(row: Any) -> str:
        return encode_cursor(sort, row[1], row[0].id)

    has_next, has_back = more or backwards, more if backwards else after is not None
    return Page(rows, cursor(found[-1]) if has_next else None, cursor(found[0]) if has_back else None)


def count_organisations(uow: Uow, wanted: OrganisationFilter) -> int:
    statement = select(func.count(Organisation.id)).where(*conditions_of(uow, wanted))
    return uow.session.execute(statement).scalar_one()


def each_organisation(uow: Uow, wanted: OrganisationFilter, *, sort: str, limit: int) -> Iterator[list[Organisation]]:
    """The organisations of an export, in order, a page at a time."""
    after: str | None = None
    while limit > 0:
        page = list_organisations(uow, wanted, sort=sort, limit=min(limit, 200), after=after)
        yield page.rows
        limit -= len(page.rows)
        after = page.next
        if after is None:
            return


def children_of(uow: Uow, id: int, on: date) -> list[Organisation]:
    """Those directly below it on the day."""
    statement = select(Organisation).where(Organisation.parent_id == id, stands_on(on))
    return list(uow.session.scalars(statement.order_by(Organisation.area_code, Organisation.sort_key)))


def built_on(uow: Uow, id: int) -> list[tuple[Any, int]]:
    """What hangs on an organisation, wherever that lies: (what, how many) of each there is."""
    found = (
        (_l("entries about posts"), PostHolder.organisation_id),
        (_l("terms"), OrganisationElection.organisation_id),
        (_l("organisations below"), Organisation.parent_id),
    )
    with uow.tenant_wide("what hangs on an organisation may lie elsewhere"):
        numbers = [(what, uow.session.scalar(select(func.count()).where(of == id)) or 0) for what, of in found]
    return [(what, number) for what, number in numbers if number]


def name_of(uow: Uow, id: int | None) -> tuple[int, str, bool] | None:
    """(id, name, whether the reader may open it): the organisation above may lie outside the area."""
    if id is None:
        return None
    scope = uow.scope
    with uow.tenant_wide("what stands above an organisation is no secret of its area"):
        row = uow.session.execute(
            select(Organisation.id, Organisation.name, Organisation.area_code).where(Organisation.id == id)
        ).one_or_none()
    return None if row is None else (row.id, row.name, scope.contains(row.area_code))


def parent_choices(uow: Uow, area: int, *, but: int = 0) -> list[tuple[str, str]]:
    """(id, name) of organisations that one in ``area`` (15 digits) may stand below: of the area and those above it."""
    codes = {area - area % unit for unit in (1_000_000_000, 1_000_000, 1_000)} | {area}
    other = aliased(Organisation)
    statement = select(other.id, other.name).where(
        other.area_code.in_(codes), other.id != but, other.dissolved_on.is_(None)
    )
    with uow.tenant_wide("an organisation may stand below one of the town or the county"):
        rows = uow.session.execute(statement.order_by(other.area_code, other.sort_key, other.id).limit(500)).all()
    return [(str(row.id), row.name) for row in rows]


def of_area(uow: Uow, area: int, on: date | None = None) -> list[Organisation]:
    """Organisations that stand in exactly this area (15 digits), in the order of their kinds."""
    place = {kind.key: kind.position for kind in kinds(uow, active=False)}
    statement = select(Organisation).where(Organisation.area_code == area, stands_on(on or today()))
    found = list(uow.session.scalars(statement))
    return sorted(found, key=lambda o: (place.get(o.kind_key, 999), o.sort_key, o.id))


def elections_of(uow: Uow, organisation_id: int) -> list[OrganisationElection]:
    """Terms of an organisation inside the area, newest first."""
    get_organisation(uow, organisation_id)
    statement = select(OrganisationElection).where(OrganisationElection.organisation_id == organisation_id)
    return list(
        uow.session.scalars(statement.order_by(OrganisationElection.term_from.desc(), OrganisationElection.id.desc()))
    )
