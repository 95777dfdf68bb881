"""Ratios, spread and the result file of the benchmarks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.measure import Result, against_limit, paired, report


def figures(*values: float) -> Callable[[], float]:
    source: Iterator[float] = iter(values)
    return lambda: next(source)


def test_ratio_is_the_median_of_the_rounds_and_the_first_pair_is_only_a_warm_up() -> None:
    found = paired("x", figures(999, 10, 30, 20), figures(1, 10, 10, 10), unit="requests/s", rounds=3, about={})
    assert (found.ours, found.reference, found.ratio) == (20, 10, 2)
    assert found.spread == 1  # (3 - 1) / 2
    assert found.rounds == 3


def test_a_ratio_is_better_when_larger_for_times_too() -> None:
    found = paired("x", figures(9, 2, 2), figures(9, 8, 8), unit="s", rounds=2, larger_is_better=False, about={})
    assert found.ratio == 4


def test_both_sides_take_turns() -> None:
    order: list[str] = []

    def side(name: str) -> Callable[[], float]:
        def once() -> float:
            order.append(name)
            return 1.0

        return once

    paired("x", side("ours"), side("reference"), unit="s", rounds=2, about={})
    assert order == ["ours", "reference"] * 3


def test_against_a_limit_more_room_is_a_larger_ratio() -> None:
    found = against_limit("x", figures(1.0, 0.5, 0.8), 2.0, unit="s", rounds=3, about={})
    assert (found.ours, found.reference, found.ratio) == (0.8, 2.0, 2.5)
    assert found.spread == pytest.approx(0.625)


def result(name: str, ours: float = 1.0) -> Result:
    return Result(name, ours, 2.0, ours / 2, "s", 5, 0.1, {"ours": "a statement"})


def test_report_prints_a_table_and_keeps_a_list_of_objects(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / ".bench" / "results.json"
    report([result("one"), result("two")], path)
    kept = json.loads(path.read_text())
    assert [set(row) for row in kept] == [
        {"name", "ours", "reference", "ratio", "unit", "rounds", "spread", "about"}
    ] * 2
    printed = capsys.readouterr().out
    assert "one" in printed
    assert "a statement" in printed


def test_a_run_of_one_keeps_the_figures_of_the_others(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    report([result("one"), result("two")], path)
    report([result("one", 1.5)], path)
    assert {row["name"]: row["ours"] for row in json.loads(path.read_text())} == {"one": 1.5, "two": 1.0}


def test_a_results_file_cut_short_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text('[{"name": "o')
    report([result("one")], path)
    assert [row["name"] for row in json.loads(path.read_text())] == ["one"]
