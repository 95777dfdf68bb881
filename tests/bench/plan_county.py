"""``plan_county_quality``, ``plan_county_time``: leaf grids for all villages of Hanyin, planned anew.

No database: the planner is pure. Families come from the product's own generator, the villages are the county's real
ones; their groups once all alike, as the generator's roster has them, and once of very different sizes.
"""

from __future__ import annotations

import csv
import random
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import product

from bench.measure import Result, against_limit
from bench.servers import ROOT
from bench.stage import Stage
from xiangyue.features.grids.planning.plan import plan_village, plan_villages
from xiangyue.features.grids.planning.problem import Home, Joining, SizeRule
from xiangyue.features.grids.planning.result import Figures, VillagePlan
from xiangyue.features.imports.synth_people import NameMaker, make_family

HOUSEHOLDS = 79_300
ROUNDS = 2
YEAR = 2025
COUNTY_SECONDS, VILLAGE_SECONDS = 60.0, 1.0
#: 汉办发〔2021〕11号: third-level grids of 20 to 30 households and 70 to 120 persons.
RULE = SizeRule("registered", 20, 30, 70, 120)
#: The same, counting who lives there: fewer persons in a household leave hardly any room between both ranges.
LIVING = SizeRule("living", 20, 30, 70, 120)
#: Rosters: groups alike (about 22 households), groups of very different sizes, and these with coordinates.
ROSTERS = ("groups alike", "groups differ", "groups differ, on the map")


def plan_county_quality(_stage: Stage) -> Result:
    """Share of grids within the rule against what the sums of the groups allow: the worst of all ways."""
    ways: dict[str, tuple[Figures, list[VillagePlan]]] = {}
    for rule, roster, joining in product((RULE, LIVING), ROSTERS[:2], (Joining.NONE, Joining.FREE)):
        plans = list(plan_villages(homes_of(roster), rule, joining=joining))
        name = f"{rule.basis} persons, {roster}, {_WORDS[joining]}"
        ways[name] = (sum((p.figures for p in plans), Figures()), plans)
    worst, _ = min(ways.values(), key=lambda way: way[0].ratio)
    return Result(
        "plan_county_quality",
        round(worst.share, 4),
        round(worst.bound, 4),
        round(worst.ratio, 4),
        "share",
        1,
        0.0,
        {
            "ours": "share of the grids that are within 20–30 households and 70–120 persons, every village"
            " planned; the worst of the ways below by its ratio (the planner is deterministic: one round)",
            "reference": "upper bound: of as many grids, one in every group (where groups may be cut freely: in every"
            " village) that no number of grids fits by its sums is out of the rule whatever the cut",
            **{name: _told(total, plans) for name, (total, plans) in ways.items()},
        },
    )


def plan_county_time(_stage: Stage) -> Result:
    """Seconds for the county, one process, by the slowest of the ways; the slowest village must keep its own limit."""
    rosters = {roster: _villages(homes_of(roster)) for roster in (ROSTERS[0], ROSTERS[2])}
    slowest: dict[str, float] = {}

    def ours() -> float:
        longest = 0.0
        for roster, villages in rosters.items():
            whole = 0.0
            for village in villages:
                begin = time.perf_counter()
                # The way that looks at the most runs.
                plan_village(village, RULE, joining=Joining.FREE)
                seconds = time.perf_counter() - begin
                whole += seconds
                slowest[roster] = max(slowest.get(roster, 0.0), seconds)
            longest = max(longest, whole)
        return longest

    result = against_limit(
        "plan_county_time",
        ours,
        COUNTY_SECONDS,
        unit="s",
        rounds=ROUNDS,
        about={
            "ours": "all villages planned, on one core, from households in memory to parts, reasons and figures; groups"
            " may be cut and joined freely; the slower roster, whose households stand anywhere on their group's land",
            "reference": f"limit for the county; a village must take less than {VILLAGE_SECONDS:g} s",
        },
    )
    assert max(slowest.values()) < VILLAGE_SECONDS, slowest
    result.about["slowest village"] = {roster: f"{seconds:.3f} s" for roster, seconds in slowest.items()}
    return result


_WORDS = {Joining.NONE: "every grid in one group", Joining.FREE: "groups may be cut and joined freely"}


def _told(total: Figures, plans: list[VillagePlan]) -> str:
    behind = min(plans, key=lambda plan: plan.figures.share - plan.figures.chunk_share).figures
    least = min(plans, key=lambda plan: plan.figures.ratio).figures
    return (
        f"{total.households:,} households, {total.persons:,} persons, {len(plans)} villages, {total.parts:,} grids:"
        f" share {total.share:.4f}, bound {total.bound:.4f}, ratio {total.ratio:.4f} (worst village {least.ratio:.3f});"
        f" best simple chunking by house order {total.chunk_share:.4f} in {total.chunk_parts:,} grids, share minus"
        f" chunking's in the worst village {behind.share - behind.chunk_share:+.4f}"
    )


@cache
def homes_of(roster: str) -> list[Home]:
    """All households of a roster, the same ones at every run."""
    rng = random.Random(1)
    homes: list[Home] = []
    codes = _codes()
    weights = [rng.lognormvariate(0, 0.35) for _ in codes]
    for code, weight in zip(codes, weights, strict=True):
        count = round(weight / sum(weights) * HOUSEHOLDS)
        maker = NameMaker(rng)
        for n, group in enumerate(_groups(rng, count, alike=roster == ROSTERS[0]), 1):
            family = make_family(rng, maker, YEAR)
            here = sum(not member.away for member in family)
            care = sum(len(member.marks) for member in family)
            homes.append(Home(len(homes) + 1, code + group, n, len(family), here, care))
    if roster == ROSTERS[2]:
        return [replace(home, at=_place(rng, home)) for home in homes]
    return homes


def _groups(rng: random.Random, count: int, *, alike: bool) -> Iterator[int]:
    """The number of the group of each household of a village, in house order."""
    if alike:
        groups = max(1, round(count / 22))
        yield from (n * groups // count + 1 for n in range(count))
        return
    group = 0
    while count > 0:
        group += 1
        size = min(count, max(5, round(rng.lognormvariate(3.9, 0.55))))
        count -= size
        yield from [group] * size


def _place(rng: random.Random, home: Home) -> tuple[float, float]:
    """Somewhere in its group's kilometre, without regard to house numbers: the hardest case for the line."""
    group = home.group % 1000
    return 108 + (group % 5 + rng.random()) / 100, 33 + (group // 5 + rng.random()) / 100


def _codes() -> list[int]:
    with (ROOT / "tenants/hanyin/divisions.csv").open(encoding="utf-8") as file:
        return [int(row["code"]) * 1000 for row in csv.DictReader(file) if row["level"] == "5"]


def _villages(homes: list[Home]) -> list[list[Home]]:
    villages: dict[int, list[Home]] = {}
    for home in homes:
        villages.setdefault(home.village, []).append(home)
    return list(villages.values())
