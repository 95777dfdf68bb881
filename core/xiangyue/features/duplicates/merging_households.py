"""Two records of one household become one, and two again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, update

from xiangyue.db.uow import Uow
from xiangyue.features.duplicates import merging
from xiangyue.features.households import derived, searchable
from xiangyue.features.households.kept import keep
from xiangyue.features.households.models import Household, HouseholdMember, Person
from xiangyue.features.households.person_input import today
from xiangyue.features.households.writing import head_of
from xiangyue.plugin.follows import follow_rows, missing_rows, unfollow_rows
from xiangyue.text.codes import HEAD

PLAIN = ("address", "location", "area_code", "note")
_GONE = ("state", "left_on", "left_reason")
_WHY = "members lie where their household does"


def merge(uow: Uow, survivor: Household, loser: Household, take: Sequence[str]) -> dict[str, Any]:
    """Fold ``loser`` into ``survivor``: all members belong there, since they did; its number still finds it. Returns
    ``changes``. Raises Refused."""
    found_by = [searchable.found_by(h) for h in (survivor, loser)]
    changes: dict[str, Any] = {
        "survivor": merging.kept(survivor, (*PLAIN, *_GONE)),
        "loser": merging.kept(loser, ("area_code", *_GONE)),
    }
    for name in PLAIN:
        if name in take:
            setattr(survivor, name, getattr(loser, name))
    if survivor.state != "active" and loser.state == "active":
        survivor.state, survivor.left_on, survivor.left_reason = "active", None, ""
    changes["custom"] = merging.swap_values(uow, "household", survivor.id, loser.id, take)
    uow.session.flush()
    changes["moved"] = follow_rows(uow, of="household", old=loser.id, new=survivor.id)
    _move_members(uow, survivor, loser, changes)
    changes["parts"] = merging.lead_on(uow, Household, loser.id, survivor.id)
    loser.state, loser.merged_into_id, loser.area_code = "merged", survivor.id, survivor.area_code
    survivor.version += 1
    loser.version += 1
    uow.session.flush()
    changes["versions"] = [survivor.version, loser.version]
    _follow_up(uow, survivor, loser, [person["id"] for person in changes["persons"]])
    searchable.drop_pieces(uow, found_by)
    # Of the one that went, its number alone.
    searchable.write_pieces(uow, [searchable.found_by(survivor), (loser.id, loser.code, "", loser.area_code)])
    return changes


def _move_members(uow: Uow, survivor: Household, loser: Household, changes: dict[str, Any]) -> None:
    with uow.tenant_wide(_WHY):
        head = head_of(uow, survivor.id)
        rows = list(uow.session.scalars(select(HouseholdMember).where(HouseholdMember.household_id == loser.id)))
        changes["members"] = [[row.id, row.person_id, row.relation] for row in rows]
        for row in rows:
            row.household_id, row.area_code = survivor.id, survivor.area_code
            if head is not None and row.relation == HEAD and row.valid_to is None:
                row.relation = ""
        persons = list(uow.session.scalars(select(Person).where(Person.household_id == loser.id)))
        changes["persons"] = [{"id": p.id, "version": p.version, "relation": p.relation} for p in persons]
        for person in persons:
            person.household_id, person.area_code = survivor.id, survivor.area_code
            if head is not None and person.relation == HEAD and person.state == "active":
                person.relation = ""
        uow.session.flush()


def _follow_up(uow: Uow, survivor: Household, loser: Household, persons: Sequence[int]) -> None:
    """Marks, values, search rows, heads and counts."""
    with uow.tenant_wide(_WHY):
        derived.move_with_household(uow, [survivor.id, loser.id])
        derived.move_with_person(uow, persons)
        derived.rewrite_suffixes(uow, persons)
        derived.refresh_derived_sql(uow, {survivor.id, loser.id})
        keep(uow, [survivor.id, loser.id], today())
    for household in (survivor, loser):
        uow.session.expire(household)


def built_on(uow: Uow, survivor: Household, loser: Household, changes: dict[str, Any]) -> bool:
    """Whether something stands on the merge that would be lost."""
    if [survivor.version, loser.version] != changes["versions"]:
        return True
    ids = [row[0] for row in changes["members"]]
    there = select(HouseholdMember.id).where(HouseholdMember.id.in_(ids), HouseholdMember.household_id == survivor.id)
    versions = select(Person.id, Person.version).where(Person.id.in_([p["id"] for p in changes["persons"]]))
    with uow.tenant_wide(_WHY):
        moved = len(list(uow.session.scalars(there))) != len(ids)
        now = {row.id: row.version for row in uow.session.execute(versions)}
    changed = any(now.get(p["id"]) != p["version"] for p in changes["persons"])
    return moved or changed or bool(missing_rows(uow, of="household", new=survivor.id, moved=changes["moved"]))


def unmerge(uow: Uow, survivor: Household, loser: Household, changes: dict[str, Any]) -> None:
    """Two again, each as it was. ``built_on`` was asked."""
    searchable.drop_pieces(uow, [searchable.found_by(survivor), (loser.id, loser.code, "", loser.area_code)])
    merging.lead_on(uow, Household, survivor.id, loser.id, changes.get("parts", ()))
    loser.merged_into_id = None
    merging.put(loser, changes["loser"])
    merging.put(survivor, changes["survivor"])
    uow.session.flush()
    unfollow_rows(uow, of="household", old=loser.id, new=survivor.id, moved=changes["moved"])
    merging.swap_back(uow, changes["custom"])
    with uow.tenant_wide(_WHY):
        for id, person_id, relation in changes["members"]:
            uow.session.execute(
                update(HouseholdMember)
                .where(HouseholdMember.person_id == person_id, HouseholdMember.id == id)
                .values(household_id=loser.id, area_code=loser.area_code, relation=relation)
            )
        for kept in changes["persons"]:
            uow.session.execute(
                update(Person)
                .where(Person.id == kept["id"])
                .values(
                    household_id=loser.id,
                    area_code=loser.area_code,
                    relation=kept["relation"],
                    updated_at=Person.updated_at,
                )
            )
    survivor.version += 1
    loser.version += 1
    uow.session.flush()
    _follow_up(uow, survivor, loser, [person["id"] for person in changes["persons"]])
    searchable.write_pieces(uow, [searchable.found_by(h) for h in (survivor, loser)])
