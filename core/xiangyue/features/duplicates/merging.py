"""Parts of merging and of undoing it that persons and households share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import and_, func, or_, select, update

from xiangyue.access.models import AuditEntry
from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid
from xiangyue.features.duplicates.facts import CUSTOM, Fact
from xiangyue.features.duplicates.models import RecordMerge
from xiangyue.features.duplicates.policy import PERSON
from xiangyue.features.households.models import CustomField, CustomValue
from xiangyue.i18n import lazy_gettext as _l

#: Looks, which build nothing.
LOOKS = ("mark.read", "identifier.reveal")
_DATES = frozenset({"birth_date", "left_on"})
_VALUES = ("text_value", "int_value", "date_value")
SIDES = ("first", "second")


def other(side: str) -> str:
    return "second" if side == "first" else "first"


def chosen(facts: Iterable[Fact], keep: str, take: Mapping[str, str]) -> list[str]:
    """Keys of the facts that come from the record that goes. ``take``: side by fact; what it does not name is what the
    survivor says, unless that says nothing. Raises Invalid."""
    if keep not in SIDES:
        raise Invalid({"keep": [_l("Choose which record stays.")]})
    found = []
    known = {fact.key: fact for fact in facts}
    for key, side in take.items():
        if key not in known or side not in SIDES:
            raise Invalid({f"take.{key}": [_l("Choose one of the options.")]})
    for key, fact in known.items():
        side = take.get(key) or fact.better(keep)
        if not fact.same and side != keep and _said(fact, side):
            found.append(key)
    return found


def _said(fact: Fact, side: str) -> bool:
    """Nothing is never taken instead of something."""
    return bool((fact.first if side == "first" else fact.second).text)


def plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def put(record: Any, values: Mapping[str, Any]) -> None:
    """Set columns to values that were kept as JSON."""
    for name, value in values.items():
        setattr(record, name, date.fromisoformat(value) if name in _DATES and isinstance(value, str) else value)


def kept(record: Any, names: Iterable[str]) -> dict[str, Any]:
    """Columns as JSON keeps them."""
    return {name: plain(getattr(record, name)) for name in names}


def swap_values(uow: Uow, kind: str, survivor: int, loser: int, keys: Sequence[str]) -> list[list[int]]:
    """Exchange the values of own fields (keys with ``custom.``) that both have; the pairs of rows, for the way back."""
    wanted = [key.removeprefix(CUSTOM) for key in keys if key.startswith(CUSTOM)]
    if not wanted:
        return []
    fields = select(CustomField.id).where(CustomField.entity == kind, CustomField.key.in_(wanted))
    statement = select(CustomValue).where(CustomValue.field_id.in_(fields), CustomValue.owner_id.in_((survivor, loser)))
    by_field: dict[int, dict[int, CustomValue]] = {}
    with uow.tenant_wide("values lie where their owners do"):
        for row in uow.session.scalars(statement):
            by_field.setdefault(row.field_id, {})[row.owner_id] = row
        pairs = [rows for rows in by_field.values() if len(rows) == 2]
        for rows in pairs:
            exchange(rows[survivor], rows[loser], _VALUES)
        uow.session.flush()
    return [[rows[survivor].id, rows[loser].id] for rows in pairs]


def swap_back(uow: Uow, pairs: Sequence[Sequence[int]]) -> None:
    with uow.tenant_wide("values lie where their owners do"):
        for one, another in pairs:
            rows = {
                row.id: row
                for row in uow.session.scalars(select(CustomValue).where(CustomValue.id.in_((one, another))))
            }
            if len(rows) == 2:
                exchange(rows[one], rows[another], _VALUES)
        uow.session.flush()


def exchange(one: Any, another: Any, names: Iterable[str]) -> None:
    for name in names:
        mine, theirs = getattr(one, name), getattr(another, name)
        setattr(one, name, theirs)
        setattr(another, name, mine)


def lead_on(uow: Uow, model: Any, old: int, new: int, only: Sequence[int] | None = None) -> list[int]:
    """Let the records that are part of ``old`` (``only`` these) be part of ``new``: whoever holds the number of one
    finds the record that stands in one step. Returns their ids."""
    statement = update(model).where(model.merged_into_id == old)
    if only is not None:
        statement = statement.where(model.id.in_(list(only)))
    with uow.tenant_wide("parts of a record lie where it lay when they became part of it"):
        found = uow.session.scalars(
            statement.values(merged_into_id=new, updated_at=model.updated_at).returning(model.id),
            execution_options={"synchronize_session": False},
        ).all()
    return sorted(found)


def free_earlier(uow: Uow, kind: str, records: Sequence[Any], then: Sequence[int]) -> None:
    """Let earlier merges stand on records that are again exactly as they were before a later one, with the versions
    ``then``: nothing is built on those merges any more. ``then``: by record."""
    was = {record.id: version for record, version in zip(records, then, strict=True)}
    now = {record.id: record.version for record in records}
    concerned = or_(
        and_(RecordMerge.kind == kind, or_(RecordMerge.survivor_id.in_(was), RecordMerge.loser_id.in_(was))),
        *(RecordMerge.changes.contains({"persons": [{"id": id}]}) for id in was if kind == PERSON),
    )
    statement = select(RecordMerge).where(RecordMerge.state == "done", concerned)
    for merge in uow.session.scalars(statement.with_for_update()):
        changes = dict(merge.changes)
        if not changes:
            continue  # what to put back is erased
        if merge.kind == kind:
            ids = (merge.survivor_id, merge.loser_id)
            changes["versions"] = [
                now[id] if was.get(id) == version else version
                for id, version in zip(ids, changes["versions"], strict=True)
            ]
        else:
            changes["persons"] = [
                {**one, "version": now[one["id"]]} if was.get(one["id"]) == one["version"] else one
                for one in changes["persons"]
            ]
        merge.changes = changes


def last_entry(uow: Uow) -> int:
    """Id of the newest entry of the trail that this transaction sees."""
    uow.session.flush()
    with uow.tenant_wide("the trail is one of the whole county"):
        return int(uow.session.execute(select(func.coalesce(func.max(AuditEntry.id), 0))).scalar_one())


def entries_since(uow: Uow, records: Mapping[str, Sequence[int]], after: int) -> list[AuditEntry]:
    """What was done to these records (ids by kind) since an entry, oldest first; looks are left out."""
    found: list[AuditEntry] = []
    with uow.tenant_wide("entries about a record lie where it then lay"):
        for kind, ids in records.items():
            statement = select(AuditEntry).where(
                AuditEntry.object_type == kind,
                AuditEntry.object_id.in_(list(ids)),
                AuditEntry.id > after,
                AuditEntry.action.not_in(LOOKS),
            )
            found += uow.session.scalars(statement)
    return sorted(found, key=lambda entry: entry.id)
