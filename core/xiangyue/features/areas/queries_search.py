"""Areas by name, pinyin or code, as one types: straight from rows, the pinyin of a name worked out once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from xiangyue.db.scope import Scope
from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.features.areas.changes.queries import successor
from xiangyue.features.areas.queries import code_text
from xiangyue.text.pinyin import fold, suffixes

# Few areas have former names: nothing is read for the others.
_ACTIVE = (
    "SELECT a.area_code, a.name, a.official_name, nullif(a.former_names, '[]') FROM area a"
    " WHERE {scope:a} AND a.active ORDER BY a.area_code"
)
_FORMER_CODES = (
    "SELECT o.area_code, o.succeeded_by FROM area o WHERE {tenant:o} AND NOT o.active AND o.succeeded_by <> 0"
    " AND o.area_code BETWEEN :lo AND :hi ORDER BY o.area_code"
)


@dataclass(frozen=True, slots=True)
class FoundArea:
    """``area_code``: 15 digits."""

    area_code: int
    name: str


def find_areas(uow: Uow, q: str, limit: int) -> list[FoundArea]:
    """Active areas of the scope that a word means: the name itself first, then names that begin with it, that hold it,
    by pinyin, by a former name, and by the beginning of the code; among equals the wider area first."""
    word = fold(q)
    if not word:
        return []
    found = []
    led = _by_former_code(uow, word)
    for code, name, official, former in scoped_rows(uow.session, _ACTIVE):
        rank = _rank(word, code, name, official)
        if rank is None and former and any(_rank(word, 0, old, old) is not None for old in former):
            rank = 3
        if rank is None and code in led:
            rank = 5
        if rank is not None:
            found.append((rank, code % 10**9 != 0, code % 10**6 != 0, code % 1000 != 0, code, name))
    return [FoundArea(code, name) for *_order, code, name in sorted(found)[:limit]]


def _by_former_code(uow: Uow, word: str) -> set[int]:
    """What took the place of areas whose code begins with these digits (6 or more)."""
    if not (word.isascii() and word.isdigit() and 6 <= len(word) <= 15):
        return set()
    lo = int(word.ljust(15, "0"))
    rows = scoped_rows(
        uow.session, _FORMER_CODES, {"lo": lo, "hi": int(word.ljust(15, "9"))}, scope=Scope(uow.tenant_id)
    )
    return {successor(uow, code) for code, _next in rows[:20]}


def _rank(word: str, code: int, name: str, official: str) -> int | None:
    if word.isdigit():
        return 4 if code_text(code).startswith(word) or str(code).startswith(word) else None
    words = _words(name)
    if words[0] == word:
        return 0
    if words[0].startswith(word):
        return 1
    if word in words[0] or word in official:
        return 2
    return 3 if any(s.startswith(word) for s in words) else None


@lru_cache(maxsize=16384)
def _words(name: str) -> tuple[str, ...]:
    """What a name is found by; villages of all counties share a few thousand, groups some dozens."""
    return tuple(suffixes(name, person=False)) or ("",)
