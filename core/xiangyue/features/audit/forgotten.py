"""Entries about somebody whose record was erased (PIPL article 47) are shown without what says who it was.

The stored rows stay as they are: they are sealed into a chain, which is what makes the trail worth anything, and logs
must be kept. Nothing in the application hands them out with the name.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import and_, inspect, select

from xiangyue.access.models import AuditEntry
from xiangyue.db.uow import Uow
from xiangyue.features.classifications.models import Classification
from xiangyue.features.households.models import Person, RegisterActPart

#: Says nothing of who it was.
_PLAIN = frozenset({"act", "area_code", "fields", "household_id", "households", "on", "persons", "state"})
#: Of a household's entries, what may name a member.
_NAMES = frozenset({"name", "head_name"})
_HIDDEN = "•••"


def hide_forgotten(uow: Uow, entries: Sequence[AuditEntry]) -> list[AuditEntry]:
    """The entries; those about an erased person, or labelled with the head of a household that had one, as copies
    without names and values. Changes of the register and pairs of duplicates are labelled with whom they touched."""
    persons, homes = _ids(entries, "person"), _ids(entries, "household")
    decided, acts = _ids(entries, "classification"), _ids(entries, "register_act")
    pairs = {e.id: e.after or {} for e in entries if e.object_type == "duplicate_pair"}
    for pair in pairs.values():
        persons |= set(pair.get("persons", ()))
        homes |= set(pair.get("households", ()))
    if not (persons or homes or decided or acts):
        return list(entries)
    with uow.tenant_wide("whoever reads an entry must not read the name of somebody erased"):
        erased = Person.erased_at.is_not(None)
        gone = set(uow.session.scalars(select(Person.id).where(Person.id.in_(persons), erased))) if persons else set()
        of_decision: dict[int, int] = {}
        if decided:
            rows = select(Classification.id, Classification.household_id).where(Classification.id.in_(decided))
            of_decision = {row[0]: row[1] for row in uow.session.execute(rows)}
        touched = _touched(uow, acts) if acts else set()
        wanted = {*homes, *of_decision.values()}
        without: set[int] = set()
        if wanted:
            rows_of = select(Person.household_id).where(Person.household_id.in_(wanted), erased)
            without = set(uow.session.scalars(rows_of))
    if not gone and not without and not touched:
        return list(entries)
    found = []
    for entry in entries:
        id = entry.object_id or 0
        home = of_decision.get(id) if entry.object_type == "classification" else id
        if entry.object_type == "person" and id in gone:
            entry = _copy(entry, everything=True)
        elif entry.object_type in ("household", "classification") and home in without:
            entry = _copy(entry, everything=False)
        elif (entry.object_type == "register_act" and id in touched) or (
            (after := pairs.get(entry.id))
            and (gone & set(after.get("persons", ())) or without & set(after.get("households", ())))
        ):
            entry = _copy(entry, everything=True)
        found.append(entry)
    return found


def _ids(entries: Sequence[AuditEntry], kind: str) -> set[int]:
    return {e.object_id for e in entries if e.object_type == kind and e.object_id is not None}


def _touched(uow: Uow, acts: Collection[int]) -> set[int]:
    """Changes of the register that touched somebody erased."""
    part = RegisterActPart
    statement = (
        select(part.act_id)
        .join(Person, and_(Person.tenant_id == part.tenant_id, Person.id == part.thing_id))
        .where(part.kind == "person", part.act_id.in_(acts), Person.erased_at.is_not(None))
    )
    return set(uow.session.scalars(statement))


def _copy(entry: AuditEntry, *, everything: bool) -> AuditEntry:
    """A row that no session knows, so that hiding never writes."""
    values = {column.key: getattr(entry, column.key) for column in inspect(AuditEntry).column_attrs}

    def shown(side: dict[str, Any] | None) -> dict[str, Any] | None:
        if side is None:
            return None
        return {
            key: value if key in _PLAIN or not (everything or key in _NAMES) else _HIDDEN for key, value in side.items()
        }

    hidden = {"object_label": "", "before": shown(values["before"]), "after": shown(values["after"])}
    return AuditEntry(**{**values, **hidden})
