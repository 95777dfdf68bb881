"""Many households at once, for imports: matched, compared and written set by set.

The rows go by COPY into temporary tables (a table with row-level security refuses COPY), everything else is a
handful of statements for each chunk, whatever its size. ``bulk_sql`` and ``bulk_write_sql`` hold the statements,
``bulk_stage`` what stands in the temporary tables.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, fields
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from xiangyue.access.acts import acts
from xiangyue.access.crypto import TenantKeys
from xiangyue.db.copying import copy_rows
from xiangyue.db.sql import draw_ids, scoped_rows, scoped_sql
from xiangyue.db.uow import Uow
from xiangyue.features.areas.groups import ensure_groups, note_groups
from xiangyue.features.areas.models import Area
from xiangyue.features.areas.policy import AREA_EDIT
from xiangyue.features.households import bulk_changes, derived, policy, searchable
from xiangyue.features.households import bulk_sql as sql
from xiangyue.features.households import bulk_write_sql as write_sql
from xiangyue.features.households.bulk_ahead import Window, chunks_of, rows_ahead, windows_ahead
from xiangyue.features.households.bulk_clear import Clearing
from xiangyue.features.households.bulk_search import SearchRows
from xiangyue.features.households.bulk_stage import (
    HouseholdRow,
    PersonValues,
    Prepared,
    Stager,
    analyze_found_by,
    analyze_households,
    analyze_persons,
)
from xiangyue.features.households.bulk_steps import OfChanges, OfHouseholds, OfPersons
from xiangyue.features.households.derived import words_of
from xiangyue.features.households.holding import hold_back
from xiangyue.features.households.models import CustomField, MarkKind
from xiangyue.features.households.origins import NOBODY, Speaks, note_department
from xiangyue.features.households.person_input import today

__all__ = ["BulkConflict", "BulkCounts", "BulkSample", "HouseholdRow", "PersonValues", "upsert_households"]

#: Households staged at a time: large enough for set-based work, small enough for memory and a live progress bar.
CHUNK = 2000
SAMPLES = 20
#: New households that a dry run names.
FIRST_NEW = 5
_NO_NUMBERS = ("conflicts", "samples", "fresh", "made")


@dataclass(frozen=True, slots=True)
class BulkConflict:
    """A household or person that was left out. ``row_no`` is the caller's; ``kind``:

    area_unknown, area_outside (not mine), household_elsewhere (its code stands outside my area), household_twice,
    head_other (the register's head is not among the rows), person_elsewhere (outside my area), person_twice (in this
    import), mark_unknown, mark_forbidden (sensitive marks need their own right; the person is taken without it),
    field_unknown.
    """

    row_no: int
    kind: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class BulkSample:
    """One of the first changes: ``entity`` household or person, the differing fields before and after."""

    entity: str
    label: str
    before: dict[str, Any]
    after: dict[str, Any]


@dataclass
class BulkCounts:
    """What was (or, in a dry run, would be) done."""

    households_new: int = 0
    households_changed: int = 0
    households_unchanged: int = 0
    persons_new: int = 0
    persons_changed: int = 0
    persons_unchanged: int = 0
    groups_new: int = 0
    #: Households that stand and lose all their persons to others.
    households_emptied: int = 0
    #: Values that were not written, because somebody had set others by hand.
    facts_waiting: int = 0
    conflicts: list[BulkConflict] = field(default_factory=list)
    samples: list[BulkSample] = field(default_factory=list)
    #: Of a dry run: the caller's row numbers of the first new households.
    fresh: list[int] = field(default_factory=list)
    #: First and last id of the households and persons that were made.
    made: dict[str, tuple[int, int]] = field(default_factory=dict)

    def numbers(self) -> dict[str, int]:
        """The plain counts, with ``conflicts`` as their number."""
        found = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in _NO_NUMBERS}
        return {**found, "conflicts": len(self.conflicts)}


@acts(policy.HOUSEHOLD_EDIT)
def upsert_households(
    uow: Uow,
    keys: TenantKeys,
    rows: Iterable[HouseholdRow] = (),
    *,
    windows: Iterable[Window] | None = None,
    batch_id: int | None = None,
    source: str = "",
    dry_run: bool = False,
    progress: Callable[[int], None] | None = None,
    written: Callable[[dict[int, int], dict[int, int]], None] | None = None,
    ahead: Uow | None = None,
    beside: Uow | None = None,
    speaks: Speaks = NOBODY,
) -> BulkCounts:
    """Create the households of a roster or bring them up to date, with their persons, marks, income and own fields.

    Households are found by code, persons by citizen number, then by household, name and date of birth. A value that
    is empty in the roster keeps what stands; marks are added, never ended; a person found in another household moves
    here. Nothing outside the actor's area is touched: see ``BulkConflict``. ``progress`` gets the number of
    households done after each chunk and may raise to stop; ``written`` gets the ids of its households and persons by
    the caller's row numbers. ``ahead``: a unit of work of a thread that reads ``rows`` a chunk ahead of the database,
    so they must not ask with this session; ``windows``, instead of ``rows`` and for a dry run: with this session asked
    for some rows at a time (`windows_ahead`). ``beside``: a unit of work for the search rows of what is new, which the
    caller commits right after this one (`bulk_search`). ``speaks``: for which department, and of which of its facts;
    other facts that somebody set by hand, or a department said, are not overwritten: they wait (`holding`). Changes are
    audited one by one, new rows by their batch (``batch_id``), new groups in one entry. Does not commit.
    """
    assert windows is None or dry_run, "ids are drawn by the session that windows keep busy"
    run = _Run(uow, keys, batch_id, source, dry_run, SearchRows(uow, beside), speaks, ahead or uow)
    done = 0
    # Closed at once also when something breaks, so that no thread reads on.
    with closing(run.search), closing(run.chunks(rows, windows, ahead is not None)) as chunks:
        for made in chunks:
            run.take(made)
            done += made.size
            if written is not None:
                written(run.ids_by_row(write_sql.HOUSEHOLD_ROWS), run.ids_by_row(write_sql.PERSON_ROWS))
            if progress is not None:
                progress(done)
        run.search.finish()
    run.count_emptied()
    if run.groups:
        note_groups(uow, run.groups, purpose=source)
    return run.counts


class _Run:
    """One import, chunk by chunk."""

    def __init__(
        self,
        uow: Uow,
        keys: TenantKeys,
        batch_id: int | None,
        source: str,
        dry_run: bool,
        search: SearchRows,
        speaks: Speaks,
        numbers: Uow,
    ) -> None:
        self.uow = uow
        self.search = search
        self.dry_run, self.speaks = dry_run, speaks
        self.batch_id, self.source = batch_id, source
        self.counts = BulkCounts()
        self.groups: list[int] = []
        #: Households that somebody leaves: of a dry run how many do, and which of all that stand are in the file.
        self.left: Counter[int] = Counter()
        self.stand: set[int] = set()
        #: In the chunk at hand: households and persons that stand already, and how many things that stood are changed.
        self.households = self.persons = self.changes = 0
        self.params = {
            "batch": batch_id,
            "source": source,
            "groups": uow.actor.can(AREA_EDIT),
            "actor_kind": uow.actor.kind,
            "account": uow.actor.account_id,
            "actor_name": uow.actor.name or uow.actor.login,
            "ip": uow.info.ip,
            "request": uow.info.request_id,
            "today": today(),
        }
        #: Whether a household or person of a chunk before stood already.
        self.some_stand = False
        self.clearing = Clearing(uow, keys, self.params, speaks)
        kinds = list(uow.session.scalars(select(MarkKind)))
        allowed = uow.actor.can(policy.SENSITIVE_EDIT)
        self.stager = Stager(
            keys,
            uow.tenant_id,
            marks={k.key for k in kinds if allowed or k.sensitivity == "normal"},
            forbidden={k.key for k in kinds if not allowed and k.sensitivity != "normal"},
            fields={(f.entity, f.key): f for f in uow.session.scalars(select(CustomField))},
            draw=None if dry_run else partial(draw_ids, numbers.session),
        )

    def needs(self, statement: str) -> bool:
        """Whether the statement can find anything to do in the chunk at hand; see ``bulk_steps``."""
        if isinstance(statement, OfHouseholds):
            return self.households > 0
        if isinstance(statement, OfPersons):
            return self.persons > 0
        return self.changes > 0 if isinstance(statement, OfChanges) else True

    def run(self, statement: str, **params: Any) -> int:
        if not self.needs(statement):
            return 0
        return scoped_sql(self.uow.session, statement, {**self.params, **params}).rowcount

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        return scoped_rows(self.uow.session, statement, self.params) if self.needs(statement) else []

    def ids(self, statement: str) -> list[int]:
        return [row[0] for row in self.rows(statement)]

    def ids_by_row(self, statement: str) -> dict[int, int]:
        return dict(scoped_rows(self.uow.session, statement))

    def chunks(
        self, rows: Iterable[HouseholdRow], windows: Iterable[Window] | None, ahead: bool
    ) -> Generator[Prepared, None, None]:
        if windows is not None:
            return windows_ahead(windows, self.stager.prepare)
        return rows_ahead(self.prepared(rows)) if ahead else self.prepared(rows)

    def prepared(self, rows: Iterable[HouseholdRow]) -> Generator[Prepared, None, None]:
        """The rows, chunk by chunk, as they go into the temporary tables."""
        for chunk in chunks_of(rows, CHUNK):
            yield self.stager.prepare(chunk)

    def take(self, made: Prepared) -> None:
        session = self.uow.session
        self.stager.stage(session, made)
        self.counts.conflicts += [BulkConflict(*problem) for problem in made.problems]
        self._areas(made.groups)
        self.households = self.persons = self.changes = 0
        closed = sum(self.run(statement) for statement in sql.PLACE_HOUSEHOLDS)
        if not closed and self._records_written():
            self._take_new(made, write_sql.WRITE_NEW_REST)
            return
        if not (self._found() or closed):
            self._take_new(made, write_sql.WRITE_NEW_RECORDS + write_sql.WRITE_NEW_REST)
            return
        for statement in sql.MATCH_PERSONS:
            self.run(statement)
        # After the ids are known; the flags decide no plan.
        if self.persons:
            analyze_persons(session)
        self._hold_back(made)
        for statement in sql.COMPARE:
            self.run(statement)
        self.counts.facts_waiting += self.clearing.compare(made, dry_run=self.dry_run)
        self._conflicts()
        self._count()
        if not self.dry_run:
            self._write()

    def _records_written(self) -> bool:
        """Write the households and persons of the chunk as if none of them stood; whether that is so.

        The unique codes and citizen numbers tell. To look for each of them first takes as long again, so it is left out
        as long as a first chunk was all new and no other had one that stands.
        """
        if self.dry_run or self.some_stand or not self.counts.households_new:
            return False
        try:
            with self.uow.session.connection().begin_nested():
                for statement in write_sql.WRITE_NEW_RECORDS:
                    self.run(statement)
        except IntegrityError:
            self.some_stand = True
        return not self.some_stand

    def _take_new(self, made: Prepared, statements: Sequence[str]) -> None:
        """A chunk of which nothing stands and nothing is left out: it needs no flag, no comparison and no ids."""
        self.counts.households_new += made.households.count
        self.counts.persons_new += made.persons.count
        if self.dry_run:
            self._note_fresh(every=True)
            return
        for noun, ends in made.made.items():
            self._note_made(noun, *ends)
        self.search.add(made.suffixes, made.pieces)
        for statement in statements:
            self.run(statement)
        self._written()

    def _found(self) -> bool:
        """Find which of the staged households and persons stand already; whether any do."""
        analyze_found_by(self.uow.session)
        for statement in sql.FIND_HOUSEHOLDS:
            self.households += self.run(statement)
        if self.households:
            analyze_households(self.uow.session)
            analyze_persons(self.uow.session)
        for statement in sql.FIND_PERSONS:
            self.persons += self.run(statement)
        found = self.households + self.persons > 0
        self.some_stand = self.some_stand or found
        return found

    def _hold_back(self, made: Prepared) -> None:
        """What has an owner for whom this import does not speak is not overwritten: it waits for a decision."""
        if not (self.households or self.persons):
            return
        self.counts.facts_waiting += hold_back(
            self.uow,
            self.stager.keys,
            made,
            speaks=self.speaks,
            batch_id=self.batch_id,
            source=self.source,
            dry_run=self.dry_run,
        )

    def _areas(self, groups: set[int]) -> None:
        if not groups or not self.uow.actor.can(AREA_EDIT):
            return  # without the right to make groups, unknown ones are a conflict
        if not self.dry_run:
            self.groups += ensure_groups(self.uow, groups)
            self.counts.groups_new = len(self.groups)
            return
        known = set(self.uow.session.scalars(select(Area.area_code).where(Area.area_code.in_(groups))))
        new = groups - known - self.stager.planned_groups
        self.stager.planned_groups |= new
        self.counts.groups_new += len(new)

    def _conflicts(self) -> None:
        for row_no, kind in scoped_rows(self.uow.session, sql.CONFLICTS, self.params):
            self.counts.conflicts.append(BulkConflict(row_no, kind))

    def _count(self) -> None:
        counts = self.counts
        for prefix, statement in (("households", sql.COUNT_HOUSEHOLDS), ("persons", sql.COUNT_PERSONS)):
            for kind, number in scoped_rows(self.uow.session, statement):
                self.changes += number if kind == "changed" else 0
                name = f"{prefix}_{kind}"
                setattr(counts, name, getattr(counts, name) + number)
        if self.changes and len(counts.samples) < SAMPLES:
            rows = scoped_rows(self.uow.session, sql.SAMPLES, {"limit": SAMPLES - len(counts.samples)})
            # Of a record of which something is cleared and nothing else changes, the clearing says it all.
            found = (BulkSample(*row) for row in (*self.clearing.samples(), *rows))
            counts.samples += [one for one in found if one.before or one.after]
            del counts.samples[SAMPLES:]
        if self.dry_run and counts.households_new:
            self._note_fresh(every=False)
        if self.dry_run:
            self.left.update(dict(self.rows(sql.LEAVING)))
            self.stand.update(self.ids(sql.STANDING))

    def count_emptied(self) -> None:
        """Households that nobody is left in, once all is written or compared: another chunk may take the last, or bring
        somebody."""
        homes = list(self.left.keys() - self.stand)
        found = scoped_rows(self.uow.session, sql.LEFT, {"ids": homes}) if homes else []
        self.counts.households_emptied = sum(persons <= self.left[id] for id, persons in found)

    def _note_fresh(self, *, every: bool) -> None:
        """The first new households of the chunk; ``every``: all of it is new and has no flag."""
        if (more := FIRST_NEW - len(self.counts.fresh)) > 0:
            found = scoped_rows(self.uow.session, sql.FRESH, {"every": every, "limit": more})
            self.counts.fresh += [row_no for (row_no,) in found]

    def _write(self) -> None:
        session = self.uow.session
        self.run(write_sql.NEW_HOUSEHOLD_IDS)
        self.run(write_sql.NEW_PERSON_IDS)
        analyze_households(session)
        if self.persons:
            analyze_persons(session)
        for noun, statement in (("households", write_sql.MADE_HOUSEHOLDS), ("persons", write_sql.MADE_PERSONS)):
            self._note_made(noun, *self.rows(statement)[0])
        left = self.ids(write_sql.HOUSEHOLDS_LEFT)
        self.left.update(dict.fromkeys(left, 0))
        stale = self.ids(write_sql.HOUSEHOLDS_STALE)
        moved = self.ids(write_sql.HOUSEHOLDS_MOVED)
        renamed = self.ids(write_sql.PERSONS_RENAMED)
        movers = self.ids(write_sql.PERSONS_MOVED)
        before = self.rows(write_sql.HOUSEHOLDS_REWRITTEN)
        found = [(id, code, address, area) for id, code, address, area in self.rows(write_sql.NEW_HOUSEHOLDS)]
        self.search.add(
            copy_rows((words_of(name), *where) for name, *where in self.rows(write_sql.NEW_PERSONS)),
            copy_rows(searchable.piece_rows(found)),
        )
        noted = self.changes > 0 and self.params["batch"] is not None
        for statement in (*(bulk_changes.BEFORE if noted else ()), *write_sql.WRITE):
            self.run(statement)
        self.clearing.write()
        derived.move_with_household(self.uow, moved)
        derived.move_with_person(self.uow, movers)
        derived.refresh_derived_sql(self.uow, list({*left, *stale}))
        derived.rewrite_suffixes(self.uow, renamed)
        for statement in bulk_changes.AFTER if noted else ():
            self.run(statement)
        if before:
            searchable.drop_pieces(self.uow, before)
            searchable.write_pieces(self.uow, self.rows(write_sql.HOUSEHOLDS_REWRITTEN))
        if self.batch_id is not None:
            self.clearing.note_department()
        self._written()

    def _written(self) -> None:
        if self.batch_id is not None:
            note_department(self.uow, self.speaks, self.batch_id)
        # What the session read before is older than what was written past it.
        self.uow.session.expire_all()

    def _note_made(self, noun: str, first: int | None, last: int | None) -> None:
        if first is not None and last is not None:
            known = self.counts.made.get(noun, (first, last))
            self.counts.made[noun] = (min(first, known[0]), max(last, known[1]))
