"""Who holds which post on a day, with what is to be pointed out about each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import and_, select

from xiangyue.db.uow import Uow
from xiangyue.features.households.models import Person
from xiangyue.features.households.person_input import today
from xiangyue.features.households.queries_persons import age_on
from xiangyue.features.organisations.dates import holds_on, term_state
from xiangyue.features.organisations.models import Organisation, OrganisationKind, Post, PostHolder
from xiangyue.i18n import pick

#: Kinds whose heads may be one person in a village (一肩挑).
_HEADED_TOGETHER = (
    "village_committee", "residents_committee", "party_committee", "party_general_branch", "party_branch",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Who:
    """What is known of a holder who is a person of the register. ``within``: the reader may open the page."""

    id: int
    name: str
    state: str
    left_on: date | None
    merged_into_id: int | None
    sex: int
    birth_date: date | None
    area_code: int
    within: bool


@dataclass(frozen=True, slots=True)
class Holding:
    """A holder of a post as shown."""

    row: PostHolder
    post: Post
    who: Who | None
    on: date

    @property
    def id(self) -> int:
        return self.row.id

    @property
    def name(self) -> str:
        return self.who.name if self.who is not None else self.row.outsider_name

    @property
    def standing(self) -> bool:
        return self.row.valid_from <= self.on and (self.row.valid_to is None or self.row.valid_to > self.on)

    @property
    def coming(self) -> bool:
        return self.row.valid_from > self.on

    @property
    def gone(self) -> str:
        """Of one who stands in the post: deceased, moved, merged; else ""."""
        if self.who is None or self.row.valid_to is not None or self.who.state == "active":
            return ""
        return self.who.state

    @property
    def term(self) -> str:
        """late, soon, ok or "" of one who stands in the post."""
        return term_state(self.row.term_until, self.on) if self.standing else ""

    @property
    def age(self) -> int | None:
        return age_on(self.who.birth_date, self.on) if self.who is not None else None


@dataclass(slots=True)
class Seats:
    """A post with its holders on the day."""

    post: Post
    holdings: list[Holding] = field(default_factory=list)

    @property
    def missing(self) -> int:
        """Seats that must be taken and are not."""
        return max(0, self.post.seats_min - len(self.holdings)) if self.post.active else 0

    @property
    def free(self) -> bool:
        """Whether somebody more may take it up."""
        most = self.post.seats_max
        return self.post.active and (most is None or len(self.holdings) < most)


def post_name(post: Any) -> str:
    """A post or kind of post in the reader's language."""
    return pick(post.name, post.name_en)


def people(uow: Uow, ids: Iterable[int]) -> dict[int, Who]:
    """Persons of the register by id, wherever they live: who holds a post is known where the post is."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    scope = uow.scope
    columns = (
        Person.id, Person.name, Person.state, Person.left_on, Person.merged_into_id, Person.sex, Person.birth_date,
        Person.area_code,
    )  # fmt: skip
    with uow.tenant_wide("names of those who hold posts of an organisation that the reader may see"):
        rows = uow.session.execute(select(*columns).where(Person.id.in_(wanted))).all()
    return {row.id: Who(*row, within=scope.contains(row.area_code)) for row in rows}


def posts_of(uow: Uow, organisation_ids: Sequence[int]) -> dict[int, list[Post]]:
    """Posts by organisation, in order; closed ones last."""
    statement = select(Post).where(Post.organisation_id.in_(organisation_ids))
    found: dict[int, list[Post]] = defaultdict(list)
    for post in uow.session.scalars(statement.order_by(Post.active.desc(), Post.position, Post.id)):
        found[post.organisation_id].append(post)
    return found


def _holdings(uow: Uow, posts: dict[int, list[Post]], rows: Sequence[PostHolder], on: date) -> list[Holding]:
    by_id = {post.id: post for some in posts.values() for post in some}
    known = people(uow, (row.person_id for row in rows if row.person_id is not None))
    found = [
        Holding(row, by_id[row.post_id], known.get(row.person_id) if row.person_id else None, on)
        for row in rows
        if row.post_id in by_id
    ]
    found.sort(key=lambda h: (h.post.position, h.post.id, h.row.valid_from, h.id))
    return found


def seats_on(uow: Uow, organisation_ids: Sequence[int], on: date | None = None) -> dict[int, list[Seats]]:
    """Posts with those who hold them on the day (today), by organisation; closed posts only where somebody did."""
    if not organisation_ids:
        return {}
    day = on or today()
    posts = posts_of(uow, organisation_ids)
    statement = select(PostHolder).where(PostHolder.organisation_id.in_(organisation_ids), holds_on(day))
    standing: dict[int, list[Holding]] = defaultdict(list)
    for holding in _holdings(uow, posts, list(uow.session.scalars(statement)), day):
        standing[holding.post.id].append(holding)
    return {
        id: [Seats(post, standing[post.id]) for post in posts.get(id, []) if post.active or standing[post.id]]
        for id in organisation_ids
    }


def all_of(uow: Uow, organisation_id: int) -> list[Holding]:
    """Everybody who ever held a post of it, the newest first."""
    posts = posts_of(uow, [organisation_id])
    rows = list(uow.session.scalars(select(PostHolder).where(PostHolder.organisation_id == organisation_id)))
    found = _holdings(uow, posts, rows, today())
    found.sort(key=lambda h: (h.row.valid_from, h.id), reverse=True)
    return found


def double_heads(uow: Uow, area: int, on: date) -> set[int]:
    """Persons who head both the Party organisation and the village committee of a village (一肩挑) on the day."""
    statement = (
        select(PostHolder.person_id, OrganisationKind.family)
        .join(Post, and_(Post.tenant_id == PostHolder.tenant_id, Post.id == PostHolder.post_id))
        .join(
            Organisation,
            and_(Organisation.tenant_id == PostHolder.tenant_id, Organisation.id == PostHolder.organisation_id),
        )
        .join(
            OrganisationKind,
            and_(OrganisationKind.tenant_id == Organisation.tenant_id, OrganisationKind.key == Organisation.kind_key),
        )
        .where(
            Organisation.area_code == area,
            Post.lead.is_(True),
            PostHolder.person_id.is_not(None),
            holds_on(on),
            Organisation.kind_key.in_(_HEADED_TOGETHER),
        )
    )
    found: dict[int, set[str]] = defaultdict(set)
    for person, family in uow.session.execute(statement):
        if person is not None:
            found[person].add(family)
    return {person for person, families in found.items() if len(families) > 1}
