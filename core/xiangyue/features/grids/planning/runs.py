"""The exact cut of a line of households into runs: a shortest path over the places where it may be cut.

What is made small, one after the other:

1. breaches and by how much: half a point for every part out of the rule, and its distance to the rule as a part of the
   limit (so that three grids a little small are not made one that is three times too large);
2. groups that are split, and groups that are joined;
3. distance of households, persons and care from an even load (the middle of the rule).

All of it are whole numbers, added up run by run, so the answer is exact and the same on every machine.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from xiangyue.features.grids.planning.problem import Joining, SizeRule

#: A thousandth of a limit is one point of distance; a breach is worth this many.
BREACH = 500
#: Above the second and the third of the aims: more than what they can add up to.
_AIM_1 = 1 << 44
_AIM_2 = 1 << 30
#: Above them all.
_FIRST = 1 << 80
#: The third of a run at most, so that those of a village stay below the second.
_UNEVEN = 50_000


@dataclass(frozen=True, slots=True)
class Line:
    """Households in order: persons (on the rule's basis) and care of each, and where each group ends (the last end
    is the line's)."""

    persons: Sequence[int]
    care: Sequence[int]
    group_ends: Sequence[int]


@dataclass(frozen=True, slots=True)
class Beat:
    """A share (``in_rule`` of ``parts``) that the whole village must reach, before anything else."""

    in_rule: int
    parts: int


def cut(line: Line, rule: SizeRule, joining: Joining, *, longest: int = 0, beat: Beat | None = None) -> list[int]:
    """Ends of the runs of the best cut.

    Runs of up to ``longest`` households are always looked at; longer ones up to twice the rule's most. With ``beat``,
    parts · (share wanted) − parts within the rule is made smallest first: whenever any cut reaches the share, this
    does.
    """
    n = len(line.persons)
    longest = max(longest, 1)
    sums, cares = _sums(line.persons), _sums(line.care)
    table = _Costs(rule, n, sums[-1], cares[-1], beat)
    by_households, by_persons, by_care = table.households, table.persons, table.care
    outside, inside = table.outside, table.inside
    misses_h, misses_p = table.misses_households, table.misses_persons
    most_h = n if rule.max_households is None else rule.max_households
    most_p = sums[-1] if rule.max_persons is None else rule.max_persons
    cap_h, cap_p = 2 * most_h, 2 * most_p
    whole = joining is Joining.WHOLE
    starts = [0, *line.group_ends[:-1]]
    best = [0] * (n + 1)
    came_from = [0] * (n + 1)
    for j in range(1, n + 1):
        group = bisect_right(starts, j - 1) - 1
        begin, complete = starts[group], line.group_ends[group] == j
        here_p, here_c = sums[j], cares[j]
        smallest, where = -1, -1
        for i in _begins(starts, group, j, joining, complete=complete):
            length, persons = j - i, here_p - sums[i]
            if i < begin and whole and (length > most_h or persons > most_p):
                break
            if length > longest and (length > cap_h or persons > cap_p):
                break
            cost = best[i] + by_households[length] + by_persons[persons] + by_care[here_c - cares[i]]
            cost += outside if misses_h[length] or misses_p[persons] else inside
            if i <= begin:
                # The group's first household is in this run: is the group whole, how many others are with it?
                if not complete:
                    cost += _AIM_2
                if i < begin:
                    cost += _AIM_2 * (group - bisect_right(starts, i) + 1)
            if where < 0 or cost < smallest:
                smallest, where = cost, i
        best[j], came_from[j] = smallest, where
    ends: list[int] = []
    at = n
    while at:
        ends.append(at)
        at = came_from[at]
    return ends[::-1]


def _begins(starts: Sequence[int], group: int, j: int, joining: Joining, *, complete: bool) -> Sequence[int]:
    """Where a run that ends at ``j`` may begin, from the nearest to the farthest."""
    if joining is Joining.FREE:
        return range(j - 1, -1, -1)
    own = range(j - 1, starts[group] - 1, -1)
    if joining is Joining.WHOLE and complete and group:
        return [*own, *starts[group - 1 :: -1]]
    return own


def _sums(figures: Sequence[int]) -> list[int]:
    sums = [0]
    for figure in figures:
        sums.append(sums[-1] + figure)
    return sums


class _Costs:
    """What a run costs by its households, by its persons and by its care: tables, so that the cut only adds."""

    def __init__(self, rule: SizeRule, households: int, persons: int, care: int, beat: Beat | None) -> None:
        even_h, even_p = _middle(rule.households), _middle(rule.persons)
        if even_h is None and even_p is not None:
            even_h = max(1.0, even_p * households / persons) if persons else None
        # Care has no limit of its own: as much as the village's households have on the mean.
        even_c = even_h * care / households if even_h and care else None
        distance_h = [excess(rule.households, figure) for figure in range(households + 1)]
        distance_p = [excess(rule.persons, figure) for figure in range(persons + 1)]
        self.misses_households = [bool(d) for d in distance_h]
        self.misses_persons = [bool(d) for d in distance_p]
        self.households = [d * _AIM_1 + _uneven(n, even_h) for n, d in enumerate(distance_h)]
        self.persons = [d * _AIM_1 + _uneven(n, even_p) for n, d in enumerate(distance_p)]
        self.care = [_uneven(n, even_c) for n in range(care + 1)]
        self.inside, self.outside = 0, BREACH * _AIM_1
        if beat is not None:
            self.outside += beat.in_rule * _FIRST
            self.inside += (beat.in_rule - beat.parts) * _FIRST


def excess(limits: tuple[int | None, int | None], figure: int) -> int:
    """Distance to the nearer limit in thousandths of it, rounded up; 0 within."""
    least, most = limits
    if least is not None and figure < least:
        return -(-(least - figure) * 1000 // least)
    if most is not None and figure > most:
        return -(-(figure - most) * 1000 // most)
    return 0


def _middle(limits: tuple[int | None, int | None]) -> float | None:
    """An even load: the middle of the rule; with one limit only, a fifth away from it."""
    least, most = limits
    if least is not None and most is not None:
        return (least + most) / 2
    if most is not None:
        return max(1.0, most * 0.8)
    return None if least is None else least * 1.25


def _uneven(figure: int, even: float | None) -> int:
    """Square of the distance to the even load, in thousandths."""
    return 0 if even is None else min(_UNEVEN, round((figure / even - 1) ** 2 * 1000))
