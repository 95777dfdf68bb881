"""Households by any part, of two characters or more, of their address or number.

Ranges over stored suffixes, because LIKE and trigram lose their index under row-level security. LATERAL with a LIMIT
keeps PostgreSQL from reading the whole table for what it guesses to be many pieces.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.features.households.listing import LAST
from xiangyue.text.pieces import cut, plain

SHORTEST = 2
#: Matches that are ranked; those looked at where pieces must stand side by side; different pieces; ranges of codes.
CANDIDATES, SIDE_BY_SIDE, PIECES, RANGES = 300, 2000, 400, 60
#: In how many of its pieces a household may hold one word.
PIECES_OF_ONE = 4

_BY_PIECE = """
SELECT hit.id
  FROM (SELECT DISTINCT d.suffix, d.piece FROM piece_suffix d
         WHERE {{tenant:d}} AND {test} ORDER BY d.suffix LIMIT :pieces) one
 CROSS JOIN LATERAL (
       SELECT l.id FROM household_piece l WHERE {{scope:l}} AND l.piece = one.piece
        ORDER BY l.area_code, l.id LIMIT :candidates) hit
 LIMIT :candidates
"""
_INSIDE = _BY_PIECE.format(test="d.suffix >= :q AND d.suffix < :q_end")
_ENDING = _BY_PIECE.format(test="d.suffix = :q")
_BEGINNING = _BY_PIECE.format(test="d.suffix >= :q AND d.suffix < :q_end AND d.suffix = d.piece")
_ADDRESSES = "SELECT h.id, h.address FROM household h WHERE {scope:h} AND h.id = ANY(:ids)"
_BY_CODE = """
SELECT hit.id FROM unnest(CAST(:lows AS text[]), CAST(:highs AS text[])) AS r(low, high)
 CROSS JOIN LATERAL (
       SELECT h.id FROM household h WHERE {scope:h} AND h.code >= r.low AND h.code < r.high
        ORDER BY h.code LIMIT :candidates) hit
 LIMIT :candidates
"""
_VILLAGES = "SELECT a.area_code FROM area a WHERE {tenant:a} AND a.level = 'village' ORDER BY a.area_code"


def households_at(uow: Uow, word: str, near: int = 0) -> set[int]:
    """Ids of at most ``CANDIDATES`` households whose address or number in the village holds the word (see
    ``text.pieces.plain``), and where there are more as many of the area ``near`` (15 digits, 0 for none); none for a
    single character."""
    parts = cut(word)
    if len(word) < SHORTEST or not parts:
        return set()
    if len(parts) == 1:
        return _ids(uow, _INSIDE, word, CANDIDATES, near)
    # Side by side: the longer of both ends is the rarer one, and the address itself says the rest.
    first, last = parts[0], parts[-1]
    found = (
        _ids(uow, _ENDING, first, SIDE_BY_SIDE, near)
        if len(first) >= len(last)
        else _ids(uow, _BEGINNING, last, SIDE_BY_SIDE, near)
    )
    rows = scoped_rows(uow.session, _ADDRESSES, {"ids": list(found)}) if found else []
    return {id for id, address in rows if word in plain(address)}


def households_numbered(uow: Uow, digits: str) -> set[int]:
    """Ids of at most ``CANDIDATES`` households whose code holds the digits: at its beginning, inside the village's
    part or across both parts. Those in whose number alone they are come from ``households_at``."""
    villages = [str(code // 1000) for (code,) in scoped_rows(uow.session, _VILLAGES)]
    lows = list(_beginnings(villages, digits))[:RANGES]
    rows = scoped_rows(
        uow.session,
        _BY_CODE,
        {"lows": lows, "highs": [low + LAST for low in lows], "candidates": CANDIDATES},
    )
    return {id for (id,) in rows}


def _beginnings(villages: Iterable[str], digits: str) -> Iterable[str]:
    """How the codes begin that hold the digits anywhere but in the number alone."""
    yield digits
    inside, across = [], []
    for village in villages:
        if len(digits) >= SHORTEST and digits in village:
            if not village.startswith(digits):
                inside.append(village)
            continue
        for k in range(min(len(digits) - 1, len(village) - 1), 0, -1):
            if village.endswith(digits[:k]):
                across.append(village + digits[k:])
    # Across both parts it is a number somebody reads off; inside the village's it is any household there.
    yield from across
    yield from inside


def _ids(uow: Uow, statement: str, word: str, candidates: int, near: int) -> set[int]:
    params: dict[str, Any] = {"q": word, "q_end": word + LAST, "pieces": PIECES, "candidates": candidates}
    found = {id for (id,) in scoped_rows(uow.session, statement, params)}
    if near and len(found) * PIECES_OF_ONE >= candidates:
        # Cut off: what is nearest to the reader comes first and may be behind the cut.
        found |= {id for (id,) in scoped_rows(uow.session, statement, params, scope=uow.scope.narrowed(near))}
    return found
