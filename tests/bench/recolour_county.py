"""``recolour_county``: every household of a county classified anew with inputs and clause, against one bare UPDATE."""

from __future__ import annotations

import sys
import time
from datetime import date
from typing import Any

import psycopg

from bench.measure import Result, paired
from bench.population import YEAR
from bench.stage import Stage
from xiangyue.access.permissions import Permission
from xiangyue.db.sql import scoped_sql
from xiangyue.db.uow import Uow
from xiangyue.features.classifications.service_compute import compute_area
from xiangyue.plugin.offer import Contributor
from xiangyue.plugin.registry import Classifier, Clause, Input, Outcome, Proposals, RuleVersion, Step

ROUNDS = 5
KEY = "bench.income"
_RIGHT = Permission("bench.see", "bench")

#: Income against the village's mean of the same year; ``percent`` moves the line, so that every row changes.
_RULE = """
SELECT h.id AS household_id,
       CASE WHEN i.amount IS NULL OR m.mean IS NULL THEN 'open'
            WHEN i.amount * 100 >= m.mean * :percent THEN 'above' ELSE 'below' END AS outcome,
       CASE WHEN i.amount IS NULL OR m.mean IS NULL THEN 'missing' ELSE 'income' END AS clause,
       jsonb_build_object('income', i.amount, 'village_mean', m.mean, 'percent', CAST(:percent AS int),
                          'year', CAST(:year AS int)) AS inputs
  FROM household h
  LEFT JOIN household_income i ON {tenant:i} AND i.household_id = h.id AND i.year = :year
  LEFT JOIN (SELECT g.area_code / 1000 AS village, round(avg(g.amount)) AS mean
               FROM household_income g WHERE {scope:g} AND g.year = :year GROUP BY 1) m
         ON m.village = h.area_code / 1000
 WHERE {scope:h} AND h.state = 'active'
"""
_BARE = """
UPDATE classification c
   SET proposed = c.proposed, clause = c.clause, rule_version = c.rule_version, inputs = c.inputs,
       computed_at = now(), updated_at = now(), version = c.version + 1
 WHERE {scope:c} AND c.classifier = :classifier
"""


def recolour_county(stage: Stage) -> Result:
    people, county = stage.people, stage.county()
    percent = [100]

    def propose(_uow: Any, _on: date) -> Proposals:
        return Proposals(_RULE, {"year": YEAR, "percent": percent[0]})

    registry = stage.runtime.registry
    registry.take([*registry.contributors, Contributor("bench", sys.modules[__name__], offered=_offered(propose))])

    def timed(once: Any, written: int) -> float:
        """Rows per second of one transaction, begun on a table without dead rows."""
        _tidy(stage)
        begin = time.perf_counter()
        with stage.runtime.uow(county.id) as uow:
            assert once(uow) == written
        return written / (time.perf_counter() - begin)

    def ours() -> float:
        percent[0] = 210 - percent[0]  # 100 and 110 in turn

        def once(uow: Uow) -> int:
            found = compute_area(uow, classifier=KEY)
            return found.changed + found.added

        return timed(once, people.households)

    def reference() -> float:
        return timed(lambda uow: scoped_sql(uow.session, _BARE, {"classifier": KEY}).rowcount, people.households)

    result = paired(
        "recolour_county",
        ours,
        reference,
        unit="rows/s",
        rounds=ROUNDS,
        about={
            "ours": "features.classifications.service_compute.compute_area: proposals by a rule over income and the"
            " village's mean, compared with what stands, every row changed (inputs, clause, version), what is in force"
            " kept, history of what it affects, households that left looked for, audit entry; a statement a town",
            "reference": "one UPDATE that writes the same columns of the same rows with the values they have",
            "scope": "the whole county; both as the runtime role under row-level security, VACUUM before each",
            **{key: value for key, value in stage.about.items() if key != "web workers"},
        },
    )
    registry.take([c for c in registry.contributors if c.key != "bench"])
    return result


def _offered(propose: Any) -> dict[str, Any]:
    classifier = Classifier(
        key=KEY,
        label="bench",
        permission=_RIGHT,
        outcomes=(Outcome("above", "above"), Outcome("below", "below"), Outcome("open", "open", undetermined=True)),
        inputs=(Input("income", "income", "money"), Input("village_mean", "mean", "money")),
        versions=(RuleVersion("1", date(2020, 1, 1), (Clause("income", "1", "1"), Clause("missing", "2", "2"))),),
        steps=(Step("village", "village", _RIGHT),),
        propose=propose,
    )
    return {"permissions": (_RIGHT,), "classifiers": (classifier,)}


def _tidy(stage: Stage) -> None:
    with psycopg.connect(stage.settings.migration_database_url, autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE) classification")
