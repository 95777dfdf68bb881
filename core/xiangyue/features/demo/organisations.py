# data: zh
"""Organisations for the demonstration's villages: Party branch, village committee and supervision committee, with posts
held by its made-up people. Some things are left to do: a vacancy, a term that is over, one that ends soon."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import select

from xiangyue.db.scope import area_range
from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid
from xiangyue.features.areas.models import VILLAGE, Area
from xiangyue.features.households.models import Person
from xiangyue.features.households.person_input import today
from xiangyue.features.organisations import service, service_holders
from xiangyue.features.organisations.dates import add_years
from xiangyue.features.organisations.holders import posts_of

#: The town whose villages have organisations: that of the demonstration's own accounts.
TOWN = 610921107000000
#: Of so many villages: enough to look at, and made in seconds.
MOST = 20
#: (kind, what follows the village's name, posts to be filled by key and number, how they came to it).
KINDS = (
    ("party_branch", "党支部委员会", (("secretary", 1), ("member", 2)), "elected"),
    ("village_committee", "村民委员会", (("head", 1), ("deputy", 1), ("member", 2)), "elected"),
    ("supervision_committee", "村务监督委员会", (("head", 1), ("member", 2)), "recommended"),
    ("people_mediation", "人民调解委员会", (("head", 1), ("member", 2)), "appointed"),
    ("wedding_funeral_council", "红白理事会", (("chair", 1), ("member", 2)), "recommended"),
)


#: Why somebody leads a grid whom a rule of the county would not have.
PROVISIONAL = "人选尚未推选，暂由现任人员兼任"


def fill_organisations(uow: Uow, *, seed: int) -> int:
    """Make them in the villages of one town; the same seed gives the same. Returns how many organisations."""
    low, high = area_range(TOWN)
    villages = select(Area).where(Area.level == VILLAGE, Area.area_code.between(low, high), Area.kind != "community")
    made = 0
    for number, village in enumerate(uow.session.scalars(villages.order_by(Area.area_code).limit(MOST)).all()):
        made += _fill(uow, village, number, random.Random(f"{seed} {village.area_code}"))  # noqa: S311 - made up
    return made


def _fill(uow: Uow, village: Area, number: int, rng: random.Random) -> int:
    """One village. Every fifth term is over, every fifth ends soon; every second secretary heads the committee too."""
    people = _adults(uow, village.area_code, rng)
    day = today()
    until = day - timedelta(days=40) if number % 5 == 1 else day + timedelta(days=90 + 700 * (number % 5 != 2))
    since = add_years(until, -5)
    secretary = 0
    for kind, name, wanted, way in KINDS:
        values = {
            "kind": kind, "area": str(village.area_code), "name": f"{village.name}{name}", "term_from": since,
            "term_until": until,
        }  # fmt: skip
        organisation = service.create_organisation(uow, values=values)
        posts = {post.key: post.id for post in posts_of(uow, [organisation.id])[organisation.id]}
        for key, seats in wanted:
            if kind == "supervision_committee" and key == "head" and number % 4 == 3:
                continue  # a vacancy
            for _seat in range(seats):
                both = kind == "village_committee" and key == "head" and secretary and number % 2 == 0
                taken = secretary if both else _take(uow, posts[key], people, since, way)
                if both:
                    _appoint(uow, posts[key], taken, since, way)
                if kind == "party_branch" and key == "secretary":
                    secretary = taken
    return len(KINDS)


def _take(uow: Uow, post: int, people: Iterator[int], since: object, way: str) -> int:
    """The next who may hold the post; 0 when nobody is left."""
    for person in people:
        if _appoint(uow, post, person, since, way):
            return person
    return 0


def _appoint(uow: Uow, post: int, person: int, since: object, way: str) -> bool:
    values = {"person_id": person, "valid_from": since, "way": way, "decided_on": since}
    try:
        service_holders.appoint(uow, post_id=post, values=values)
    except Invalid:  # a relative, or not of age then
        return False
    return True


def _adults(uow: Uow, village: int, rng: random.Random) -> Iterator[int]:
    """People between thirty and sixty who live there, one of a household, in any order."""
    low, high = area_range(village)
    day = today()
    statement = select(Person.id, Person.household_id).where(
        Person.area_code.between(low, high),
        Person.state == "active",
        Person.away.is_(False),
        Person.birth_date.between(add_years(day, -60), add_years(day, -30)),
    )
    homes: dict[int, int] = {}
    for person, household in uow.session.execute(statement.order_by(Person.id)):
        homes.setdefault(household, person)
    chosen = list(homes.values())
    rng.shuffle(chosen)
    return iter(chosen)
