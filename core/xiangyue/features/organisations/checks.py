"""What must hold before somebody takes up a post: the seats, the person, and who is excluded by law."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import and_, case, or_, select, update

from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid, Stale
from xiangyue.features.households.models import Person
from xiangyue.features.households.queries_persons import age_on
from xiangyue.features.organisations.holders import people, post_name
from xiangyue.features.organisations.models import Organisation, OrganisationKind, Post, PostExclusion, PostHolder
from xiangyue.features.organisations.policy import ADULT
from xiangyue.features.organisations.relatives import CLEAR, LABELS, relatives_among
from xiangyue.i18n import lazy_gettext as _l

Errors = dict[str, list[Any]]
#: A holder with the post and its organisation.
Sitting = tuple[PostHolder, Post, Organisation]


@dataclass(frozen=True, slots=True)
class Term:
    """From ``since`` until before ``to``; None for no end."""

    since: date
    to: date | None

    def meets(self, other: Term) -> bool:
        return (self.to is None or other.since < self.to) and (other.to is None or self.since < other.to)


def term_of(row: PostHolder) -> Term:
    return Term(row.valid_from, row.valid_to)


def holders_of_post(uow: Uow, post_id: int) -> list[PostHolder]:
    """Everybody who ever held it, by beginning."""
    statement = select(PostHolder).where(PostHolder.post_id == post_id).order_by(PostHolder.valid_from, PostHolder.id)
    return list(uow.session.scalars(statement))


def check_seats(
    uow: Uow, post: Post, term: Term, holder: int | str, *, but: int = 0, seats: int | None = None
) -> Errors:
    """Whether the post has a seat for the whole term, and is not held by the same one (a person's id, or the name of
    somebody outside) already. The post is locked. ``but``: the entry that is changed. What is wrong, by field."""
    others = [row for row in holders_of_post(uow, post.id) if row.id != but and term_of(row).meets(term)]
    for row in others:
        if holder == (row.person_id or row.outsider_name):
            return {"valid_from": [_same_twice(uow, post, row)]}
    most = seats or post.seats_max
    if most is None:
        return {}
    # Where it is fullest, somebody has just begun: those days are enough to look at.
    for day in sorted({term.since, *(row.valid_from for row in others if row.valid_from > term.since)}):
        there = [row for row in others if row.valid_from <= day and (row.valid_to is None or row.valid_to > day)]
        if len(there) >= most:
            return {"valid_from": [_full(uow, post, there, most)]}
    return {}


def _names(uow: Uow, rows: Sequence[PostHolder]) -> str:
    known = people(uow, (row.person_id for row in rows if row.person_id is not None))
    said = []
    for row in rows:
        name = known[row.person_id].name if row.person_id in known else row.outsider_name
        said.append(f"{name}（{row.valid_from.isoformat()} – {row.valid_to.isoformat() if row.valid_to else '…'}）")
    return "、".join(said)


def _full(uow: Uow, post: Post, there: Sequence[PostHolder], most: int) -> Any:
    return _l(
        "The terms overlap: %(post)s has %(seats)s seats, taken by %(names)s. End their term first, choose a later day,"
        " or give the post more seats.",
        post=post_name(post),
        seats=most,
        names=_names(uow, there),
    )


def _same_twice(uow: Uow, post: Post, row: PostHolder) -> Any:
    return _l(
        "The terms overlap: %(names)s holds this post already. End that entry first, or change its days.",
        names=_names(uow, [row]),
    )


def assign_seats(uow: Uow, post_id: int) -> None:
    """Give each holder of a post a seat that nobody else has on the same days, as few seats as can be: the earliest
    first, each the lowest that is free. One statement, for the constraint is looked at after each."""
    taken: list[date | None] = []
    seats: dict[int, int] = {}
    for row in holders_of_post(uow, post_id):
        free = next((n for n, until in enumerate(taken) if until is not None and until <= row.valid_from), None)
        if free is None:
            taken.append(row.valid_to)
            free = len(taken) - 1
        taken[free] = row.valid_to
        if row.seat != free + 1:
            seats[row.id] = free + 1
    if seats:
        statement = update(PostHolder).where(PostHolder.id.in_(seats))
        statement = statement.values(seat=case(seats, value=PostHolder.id), updated_at=PostHolder.updated_at)
        uow.session.execute(statement, execution_options={"synchronize_session": False})
        uow.session.expire_all()


def check_person(person: Person, term: Term) -> Errors:
    """Whether somebody on the register can hold a post in the term."""
    if person.merged_into_id is not None or person.erased_at is not None:
        text = _l("This record is part of another one or was erased. Choose the person who is on the register.")
        return {"person_id": [text]}
    left = person.left_on
    if person.state != "active" and (term.to is None or left is None or term.to > left):
        if person.state == "deceased":
            text = _l(
                "%(name)s died on %(day)s. A term that lies before can be recorded with its last day; if this is a"
                " mistake, undo the death in the register first.",
                name=person.name,
                day=left.isoformat() if left else "—",
            )
        else:
            text = _l(
                "%(name)s moved away on %(day)s. Record the return in the register first, give a last day before it, or"
                " enter the name as that of somebody outside the register.",
                name=person.name,
                day=left.isoformat() if left else "—",
            )
        return {"person_id": [text]}
    age = age_on(person.birth_date, term.since)
    if age is not None and age < ADULT:
        return {"person_id": [_l("%(name)s is under %(age)s on that day.", name=person.name, age=ADULT)]}
    return {}


@dataclass(frozen=True, slots=True)
class Found:
    """Why somebody may not, or perhaps may not, take up a post. ``sure``: the law leaves no doubt."""

    sure: bool
    text: Any


def exclusions(
    uow: Uow,
    organisation: Organisation,
    post: Post,
    person_id: int,
    term: Term,
    *,
    but: Sequence[int] = (),
    beside: Sequence[Sitting] = (),
) -> list[Found]:
    """What excludes a person from the post by the county's rules: posts of the person's own and of near relatives in
    organisations of the same village. ``but``: entries that are changed or end by the same act; ``beside``: those that
    are not recorded yet and will be, before this one."""
    rules = _rules(uow, organisation.kind_key)
    found: list[Found] = []
    for rule in rules:
        here_first = rule.first == organisation.kind_key
        if here_first and rule.leads_only and not post.lead:
            continue
        other = rule.second if here_first else rule.first
        leads = rule.leads_only and not here_first
        place = (other, organisation.area_code)
        coming = [one for one in beside if (one[2].kind_key, one[2].area_code) == place and (one[1].lead or not leads)]
        rows = [*_across(uow, organisation, other, leads=leads), *coming]
        rows = [one for one in rows if one[0].id not in but and term_of(one[0]).meets(term) and one[0].person_id]
        found += _of_rule(uow, rule, person_id, rows)
    return found


def _rules(uow: Uow, kind: str) -> list[PostExclusion]:
    touches = or_(PostExclusion.first == kind, PostExclusion.second == kind)
    return list(uow.session.scalars(select(PostExclusion).where(touches, PostExclusion.active.is_(True))))


def _across(uow: Uow, organisation: Organisation, kind: str, *, leads: bool) -> list[Sitting]:
    """Holders in organisations of the kind in the same village."""
    statement = (
        select(PostHolder, Post, Organisation)
        .join(Post, and_(Post.tenant_id == PostHolder.tenant_id, Post.id == PostHolder.post_id))
        .join(
            Organisation,
            and_(Organisation.tenant_id == PostHolder.tenant_id, Organisation.id == PostHolder.organisation_id),
        )
        .where(Organisation.kind_key == kind, Organisation.area_code == organisation.area_code)
    )
    if leads:
        statement = statement.where(Post.lead.is_(True))
    return [(row[0], row[1], row[2]) for row in uow.session.execute(statement)]


def _of_rule(uow: Uow, rule: PostExclusion, person_id: int, rows: Sequence[Sitting]) -> list[Found]:
    holders = {row[0].person_id: row for row in rows}
    found = []
    if person_id in holders:
        _row, post, organisation = holders[person_id]
        text = _l(
            "Holds %(post)s of %(organisation)s; both at once are excluded (%(source)s). End that post first.",
            post=post_name(post),
            organisation=organisation.name,
            source=rule.source or "—",
        )
        found.append(Found(True, text))
    if not rule.near_relatives:
        return found
    kin = relatives_among(uow, person_id, [id for id in holders if id is not None and id != person_id])
    known = people(uow, kin)
    for other, relation in kin.items():
        _row, post, organisation = holders[other]
        text = _l(
            "%(relation)s with %(name)s, %(post)s of %(organisation)s (%(source)s)",
            relation=LABELS[relation.label],
            name=known[other].name,
            post=post_name(post),
            organisation=organisation.name,
            source=rule.source or "—",
        )
        found.append(Found(relation.verdict == CLEAR, text))
    return found


def settle(found: Sequence[Found], reason: str) -> tuple[list[str], Errors]:
    """(doubts to keep with the reason, what is wrong by field). What is sure is refused; a doubt needs a reason."""
    sure = [one.text for one in found if one.sure]
    if sure:
        way = _l("Excluded by law. Choose somebody else, or end the other post first. If the register is wrong, put the"
                 " relation right in the household.")  # fmt: skip
        return [], {"person_id": [*sure, way]}
    doubts = [str(one.text) for one in found]
    if doubts and len(reason) < 2:
        ask = _l("Perhaps excluded by law: look into it, and say why it is allowed.")
        return [], {"doubt_reason": [*(one.text for one in found), ask]}
    return doubts, {}


def check_kind(uow: Uow, kind: OrganisationKind | None, level: str) -> Errors:
    """Whether an organisation of the kind may stand at the level."""
    if kind is None or not kind.active:
        return {"kind": [_l("Choose one of the options.")]}
    if level not in kind.levels:
        return {"area": [_l("An organisation of this kind does not stand there. Choose another area or kind.")]}
    return {}


def same_version(row: Any, version: int) -> None:
    """Raises Stale when somebody saved in between."""
    if row.version != version:
        raise Stale(_l("Somebody else has saved this in the meantime."), theirs={"version": row.version})


def refuse(errors: Errors) -> None:
    """Raises Invalid when there is anything."""
    if errors:
        raise Invalid(errors)
