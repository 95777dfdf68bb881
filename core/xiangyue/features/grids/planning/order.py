"""The line in which the households of a group stand: by house order, or from neighbour to neighbour on the ground."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from math import cos, dist, radians

from xiangyue.features.grids.planning.problem import Home

#: How far along the line two places are looked at together when it is straightened, and how often at most.
_WINDOW = 30
_PASSES = 4
#: A gain below it is rounding (degrees).
_TINY = 1e-12

Point = tuple[float, float]


def by_number(homes: Sequence[Home]) -> list[Home]:
    """By house order."""
    return sorted(homes, key=lambda home: (home.order, home.id))


def by_neighbours(homes: Sequence[Home]) -> list[Home]:
    """A short way past all households that have coordinates; those without follow the one before them by number.

    From the household farthest from the middle always to the nearest next one, then straightened where two stretches
    cross; where the way by house order is the shorter one, that.
    """
    ordered = by_number(homes)
    placed = [home for home in ordered if home.at is not None]
    if len(placed) < 3:
        return ordered
    points = _flat(placed)
    numbered = list(range(len(placed)))
    ways = [_straightened(way, points) for way in (numbered, _nearest_next(points))]
    way = min(ways, key=lambda way: _length(way, points))
    if way[0] > way[-1]:
        way.reverse()
    followers: dict[int | None, list[Home]] = {}
    last: int | None = None
    for home in ordered:
        if home.at is None:
            followers.setdefault(last, []).append(home)
        else:
            last = home.id
    line = followers.get(None, [])
    for n in way:
        line += [placed[n], *followers.get(placed[n].id, [])]
    return line


def _flat(homes: Sequence[Home]) -> list[Point]:
    """Degrees of longitude made as long as degrees of latitude are here: good enough within a village."""
    known = [home.at for home in homes if home.at is not None]
    scale = cos(radians(sum(latitude for _, latitude in known) / len(known)))
    return [(longitude * scale, latitude) for longitude, latitude in known]


def _length(way: Sequence[int], points: Sequence[Point]) -> float:
    return sum(dist(points[a], points[b]) for a, b in itertools.pairwise(way))


def _nearest_next(points: Sequence[Point]) -> list[int]:
    middle = (sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points))
    here = max(range(len(points)), key=lambda n: (dist(points[n], middle), -n))
    left = set(range(len(points))) - {here}
    way = [here]
    while left:
        x, y = points[here]
        here = min(left, key=lambda n: ((points[n][0] - x) ** 2 + (points[n][1] - y) ** 2, n))
        left.remove(here)
        way.append(here)
    return way


def _straightened(way: list[int], points: Sequence[Point]) -> list[int]:
    """Turn stretches round as long as that makes the way shorter (2-opt), near each other on the line."""
    way = list(way)
    size = len(way)
    for _ in range(_PASSES):
        better = False
        for i in range(size - 1):
            before = points[way[i - 1]] if i else None
            first = points[way[i]]
            for j in range(i + 1, min(size, i + _WINDOW)):
                last = points[way[j]]
                gain = 0.0
                if before is not None:
                    gain = dist(before, first) - dist(before, last)
                if j + 1 < size:
                    after = points[way[j + 1]]
                    gain += dist(last, after) - dist(first, after)
                if gain > _TINY:
                    way[i : j + 1] = way[i : j + 1][::-1]
                    first = points[way[i]]
                    better = True
        if not better:
            break
    return way
