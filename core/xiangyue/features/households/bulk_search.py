"""Search rows of what a bulk write makes new: in its own transaction, or beside it in another one."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

from xiangyue.db.copying import CopyRows
from xiangyue.db.sql import read_once, scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.features.households import derived, searchable
from xiangyue.features.households.undo_built import MADE_HOUSEHOLD, MADE_PERSON, Written

# ruff: noqa: S608 - statements are put together from constants of this module only

_PERSONS_UNFOUND = f"""
SELECT p.id, p.name, p.household_id, p.area_code FROM person p
 WHERE {{tenant:p}} AND {MADE_PERSON} AND p.state = 'active'
   AND NOT EXISTS (SELECT 1 FROM name_suffix n WHERE {{tenant:n}} AND n.id = p.id)
 ORDER BY p.id
"""
_HOUSEHOLDS_UNFOUND = f"""
SELECT h.id, h.code, h.address, h.area_code FROM household h
 WHERE {{tenant:h}} AND {MADE_HOUSEHOLD}
   AND NOT EXISTS (SELECT 1 FROM household_piece l WHERE {{tenant:l}} AND l.id = h.id)
 ORDER BY h.id
"""


class SearchRows:
    """Takes what is new, chunk by chunk. They are a third of all that is written, and nothing refers to them.

    ``beside``: a unit of work for them alone, in a thread that is one chunk behind at most. Whoever opened it commits
    it right after its own, or neither; see `write_missing` for what dies in between.
    """

    def __init__(self, uow: Uow, beside: Uow | None = None) -> None:
        self._uow = beside or uow
        self._thread = None if beside is None else ThreadPoolExecutor(1, "bulk-search")
        self._last: Future[None] | None = None

    def add(self, suffixes: CopyRows, pieces: CopyRows) -> None:
        """Rows of new persons (`derived.Named`) and households (`searchable.PieceRow`). Raises what broke with the
        chunk before."""
        if self._thread is None:
            self._write(suffixes, pieces)
            return
        self.finish()
        self._last = self._thread.submit(self._write, suffixes, pieces)

    def finish(self) -> None:
        """Wait until all is written."""
        if self._last is not None:
            self._last.result()
            self._last = None

    def close(self) -> None:
        """No more comes; what is being written ends first."""
        if self._thread is not None:
            self._thread.shutdown()

    def _write(self, suffixes: CopyRows, pieces: CopyRows) -> None:
        derived.write_named(self._uow, suffixes)
        searchable.write_piece_rows(self._uow, pieces)


def write_missing(uow: Uow, written: Written) -> tuple[int, int]:
    """Make findable what an import made, if its search rows were lost with a process that died between two commits;
    how many persons and households that were."""
    params = written.params()
    # Search rows are not found by the id of what they find: looked for one by one, each would read the county.
    with read_once(uow.session):
        persons = scoped_rows(uow.session, _PERSONS_UNFOUND, params)
        households = scoped_rows(uow.session, _HOUSEHOLDS_UNFOUND, params)
    derived.write_suffixes(uow, ((id, name, home, area) for id, name, home, area in persons))
    searchable.write_pieces(uow, [(id, code, address, area) for id, code, address, area in households])
    return len(persons), len(households)
