"""The planner: villages in, divisions out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from xiangyue.features.grids.planning.bound import counts_that_fit, why_none_fits
from xiangyue.features.grids.planning.chunks import chunk_sizes, chunked
from xiangyue.features.grids.planning.exchange import exchanged
from xiangyue.features.grids.planning.order import by_neighbours, by_number
from xiangyue.features.grids.planning.problem import Home, Joining, SizeRule
from xiangyue.features.grids.planning.result import Figures, Part, Size, Unmet, VillagePlan, Why
from xiangyue.features.grids.planning.runs import Beat, Line, cut, excess


def plan_villages(
    homes: Iterable[Home],
    rule: SizeRule,
    *,
    joining: Joining = Joining.NONE,
    on_village: Callable[[int, int], None] | None = None,
) -> Iterator[VillagePlan]:
    """The division of every village that the households lie in, by code; ``on_village(done, total)`` before each."""
    ordered = sorted(homes, key=lambda home: (home.village, home.order, home.id))
    villages = [(village, list(rows)) for village, rows in groupby(ordered, key=lambda home: home.village)]
    for done, (_, rows) in enumerate(villages):
        if on_village is not None:
            on_village(done, len(villages))
        yield plan_village(rows, rule, joining=joining)


def plan_village(homes: Sequence[Home], rule: SizeRule, *, joining: Joining = Joining.NONE) -> VillagePlan:
    """Divide one village into leaf grids.

    The best division by ``runs`` of the line from neighbour to neighbour (where coordinates are known) or by house
    order. Its share of grids within the rule is never smaller than that of the best simple chunking by house order
    (``chunks``), fixed parts counted in both.

    :raises ValueError: no households, households of several villages, or one twice.
    """
    if len({home.village for home in homes}) != 1:
        raise ValueError("one village at a time")
    if len({home.id for home in homes}) != len(homes):
        raise ValueError("a household is given twice")
    groups = _sizes_of_groups(homes, rule)
    fixed = _fixed_parts(homes, rule, groups)
    free = [home for home in homes if home.fixed is None]
    numbered = _line(free, by_number)
    plain = _chunks(numbered, rule, joining, fixed)
    mapped = _line(free, by_neighbours) if any(home.at is not None for home in free) else numbered
    division = _best(mapped, rule, joining, plain, fixed)
    if mapped is not numbered and division.share < plain.share:
        # The way on the ground is not what the chunks were cut from: by house order the promise holds.
        division = _best(numbered, rule, joining, plain, fixed)
    return _answer(division, plain, fixed, groups, rule, joining)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A group's households that lie in no fixed part, in line."""

    group: int
    homes: list[Home]


@dataclass(frozen=True, slots=True)
class _Division:
    """Runs of homes, and how many of all parts (fixed ones too) are within the rule."""

    stretches: list[_Stretch]
    runs: list[list[Home]]
    in_rule: int
    parts: int
    longest: int = 0

    @property
    def share(self) -> float:
        return self.in_rule / self.parts if self.parts else 1.0


def _fixed_parts(homes: Sequence[Home], rule: SizeRule, groups: dict[int, Size]) -> list[Part]:
    kept: dict[str, list[Home]] = {}
    for home in by_number(homes):
        if home.fixed is not None:
            kept.setdefault(home.fixed, []).append(home)
    return [_part(rows, rule, groups, fixed=key) for key, rows in sorted(kept.items())]


def _line(homes: Sequence[Home], order: Callable[[Sequence[Home]], list[Home]]) -> list[_Stretch]:
    groups: dict[int, list[Home]] = {}
    for home in homes:
        groups.setdefault(home.group, []).append(home)
    return [_Stretch(group, order(rows)) for group, rows in sorted(groups.items())]


def _divided(
    stretches: list[_Stretch], ends: Sequence[int], rule: SizeRule, fixed: Sequence[Part], longest: int = 0
) -> _Division:
    line = [home for stretch in stretches for home in stretch.homes]
    runs = [line[begin:end] for begin, end in zip([0, *ends], ends, strict=False)]
    fitting = sum(rule.admits(len(run), sum(map(rule.count, run))) for run in runs)
    return _Division(stretches, runs, fitting + sum(part.in_rule for part in fixed), len(runs) + len(fixed), longest)


def _chunks(stretches: list[_Stretch], rule: SizeRule, joining: Joining, fixed: Sequence[Part]) -> _Division:
    """The best of the simple chunkings by share; whole groups where the rule limits nothing."""
    lengths = [len(stretch.homes) for stretch in stretches]
    persons = sum(rule.count(home) for stretch in stretches for home in stretch.homes)
    sizes = chunk_sizes(rule, sum(lengths), persons)
    if joining is Joining.FREE:
        lengths = [sum(lengths)]
    if not sizes:
        return _divided(stretches, chunked(lengths, max([*lengths, 1])), rule, fixed)
    ways = [chunked(lengths, size, even=even) for size in sizes for even in (False, True)]
    return max((_divided(stretches, ends, rule, fixed, max(sizes)) for ends in ways), key=lambda way: way.share)


def _best(
    stretches: list[_Stretch], rule: SizeRule, joining: Joining, plain: _Division, fixed: Sequence[Part]
) -> _Division:
    homes = [home for stretch in stretches for home in stretch.homes]
    if not homes:
        return plain
    ends: list[int] = []
    for stretch in stretches:
        ends.append((ends[-1] if ends else 0) + len(stretch.homes))
    line = Line([rule.count(home) for home in homes], [home.care for home in homes], ends)
    division = _divided(stretches, cut(line, rule, joining, longest=plain.longest), rule, fixed)
    if division.share < plain.share:
        beat = Beat(plain.in_rule, plain.parts)
        division = _divided(stretches, cut(line, rule, joining, longest=plain.longest, beat=beat), rule, fixed)
    if division.in_rule == division.parts:
        return division
    return _exchanged(division, rule, joining)


def _exchanged(division: _Division, rule: SizeRule, joining: Joining) -> _Division:
    """With houses near the cuts exchanged: between pieces of one group, or anywhere where groups may be cut freely."""
    runs = division.runs
    whole = {stretch.group: len(stretch.homes) for stretch in division.stretches}

    def piece(run: Sequence[Home]) -> int | None:
        """The one group that a run is a piece of."""
        groups = {home.group for home in run}
        return run[0].group if len(groups) == 1 and len(run) < whole[run[0].group] else None

    pieces = [piece(run) for run in runs]

    def may(one: int, other: int) -> bool:
        return joining is Joining.FREE or (pieces[one] is not None and pieces[one] == pieces[other])

    better = exchanged(runs, rule, may)
    fitting = sum(rule.admits(len(run), sum(map(rule.count, run))) for run in better)
    before = sum(rule.admits(len(run), sum(map(rule.count, run))) for run in runs)
    return replace(division, runs=better, in_rule=division.in_rule - before + fitting)


def _sizes_of_groups(homes: Iterable[Home], rule: SizeRule) -> dict[int, Size]:
    groups: dict[int, list[Home]] = {}
    for home in homes:
        groups.setdefault(home.group, []).append(home)
    return {group: _size(rows, rule) for group, rows in groups.items()}


def _size(homes: Sequence[Home], rule: SizeRule) -> Size:
    return Size(len(homes), sum(map(rule.count, homes)), sum(home.care for home in homes))


def _part(homes: Sequence[Home], rule: SizeRule, groups: dict[int, Size], *, fixed: str | None = None) -> Part:
    """``groups``: the size of every group of the village with all its households, to tell a whole one from a piece."""
    mine = _sizes_of_groups(homes, rule)
    piece = any(size.households < groups[group].households for group, size in mine.items())
    size = _size(homes, rule)
    return Part(
        village=homes[0].village,
        level=3 if piece and len(mine) == 1 else 2,
        groups=tuple(sorted(mine)),
        homes=tuple(home.id for home in homes),
        size=size,
        in_rule=rule.admits(size.households, size.persons),
        fixed=fixed,
    )


def _answer(
    division: _Division,
    plain: _Division,
    fixed: Sequence[Part],
    groups: dict[int, Size],
    rule: SizeRule,
    joining: Joining,
) -> VillagePlan:
    parts = (*fixed, *(_part(run, rule, groups) for run in division.runs))
    split = {group for part in parts for group in part.groups if part.level == 3}
    figures = Figures(
        households=sum(part.size.households for part in parts),
        persons=sum(part.size.persons for part in parts),
        parts=len(parts),
        in_rule=division.in_rule,
        least_out=sum(not part.in_rule for part in fixed) + _least_out(division.stretches, rule, joining),
        excess=sum(
            excess(rule.households, part.size.households) + excess(rule.persons, part.size.persons) for part in parts
        ),
        split=len(split),
        joined=sum(len(part.groups) > 1 for part in parts),
        chunk_parts=plain.parts,
        chunk_in_rule=plain.in_rule,
    )
    return VillagePlan(parts[0].village, parts, tuple(_unmet(parts, division.stretches, rule)), figures)


def _least_out(stretches: Sequence[_Stretch], rule: SizeRule, joining: Joining) -> int:
    """Grids out of the rule that any division has, by the sums alone: one in every group (or, where groups may be
    joined, in the village) that no number of grids fits."""
    sizes = [_size(stretch.homes, rule) for stretch in stretches]
    if joining is not Joining.NONE:
        sizes = [Size(sum(s.households for s in sizes), sum(s.persons for s in sizes))]
    return sum(bool(size.households) and not counts_that_fit(size, rule) for size in sizes)


def _unmet(parts: Sequence[Part], stretches: Sequence[_Stretch], rule: SizeRule) -> Iterator[Unmet]:
    """A reason for every part out of the rule, once for a group that no number of grids fits; missing coordinates."""
    sizes = {stretch.group: _size(stretch.homes, rule) for stretch in stretches}
    told: set[int] = set()
    for n, part in enumerate(parts):
        if part.in_rule:
            continue
        numbers = {"households": part.size.households, "persons": part.size.persons}
        if part.fixed is not None:
            yield Unmet(Why.FIXED, part=n, params=numbers)
            continue
        if part.size.households == 1 and excess((None, rule.max_persons), part.size.persons):
            yield Unmet(Why.LARGE_HOUSEHOLD, part=n, params=numbers)
            continue
        alone = part.groups[0] if len(part.groups) == 1 else None
        if alone is not None and not counts_that_fit(sizes[alone], rule):
            if alone not in told:
                told.add(alone)
                why, params = why_none_fits(sizes[alone], rule)
                yield Unmet(why, group=alone, params=params)
            continue
        yield Unmet(Why.NO_CUT, group=alone, part=n, params=numbers)
    for stretch in stretches:
        without = sum(home.at is None for home in stretch.homes)
        if 0 < without < len(stretch.homes):
            yield Unmet(Why.NO_COORDINATES, group=stretch.group, params={"households": without})
