"""Undoing a whole import: what it made goes, what it changed gets back what stood before. All or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from xiangyue.access.acts import acts
from xiangyue.db.sql import scoped_rows, scoped_sql
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict
from xiangyue.features.areas.groups import drop_groups
from xiangyue.features.households import derived, searchable, undo_sql
from xiangyue.features.households.kept import recounted
from xiangyue.features.households.policy import HOUSEHOLD_EDIT
from xiangyue.features.households.undo_built import WHATS, Built, Written, count_built, each_built, list_built
from xiangyue.i18n import lazy_gettext as _l

#: Ids that are looked at between two looks at the wish to stop.
CHUNK = 5_000

Progress = Callable[[int, int], None]


def count_undone(uow: Uow, written: Written) -> dict[str, int]:
    """What an undo would do: ``households``, ``persons``, ``marks``, ``incomes``, ``awards`` and ``values`` that go
    (``values`` only of those that stay), ``…_back`` that get back what stood before, villager ``groups`` that go."""
    params = written.params()
    found = {name: scoped_rows(uow.session, sql, params)[0][0] for name, sql in undo_sql.COUNT_MADE.items()}
    found |= {"values": 0, "groups": scoped_rows(uow.session, undo_sql.COUNT_GROUPS, params)[0][0]}
    for kind, added, changed in scoped_rows(uow.session, undo_sql.COUNT_CHANGES, params):
        noun = f"{kind.removeprefix('lost_')}s"
        found[noun] = found.get(noun, 0) + added
        found[f"{noun}_back"] = found.get(f"{noun}_back", 0) + changed
    return found


@acts(HOUSEHOLD_EDIT)
def undo_import(uow: Uow, *, written: Written, source: str = "", progress: Progress | None = None) -> dict[str, int]:
    """Undo a whole import; returns what was done as `count_undone` says it.

    Everything it is going to touch is locked first. Raises Conflict, with nothing changed, when something was built
    on it (`undo_built`) or part of it lies outside the actor's area. Changed rows get an audit entry each; the caller
    audits the whole. Villager groups that it made go when nothing else lies in them. ``progress(done, total)`` counts
    households and persons, and may raise to stop. Does not commit.
    """
    return _Undo(uow, written, source, progress or (lambda _done, _total: None)).run()


class _Undo:
    def __init__(self, uow: Uow, written: Written, source: str, progress: Progress) -> None:
        self.uow, self.written, self.progress = uow, written, progress
        actor = uow.actor
        self.params: dict[str, Any] = {
            **written.params(),
            "source": source,
            "actor_kind": actor.kind,
            "account": actor.account_id,
            "actor_name": actor.name or actor.login,
            "ip": uow.info.ip,
            "request": uow.info.request_id,
        }
        self.done = 0

    def do(self, statement: str, **params: Any) -> int:
        return scoped_sql(self.uow.session, statement, {**self.params, **params}).rowcount

    def ask(self, statement: str, **params: Any) -> list[tuple[Any, ...]]:
        return scoped_rows(self.uow.session, statement, {**self.params, **params})

    def run(self) -> dict[str, int]:
        self.uow.session.flush()
        for statement in undo_sql.LOCK:
            self.ask(statement)
        if built := count_built(self.uow, self.written):
            raise _refusal(sum(built.values()))
        counts = count_undone(self.uow, self.written)
        total = counts["households"] + counts["persons"]
        self.progress(0, total)
        stale = {row[0] for row in self.ask(undo_sql.STALE)}
        self._drop("p", undo_sql.PERSONS_SHOWN, derived.drop_suffixes, undo_sql.DROP_PERSONS, total)
        self._restore(stale)
        self._drop("h", undo_sql.HOUSEHOLDS_SHOWN, searchable.drop_pieces, undo_sql.DROP_HOUSEHOLDS, total)
        derived.refresh_derived_sql(self.uow, stale)
        recounted(self.uow, None)
        searchable.tidy_suffixes(self.uow)
        self.uow.session.expire_all()
        counts["groups"] = drop_groups(self.uow, made_at=self.written.at)
        self.do(undo_sql.FORGET)
        return counts

    def _restore(self, stale: set[int]) -> None:
        """What was changed, as it was; before the households go, in which persons are that came from others."""
        moved = [row[0] for row in self.ask(undo_sql.MOVED)]
        movers = [row[0] for row in self.ask(undo_sql.MOVERS)]
        readdressed = self.ask(undo_sql.READDRESSED)
        renamed = self.ask(undo_sql.RENAMED)
        for statement in undo_sql.AUDIT:
            self.do(statement)
        searchable.drop_pieces(self.uow, readdressed)
        derived.drop_suffixes(self.uow, ((id, name) for id, name, _household, _area in renamed))
        for statement in (*undo_sql.CARRY, *undo_sql.RESTORE):
            self.do(statement)
        derived.move_with_household(self.uow, moved)
        derived.move_with_person(self.uow, movers)
        derived.write_suffixes(self.uow, self.ask(undo_sql.RENAMED))
        searchable.write_pieces(self.uow, self.ask(undo_sql.READDRESSED))
        stale |= {row[0] for row in self.ask(undo_sql.STALE)}

    def _drop(
        self, key: str, shown: str, drop_shown: Callable[..., None], statements: tuple[str, ...], total: int
    ) -> None:
        """Take away what was made, some ids at a time, search rows first."""
        for span in self._spans(key):
            rows = self.ask(shown, **span)
            drop_shown(self.uow, rows)
            for statement in statements:
                self.do(statement, **span)
            self.done += len(rows)
            self.progress(self.done, total)

    def _spans(self, key: str) -> Iterator[dict[str, int]]:
        low, high = self.params[f"{key}_lo"], self.params[f"{key}_hi"]
        for first in range(low, high + 1, CHUNK):
            if first:
                yield {f"{key}_lo": first, f"{key}_hi": min(high, first + CHUNK - 1)}


def _refusal(rows: int) -> Conflict:
    return Conflict(
        _l("Something was built on this import since: %(n)d rows. Nothing was undone. Its page lists them.", n=rows)
    )


__all__ = ["WHATS", "Built", "Written", "count_built", "count_undone", "each_built", "list_built",
           "undo_import"]  # fmt: skip
