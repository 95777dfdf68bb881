"""Search rows of households: their number and the pieces of their address, and the suffixes of all pieces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from xiangyue.db.copying import CopyRows
from xiangyue.db.sql import read_once, scoped_rows, scoped_sql, stage_rows
from xiangyue.db.uow import Uow
from xiangyue.features.households.models import Household
from xiangyue.text.pieces import pieces, tails

#: Household id, code, address, area code.
Found = tuple[int, str, str, int]
#: Piece, household id, area code.
PieceRow = tuple[str, int, int]

_C = 'text COLLATE "C"'
_PIECES = {"piece": _C, "id": "bigint", "area_code": "bigint"}
_SUFFIXES = {"suffix": _C, "piece": _C}

# In the order of the key, so that the index grows page by page and not all over.
_ADD = """
INSERT INTO household_piece (tenant_id, area_code, piece, id)
SELECT s.tenant_id, s.area_code, s.piece, s.id FROM stage_piece s
 WHERE {tenant:s} ORDER BY s.piece, s.area_code, s.id
"""
_ADD_MISSING = f"{_ADD} ON CONFLICT DO NOTHING"
_DROP = """
DELETE FROM household_piece l USING stage_piece s
 WHERE {tenant:l} AND {tenant:s} AND l.piece = s.piece AND l.area_code = s.area_code AND l.id = s.id
"""
_NEW = """
SELECT DISTINCT s.piece FROM stage_piece s
 WHERE {tenant:s} AND NOT EXISTS (
       SELECT 1 FROM piece_suffix d WHERE {tenant:d} AND d.suffix = s.piece AND d.piece = s.piece)
"""
_ADD_SUFFIXES = """
INSERT INTO piece_suffix (tenant_id, suffix, piece)
SELECT s.tenant_id, s.suffix, s.piece FROM stage_piece_suffix s WHERE {tenant:s} ORDER BY s.suffix, s.piece
"""

_UNFOUND = """
SELECT h.id, h.code, h.address, h.area_code FROM household h
 WHERE {tenant:h} AND NOT EXISTS (SELECT 1 FROM household_piece l WHERE {tenant:l} AND l.id = h.id)
 ORDER BY h.id LIMIT :limit
"""
_ORPHANS = """
DELETE FROM piece_suffix d
 WHERE {tenant:d} AND NOT EXISTS (SELECT 1 FROM household_piece l WHERE {tenant:l} AND l.piece = d.piece)
"""
_MISSING = """
SELECT DISTINCT l.piece FROM household_piece l
 WHERE {tenant:l} AND NOT EXISTS (
       SELECT 1 FROM piece_suffix d WHERE {tenant:d} AND d.suffix = l.piece AND d.piece = l.piece)
"""


def found_by(household: Household) -> Found:
    """What the search rows of a household follow from, as it stands."""
    return household.id, household.code, household.address, household.area_code


def write_pieces(uow: Uow, households: Iterable[Found]) -> None:
    """Add the search rows of households; those that are there already stay."""
    uow.session.flush()
    _write(uow, piece_rows(households), _ADD_MISSING)


def write_piece_rows(uow: Uow, rows: Iterable[PieceRow] | CopyRows) -> None:
    """Add search rows that were made before (`piece_rows`), of households that have none."""
    _write(uow, rows, _ADD)


def _write(uow: Uow, rows: Iterable[PieceRow] | CopyRows, add: str) -> None:
    if not stage_rows(uow.session, "stage_piece", _PIECES, rows):
        return
    _add_suffixes(uow, [piece for (piece,) in scoped_rows(uow.session, _NEW)])
    scoped_sql(uow.session, add)


def drop_pieces(uow: Uow, households: Iterable[Found]) -> None:
    """Take away the search rows of households as they were; before the new ones are written."""
    if stage_rows(uow.session, "stage_piece", _PIECES, piece_rows(households)):
        scoped_sql(uow.session, _DROP)


def households_unfound(uow: Uow, limit: int) -> list[Found]:
    """Households of the county that have no search rows: registered before there were any."""
    with read_once(uow.session):
        found = scoped_rows(uow.session, _UNFOUND, {"limit": limit})
    return [(id, code, address, area) for id, code, address, area in found]


def tidy_suffixes(uow: Uow) -> int:
    """Forget pieces that no household has any more, and add those that are missing (two writers at once can lose one
    to the other's tidying); how many went."""
    gone = scoped_sql(uow.session, _ORPHANS).rowcount
    _add_suffixes(uow, [piece for (piece,) in scoped_rows(uow.session, _MISSING)])
    return gone


def piece_rows(households: Iterable[Found]) -> Iterator[PieceRow]:
    """What households are found by, one row for each piece."""
    return ((piece, id, area) for id, code, address, area in households for piece in pieces(code, address))


def _add_suffixes(uow: Uow, new: Iterable[str]) -> None:
    rows = ((suffix, piece) for piece in new for suffix in tails(piece))
    if stage_rows(uow.session, "stage_piece_suffix", _SUFFIXES, rows):
        scoped_sql(uow.session, _ADD_SUFFIXES)
