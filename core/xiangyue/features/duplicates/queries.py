"""Reads of pairs: the list, one pair, how many wait. A pair is there for those who may see both of its records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid, NotFound
from xiangyue.features.duplicates import pairs, policy
from xiangyue.features.duplicates.models import DuplicatePair, RecordMerge
from xiangyue.features.households.listing import Conditions, Page, Sort, fetch_page, set_area_names
from xiangyue.features.households.models import Household, Person
from xiangyue.i18n import lazy_gettext as _l

# ruff: noqa: S608 - statements are put together from constants; values are always parameters

SORTS = {
    "score": Sort("d.score", int),
    "found": Sort("d.found_at", datetime),
    "place": Sort("a.area_code", int),
    "name": Sort("a.sort_key", str),
}
_COMMON = "d.id, d.kind, d.state, d.score, d.reasons, d.found_at, d.decided_at, d.decided_name, d.note, d.version"
_COLUMNS = {
    "person": "a.id, a.name, ah.code, a.area_code, a.state, b.id, b.name, bh.code, b.area_code, b.state",
    "household": "a.id, a.head_name, a.code, a.area_code, a.state, b.id, b.head_name, b.code, b.area_code, b.state",
}
_FROM = {
    "person": "duplicate_pair d JOIN person a ON a.id = d.first_id JOIN person b ON b.id = d.second_id"
    " JOIN household ah ON {tenant:ah} AND ah.id = a.household_id"
    " JOIN household bh ON {tenant:bh} AND bh.id = b.household_id",
    "household": "duplicate_pair d JOIN household a ON a.id = d.first_id JOIN household b ON b.id = d.second_id",
}
_WHERE = " WHERE {tenant:d} AND {scope:a} AND {scope:b} AND d.kind = :kind"
_SIDE = ("id", "name", "code", "area_code", "state")
NAMES = (
    "id", "kind", "state", "score", "reasons", "found_at", "decided_at", "decided_name", "note", "version",
    *(f"first_{name}" for name in _SIDE), *(f"second_{name}" for name in _SIDE),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PairFilter:
    """``kind``: person or household; ``state``: of ``policy.STATES`` or all; ``reason``: of ``policy.REASONS``."""

    area: int = 0
    kind: str = policy.PERSON
    state: str = "open"
    reason: str = ""
    least: int | None = None
    record: int | None = None


def _conditions(wanted: PairFilter) -> Conditions:
    found = Conditions()
    if wanted.kind not in policy.KINDS:
        raise Invalid({"kind": [_l("Choose one of the options.")]})
    found.params["kind"] = wanted.kind
    if wanted.state != "all":
        if wanted.state not in policy.STATES:
            raise Invalid({"state": [_l("Choose one of the options.")]})
        found.add("d.state = :state", state=wanted.state)
        if wanted.state == "open":
            found.add("a.state <> 'merged' AND b.state <> 'merged'")
    if wanted.reason:
        if wanted.reason not in policy.REASONS:
            raise Invalid({"reason": [_l("Choose one of the options.")]})
        found.add("position(:reason IN d.reasons) > 0", reason=f"|{wanted.reason}|")
    if wanted.least is not None:
        found.add("d.score >= :least", least=wanted.least)
    if wanted.record is not None:
        found.add("(d.first_id = :record OR d.second_id = :record)", record=wanted.record)
    return found


def list_pairs(
    uow: Uow,
    wanted: PairFilter,
    *,
    sort: str = "-score",
    limit: int = 50,
    after: str | None = None,
    before: str | None = None,
) -> Page:
    """A page of pairs of which the actor may see both records; names, codes and places of both. Raises Invalid."""
    conditions = _conditions(wanted)
    chosen = SORTS.get(sort.removeprefix("-"), SORTS["score"])
    select_ = f"SELECT {_COMMON}, {_COLUMNS[wanted.kind]}, {chosen.column}, d.id FROM {_FROM[wanted.kind]}{_WHERE}"
    rows, following, back = fetch_page(
        uow,
        select_,
        conditions,
        alias="d",
        area=wanted.area,
        sort=sort,
        sorts=SORTS,
        limit=limit,
        after=after,
        before=before,
    )
    return Page(_items(uow, rows), following, back)


def row_of(uow: Uow, pair: DuplicatePair) -> dict[str, Any]:
    """One pair as a row of the list, inside the scope."""
    statement = f"SELECT {_COMMON}, {_COLUMNS[pair.kind]} FROM {_FROM[pair.kind]}{_WHERE} AND d.id = :id"
    uow.session.flush()
    return _items(uow, scoped_rows(uow.session, statement, {"kind": pair.kind, "id": pair.id}))[0]


def _items(uow: Uow, rows: Sequence[tuple[Any, ...]]) -> list[dict[str, Any]]:
    items = [dict(zip(NAMES, row, strict=False)) for row in rows]
    for side in ("first", "second"):
        sides: list[dict[str, Any]] = [{} for _ in items]
        set_area_names(uow, sides, [item[f"{side}_area_code"] for item in items])
        for item, place in zip(items, sides, strict=True):
            item[f"{side}_area_name"] = place["area_name"]
    for item in items:
        item["reasons"] = pairs.unpacked(item["reasons"])
    return items


def count_pairs(uow: Uow, wanted: PairFilter) -> int:
    conditions = _conditions(wanted)
    scope = uow.scope.narrowed(wanted.area) if wanted.area else uow.scope
    statement = f"SELECT count(*) FROM {_FROM[wanted.kind]}{_WHERE}{conditions.sql()}"
    return int(scoped_rows(uow.session, statement, conditions.params, scope=scope)[0][0])


def each_pair(uow: Uow, wanted: PairFilter, *, sort: str = "-score", chunk: int = 1000) -> Iterator[dict[str, Any]]:
    """All of them in order, read page by page."""
    after: str | None = None
    while True:
        page = list_pairs(uow, wanted, sort=sort, limit=chunk, after=after)
        yield from page.items
        after = page.next
        if after is None:
            return


def count_open(uow: Uow) -> int:
    """Pairs of both kinds that wait, inside the scope."""
    return sum(count_pairs(uow, PairFilter(kind=kind)) for kind in policy.KINDS)


Record = Person | Household
MODELS: dict[str, type[Person] | type[Household]] = {policy.PERSON: Person, policy.HOUSEHOLD: Household}


def get_pair(uow: Uow, id: int) -> tuple[DuplicatePair, Any, Any]:
    """The pair with its two records, inside the scope. Raises NotFound."""
    pair = uow.get(DuplicatePair, id)
    model = MODELS[pair.kind]
    return pair, uow.get(model, pair.first_id), uow.get(model, pair.second_id)


def merge_of(uow: Uow, pair: DuplicatePair) -> RecordMerge | None:
    """The merge that stands for the pair, None when there is none."""
    statement = select(RecordMerge).where(RecordMerge.pair_id == pair.id, RecordMerge.state == "done")
    return uow.session.scalars(statement).one_or_none()


def pair_between(uow: Uow, kind: str, one: int, other: int) -> DuplicatePair:
    """The pair of two records. Raises NotFound."""
    first, second = sorted((one, other))
    statement = select(DuplicatePair).where(
        DuplicatePair.kind == kind, DuplicatePair.first_id == first, DuplicatePair.second_id == second
    )
    found = uow.session.scalars(statement).one_or_none()
    if found is None:
        raise NotFound(_l("There is no such entry, or it lies outside your area."))
    return found
