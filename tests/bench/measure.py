"""Rounds, ratios and the result table."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass
class Result:
    """One benchmark. ``ratio`` is better when larger; ``spread`` is (max - min) / median of the rounds' ratios."""

    name: str
    ours: float
    reference: float
    ratio: float
    unit: str
    rounds: int
    spread: float
    about: dict[str, object] = field(default_factory=dict)


def paired(
    name: str,
    ours: Callable[[], float],
    reference: Callable[[], float],
    *,
    unit: str,
    rounds: int = 5,
    larger_is_better: bool = True,
    about: dict[str, object],
) -> Result:
    """Measure both in turn, A B A B …, so that the machine's drift hits both; medians of figures and of ratios."""
    ours()
    reference()
    pairs = [(ours(), reference()) for _ in range(rounds)]
    ratios = [a / b if larger_is_better else b / a for a, b in pairs]
    ratio = statistics.median(ratios)
    return Result(
        name,
        round(statistics.median(a for a, _ in pairs), 4),
        round(statistics.median(b for _, b in pairs), 4),
        round(ratio, 4),
        unit,
        rounds,
        round((max(ratios) - min(ratios)) / ratio, 4),
        about,
    )


def against_limit(
    name: str, ours: Callable[[], float], limit: float, *, unit: str, rounds: int, about: dict[str, object]
) -> Result:
    """A figure that must stay under a limit: the reference is the limit, the ratio limit / ours."""
    figures = [ours() for _ in range(rounds)]
    middle = statistics.median(figures)
    return Result(
        name,
        round(middle, 4),
        limit,
        round(limit / middle, 4),
        unit,
        rounds,
        round((max(figures) - min(figures)) / middle, 4),
        about,
    )


def report(results: list[Result], path: Path) -> None:
    """Print a table and merge the results into the JSON file (a run of one keeps the others' last figures)."""
    path.parent.mkdir(exist_ok=True)
    known = {**_kept(path), **{r.name: asdict(r) for r in results}}
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(list(known.values()), ensure_ascii=False, indent=1) + "\n")
    fresh.replace(path)
    print(f"\n{'name':24} {'ours':>12} {'reference':>12} {'ratio':>8} {'unit':10} {'rounds':>6} {'spread':>7}")
    for r in results:
        print(
            f"{r.name:24} {r.ours:>12,.2f} {r.reference:>12,.2f} {r.ratio:>8.3f} {r.unit:10} {r.rounds:>6}"
            f" {r.spread:>7.1%}"
        )
    for r in results:
        print(f"\n{r.name}")
        for key, value in r.about.items():
            print(f"  {key}: {value}")


def _kept(path: Path) -> dict[str, object]:
    """Results of earlier runs by name; none where the file is missing or was cut short."""
    try:
        return {row["name"]: row for row in json.loads(path.read_text())}
    except (FileNotFoundError, ValueError):
        return {}
