"""Merging two records and undoing it. Nothing here commits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import and_, select

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit
from xiangyue.access.crypto import TenantKeys
from xiangyue.access.models import AuditEntry
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict
from xiangyue.features.duplicates import deciding, merging, merging_households, merging_persons, policy, queries
from xiangyue.features.duplicates.facts import facts_of
from xiangyue.features.duplicates.models import DuplicatePair, RecordMerge
from xiangyue.features.duplicates.policy import DUPLICATE_MERGE
from xiangyue.features.households.events import ask, tell_household, tell_person
from xiangyue.features.households.models import RegisterAct, RegisterActPart
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.dispatch import publish
from xiangyue.plugin.follows import Following, followers

_WAYS: dict[str, Any] = {policy.PERSON: merging_persons, policy.HOUSEHOLD: merging_households}


class BuiltOn(Conflict):
    """A merge cannot be undone: ``entries`` of the trail are what was done since."""

    code = "built_on"

    def __init__(self, message: Any, entries: list[AuditEntry]) -> None:
        super().__init__(message)
        self.entries = entries


@dataclass(frozen=True, slots=True)
class Preview:
    """What a merge would do: rows that go along or stay behind by kind, members of a household that goes."""

    survivor: Any
    loser: Any
    following: list[Following] = field(default_factory=list)
    members: int = 0


@acts(DUPLICATE_MERGE)
def preview(uow: Uow, *, id: int, keep: str) -> Preview:
    """What would move if the ``keep`` (first, second) record stays. Raises NotFound, Refused."""
    pair, first, second = queries.get_pair(uow, id)
    survivor, loser = (first, second) if keep == "first" else (second, first)
    found = followers(uow, of=pair.kind, old=loser.id, new=survivor.id)
    return Preview(survivor, loser, found, loser.person_count if pair.kind == policy.HOUSEHOLD else 0)


@acts(DUPLICATE_MERGE)
def merge_pair(
    uow: Uow, *, keys: TenantKeys, id: int, version: int, keep: str, take: Mapping[str, str] | None = None
) -> RecordMerge:
    """Make one of two. ``keep``: the record that stays (first, second); ``take``: side by fact (``facts``), otherwise
    the survivor's, unless it says nothing. Plugins are asked and told. Raises NotFound, Stale, Conflict, Invalid,
    Refused."""
    pair, rows = deciding.locked_pair(uow, id, version)
    if pair.state == "merged" or any(row.merged_into_id is not None for row in rows):
        raise Conflict(_l("One of the two is part of another record already."))
    if any(getattr(row, "erased_at", None) is not None for row in rows):
        raise Conflict(_l("What was recorded of one of the two is erased: it stays by itself."))
    facts = facts_of(uow, keys, pair.kind, *rows)
    wanted = merging.chosen(facts, keep, take or {})
    survivor, loser = rows if keep == "first" else reversed(rows)
    _no_reports(uow, pair.kind, loser.id)
    _ask(uow, pair, survivor, loser)
    changes = _WAYS[pair.kind].merge(uow, survivor, loser, wanted)
    deciding.decide(uow, pair, "merged", "")
    merge = RecordMerge(
        kind=pair.kind,
        survivor_id=survivor.id,
        loser_id=loser.id,
        pair_id=pair.id,
        by_name=uow.actor.name or uow.actor.login,
        account_id=uow.actor.account_id,
        version=1,
    )
    uow.session.add(merge)
    moved = {key: len(ids) for key, ids in changes["moved"].items()}
    _note(uow, "fold", pair.kind, survivor, loser, {"fields": list(wanted), "moved": sum(moved.values())})
    merge.changes = {**changes, "audit_id": merging.last_entry(uow)}
    uow.session.flush()
    _tell(uow, pair.kind, survivor, loser, f"{pair.kind}.fold", undone=False)
    return merge


@acts(DUPLICATE_MERGE)
def undo_merge(uow: Uow, *, id: int, version: int) -> DuplicatePair:
    """Both records as they were, the pair open again. ``id``, ``version``: of the pair. Raises NotFound, Stale,
    Conflict; BuiltOn when something was done since that would be lost."""
    pair, rows = deciding.locked_pair(uow, id, version)
    merge = queries.merge_of(uow, pair)
    if merge is None:
        raise Conflict(_l("This pair is not merged."))
    by_id = {row.id: row for row in rows}
    survivor, loser = by_id[merge.survivor_id], by_id[merge.loser_id]
    way = _WAYS[pair.kind]
    if loser.merged_into_id != survivor.id or survivor.merged_into_id is not None:
        raise BuiltOn(_l("The record that stayed was merged once more. Undo that first."), [])
    if not merge.changes or way.built_on(uow, survivor, loser, merge.changes):
        raise BuiltOn(_l("This cannot be undone any more: the record was changed since."), _built_since(uow, merge))
    _ask(uow, pair, survivor, loser)
    then = [version - 1 for version in merge.changes["versions"]]
    way.unmerge(uow, survivor, loser, merge.changes)
    merge.state, merge.undone_at, merge.undone_name = "undone", datetime.now(UTC), uow.actor.name or uow.actor.login
    merge.version += 1
    merging.free_earlier(uow, pair.kind, (survivor, loser), then)
    pair.state, pair.decided_at, pair.decided_by, pair.decided_name = "open", None, None, ""
    pair.version += 1
    _note(uow, "unfold", pair.kind, survivor, loser, {})
    uow.session.flush()
    _tell(uow, pair.kind, survivor, loser, f"{pair.kind}.unfold", undone=True)
    return pair


def _no_reports(uow: Uow, kind: str, loser: int) -> None:
    """What was reported of a record that goes could be confirmed by nobody. Raises Conflict."""
    part, act = RegisterActPart, RegisterAct
    statement = (
        select(act.id)
        .join(part, and_(part.tenant_id == act.tenant_id, part.act_id == act.id))
        .where(part.kind == kind, part.thing_id == loser, act.state == "reported")
    )
    if kind == policy.HOUSEHOLD:
        # Members take along what was reported of them; who is to come into the household is told of it by number.
        statement = statement.where(act.request["household_id"].astext == str(loser))
    with uow.tenant_wide("a report waits in the area where the record lay then"):
        if uow.session.scalars(statement.limit(1)).first() is not None:
            raise Conflict(_l("A reported change of the record that goes waits to be confirmed. Decide on it first."))


def _built_since(uow: Uow, merge: RecordMerge) -> list[AuditEntry]:
    """What was done to the merged record and, of a household, to its members since."""
    if not merge.changes:
        return []  # what to put back is erased
    records = {merge.kind: [merge.survivor_id, merge.loser_id]}
    if merge.kind == policy.HOUSEHOLD:
        records[policy.PERSON] = [person["id"] for person in merge.changes["persons"]]
    return merging.entries_since(uow, records, merge.changes["audit_id"])


def _ask(uow: Uow, pair: DuplicatePair, survivor: Any, loser: Any) -> None:
    """Plugins may refuse, for the household of either."""
    for row, what in ((survivor, "merged_from"), (loser, "merged_into")):
        other = loser.id if row is survivor else survivor.id
        if pair.kind == policy.HOUSEHOLD:
            ask(uow, row.id, {what: other})
        else:
            ask(uow, row.household_id, {"person_id": row.id, what: other})


def _note(uow: Uow, verb: str, kind: str, survivor: Any, loser: Any, after: Mapping[str, Any]) -> None:
    """On both records, so that the history of either tells it."""
    for row, told in ((survivor, {"loser_id": loser.id, **after}), (loser, {"survivor_id": survivor.id})):
        audit(
            uow,
            action=f"{kind}.{verb}",
            obj=row,
            label=deciding.label_of(row),
            after={name: value for name, value in told.items() if value},
        )


def _tell(uow: Uow, kind: str, survivor: Any, loser: Any, action: str, *, undone: bool) -> None:
    if kind == policy.PERSON:
        tell_person(uow, survivor, action)
        publish(uow, "person_merge_happened", person_id=survivor.id, merged_id=loser.id, undone=undone)
    else:
        tell_household(uow, survivor, action)
        publish(uow, "household_merge_happened", household_id=survivor.id, merged_id=loser.id, undone=undone)
