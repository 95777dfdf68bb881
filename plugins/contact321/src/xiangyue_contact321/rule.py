"""The rule of 汉办发〔2021〕11号 四(二)2 as one statement, and what the core needs to know of it.

What the document leaves open is never guessed: two cells of income and awards, missing records, villages with too few
incomes, and (where the county has not settled that red goes first) a mark that meets a clause on income. Each is
``undetermined`` with its reason, and a person decides.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from xiangyue.sdk.db import Uow
from xiangyue.sdk.hooks import Classifier, Clause, Input, Outcome, Proposals, RuleVersion, Step
from xiangyue.sdk.i18n import _l
from xiangyue.sdk.register import SENSITIVE_VIEW
from xiangyue.sdk.settings import plugin_settings
from xiangyue_contact321 import law, policy

UNDETERMINED = "undetermined"

#: Why a household is undetermined. Each is the key of a clause too: what it rests on is what leaves it open.
REASONS = {
    "open_above": _l("Income at or above the mean, but not awarded in all three years: the rule does not say"),
    "open_below": _l("Income below the mean, but awarded within the last two years: the rule does not say"),
    "no_income": _l("No income of that year on record"),
    "no_awards": _l("No record of the award for all the years that matter"),
    "coverage": _l("Too few households of the village have an income of that year"),
    "together": _l("A mark and a clause on income hold together, and the county has not put red first"),
}

# Incomes compare without rounding: income / weight >= total / weights of the village, cross-multiplied. A weight is 1
# for a household, or its members. The mean is shown rounded up: for whole households that is the line itself.
_SQL = """
WITH home AS MATERIALIZED (
  SELECT h.id, h.area_code - h.area_code % 1000 AS village,
         CASE WHEN :per_head THEN CAST(h.person_count AS bigint) ELSE 1 END AS weight
    FROM household h
   WHERE {scope:h} AND h.state = 'active'
), size AS (
  SELECT o.village, count(*) AS households FROM home o GROUP BY o.village
), earned AS MATERIALIZED (
  SELECT o.village, o.weight, i.household_id, i.year, i.amount
    FROM home o JOIN household_income i ON i.household_id = o.id
   WHERE {tenant:i} AND o.weight > 0 AND i.year <= :latest AND (:year = 0 OR i.year = :year)
), basis AS (
  SELECT DISTINCT ON (y.village) y.village, y.year, y.families, y.total, y.weights,
         y.families * 100 >= s.households * :coverage AS enough
    FROM (SELECT e.village, e.year, count(*) AS families, CAST(sum(e.amount) AS bigint) AS total,
                 CAST(sum(e.weight) AS bigint) AS weights
            FROM earned e GROUP BY e.village, e.year) y
    JOIN size s ON s.village = y.village
   ORDER BY y.village, y.families * 100 >= s.households * :coverage DESC, y.year DESC
), rated AS MATERIALIZED (
  SELECT o.village, a.household_id, a.year, a.awarded
    FROM home o JOIN household_award a ON a.household_id = o.id
   WHERE {tenant:a} AND a.award_key = :award AND a.year <= :latest
), rating AS (
  SELECT s.village, CASE WHEN :rating_year > 0 THEN :rating_year
                         ELSE greatest(coalesce(max(r.year), :latest - 1), :latest - 2) END AS year
    FROM size s LEFT JOIN rated r ON r.village = s.village GROUP BY s.village
), won AS (
  SELECT r.household_id,
         bool_or(r.awarded) FILTER (WHERE r.year = g.year) AS newest,
         bool_or(r.awarded) FILTER (WHERE r.year = g.year - 1) AS before,
         bool_or(r.awarded) FILTER (WHERE r.year = g.year - 2) AS first
    FROM rated r JOIN rating g ON g.village = r.village
   WHERE r.year BETWEEN g.year - 2 AND g.year
   GROUP BY r.household_id
), ground AS (
  SELECT m.household_id, jsonb_agg(DISTINCT coalesce(k.name, m.mark_key)) AS marks
    FROM person_mark m
    JOIN person p ON {tenant:p} AND p.id = m.person_id
    LEFT JOIN mark_kind k ON {tenant:k} AND k.key = m.mark_key
   WHERE {scope:m} AND m.valid_to IS NULL AND m.mark_key = ANY(:marks) AND p.state = 'active'
   GROUP BY m.household_id
)
SELECT o.id AS household_id, d.outcome,
       CASE WHEN d.outcome <> 'undetermined' THEN d.outcome ELSE d.reason END AS clause,
       jsonb_build_object(
         'income', e.amount, 'income_year', b.year,
         'mean', (b.total + b.weights - 1) / b.weights,
         'coverage', coalesce(b.families * 100 / s.households, 0),
         'awards', jsonb_build_object(CAST(g.year AS text), w.newest, CAST(g.year - 1 AS text), w.before,
                                      CAST(g.year - 2 AS text), w.first))
       || CASE WHEN :per_head THEN jsonb_build_object('persons', o.weight, 'per_head', e.amount / nullif(o.weight, 0))
               ELSE CAST('{}' AS jsonb) END
       || CASE WHEN d.outcome = 'undetermined' THEN jsonb_build_object('reason', d.reason) ELSE CAST('{}' AS jsonb) END
       || CASE WHEN f.marks IS NOT NULL THEN jsonb_build_object('marks', f.marks) ELSE CAST('{}' AS jsonb) END
       AS inputs
  FROM home o
  JOIN size s ON s.village = o.village
  JOIN rating g ON g.village = o.village
  LEFT JOIN basis b ON b.village = o.village
  LEFT JOIN earned e ON e.household_id = o.id AND e.year = b.year
  LEFT JOIN won w ON w.household_id = o.id
  LEFT JOIN ground f ON f.household_id = o.id
 CROSS JOIN LATERAL (SELECT CASE
         WHEN b.enough IS NOT TRUE THEN 'coverage'
         WHEN e.amount IS NULL THEN 'no_income'
         WHEN e.amount * b.weights >= b.total * o.weight THEN
              CASE WHEN w.newest AND w.before AND w.first THEN 'green'
                   WHEN NOT (w.newest AND w.before AND w.first) THEN 'open_above' ELSE 'no_awards' END
         ELSE CASE WHEN w.newest OR w.before THEN 'open_below'
                   WHEN NOT (w.newest OR w.before) THEN 'yellow' ELSE 'no_awards' END
       END AS by_income) v
 CROSS JOIN LATERAL (SELECT
         CASE WHEN f.marks IS NOT NULL AND (:red_first OR v.by_income NOT IN ('green', 'yellow')) THEN 'red'
              WHEN f.marks IS NULL AND v.by_income IN ('green', 'yellow') THEN v.by_income
              ELSE 'undetermined' END AS outcome,
         CASE WHEN f.marks IS NOT NULL THEN 'together' ELSE v.by_income END AS reason) d
"""


def propose(uow: Uow, on: date) -> Proposals:
    """The county's rule for a day, by its settings."""
    chosen = plugin_settings(uow, policy.NAME)
    params: dict[str, Any] = {
        "latest": on.year,
        "per_head": chosen["measure"] == "head",
        "year": chosen["year"],
        "coverage": chosen["coverage_percent"],
        "award": chosen["award"],
        "rating_year": chosen["rating_year"],
        "marks": chosen["red_marks"],
        "red_first": chosen["red_first"],
    }
    return Proposals(_SQL, params)


def review_months(uow: Uow) -> int:
    """Months that a confirmed colour holds in this county until it is reviewed."""
    return int(plugin_settings(uow, policy.NAME)["valid_months"])


_OPEN = tuple(Clause(key, law.SOURCE, law.TOGETHER if key == "together" else law.BY_INCOME) for key in REASONS)

CLASSIFIER = Classifier(
    key=policy.COLOUR,
    label=_l("Three-colour household"),
    permission=policy.VIEW,
    outcomes=(
        Outcome("green", _l("Green"), "green"),
        Outcome("yellow", _l("Yellow"), "yellow"),
        Outcome("red", _l("Red"), "red"),
        Outcome(UNDETERMINED, _l("Undetermined"), "grey", undetermined=True),
    ),
    inputs=(
        Input("reason", _l("Why it is left open"), "text", words=REASONS),
        Input("marks", _l("Marks of members"), "list", SENSITIVE_VIEW),
        Input("income", _l("Income of the household"), "money"),
        Input("persons", _l("Members of the household"), "number"),
        Input("per_head", _l("Income per member"), "money"),
        Input("mean", _l("Mean of the village (rounded up)"), "money"),
        Input("income_year", _l("Year of the incomes"), "years"),
        Input("coverage", _l("Households of the village with income data, in percent"), "number"),
        Input("awards", _l("Safe family"), "years"),
    ),
    versions=(
        RuleVersion(
            "2021",
            law.IN_FORCE,
            (
                Clause("green", law.SOURCE, law.GREEN),
                Clause("yellow", law.SOURCE, law.YELLOW),
                Clause("red", law.SOURCE, law.RED),
                *_OPEN,
            ),
        ),
    ),
    steps=(
        Step("village", _l("Village's judgement"), policy.CONFIRM_VILLAGE),
        Step("town", _l("Town's approval"), policy.CONFIRM_TOWN),
    ),
    propose=propose,
    review_months=review_months,
    own_places=True,
)
