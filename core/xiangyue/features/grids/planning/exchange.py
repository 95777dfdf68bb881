"""Where no cut of the line fits, neighbours across a cut change places: a few houses near it, never farther.

The cut is exact for a line that is given; whether a grid has 69 or 70 persons often hangs on which of two neighbours
lies on which side. What two adjacent runs gain together decides, and no grid that is within the rule leaves it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import product

from xiangyue.features.grids.planning.problem import Home, SizeRule
from xiangyue.features.grids.planning.runs import BREACH, excess

#: How many houses on either side of a cut may change sides.
REACH = 8
_PASSES = 4
#: A chain of so many runs may pass persons on to the one that lacks them.
_CHAIN = 8

Runs = list[list[Home]]


def exchanged(runs: Sequence[Sequence[Home]], rule: SizeRule, may: Callable[[int, int], bool]) -> Runs:
    """The runs with houses exchanged between adjacent ones for which ``may(one, next)`` holds; as many runs as before,
    at least as many of them within the rule, and in all nearer to it."""
    place = {home.id: n for n, home in enumerate(home for run in runs for home in run)}
    found = [list(run) for run in runs]
    for _ in range(_PASSES):
        better = False
        for at in range(len(found)):
            if _cost(rule, found[at]) == 0:
                continue
            for step in (1, -1):
                better |= _mend(found, at, step, rule, may, place)
        if not better:
            break
    return found


def _mend(
    runs: Runs, at: int, step: int, rule: SizeRule, may: Callable[[int, int], bool], place: dict[int, int]
) -> bool:
    """Try to bring a run nearer to the rule by its neighbours on one side, each taking from the next one if it must.
    Whether it was."""
    tried: dict[int, list[Home]] = {}
    before = now = _cost(rule, runs[at])
    for far in range(_CHAIN):
        one, other = at + far * step, at + (far + 1) * step
        if not 0 <= other < len(runs) or not may(min(one, other), max(one, other)):
            return False
        before += _cost(rule, runs[other])
        mine, theirs = tried.get(one, runs[one]), runs[other]
        best = _best_exchange(mine, theirs, step, rule, place)
        if best is None:
            return False
        tried[one], tried[other] = best
        now = sum(_cost(rule, run) for run in tried.values())
        if now < before and _out(rule, tried.values()) <= _out(rule, (runs[n] for n in tried)):
            for n, run in tried.items():
                runs[n] = run
            return True
    return False


def _best_exchange(
    mine: list[Home], theirs: list[Home], step: int, rule: SizeRule, place: dict[int, int]
) -> tuple[list[Home], list[Home]] | None:
    """Bring ``mine`` as near to the rule as one exchange can, of those the one that is best for both; None if none
    brings it nearer."""
    near_mine = mine[-REACH:] if step > 0 else mine[:REACH]
    near_theirs = theirs[:REACH] if step > 0 else theirs[-REACH:]
    sizes = [(len(run), sum(map(rule.count, run))) for run in (mine, theirs)]
    now = _cost_of(rule, *sizes[0])
    best: tuple[tuple[int, int, int], Home | None, Home | None] | None = None
    for give, take in product((None, *near_mine), (None, *near_theirs)):
        homes = (take is not None) - (give is not None)
        persons = (rule.count(take) if take else 0) - (rule.count(give) if give else 0)
        if len(mine) + homes < 1 or len(theirs) - homes < 1:
            continue
        own = _cost_of(rule, sizes[0][0] + homes, sizes[0][1] + persons)
        if own >= now:
            continue
        both = own + _cost_of(rule, sizes[1][0] - homes, sizes[1][1] - persons)
        moved = abs(place[give.id] - place[take.id]) if give and take else 0
        key = (own, both, moved)
        if best is None or key < best[0]:
            best = (key, give, take)
    if best is None:
        return None
    _key, give, take = best
    return (
        _line([*(h for h in mine if h is not give), *([take] if take else [])], place),
        _line([*(h for h in theirs if h is not take), *([give] if give else [])], place),
    )


def _line(homes: list[Home], place: dict[int, int]) -> list[Home]:
    return sorted(homes, key=lambda home: place[home.id])


def _cost(rule: SizeRule, run: Sequence[Home]) -> int:
    return _cost_of(rule, len(run), sum(map(rule.count, run)))


def _cost_of(rule: SizeRule, households: int, persons: int) -> int:
    distance = excess(rule.households, households) + excess(rule.persons, persons)
    return distance + BREACH if distance else 0


def _out(rule: SizeRule, runs: Iterable[Sequence[Home]]) -> int:
    return sum(bool(_cost(rule, run)) for run in runs)
