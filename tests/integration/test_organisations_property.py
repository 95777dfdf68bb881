"""Whatever is recorded, put right, ended, taken out, elected: no post has more holders than seats, on any day."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from organisations_kit import EDIT, cleared, county, empty
from sqlalchemy import select

from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Invalid
from xiangyue.features.organisations import service, service_elections, service_holders, service_posts
from xiangyue.features.organisations.models import Organisation, OrganisationElection, Post, PostHolder
from xiangyue.testing.fixtures import County

__all__ = ["cleared", "county"]

FIRST = date(2020, 1, 1)
NAMES = ("甲一", "乙二", "丙三", "丁四")
day = st.integers(0, 40)
act = st.tuples(
    st.sampled_from(("appoint", "appoint", "appoint", "edit", "end", "remove", "elect", "undo", "seats")),
    st.integers(0, 3),
    day,
    st.one_of(st.none(), day),
    st.integers(0, 9),
)


def on(number: int | None) -> date | None:
    return None if number is None else FIRST + timedelta(days=number)


def do(uow: Uow, organisation: int, posts: list[int], step: tuple[str, int, int, int | None, int]) -> None:
    verb, who, begin, until, pick = step
    post = posts[pick % len(posts)]
    rows = uow.session.scalars(select(PostHolder).order_by(PostHolder.id)).all()
    row = rows[pick % len(rows)] if rows else None
    if verb == "appoint":
        values = {"outsider_name": NAMES[who], "valid_from": on(begin), "valid_to": on(until), "way": "appointed"}
        service_holders.appoint(uow, post_id=post, values=values)
    elif verb == "elect":
        version = uow.get(Organisation, organisation).version
        lines = [{"post_id": posts[n % len(posts)], "outsider_name": NAMES[n]} for n in range(who + 1)]
        values = {"term_from": on(begin), "term_until": on(60), "way": "appointed"}
        service_elections.hold_election(uow, organisation_id=organisation, version=version, values=values, lines=lines)
    elif verb == "undo":
        for election in uow.session.scalars(select(OrganisationElection).order_by(OrganisationElection.id)).all():
            service_elections.undo_election(uow, id=election.id, version=election.version)
    elif verb == "seats":
        there = uow.session.scalars(select(Post).where(Post.id == post)).one()
        more = {"seats_max": max(there.seats_max or 1, who + 1)}  # fewer are for days to come, and theirs to test
        service_posts.edit_post(uow, id=post, version=there.version, values=more)
    elif row is not None and verb == "edit":
        values = {"valid_from": on(begin), "valid_to": on(until) if row.valid_to else None}
        service_holders.edit_holder(uow, id=row.id, version=row.version, values=values)
    elif row is not None and verb == "end":
        service_holders.end_holder(uow, id=row.id, version=row.version, on=on(begin), reason="resigned")
    elif row is not None:
        service_holders.remove_holder(uow, id=row.id, version=row.version, reason="录错")


def check(uow: Uow, most: dict[int, int]) -> None:
    rows = uow.session.scalars(select(PostHolder)).all()
    for number in range(62):
        today = FIRST + timedelta(days=number)
        for post in {row.post_id for row in rows}:
            there = [r for r in rows if r.post_id == post and r.valid_from <= today]
            there = [r for r in there if r.valid_to is None or r.valid_to > today]
            seats = {r.seat for r in there}
            assert len(seats) == len(there), "each on a seat of its own"
            assert not seats or max(seats) <= most[post], "no more than there are seats"
            names = [r.outsider_name for r in there]
            assert len(names) == len(set(names)), "nobody twice in one post"


@given(st.lists(act, max_size=14))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_never_more_holders_than_seats_on_any_day(county: County, steps: list[Any]) -> None:
    empty(county)
    with county.uow(county.actor(EDIT)) as uow:
        kind = {"kind": "village_committee", "area": "610921100200", "name": "村委会"}
        made = service.create_organisation(uow, values=kind)
        own = select(Post.id).where(Post.organisation_id == made.id).order_by(Post.position)
        posts = list(uow.session.scalars(own))
        for step in steps:
            try:
                with uow.session.begin_nested():
                    do(uow, made.id, posts, step)
            except (Invalid, Conflict):
                uow.session.expire_all()
            limits = {post.id: post.seats_max or 99 for post in uow.session.scalars(select(Post)).all()}
            check(uow, limits)
        uow.rollback()
