"""Proposals of a classifier taken into the county's rows, set by set: one statement for each part of an area."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from xiangyue.db.scope import Scope, area_range
from xiangyue.db.sql import scoped_sql
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, XiangyueError
from xiangyue.features.areas.models import TOWN, Area
from xiangyue.features.classifications.asking import ask_rule, note_unfit, run_rule
from xiangyue.features.classifications.rules import version_on
from xiangyue.i18n import TIMEZONE
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.registry import Classifier

# ruff: noqa: S608 - statements are put together from constants and the classifier's own; values are parameters

#: Width of a village's range of area codes, below which no rule is computed: rules compare within the village.
VILLAGE_WIDTH = 1_000

#: What is in force, where the rule says nothing new: the same outcome, or the very proposal that people answered.
_AGREES = "(p.outcome = c.outcome OR (p.outcome = c.answered AND p.clause = c.answered_clause))"
_CHANGED = "(c.state = 'lapsed' OR p.outcome <> c.proposed OR p.clause <> c.clause)"

# All parts see the rows as they were before the statement; ``changed`` and ``gone`` never meet in a row.
_COMPUTE = f"""
WITH p AS MATERIALIZED (
  SELECT q.household_id, q.outcome, q.clause, q.inputs FROM (__PROPOSALS__) q __ONLY_P__
), logged AS (
  INSERT INTO classification_event
         (tenant_id, classification_id, event, outcome, state, proposed, clause, rule_version, inputs, actor_kind)
  SELECT c.tenant_id, c.id,
         CASE WHEN p.household_id IS NULL THEN 'lapsed'
              WHEN c.outcome <> '' AND c.state = 'in_force' THEN 'differs' ELSE 'reset' END,
         c.outcome,
         CASE WHEN p.household_id IS NULL THEN 'lapsed'
              WHEN c.outcome <> '' AND c.state = 'in_force' THEN 'differs' ELSE c.state END,
         coalesce(p.outcome, c.proposed), coalesce(p.clause, c.clause), :core_version,
         coalesce(p.inputs, c.inputs), 'system'
    FROM classification c LEFT JOIN p ON p.household_id = c.household_id
   WHERE {{scope:c}} AND c.classifier = :core_classifier AND c.state <> 'lapsed' __ONLY_C__
     AND (c.outcome <> '' OR c.step > 0)
     AND (p.household_id IS NULL OR ({_CHANGED} AND (c.step > 0 OR (c.state = 'in_force' AND NOT {_AGREES}))))
), changed AS (
  UPDATE classification c
     SET proposed = p.outcome, clause = p.clause, rule_version = :core_version, inputs = p.inputs,
         computed_at = now(), updated_at = now(), version = c.version + 1,
         state = CASE WHEN c.state = 'lapsed' OR c.outcome = '' THEN 'proposed'
                      WHEN c.state IN ('due', 'reopened') THEN c.state
                      WHEN {_AGREES} THEN 'in_force' ELSE 'differs' END,
         step = CASE WHEN {_CHANGED} THEN 0 ELSE c.step END,
         chosen = CASE WHEN {_CHANGED} THEN '' ELSE c.chosen END,
         outcome = CASE WHEN c.state = 'lapsed' THEN '' ELSE c.outcome END,
         valid_from = CASE WHEN c.state = 'lapsed' THEN NULL ELSE c.valid_from END,
         valid_to = CASE WHEN c.state = 'lapsed' THEN NULL ELSE c.valid_to END,
         review_due = CASE WHEN c.state = 'lapsed' THEN NULL ELSE c.review_due END
    FROM p
   WHERE {{scope:c}} AND c.classifier = :core_classifier AND c.household_id = p.household_id
     AND (c.state = 'lapsed' OR c.proposed <> p.outcome OR c.clause <> p.clause OR c.rule_version <> :core_version
          OR c.inputs <> p.inputs)
  RETURNING c.id
), added AS (
  INSERT INTO classification
         (tenant_id, area_code, household_id, classifier, proposed, clause, rule_version, inputs)
  SELECT h.tenant_id, h.area_code, h.id, :core_classifier, p.outcome, p.clause, :core_version, p.inputs
    FROM p JOIN household h ON h.id = p.household_id
   WHERE {{scope:h}} AND NOT EXISTS (
         SELECT 1 FROM classification e
          WHERE {{tenant:e}} AND e.household_id = h.id AND e.classifier = :core_classifier)
   ORDER BY h.id
  ON CONFLICT (tenant_id, household_id, classifier) DO NOTHING
  RETURNING id
), gone AS (
  UPDATE classification c
     SET state = 'lapsed', step = 0, chosen = '', valid_to = :core_today, updated_at = now(), version = c.version + 1
   WHERE {{scope:c}} AND c.classifier = :core_classifier AND c.state <> 'lapsed' __ONLY_C__
     AND NOT EXISTS (SELECT 1 FROM p WHERE p.household_id = c.household_id)
  RETURNING c.id
)
SELECT (SELECT count(*) FROM p), (SELECT count(*) FROM changed), (SELECT count(*) FROM added),
       (SELECT count(*) FROM gone),
       (SELECT count(*) FROM p WHERE (p.outcome = ANY(:core_outcomes)) IS NOT TRUE),
       (SELECT count(*) FROM p WHERE (p.clause = ANY(:core_clauses)) IS NOT TRUE),
       (SELECT count(*) FROM p WHERE (jsonb_typeof(p.inputs) = 'object') IS NOT TRUE),
       (SELECT count(*) - count(DISTINCT p.household_id) FROM p)
"""

#: The last numbers of the statement's answer, in the words of the plugins page.
_UNFIT = ("an unknown outcome", "an unknown clause", "no inputs", "a household twice")

_DUE = """
WITH due AS (
  UPDATE classification c SET state = 'due', updated_at = now(), version = c.version + 1
   WHERE {scope:c} AND c.state = 'in_force' AND c.review_due <= :today AND c.classifier = ANY(:classifiers)
  RETURNING c.tenant_id, c.id, c.outcome, c.proposed, c.clause, c.rule_version, c.inputs
), logged AS (
  INSERT INTO classification_event
         (tenant_id, classification_id, event, outcome, state, proposed, clause, rule_version, inputs, actor_kind)
  SELECT d.tenant_id, d.id, 'due', d.outcome, 'due', d.proposed, d.clause, d.rule_version, d.inputs, 'system'
    FROM due d
)
SELECT count(*) FROM due
"""


@dataclass(slots=True)
class Computed:
    """Households that a rule was computed for, rows that changed, are new, and lapsed."""

    households: int = 0
    changed: int = 0
    added: int = 0
    lapsed: int = 0

    def add(self, other: Computed) -> None:
        self.households += other.households
        self.changed += other.changed
        self.added += other.added
        self.lapsed += other.lapsed

    def numbers(self) -> dict[str, int]:
        return {
            "households": self.households,
            "changed": self.changed,
            "added": self.added,
            "lapsed": self.lapsed,
        }


def today() -> date:
    """The day in Asia/Shanghai."""
    return datetime.now(TIMEZONE).date()


def parts(uow: Uow, area: int = 0) -> list[Scope]:
    """The area (0: all of the scope) cut into towns, so that each is a short statement and progress can be told.

    Raises Conflict for an area below a village: rules compare a household with its village.
    """
    scope = uow.scope.narrowed(area) if area else uow.scope
    if any(hi - lo + 1 < VILLAGE_WIDTH for lo, hi in scope.ranges or ()):
        raise Conflict(_l("A rule looks at whole villages: choose a village or a larger area."))
    with uow.scoped(scope):
        towns = uow.session.scalars(select(Area.area_code).where(Area.level == TOWN).order_by(Area.area_code)).all()
    cut = [scope.narrowed(town) for town in towns]
    covered = {part.ranges for part in cut}
    # A scope below a town finds no town's row inside itself.
    rest = [Scope(uow.tenant_id, (r,)) for r in scope.ranges or () if not _inside(r, cut)]
    return [Scope(uow.tenant_id, ranges) for ranges in sorted(covered, key=lambda r: r or ()) if ranges] + rest


def _inside(found: tuple[int, int], cut: list[Scope]) -> bool:
    return any(lo >= found[0] and hi <= found[1] for part in cut for lo, hi in part.ranges or ())


def compute_part(
    uow: Uow, classifier: Classifier, part: Scope, on: date, *, household_id: int | None = None
) -> Computed:
    """Take the proposals of one part into its rows; with ``household_id`` of that household alone.

    Raises XiangyueError when the classifier's statement fails or gives what it did not declare; nothing is kept then.
    """
    version = version_on(classifier, on)
    with uow.scoped(part):
        proposals = ask_rule(uow, classifier, on)
        params: dict[str, Any] = {
            **proposals.params,
            "core_classifier": classifier.key,
            "core_version": version.key,
            "core_outcomes": [outcome.key for outcome in classifier.outcomes],
            "core_clauses": ["", *(clause.key for clause in version.clauses)],
            "core_today": today(),
        }
        only_p = only_c = ""
        if household_id is not None:
            only_p, only_c = "WHERE q.household_id = :core_household", "AND c.household_id = :core_household"
            params["core_household"] = household_id
        sql = _COMPUTE.replace("__PROPOSALS__", proposals.sql).replace("__ONLY_P__", only_p)
        row = run_rule(uow, classifier, sql.replace("__ONLY_C__", only_c), params)
    if any(row[4:]):
        found = [kind for kind, number in zip(_UNFIT, row[4:], strict=True) if number]
        note_unfit(uow, classifier, f"gave proposals with {', '.join(found)}")
        raise _unfit(classifier, row)
    uow.session.expire_all()
    return Computed(*row[:4])


def _unfit(classifier: Classifier, row: tuple[int, ...]) -> XiangyueError:
    """What is wrong with the proposals, in numbers: outcomes and inputs are not for an error message."""
    _p, _changed, _added, _gone, outcomes, clauses, inputs, twice = row
    return XiangyueError(
        _l(
            "The rule “%(rule)s” gave proposals that do not fit it: %(outcomes)d with an unknown outcome, %(clauses)d "
            "with an unknown clause, %(inputs)d without inputs, %(twice)d households twice. Nothing was kept.",
            rule=str(classifier.label),
            outcomes=outcomes,
            clauses=clauses,
            inputs=inputs,
            twice=twice,
        )
    )


def due_reviews(uow: Uow, classifiers: list[str], on: date) -> int:
    """Mark decisions whose review is due; they stay in force. Returns how many."""
    uow.session.flush()
    return int(scoped_sql(uow.session, _DUE, {"today": on, "classifiers": classifiers}).scalar_one())


def own_area(uow: Uow) -> int:
    """Where an act on "all that I may" belongs in the audit trail; 0 for the county as a whole."""
    return uow.scope.ranges[0][0] if uow.scope.ranges else 0


def village_of(uow: Uow, area_code: int) -> Scope:
    """The village that holds an area code."""
    return Scope(uow.tenant_id, (area_range(area_code - area_code % VILLAGE_WIDTH),))
