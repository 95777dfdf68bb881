"""Two records of one person become one, and two again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select

from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict
from xiangyue.features.duplicates import merging
from xiangyue.features.households import derived, memberships
from xiangyue.features.households.memberships import NO_BEGINNING, Home
from xiangyue.features.households.models import Household, HouseholdMember, Person
from xiangyue.features.households.person_input import today
from xiangyue.features.households.register.undo import check_heads
from xiangyue.features.privacy.last_word import last_counts, none_counts
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.follows import follow_rows, missing_rows, unfollow_rows
from xiangyue.text.codes import HEAD
from xiangyue.text.pinyin import sort_key

IDENTIFIERS = {
    "id_number": ("id_number", "id_number_index", "id_number_tail"),
    "phone": ("phone", "phone_index", "phone_tail"),
}
PLAIN = ("name", "sex", "birth_date", "nationality", "note")
_GONE = ("state", "left_on", "left_reason")


def merge(uow: Uow, survivor: Person, loser: Person, take: Sequence[str]) -> dict[str, Any]:
    """Fold ``loser`` into ``survivor``; ``take``: facts that come from the loser. Returns ``changes``.

    What identifies either stays findable: identifiers are exchanged, never lost. Of memberships, those that stand go
    as chosen (``registered``, ``living``) from the day on from which the chosen one stood; the loser's go, so that
    nobody belongs to two households. Raises Conflict, Refused.
    """
    before = {p.id: (p.household_id, p.area_code) for p in (survivor, loser)}
    changes: dict[str, Any] = {
        "survivor": {**merging.kept(survivor, (*PLAIN, "sort_key", *_GONE))},
        "loser": {**merging.kept(loser, (*_GONE, "household_id", "area_code"))},
        "swapped": [name for name in IDENTIFIERS if name in take],
    }
    _home(uow, survivor, loser, take, changes)
    _swap_identifiers(uow, survivor, loser, changes["swapped"])
    for name in PLAIN:
        if name in take:
            setattr(survivor, name, getattr(loser, name))
    survivor.sort_key = sort_key(survivor.name)
    changes["custom"] = merging.swap_values(uow, "person", survivor.id, loser.id, take)
    uow.session.flush()
    none_counts(uow, survivor.id, loser.id)
    changes["moved"] = follow_rows(uow, of="person", old=loser.id, new=survivor.id)
    last_counts(uow, survivor.id, loser.id)
    # It lies where the survivor does from now on, so that it is found by the same people.
    changes["parts"] = merging.lead_on(uow, Person, loser.id, survivor.id)
    loser.state, loser.merged_into_id = "merged", survivor.id
    loser.household_id, loser.area_code = survivor.household_id, survivor.area_code
    survivor.version += 1
    loser.version += 1
    uow.session.flush()
    changes["versions"] = [survivor.version, loser.version]
    _follow_up(uow, [survivor, loser], {home for home, _area in before.values()})
    return changes


def _home(uow: Uow, survivor: Person, loser: Person, take: Sequence[str], changes: dict[str, Any]) -> None:
    """Memberships and state as chosen."""
    standing = memberships.standing(uow, [survivor.id, loser.id])
    mine, theirs = (memberships.home_of(standing[p.id]) for p in (survivor, loser))
    wanted = Home(
        theirs.registered if "registered" in take else mine.registered,
        theirs.living if "living" in take else mine.living,
    )
    if "state" in take:
        for name in _GONE:
            setattr(survivor, name, getattr(loser, name))
    if survivor.state != "active":
        wanted = Home()
    elif wanted.current is None and (mine.current is not None or theirs.current is not None):
        raise Conflict(_l("Say where this person is registered or lives: take it from the other record."))
    _only_head(uow, survivor, loser, wanted)
    changes["loser_home"] = memberships.settle(uow, loser, Home(), NO_BEGINNING)
    opened = [
        row.valid_from
        for row in standing[loser.id]
        if (row.registered and "registered" in take) or (row.living and "living" in take)
    ]
    past = select(func.max(HouseholdMember.valid_to)).where(HouseholdMember.person_id == survivor.id)
    with uow.tenant_wide("memberships lie where their households do"):
        ended = uow.session.execute(past).scalar_one()
    on = max([*opened, ended or NO_BEGINNING]) if opened else (survivor.left_on or today())
    changes["home"] = memberships.settle(uow, survivor, wanted, min(on, today()))


def _only_head(uow: Uow, survivor: Person, loser: Person, wanted: Home) -> None:
    """A household has one head."""
    place = wanted.current
    if place is None or place.relation != HEAD:
        return
    with uow.tenant_wide("a person may be registered in one area and live in another"):
        statement = select(Person).where(
            Person.household_id == place.household_id,
            Person.relation == HEAD,
            Person.state == "active",
            Person.id.not_in((survivor.id, loser.id)),
        )
        head = uow.session.scalars(statement.limit(1)).one_or_none()
    if head is not None:
        raise Conflict(
            _l("%(name)s is the head of the household that was chosen. Change that relation first.", name=head.name)
        )


def _swap_identifiers(uow: Uow, survivor: Person, loser: Person, names: Sequence[str]) -> None:
    """Exchange citizen numbers or phones: both rows keep one, so both are found."""
    columns = [column for name in names for column in IDENTIFIERS[name]]
    if not columns:
        return
    mine, theirs = ({column: getattr(p, column) for column in columns} for p in (survivor, loser))
    for column in columns:
        setattr(loser, column, None)
    uow.session.flush()  # the number is unique in the county
    for column in columns:
        setattr(survivor, column, theirs[column])
    uow.session.flush()
    for column in columns:
        setattr(loser, column, mine[column])
    uow.session.flush()


def _follow_up(uow: Uow, persons: Sequence[Person], households: set[int]) -> None:
    """Search rows, heads, counts."""
    ids = [person.id for person in persons]
    with uow.tenant_wide("search rows and households lie where their persons do"):
        rows = memberships.standing(uow, ids)
        concerned = {row.household_id for found in rows.values() for row in found}
        concerned |= {person.household_id for person in persons} | households
        derived.rewrite_suffixes(uow, ids)
        derived.refresh_derived_sql(uow, concerned)
    uow.session.expire_all()


def built_on(uow: Uow, survivor: Person, loser: Person, changes: dict[str, Any]) -> bool:
    """Whether something stands on the merge that would be lost."""
    return (
        [survivor.version, loser.version] != changes["versions"]
        or not memberships.untouched(uow, survivor.id, changes["home"])
        or bool(memberships.standing(uow, [loser.id])[loser.id])
        or bool(missing_rows(uow, of="person", new=survivor.id, moved=changes["moved"]))
    )


def unmerge(uow: Uow, survivor: Person, loser: Person, changes: dict[str, Any]) -> None:
    """Two again, each as it was. ``built_on`` was asked. Raises Conflict where a household that one goes back to is no
    longer open, or has another head."""
    _open_homes(uow, changes)
    homes = {survivor.household_id, loser.household_id}
    merging.lead_on(uow, Person, survivor.id, loser.id, changes.get("parts", ()))
    loser.merged_into_id = None
    merging.put(loser, changes["loser"])
    uow.session.flush()
    none_counts(uow, survivor.id, loser.id)
    unfollow_rows(uow, of="person", old=loser.id, new=survivor.id, moved=changes["moved"])
    last_counts(uow, survivor.id, loser.id)
    merging.swap_back(uow, changes["custom"])
    merging.put(survivor, changes["survivor"])
    _swap_identifiers(uow, survivor, loser, changes["swapped"])
    memberships.unsettle(uow, survivor, changes["home"])
    memberships.unsettle(uow, loser, changes["loser_home"])
    uow.session.flush()
    with uow.tenant_wide("marks and values lie where their persons do"):
        derived.move_with_person(uow, [survivor.id, loser.id])
    survivor.version += 1
    loser.version += 1
    homes |= {survivor.household_id, loser.household_id}
    with uow.tenant_wide("a person may be registered in one area and live in another"):
        uow.session.flush()
        check_heads(uow, homes)
    _follow_up(uow, [survivor, loser], homes)


def _open_homes(uow: Uow, changes: dict[str, Any]) -> None:
    back = {kept["household_id"] for side in ("home", "loser_home") for kept in changes[side]["removed"]}
    ended = [id for side in ("home", "loser_home") for id in changes[side]["ended"]]
    with uow.tenant_wide("a person may be registered in one area and live in another"):
        if ended:
            back |= set(uow.session.scalars(select(HouseholdMember.household_id).where(HouseholdMember.id.in_(ended))))
        statement = select(Household).where(Household.id.in_(back)).order_by(Household.id).with_for_update()
        for household in uow.session.scalars(statement.execution_options(populate_existing=True)):
            if household.state != "active":
                raise Conflict(
                    _l(
                        "The household %(code)s, where one of the two belonged, is closed or part of another by now. "
                        "Undo that first.",
                        code=household.code,
                    )
                )
