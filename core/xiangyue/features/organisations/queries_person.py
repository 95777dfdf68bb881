"""Posts of a person, and who a typed name or number means."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, and_, or_, select

from xiangyue.db.scope import area_range
from xiangyue.db.uow import Uow
from xiangyue.features.households.models import Household, NameSuffix, Person
from xiangyue.features.households.person_input import today
from xiangyue.features.organisations.dates import term_state
from xiangyue.features.organisations.models import Organisation, Post, PostHolder
from xiangyue.text.names import clean_name
from xiangyue.text.pinyin import fold
from xiangyue.text.whole import whole_number

#: So many people of one name are offered to choose from.
MOST = 20


@dataclass(frozen=True, slots=True)
class Held:
    """A post of a person. ``state``: standing, coming or past."""

    row: PostHolder
    post: Post
    organisation: Organisation

    @property
    def state(self) -> str:
        day = today()
        if self.row.valid_to is not None and self.row.valid_to <= day:
            return "past"
        return "coming" if self.row.valid_from > day else "standing"

    @property
    def term(self) -> str:
        return term_state(self.row.term_until, today()) if self.state == "standing" else ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody a typed name may mean, with what tells two of one name apart."""

    id: int
    name: str
    birth_date: date | None
    area_code: int
    household_code: str
    head_name: str


def posts_of_person(uow: Uow, person_id: int) -> list[Held]:
    """Of organisations inside the area, those that stand first."""
    statement = (
        select(PostHolder, Post, Organisation)
        .join(Post, and_(Post.tenant_id == PostHolder.tenant_id, Post.id == PostHolder.post_id))
        .join(
            Organisation,
            and_(Organisation.tenant_id == PostHolder.tenant_id, Organisation.id == PostHolder.organisation_id),
        )
        .where(PostHolder.person_id == person_id)
        .order_by(PostHolder.valid_from.desc(), PostHolder.id.desc())
    )
    found = [Held(*row) for row in uow.session.execute(statement)]
    order = ("standing", "coming", "past")
    return sorted(found, key=lambda held: order.index(held.state))


def holds_post(
    uow: Uow, person_id: int, *, kinds: Collection[str], area_code: int, on: date, posts: Collection[str] = ()
) -> bool:
    """Whether a person holds a post on a day in an organisation of these kinds (``village_committee`` …) that lies at
    ``area_code`` (15 digits) or below; ``posts``: keys of those that count, all when empty. Who holds an office is no
    secret, so the actor's area does not matter."""
    statement = (
        select(PostHolder.id)
        .join(Post, and_(Post.tenant_id == PostHolder.tenant_id, Post.id == PostHolder.post_id))
        .join(
            Organisation,
            and_(Organisation.tenant_id == PostHolder.tenant_id, Organisation.id == PostHolder.organisation_id),
        )
        .where(
            PostHolder.person_id == person_id, Organisation.kind_key.in_(list(kinds)),
            Organisation.area_code.between(*area_range(area_code)), PostHolder.valid_from <= on,
            or_(PostHolder.valid_to.is_(None), PostHolder.valid_to > on),
        )
    )  # fmt: skip
    if posts:
        statement = statement.where(Post.key.in_(list(posts)))
    with uow.tenant_wide("who holds an office is no secret"):
        return uow.session.scalars(statement.limit(1)).first() is not None


def candidates(uow: Uow, text: str, area: int) -> list[Candidate]:
    """Persons on the register in the reader's area whom a full name, or a number as ``#12``, means: those of the
    organisation's own area (15 digits) where there are any, else all."""
    word = text.strip()
    number = whole_number(word.removeprefix("#").removeprefix("＃"))
    if number is not None:
        return _read(uow, Person.id == number)
    name = clean_name(word)
    if not name:
        return []
    known = select(NameSuffix.id).where(NameSuffix.suffix == fold(name)).limit(MOST * 10)
    for narrower in (known.where(NameSuffix.area_code.between(*area_range(area))), known):
        ids = list(uow.session.scalars(narrower))
        if ids and (found := _read(uow, and_(Person.id.in_(ids), Person.name == name))):
            return found
    return []


def _read(uow: Uow, condition: ColumnElement[bool]) -> list[Candidate]:
    statement = (
        select(Person.id, Person.name, Person.birth_date, Person.area_code, Household.code, Household.head_name)
        .join(Household, and_(Household.tenant_id == Person.tenant_id, Household.id == Person.household_id))
        .where(condition, Person.merged_into_id.is_(None), Person.erased_at.is_(None))
    )
    return [Candidate(*row) for row in uow.session.execute(statement.order_by(Person.id).limit(MOST))]
