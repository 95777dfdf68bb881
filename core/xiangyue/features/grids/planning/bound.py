"""What the sums of a group alone allow, whatever the cut: how many grids fit, and if none does, why."""

from __future__ import annotations

from xiangyue.features.grids.planning.problem import SizeRule
from xiangyue.features.grids.planning.result import Size, Why


def counts_that_fit(size: Size, rule: SizeRule) -> range:
    """Numbers k of grids with k·least ≤ figure ≤ k·most for households and for persons; empty when there is none.

    A household is never cut, so there are never more grids than households.
    """
    if not size.households:
        return range(0)
    by_households, by_persons = _fit(size.households, *rule.households), _fit(size.persons, *rule.persons)
    first = max(by_households[0], by_persons[0], 1)
    last = min([size.households, *(last for _, last in (by_households, by_persons) if last is not None)])
    return range(first, last + 1)


def why_none_fits(size: Size, rule: SizeRule) -> tuple[Why, dict[str, int]]:
    """Why `counts_that_fit` is empty, with the numbers for the sentence."""
    numbers = {"households": size.households, "persons": size.persons}
    if size.households < (rule.min_households or 0) or size.persons < (rule.min_persons or 0):
        return Why.TOO_SMALL, numbers
    ranges = []
    for figure, limits in ((size.households, rule.households), (size.persons, rule.persons)):
        first, last = _fit(figure, *limits)
        if last is not None and first > last:
            return Why.BETWEEN, numbers | {"grids": last, "more": last + 1}
        ranges.append((first, last))
    (first_h, last_h), (first_p, last_p) = ranges
    if last_p is not None and first_h > last_p:
        return Why.DISAGREE, numbers | {"by_households": first_h, "by_persons": last_p}
    if last_h is not None and first_p > last_h:
        return Why.DISAGREE, numbers | {"by_households": last_h, "by_persons": first_p}
    return Why.LARGE_HOUSEHOLD, numbers


def _fit(figure: int, least: int | None, most: int | None) -> tuple[int, int | None]:
    """First and last number of grids that a figure allows; last None: any."""
    return (1 if most is None else -(-figure // most)), (None if least is None else figure // least)
