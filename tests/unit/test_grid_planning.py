"""The planner on small villages: what must hold always, and what it does where it can be told beforehand."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xiangyue.features.grids.planning.bound import counts_that_fit, why_none_fits
from xiangyue.features.grids.planning.order import by_neighbours
from xiangyue.features.grids.planning.plan import plan_village, plan_villages
from xiangyue.features.grids.planning.problem import Home, Joining, SizeRule
from xiangyue.features.grids.planning.result import Size, Why
from xiangyue.features.grids.planning.runs import BREACH, Line, cut, excess

VILLAGE = 610921_100_201_000
HANYIN = SizeRule("registered", 20, 30, 70, 120)


def village(*groups: list[int]) -> list[Home]:
    """Groups as lists of persons in each household."""
    homes: list[Home] = []
    for number, group in enumerate(groups, 1):
        for persons in group:
            n = len(homes) + 1
            homes.append(Home(n, VILLAGE + number, n, persons, persons))
    return homes


@st.composite
def rules(draw: st.DrawFn) -> SizeRule:
    def limits(most: int) -> tuple[int | None, int | None]:
        low = draw(st.none() | st.integers(1, most))
        high = draw(st.none() | st.integers(low or 1, most * 2))
        return low, high

    return SizeRule(draw(st.sampled_from(["registered", "living"])), *limits(8), *limits(25))


@st.composite
def villages(draw: st.DrawFn) -> list[Home]:
    ids = draw(st.permutations(range(1, draw(st.integers(1, 40)) + 1)))
    place = st.none() | st.tuples(st.floats(108, 108.1), st.floats(33, 33.1))
    with_places = draw(st.booleans())
    return [
        Home(
            id=id,
            group=VILLAGE + draw(st.integers(0, 3)),
            order=draw(st.integers(1, 50)),
            registered=draw(st.integers(0, 9)),
            living=draw(st.integers(0, 9)),
            care=draw(st.integers(0, 4)),
            at=draw(place) if with_places else None,
            fixed=draw(st.sampled_from([None] * 8 + ["a", "b"])),
        )
        for id in ids
    ]


@settings(max_examples=150, deadline=None)
@given(villages(), rules(), st.sampled_from(Joining), st.randoms(use_true_random=False))
def test_what_always_holds(homes, rule, joining, random) -> None:  # type: ignore[no-untyped-def]
    plan = plan_village(homes, rule, joining=joining)
    known = {home.id: home for home in homes}
    # Every household in exactly one part, none of them empty.
    assert sorted(id for part in plan.parts for id in part.homes) == sorted(known)
    assert all(part.homes for part in plan.parts)
    # Fixed parts are exactly what was given.
    kept = {part.fixed: set(part.homes) for part in plan.parts if part.fixed is not None}
    assert kept == {key: {h.id for h in homes if h.fixed == key} for key in {h.fixed for h in homes} - {None}}
    for n, part in enumerate(plan.parts):
        mine = [known[id] for id in part.homes]
        assert part.groups == tuple(sorted({home.group for home in mine}))
        assert part.size == Size(len(mine), sum(map(rule.count, mine)), sum(home.care for home in mine))
        assert part.in_rule == rule.admits(part.size.households, part.size.persons)
        # What is out of the rule has a reason, with the part or with its group.
        if not part.in_rule:
            told = [u for u in plan.unmet if u.part == n or (u.part is None and u.group in part.groups)]
            assert told
        if part.fixed is None and joining is Joining.NONE:
            assert len(part.groups) == 1
        if part.fixed is None and joining is Joining.WHOLE and len(part.groups) > 1:
            free = {home.id for home in homes if home.group in part.groups and home.fixed is None}
            assert free == set(part.homes)
    # Never worse than the best simple chunking, never better than the bound.
    figures = plan.figures
    assert figures.share >= figures.chunk_share
    assert figures.in_rule == sum(part.in_rule for part in plan.parts)
    assert figures.parts - figures.in_rule >= figures.least_out
    # The order in which rows come does not matter.
    mixed = list(homes)
    random.shuffle(mixed)
    assert plan_village(mixed, rule, joining=joining) == plan


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=9), rules())
def test_the_cut_is_the_best_of_all(persons, rule) -> None:  # type: ignore[no-untyped-def]
    def missed(ends) -> int:  # type: ignore[no-untyped-def]
        total = 0
        for begin, end in zip([0, *ends], ends, strict=False):
            distance = excess(rule.households, end - begin) + excess(rule.persons, sum(persons[begin:end]))
            total += distance + BREACH * bool(distance)
        return total

    n = len(persons)
    line = Line(persons, [0] * n, [n])
    every = [[*inner, n] for k in range(n) for inner in combinations(range(1, n), k)]
    assert missed(cut(line, rule, Joining.NONE, longest=n)) == min(map(missed, every))


def test_a_group_within_the_rule_stays_whole_and_a_large_one_is_cut_evenly() -> None:
    plan = plan_village(village([4] * 28, [3] * 75), HANYIN)
    assert [(part.level, part.size.households) for part in plan.parts] == [(2, 28), (3, 25), (3, 25), (3, 25)]
    assert (plan.figures.share, plan.figures.split, plan.unmet) == (1.0, 1, ())


def test_work_is_balanced_by_care_too() -> None:
    plain = village([3] * 50)
    # Nearly all care at the beginning: the first grid gets fewer households, both stay within the rule.
    heavy = [replace(home, care=4 if home.order <= 20 else 1) for home in plain]
    sizes = [[part.size.households for part in plan_village(homes, HANYIN).parts] for homes in (plain, heavy)]
    assert sizes[0] == [25, 25]
    assert sizes[1][0] < 25


@pytest.mark.parametrize(
    ("group", "why", "params"),
    [
        ([4] * 12, Why.TOO_SMALL, {"households": 12, "persons": 48}),
        ([3] * 35, Why.BETWEEN, {"households": 35, "persons": 105, "grids": 1, "more": 2}),
        ([2] * 95, Why.DISAGREE, {"households": 95, "persons": 190, "by_households": 4, "by_persons": 2}),
        ([7] * 45, Why.DISAGREE, {"households": 45, "persons": 315, "by_households": 2, "by_persons": 3}),
    ],
)
def test_a_group_that_cannot_meet_both_ranges_is_named_with_the_reason(
    group: list[int], why: Why, params: dict[str, int]
) -> None:
    plan = plan_village(village(group, [4] * 25), HANYIN)
    assert [(unmet.why, unmet.group, unmet.params) for unmet in plan.unmet] == [(why, VILLAGE + 1, params)]
    assert plan.figures.least_out == 1


def test_reasons_agree_with_the_counts_that_fit() -> None:
    for households in range(1, 130):
        for persons in range(0, 500, 7):
            size = Size(households, persons)
            wanted = [
                k for k in range(1, households + 1) if k * 20 <= households <= k * 30 and k * 70 <= persons <= k * 120
            ]
            assert list(counts_that_fit(size, HANYIN)) == wanted
            if not wanted:
                why, params = why_none_fits(size, HANYIN)
                assert (why is Why.TOO_SMALL) == (households < 20 or persons < 70)
                assert params["households"] == households


def test_small_groups_stay_or_are_joined_with_their_neighbours() -> None:
    homes = village([4] * 12, [4] * 14, [4] * 26)
    assert [part.groups for part in plan_village(homes, HANYIN).parts] == [(VILLAGE + n,) for n in (1, 2, 3)]
    joined = plan_village(homes, HANYIN, joining=Joining.WHOLE)
    assert [part.groups for part in joined.parts] == [(VILLAGE + 1, VILLAGE + 2), (VILLAGE + 3,)]
    assert (joined.figures.share, joined.figures.joined, joined.parts[0].level) == (1.0, 1, 2)


def test_without_a_rule_every_group_is_a_grid() -> None:
    plan = plan_village(village([3] * 90, [1], [2] * 40), SizeRule())
    assert [(part.level, part.size.households) for part in plan.parts] == [(2, 90), (2, 1), (2, 40)]


def test_neighbours_across_a_cut_change_places_where_no_cut_fits() -> None:
    rule = SizeRule("registered", 3, 3, 9, 9)
    # 3+3+4 and 2+3+3: whoever cuts after the third house has one person too many on one side.
    homes = village([3, 3, 4, 2, 3, 3])
    plan = plan_village(homes, rule)
    assert sorted(part.size.persons for part in plan.parts) == [9, 9]
    assert plan.figures.share == 1.0
    # Groups are never mixed by it, unless they may be.
    apart = village([3, 3, 4], [2, 3, 3])
    assert plan_village(apart, rule).figures.in_rule == 0
    assert plan_village(apart, rule, joining=Joining.FREE).figures.share == 1.0


def test_a_fixed_part_stays_and_the_rest_is_divided_without_it() -> None:
    homes = [replace(h, fixed="old courtyard") if h.order <= 10 else h for h in village([4] * 35)]
    plan = plan_village(homes, HANYIN)
    assert [(p.fixed, p.size.households, p.level) for p in plan.parts] == [("old courtyard", 10, 3), (None, 25, 3)]
    assert [(u.why, u.part) for u in plan.unmet] == [(Why.FIXED, 0)]


def test_neighbours_on_the_ground_are_neighbours_in_the_line() -> None:
    # House numbers jump between the two banks of a river; on the ground there are two rows of houses.
    rows = [(108 + 0.001 * (n // 2), 33 + 0.05 * (n % 2)) for n in range(50)]
    homes = [replace(home, at=at) for home, at in zip(village([4] * 50), rows, strict=True)]
    banks = [home.at[1] for home in by_neighbours(homes) if home.at is not None]
    assert sum(a != b for a, b in pairwise(banks)) == 1
    plan = plan_village(homes, HANYIN)
    known = {home.id: home for home in homes}
    assert [len({known[id].at[1] for id in part.homes}) for part in plan.parts] == [1, 1]  # type: ignore[index]


def test_households_without_coordinates_follow_the_one_before_and_are_told() -> None:
    homes = [replace(h, at=(108 + h.order / 1000, 33.0)) for h in village([4] * 25)]
    homes[10] = replace(homes[10], at=None)
    assert [home.order for home in by_neighbours(homes)] == list(range(1, 26))
    (unmet,) = plan_village(homes, HANYIN).unmet
    assert (unmet.why, unmet.params) == (Why.NO_COORDINATES, {"households": 1})


def test_several_villages_are_planned_one_by_one_with_progress() -> None:
    other = [replace(h, id=h.id + 100, group=h.group + 1000) for h in village([4] * 25)]
    seen: list[tuple[int, int]] = []
    plans = list(plan_villages([*other, *village([4] * 25)], HANYIN, on_village=lambda *at: seen.append(at)))
    assert [plan.village for plan in plans] == [VILLAGE, VILLAGE + 1000]
    assert seen == [(0, 2), (1, 2)]


@pytest.mark.parametrize("homes", [[], village([3]) * 2, [*village([3]), Home(9, VILLAGE + 1001, 1, 1, 1)]])
def test_what_is_no_village_is_refused(homes: list[Home]) -> None:
    with pytest.raises(ValueError, match=r"village|twice"):
        plan_village(homes, HANYIN)


@pytest.mark.parametrize("limits", [("x",), ("living", 0), ("living", 5, 4), ("living", None, None, 9, 8)])
def test_a_rule_that_is_none_is_refused(limits: tuple[object, ...]) -> None:
    with pytest.raises(ValueError, match=r"basis|least"):
        SizeRule(*limits)  # type: ignore[arg-type]
