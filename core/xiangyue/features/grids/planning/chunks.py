"""The plain thing that the planner must never be worse than: every so many households in house order, a grid."""

from __future__ import annotations

from collections.abc import Sequence

from xiangyue.features.grids.planning.problem import SizeRule


def chunk_sizes(rule: SizeRule, households: int, persons: int) -> tuple[int, ...]:
    """Households in a chunk, one for each way to choose it: the least, the middle and the most that the rule allows.

    Where only persons are limited, by the mean persons in a household; empty when nothing is limited.
    """
    least, most = rule.households
    if least is None and most is None:
        scale = households / persons if persons else 1.0
        low, high = rule.persons
        least = None if low is None else max(1, round(low * scale))
        most = None if high is None else max(1, round(high * scale))
    if least is None and most is None:
        return ()
    low, high = least or most or 1, most or least or 1
    return tuple(sorted({low, (low + high) // 2, high}))


def chunked(lengths: Sequence[int], size: int, *, even: bool = False) -> list[int]:
    """Ends of the chunks of a line made of stretches of these lengths, no chunk across two stretches.

    ``even``: as many chunks as ``size`` asks for, but of the same length, give or take one; otherwise the last one of
    a stretch takes what remains.
    """
    ends: list[int] = []
    begin = 0
    for length in lengths:
        if length:
            count = -(-length // size)
            ends += [begin + (length * n // count if even else min(n * size, length)) for n in range(1, count + 1)]
        begin += length
    return ends
