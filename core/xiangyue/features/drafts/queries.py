"""Reads: drafts of an area, and one draft with its parts as large as they are today."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from xiangyue.db.base import Json
from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid
from xiangyue.features.areas.queries import names
from xiangyue.features.drafts.models import GridDraft, GridDraftHousehold, GridDraftPart
from xiangyue.features.drafts.policy import EDITABLE, IN_FORCE, OVER, STATES
from xiangyue.features.drafts.register import Row, rows_of, rule_of
from xiangyue.features.grids.planning.problem import SizeRule
from xiangyue.features.households.listing import Conditions, Page, Sort, fetch_page, set_area_names
from xiangyue.features.households.location import degrees
from xiangyue.features.households.person_input import today
from xiangyue.i18n import lazy_gettext as _l

# ruff: noqa: S608 - statements are put together from constants; values are always parameters

SORTS = {
    "changed": Sort("d.updated_at", datetime),
    "village": Sort("d.area_code", int),
    "name": Sort("d.name", str),
    "state": Sort("d.state", str),
}
NAMES = (
    "id", "area_code", "name", "base_date", "state", "origin", "grids", "in_rule", "households", "by_name", "on_date",
    "change_id", "version", "updated_at",
)  # fmt: skip
_SELECT = f"SELECT {', '.join(f'd.{name}' for name in NAMES)}, {{sort}}, d.id FROM grid_draft d WHERE {{{{scope:d}}}}"


@dataclass(frozen=True, slots=True)
class DraftFilter:
    """``state``: of `STATES`; "": what is not over; "all"."""

    area: int = 0
    state: str = ""


def list_drafts(
    uow: Uow,
    wanted: DraftFilter,
    *,
    sort: str = "-changed",
    limit: int = 50,
    after: str | None = None,
    before: str | None = None,
) -> Page:
    """A page of drafts, each with ``area_name``. Raises Invalid for an unknown state, order or cursor."""
    conditions = Conditions()
    if wanted.state == "":
        conditions.add("d.state <> ALL(:over)", over=sorted(OVER))
    elif wanted.state != "all":
        if wanted.state not in STATES:
            raise Invalid({"state": [_l("Choose one of the options.")]})
        conditions.add("d.state = :state", state=wanted.state)
    chosen = SORTS.get(sort.removeprefix("-"))
    rows, next, back = fetch_page(
        uow,
        _SELECT.format(sort=chosen.column if chosen else "d.id"),
        conditions,
        alias="d",
        area=wanted.area,
        sort=sort,
        sorts=SORTS,
        limit=limit,
        after=after,
        before=before,
    )
    items = [dict(zip(NAMES, row, strict=False)) for row in rows]
    set_area_names(uow, items, [item["area_code"] for item in items])
    return Page(items, next, back)


def each_draft(uow: Uow, wanted: DraftFilter, *, sort: str) -> Iterator[dict[str, Any]]:
    """All of them, page by page."""
    after: str | None = None
    while True:
        page = list_drafts(uow, wanted, sort=sort, limit=500, after=after)
        yield from page.items
        after = page.next
        if after is None:
            return


@dataclass(frozen=True, slots=True)
class LivePart:
    """A part with today's sizes. ``groups``: codes of the villager groups in it; ``level`` 3: a piece of one group,
    ``area_code``: the group, or the village where several are in it; ``persons``: on the rule's basis."""

    id: int
    name: str
    leader: str
    fixed: bool
    level: int
    area_code: int
    groups: tuple[int, ...]
    homes: tuple[Row, ...]
    households: int
    registered: int
    living: int
    care: int
    in_rule: bool
    persons: int


@dataclass(frozen=True, slots=True)
class LiveDraft:
    """A draft today. ``gone``: household ids that are no longer here; ``new``: households in no part; ``moved``: ids
    that are in another group than when it was drawn; ``by_hand``: ids that somebody moved."""

    draft: GridDraft
    rule: SizeRule
    parts: tuple[LivePart, ...]
    gone: frozenset[int]
    new: tuple[Row, ...]
    moved: frozenset[int]
    by_hand: frozenset[int]
    places: dict[int, str]

    @property
    def stale(self) -> bool:
        """Whether households moved since it was drawn, so that it must be brought up to the register first."""
        return bool(self.gone or self.new or self.moved)

    @property
    def editable(self) -> bool:
        return self.draft.state in EDITABLE

    @property
    def in_rule(self) -> int:
        return sum(part.in_rule for part in self.parts)

    @property
    def spread(self) -> dict[str, tuple[int, int]]:
        """Least and most households, persons and care in a part."""
        found = {}
        for name in ("households", "persons", "care"):
            figures = [getattr(part, name) for part in self.parts] or [0]
            found[name] = (min(figures), max(figures))
        return found


def live_draft(uow: Uow, draft: GridDraft, rows: Sequence[Row] | None = None) -> LiveDraft:
    """A draft with today's register; ``rows``: those of the village, where they were read already. One in force is as
    it was put in force, unless ``rows`` are given."""
    if draft.state == IN_FORCE and rows is None:
        then = _as_put_in_force(uow, draft)
        if then is not None:
            return then
    rows = rows_of(uow, draft.area_code, today()) if rows is None else rows
    rule = rule_of(draft.rule)
    by_id = {row.id: row for row in rows}
    sizes: dict[int, int] = {}
    for row in rows:
        sizes[row.group] = sizes.get(row.group, 0) + 1
    parts = _parts(uow, draft)
    inside: dict[int, list[Row]] = {part.id: [] for part in parts}
    gone, moved, by_hand, placed = set(), set(), set(), set()
    statement = select(
        GridDraftHousehold.household_id, GridDraftHousehold.part_id, GridDraftHousehold.area_code,
        GridDraftHousehold.moved,
    ).where(GridDraftHousehold.draft_id == draft.id)  # fmt: skip
    for household, part_id, group, hand in uow.session.execute(statement):
        if household not in by_id:
            gone.add(household)
            continue
        row = by_id[household]
        placed.add(household)
        inside[part_id].append(row)
        if row.group != group:
            moved.add(household)
        if hand:
            by_hand.add(household)
    live = tuple(_live_part(part, inside[part.id], draft.area_code, rule, sizes) for part in parts)
    places = names(uow, [draft.area_code, *sizes])
    return LiveDraft(
        draft, rule, live, frozenset(gone), tuple(row for row in rows if row.id not in placed), frozenset(moved),
        frozenset(by_hand), places,
    )  # fmt: skip


#: What is kept of a household; its head and location are looked up, as long as they are known.
_KEPT = ("id", "group", "code", "registered", "living", "care", "number")


def kept_part(part: LivePart) -> Json:
    """A part as it is now, for ``GridDraftPart.kept``."""
    homes = [[getattr(row, name) for name in _KEPT] for row in part.homes]
    return {"level": part.level, "area_code": part.area_code, "homes": homes}


def _as_put_in_force(uow: Uow, draft: GridDraft) -> LiveDraft | None:
    """None for one of before households were kept."""
    parts = _parts(uow, draft)
    if any(part.kept is None for part in parts):
        return None
    kept = {part.id: part.kept or {} for part in parts}
    ids = [home[0] for one in kept.values() for home in one["homes"]]
    sql = "SELECT h.id, h.head_name, h.location FROM household h WHERE {scope:h} AND h.id = ANY(:ids)"
    known = {id: (head, degrees(at)) for id, head, at in scoped_rows(uow.session, sql, {"ids": ids}, scope=uow.scope)}
    rule, live = rule_of(draft.rule), []
    for part in parts:
        values = [dict(zip(_KEPT, home, strict=True)) for home in kept[part.id]["homes"]]
        rows = [Row(**one, head=known.get(one["id"], ("", None))[0], at=known.get(one["id"], ("", None))[1])
                for one in values]  # fmt: skip
        level, area = kept[part.id]["level"], kept[part.id]["area_code"]
        live.append(_sized(part, rows, rule, level=level, area_code=area))
    groups = {row.group for one in live for row in one.homes}
    places = names(uow, sorted({draft.area_code, *groups}))
    return LiveDraft(draft, rule, tuple(live), frozenset(), (), frozenset(), frozenset(), places)


def _parts(uow: Uow, draft: GridDraft) -> Sequence[GridDraftPart]:
    wanted = select(GridDraftPart).where(GridDraftPart.draft_id == draft.id)
    return uow.session.scalars(wanted.order_by(GridDraftPart.position)).all()


def _live_part(part: GridDraftPart, rows: list[Row], village: int, rule: SizeRule, sizes: dict[int, int]) -> LivePart:
    groups = {row.group for row in rows}
    one = next(iter(groups)) if len(groups) == 1 else None
    level = 3 if one is not None and len(rows) < sizes[one] else 2
    return _sized(part, rows, rule, level=level, area_code=village if one is None else one)


def _sized(part: GridDraftPart, rows: list[Row], rule: SizeRule, *, level: int, area_code: int) -> LivePart:
    rows.sort(key=lambda row: row.number)
    persons = sum(row.registered if rule.basis == "registered" else row.living for row in rows)
    return LivePart(
        id=part.id,
        name=part.name,
        leader=part.leader,
        fixed=part.fixed,
        level=level,
        area_code=area_code,
        groups=tuple(sorted({row.group for row in rows})),
        homes=tuple(rows),
        households=len(rows),
        registered=sum(row.registered for row in rows),
        living=sum(row.living for row in rows),
        care=sum(row.care for row in rows),
        in_rule=rule.admits(len(rows), persons),
        persons=persons,
    )


def of_village(uow: Uow, village: int) -> list[GridDraft]:
    """Its drafts that were not discarded, the newest first."""
    statement = select(GridDraft).where(GridDraft.area_code == village, GridDraft.state != "discarded")
    return list(uow.session.scalars(statement.order_by(GridDraft.id.desc())))
