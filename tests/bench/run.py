"""``make bench [ONLY="name ..."]``: run the benchmarks, print a table, save ``.bench/results.json``."""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Run as a program, this folder comes first of all; its modules are to be found as ``bench.…`` only.
sys.path[0:1] = [str(ROOT / "tests")]

from bench.measure import Result, report  # noqa: E402 - after the path is known
from bench.stage import COUNTY, DEPLOYMENT, Stage  # noqa: E402

#: Name of the benchmark (its function) -> module. In an order that lets the large data come late.
BENCHMARKS = {
    "app_start": "app_start",
    "import_plain": "import_plain",
    "import_roster": "import_roster",
    "import_kill": "import_kill",
    "search_name": "search_name",
    "recolour_county": "recolour_county",
    "http_list_households": "over_http",
    "http_household_page": "over_http",
    "plugin_dispatch": "plugin_dispatch",
    "worker_memory": "over_http",
    "list_grids": "list_grids",
    "search_two_characters": "search_two_characters",
    "filter_custom_field": "filter_custom_field",
    "export_households": "export_households",
    "plan_county_quality": "plan_county",
    "plan_county_time": "plan_county",
}
RESULTS = ROOT / ".bench" / "results.json"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=BENCHMARKS, metavar="NAME", help=f"of: {', '.join(BENCHMARKS)}")
    parser.add_argument("--county", type=int, default=COUNTY, metavar="N", help="households of the county, large data")
    parser.add_argument(
        "--deployment", type=int, default=DEPLOYMENT, metavar="N", help="households of all counties, large data"
    )
    options = parser.parse_args(arguments)
    only = options.only
    results: list[Result] = []
    begin = time.perf_counter()
    stage = Stage(options.county, options.deployment)
    try:
        for name, module in BENCHMARKS.items():
            if not only or name in only:
                print(f"{name} …", flush=True)
                results.append(getattr(importlib.import_module(f"bench.{module}"), name)(stage))
    finally:
        stage.close()
        if results:
            report(results, RESULTS)
            print(f"\n{len(results)} of {len(BENCHMARKS)} in {time.perf_counter() - begin:.0f} s, kept in {RESULTS}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
