"""Reads of notices and consents: texts in their versions, and how people stand to them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import defer

from xiangyue.access.sensitive import sensitive_ranges
from xiangyue.db.scope import Scope
from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.errors import NotFound
from xiangyue.features.households.listing import Conditions, Sort, add_search, fetch_page, sorted_by, within
from xiangyue.features.households.models import MarkKind, Person
from xiangyue.features.households.person_input import today
from xiangyue.features.households.policy import SENSITIVE_VIEW
from xiangyue.features.privacy import policy_consent as policy
from xiangyue.features.privacy.conditions_care import CONSENTED, born_until
from xiangyue.features.privacy.models_consent import Notice, NoticeVersion, PersonConsent
from xiangyue.features.privacy.policy_care import YOUNG
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.i18n import pick
from xiangyue.text.phone import names_phone

# ruff: noqa: S608 - statements are put together from constants of this module only


@dataclass(frozen=True, slots=True)
class NoticeView:
    """A notice with its versions, the newest first."""

    notice: Notice
    versions: list[NoticeVersion]

    @property
    def published(self) -> NoticeVersion | None:
        return next((v for v in self.versions if v.state == "published"), None)

    @property
    def draft(self) -> NoticeVersion | None:
        return next((v for v in self.versions if v.state == "draft"), None)

    @property
    def least(self) -> int:
        """The oldest version whose consents still hold: those before it are asked again."""
        return max((v.number for v in self.versions if v.again and v.state != "draft"), default=1)

    @property
    def asks(self) -> bool:
        """Whether people are asked for an answer to it now."""
        return self.notice.kind in policy.ASKING and self.published is not None


@dataclass(frozen=True, slots=True)
class NoticeFilter:
    """``q``: part of the title."""

    q: str = ""
    kind: str = ""
    state: str = ""


def list_notices(uow: Uow, wanted: NoticeFilter | None = None, *, texts: bool = True) -> list[NoticeView]:
    """The county's notices with their versions, by title: there are a few dozen at most. Without ``texts`` the wording
    of a version is read only when it is looked at."""
    wanted = wanted or NoticeFilter()
    found: list[ColumnElement[bool]] = []
    if wanted.q:
        found.append(
            or_(Notice.title.contains(wanted.q, autoescape=True), Notice.title_en.contains(wanted.q, autoescape=True))
        )
    if wanted.kind:
        found.append(Notice.kind == wanted.kind)
    if wanted.state:
        found.append(Notice.state == wanted.state)
    notices = list(uow.session.scalars(select(Notice).where(*found).order_by(Notice.title, Notice.id).limit(1000)))
    versions: dict[int, list[NoticeVersion]] = {}
    ids = [notice.id for notice in notices]
    rows = select(NoticeVersion).where(NoticeVersion.notice_id.in_(ids)).order_by(NoticeVersion.number.desc())
    if not texts:
        rows = rows.options(defer(NoticeVersion.body), defer(NoticeVersion.body_en))
    for version in uow.session.scalars(rows):
        versions.setdefault(version.notice_id, []).append(version)
    return [NoticeView(notice, versions.get(notice.id, [])) for notice in notices]


def get_notice(uow: Uow, id: int, *, lock: bool = False) -> NoticeView:
    """Raises NotFound."""
    notice = uow.get_for_update(Notice, id) if lock else uow.get(Notice, id)
    rows = select(NoticeVersion).where(NoticeVersion.notice_id == id).order_by(NoticeVersion.number.desc())
    return NoticeView(notice, list(uow.session.scalars(rows.execution_options(populate_existing=lock))))


def whom_choices(uow: Uow) -> list[tuple[str, Any]]:
    """Who may be asked: everybody, some by age or phone, or those with a mark."""
    kinds = select(MarkKind).where(MarkKind.active).order_by(MarkKind.position, MarkKind.id)
    marks = [(f"{policy.MARK}{kind.key}", pick(kind.name, kind.name_en)) for kind in uow.session.scalars(kinds)]
    return [*policy.WHOM.items(), *marks]


def whom_condition(whom: str, on: date, mark: str = "mark") -> tuple[str, dict[str, Any]]:
    """SQL on the person ``p`` and its parameters; ``mark``: the name of that which is the mark."""
    if whom == "under_14":
        return "p.birth_date > :young", {"young": born_until(YOUNG, on)}
    if whom == "phone":
        return "p.phone IS NOT NULL", {}
    if whom.startswith(policy.MARK):
        has = (
            "EXISTS (SELECT 1 FROM person_mark m WHERE {tenant:m} AND m.household_id = p.household_id"
            f" AND m.person_id = p.id AND m.mark_key = :{mark} AND m.valid_to IS NULL)"
        )
        return has, {mark: whom.removeprefix(policy.MARK)}
    return "true", {}


def sensitive_whom(uow: Uow) -> frozenset[str]:
    """Of ``Notice.whom``: those with a sensitive mark. To be asked such a notice says that one has it."""
    keys = uow.session.scalars(select(MarkKind.key).where(MarkKind.sensitivity != "normal"))
    return frozenset(f"{policy.MARK}{key}" for key in keys)


def hidden_whom(uow: Uow, area_code: int) -> frozenset[str]:
    """Whose notices the actor may not see at a person there: sensitive marks need their own right, and a purpose."""
    scope = Scope(uow.tenant_id, sensitive_ranges(uow, SENSITIVE_VIEW))
    return frozenset() if scope.contains(area_code) else sensitive_whom(uow)


_STANDING = {
    "missing": "c.id IS NULL",
    "outdated": "c.answer = 'given' AND v.number < :least",
    "given": "c.answer = 'given' AND v.number >= :least",
    "refused": "c.answer = 'refused'",
    "withdrawn": "c.answer = 'withdrawn'",
    "open": "(c.id IS NULL OR c.answer = 'given' AND v.number < :least)",
}
_FROM = """
  FROM person p
  JOIN household h ON h.tenant_id = p.tenant_id AND h.id = p.household_id AND {tenant:h}
  LEFT JOIN person_consent c ON c.tenant_id = p.tenant_id AND c.person_id = p.id AND c.notice_id = :notice
       AND c.current AND {tenant:c}
  LEFT JOIN notice_version v ON v.tenant_id = c.tenant_id AND v.id = c.version_id AND {tenant:v}
 WHERE {scope:p} AND p.state = 'active'
"""
_COLUMNS = """
SELECT p.id, p.name, p.area_code, h.code, p.birth_date, c.answer, c.said_on, v.number,
       coalesce(v.number < :least AND c.answer = 'given', false)"""


@dataclass(frozen=True, slots=True)
class Stander:
    """A person and how he or she stands to a notice."""

    id: int
    name: str
    area_code: int
    household: str
    birth_date: date | None
    answer: str | None
    on: date | None
    number: int | None
    outdated: bool

    @property
    def standing(self) -> str:
        return "missing" if self.answer is None else "outdated" if self.outdated else self.answer


@dataclass(frozen=True, slots=True)
class Standers:
    rows: list[Stander]
    next: str | None
    back: str | None = None


#: Each is walked along an index of persons.
STANDER_SORTS = {"place": Sort("p.area_code", int), "name": Sort("p.sort_key", str)}


@dataclass(frozen=True, slots=True)
class StanderFilter:
    """``standing``: of ``STANDINGS``, ``open`` for whoever is to be asked, "" for all; ``q``: part of a name, pinyin
    or initials."""

    standing: str = ""
    area: int = 0
    q: str = ""


def _who(uow: Uow, view: NoticeView, wanted: StanderFilter) -> Conditions:
    whom, params = whom_condition(view.notice.whom, today())
    found = Conditions(params={**params, "notice": view.notice.id, "least": view.least})
    # Whoever answered stays in the list of answers, also when the group has changed since.
    answers = wanted.standing in ("", "given", "refused", "withdrawn")
    found.add(f"({whom} OR c.id IS NOT NULL)" if answers else whom)
    if wanted.standing:
        found.add(_STANDING[wanted.standing])
    if view.notice.whom in sensitive_whom(uow):
        found.add(within("p", sensitive_ranges(uow, SENSITIVE_VIEW), "told", found.params))
    add_search(uow, found, wanted.q, None, of_persons=True)
    return found


def list_standers(
    uow: Uow,
    view: NoticeView,
    wanted: StanderFilter | None = None,
    *,
    sort: str = "place",
    limit: int = 50,
    after: str | None = None,
    before: str | None = None,
) -> Standers:
    """People by how they stand to a notice, a page by keyset; those with a sensitive mark where the actor may see it.
    ``sort``: a key of ``STANDER_SORTS``, ``-`` before it for descending. Raises Invalid."""
    wanted = wanted or StanderFilter()
    column = sorted_by(STANDER_SORTS, sort)[0].column
    rows, following, back = fetch_page(
        uow, f"{_COLUMNS}, {column}, p.id{_FROM}", _who(uow, view, wanted), alias="p", area=wanted.area, sort=sort,
        sorts=STANDER_SORTS, limit=limit, after=after, before=before,
    )  # fmt: skip
    return Standers([Stander(*row[:-2]) for row in rows], following, back)


def count_standers(uow: Uow, view: NoticeView, wanted: StanderFilter) -> int:
    found = _who(uow, view, wanted)
    scope = uow.scope.narrowed(wanted.area) if wanted.area else uow.scope
    sql = f"SELECT count(*){_FROM}{found.sql()}"
    ((count,),) = scoped_rows(uow.session, sql, found.params, scope=scope)
    return int(count)


def each_stander(
    uow: Uow, view: NoticeView, wanted: StanderFilter, *, sort: str = "place", limit: int
) -> Iterator[Stander]:
    """The people of an export."""
    after: str | None = None
    while limit > 0:
        found = list_standers(uow, view, wanted, sort=sort, limit=min(limit, 500), after=after)
        yield from found.rows
        limit -= len(found.rows)
        after = found.next
        if after is None:
            return


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody said to one version."""

    consent: PersonConsent
    version: NoticeVersion
    notice: Notice

    def outdated(self, views: Mapping[int, NoticeView]) -> bool:
        view = views.get(self.notice.id)
        return self.consent.answer == "given" and view is not None and self.version.number < view.least


def said_by(uow: Uow, person_ids: Sequence[int]) -> list[Said]:
    """All that these records of a person said, the newest first."""
    statement = (
        select(PersonConsent, NoticeVersion, Notice)
        .join(
            NoticeVersion,
            and_(NoticeVersion.tenant_id == PersonConsent.tenant_id, NoticeVersion.id == PersonConsent.version_id),
        )
        .join(Notice, and_(Notice.tenant_id == PersonConsent.tenant_id, Notice.id == PersonConsent.notice_id))
        .where(PersonConsent.person_id.in_(person_ids))
        .order_by(PersonConsent.on.desc(), PersonConsent.id.desc())
    )
    return [Said(*row) for row in uow.session.execute(statement).all()]


@dataclass(frozen=True, slots=True)
class Asked:
    """A notice that a person is asked about, and the last word on it."""

    view: NoticeView
    said: Said | None

    @property
    def standing(self) -> str:
        if self.said is None:
            return "missing"
        return "outdated" if self.said.outdated({self.view.notice.id: self.view}) else self.said.consent.answer


def shown_of(uow: Uow, person: Person) -> list[Said]:
    """What the person said, to notices that the actor may see there."""
    hidden = hidden_whom(uow, person.area_code)
    return [said for said in said_by(uow, [person.id]) if said.notice.whom not in hidden]


def asked_of(uow: Uow, person: Person) -> list[Asked]:
    """What the person is asked, or has answered, of what the actor may see there."""
    hidden = hidden_whom(uow, person.area_code)
    last = {said.notice.id: said for said in reversed(said_by(uow, [person.id])) if said.consent.current}
    views = [view for view in list_notices(uow, texts=False) if view.notice.whom not in hidden]
    asking = {view.notice.whom for view in views if view.asks} if person.state == "active" else set()
    concerned = _concerned(uow, person, asking)
    return [
        Asked(view, last.get(view.notice.id))
        for view in views
        if view.notice.id in last or (view.asks and view.notice.whom in concerned)
    ]


def phone_unwanted(asked: Sequence[Asked]) -> list[Asked]:
    """Forms that ask for a phone and were refused or withdrawn from. What such a form says follows from that is done
    by nobody unless it is pointed out."""
    return [one for one in asked if one.said is not None and one.said.consent.answer != "given" and _for_phone(one)]


def _for_phone(asked: Asked) -> bool:
    # The kinds of data stand in the form in plain words.
    fields = asked.said.version.fields if asked.said is not None else []
    return asked.view.notice.whom == "phone" or any(names_phone(field) for field in fields)


def _concerned(uow: Uow, person: Person, whom: Collection[str]) -> set[str]:
    """Which of these groups the person is in."""
    columns, params = [], {"id": person.id}
    groups = sorted(whom)
    for place, group in enumerate(groups):
        condition, found = whom_condition(group, today(), f"mark_{place}")
        columns.append(condition)
        params |= found
    if not groups:
        return set()
    sql = f"SELECT {', '.join(columns)} FROM person p WHERE {{tenant:p}} AND p.id = :id"
    (row,) = scoped_rows(uow.session, sql, params)
    return {group for group, inside in zip(groups, row, strict=True) if inside}


def guardian_consented(uow: Uow, person_id: int) -> bool:
    """Whether a guardian's consent to sensitive data of a child counts now (`conditions_care.CONSENTED`)."""
    sql = f"SELECT 1 FROM person p WHERE {{tenant:p}} AND p.id = :id AND {CONSENTED}"
    return bool(scoped_rows(uow.session, sql, {"id": person_id}))


def published_notice(uow: Uow, id: int) -> tuple[Notice, NoticeVersion]:
    """What stands on the notice board. Raises NotFound for one that is not published."""
    view = get_notice(uow, id)
    if view.published is None:
        raise NotFound(_l("There is no such notice, or it is no longer published."))
    return view.notice, view.published


def published_version(uow: Uow, id: int) -> NoticeVersion | None:
    """A version that is published now."""
    wanted = select(NoticeVersion).where(NoticeVersion.id == id, NoticeVersion.state == "published")
    return uow.session.scalars(wanted).one_or_none()


def published_choices(uow: Uow) -> list[tuple[int, str]]:
    """(id of the version, title and number) of what is published, for a form."""
    rows = select(NoticeVersion).where(NoticeVersion.state == "published").order_by(NoticeVersion.title)
    return [(v.id, f"{v.title} ({v.number})") for v in uow.session.scalars(rows)]


def notice_of(uow: Uow, version_id: int | None) -> NoticeVersion | None:
    """The version that something names."""
    return uow.get(NoticeVersion, version_id) if version_id is not None else None
