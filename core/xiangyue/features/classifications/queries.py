"""One classification with why and its history; counts by outcome and area; what waits for whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from xiangyue.access.models import AuditEntry
from xiangyue.db.scope import Scope
from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.errors import NotFound
from xiangyue.features.classifications import rules
from xiangyue.features.classifications.list_query import ALL_COLUMNS, SELECT, STANDING, Row, as_rows, visible
from xiangyue.features.classifications.models import OPEN, Classification, ClassificationEvent
from xiangyue.features.classifications.policy import OPEN_STATES
from xiangyue.features.classifications.rules import Grounds, OutcomeView, Reader
from xiangyue.features.households.listing import Conditions
from xiangyue.features.households.models import Household
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.registry import Classifier, Clause, Step

# ruff: noqa: S608 - statements are put together from constants; values are always parameters

_NONE = _l("There is no such entry, or it lies outside your area.")


@dataclass(frozen=True, slots=True)
class Reason:
    """What an outcome rests on, as far as the reader may see it; without ``clause`` where a ground is left out."""

    outcome: OutcomeView
    grounds: Grounds
    clause: Clause | None
    rule_version: str


@dataclass(frozen=True, slots=True)
class EventView:
    """A line of the history. ``note`` is None where its grounds are left out: it may speak of them."""

    event: ClassificationEvent
    outcome: OutcomeView | None
    proposed: OutcomeView
    step: Step | None
    reason: Reason
    note: str | None


@dataclass(frozen=True, slots=True)
class Why:
    """A classification with its reasons. ``in_force`` is None while nothing is decided; ``proposal`` is what the rule
    says now; ``sensitive``: grounds with their own right are among what is shown, to be noted in the audit trail."""

    row: Classification
    household: Household
    classifier: Classifier
    standing: OutcomeView
    proposal: Reason
    in_force: Reason | None
    waits_for: Step | None
    chosen: OutcomeView | None
    history: list[EventView]

    @property
    def otherwise(self) -> bool:
        """Whether people decided other than the rule proposed."""
        return bool(self.row.outcome) and self.row.outcome != self.row.answered

    @property
    def reason(self) -> Reason:
        """Of what the household counts as."""
        return self.in_force or self.proposal

    @property
    def closed(self) -> bool:
        """Whether a purpose would show more."""
        return any(r.grounds.closed for r in self._reasons())

    @property
    def sensitive(self) -> bool:
        return any(r.grounds.sensitive for r in self._reasons())

    def _reasons(self) -> list[Reason]:
        own = [self.proposal, *([self.in_force] if self.in_force else [])]
        return own + [e.reason for e in self.history]


def get(uow: Uow, id: int, *, lock: bool = False) -> tuple[Classification, Classifier]:
    """A classification the actor may see. Raises NotFound outside the area, for a classifier that is off, or one
    whose outcomes the actor may not see there."""
    row = uow.get_for_update(Classification, id) if lock else uow.get(Classification, id)
    return row, _visible(uow, row)


def of_household(uow: Uow, household_id: int, classifier: str, *, lock: bool = False) -> Classification:
    """The same by household and classifier."""
    statement = select(Classification).where(
        Classification.household_id == household_id, Classification.classifier == classifier
    )
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    row = uow.session.scalars(statement).one_or_none()
    if row is None:
        raise NotFound(_NONE)
    _visible(uow, row)
    return row


def _visible(uow: Uow, row: Classification) -> Classifier:
    classifier = rules.classifiers(uow).get(row.classifier)
    if classifier is None or not uow.actor.scope(classifier.permission).contains(row.area_code):
        raise NotFound(_NONE)
    return classifier


def why(uow: Uow, household_id: int, classifier: str) -> Why:
    """Why a household is what it is: inputs in words, clause, rule version, history.

    Inputs with a permission that the actor lacks there are left out and marked restricted; sensitive ones are open
    only once a purpose is stated (``uow.info.purpose``), and whoever shows them notes it (``service.note_read``).
    Raises NotFound.
    """
    return explain(uow, of_household(uow, household_id, classifier))


def explain(uow: Uow, row: Classification) -> Why:
    """The same for a row that the actor may see."""
    classifier = _visible(uow, row)
    reader = Reader.of(uow, classifier)
    statement = (
        select(ClassificationEvent)
        .where(ClassificationEvent.classification_id == row.id)
        .order_by(ClassificationEvent.id.desc())
    )
    events = list(uow.session.scalars(statement))
    proposal = _reason(reader, row.proposed, row.inputs, row.clause, row.rule_version, row.area_code)
    in_force = _in_force(reader, row, events) if row.outcome else None
    chosen = row.chosen or row.proposed if row.step else ""
    return Why(
        row=row,
        household=uow.get(Household, row.household_id),
        classifier=classifier,
        standing=(in_force or proposal).outcome,
        proposal=proposal,
        in_force=in_force,
        waits_for=rules.next_step(classifier, row.step) if row.state in OPEN_STATES else None,
        chosen=rules.outcome_view(classifier, chosen) if chosen else None,
        history=[_event(reader, row, event) for event in events],
    )


def _reason(reader: Reader, outcome: str, inputs: Any, clause: str, version: str, area: int) -> Reason:
    grounds = reader.grounds(inputs, area, sensitive=True)
    found = rules.clause_of(reader.classifier, version, clause) if grounds.whole and clause else None
    return Reason(rules.outcome_view(reader.classifier, outcome, grounds.restricted), grounds, found, version)


def _in_force(reader: Reader, row: Classification, events: Sequence[ClassificationEvent]) -> Reason:
    """Of the decision: the newest inputs where the rule says the same, else those it was made on."""
    if row.outcome == row.proposed:
        return _reason(reader, row.outcome, row.inputs, row.clause, row.rule_version, row.area_code)
    made = next((e for e in events if e.state == "in_force" and e.event in ("confirmed", "otherwise")), None)
    if made is None:
        return _reason(reader, row.outcome, {}, "", "", row.area_code)
    return _reason(reader, row.outcome, made.inputs, made.clause, made.rule_version, row.area_code)


def _event(reader: Reader, row: Classification, event: ClassificationEvent) -> EventView:
    reason = _reason(reader, event.proposed, event.inputs, event.clause, event.rule_version, row.area_code)
    restricted = reason.grounds.restricted
    return EventView(
        event=event,
        outcome=rules.outcome_view(reader.classifier, event.outcome, restricted) if event.outcome else None,
        proposed=reason.outcome,
        step=next((s for s in reader.classifier.steps if s.key == event.step), None),
        reason=reason,
        note=event.note if reason.grounds.whole else None,
    )


def rows_of_household(uow: Uow, household_id: int) -> list[Row]:
    """All of a household's that the actor may see, in the order of the classifiers; in a constant number of
    statements. Lapsed ones are left out."""
    return _rows(uow, "AND c.household_id = :household", {"household": household_id})


def standing(uow: Uow, household_ids: Sequence[int]) -> dict[int, list[Row]]:
    """Of many households at once, by household."""
    found: dict[int, list[Row]] = {}
    for row in _rows(uow, "AND c.household_id = ANY(:households)", {"households": list(household_ids)}):
        found.setdefault(int(row.values["household_id"]), []).append(row)
    return found


def _rows(uow: Uow, condition: str, params: dict[str, Any]) -> list[Row]:
    known = rules.classifiers(uow)
    if not known:
        return []
    seen = Conditions(params=dict(params))
    visible(uow, seen, known)
    sql = f"{SELECT.replace('%(sort)s', 'c.area_code')}{seen.sql()} AND c.state <> 'lapsed' {condition}"
    rows = scoped_rows(uow.session, sql, seen.params)
    order = {key: i for i, key in enumerate(known)}
    items = sorted((dict(zip(ALL_COLUMNS, row, strict=False)) for row in rows), key=lambda i: order[i["classifier"]])
    return as_rows(uow, items)


@dataclass(frozen=True, slots=True)
class AreaCount:
    """Households of one area by what they count as: outcome -> (in force, proposed only)."""

    area_code: int
    outcomes: Mapping[str, tuple[int, int]]


def counts(uow: Uow, classifier: Classifier, width: int, area: int = 0) -> list[AreaCount]:
    """By areas of a width of codes (a town's is 1,000,000), where the actor may see outcomes."""
    scope = rules.reach(uow, classifier)
    scope = scope.narrowed(area) if area else scope
    rows = scoped_rows(
        uow.session,
        f"SELECT c.area_code - c.area_code % :width, {STANDING},"
        " count(*) FILTER (WHERE c.outcome <> ''), count(*) FILTER (WHERE c.outcome = '')"
        " FROM classification c WHERE {scope:c} AND c.classifier = :classifier AND c.state <> 'lapsed' GROUP BY 1, 2",
        {"width": width, "classifier": classifier.key},
        scope=scope,
    )
    found: dict[int, dict[str, tuple[int, int]]] = {}
    for code, outcome, in_force, proposed in rows:
        found.setdefault(int(code), {})[outcome] = (in_force, proposed)
    return [AreaCount(code, outcomes) for code, outcomes in sorted(found.items())]


@dataclass(frozen=True, slots=True)
class Owed:
    """What waits for one step, where the actor may do it: ``open`` are left open by the rule, ``late`` are decisions
    whose review is due; both are among ``total``."""

    classifier: Classifier
    step: Step
    total: int
    open: int
    late: int


def owed(uow: Uow, classifier: Classifier, *, today: date) -> list[Owed]:
    """By step, in order; steps the actor may not do, or that nothing waits for, are left out."""
    found = []
    seen = uow.actor.scope(classifier.permission)
    for done, step in enumerate(classifier.steps):
        scope = seen.within(uow.actor.scope(step.permission))
        if scope.ranges == ():
            continue
        total, left_open, late = _waiting(uow, classifier, done, scope, today)
        if total:
            found.append(Owed(classifier, step, total, left_open, late))
    return found


def _waiting(uow: Uow, classifier: Classifier, done: int, scope: Scope, today: date) -> tuple[int, int, int]:
    rows = scoped_rows(
        uow.session,
        "SELECT count(*), count(*) FILTER (WHERE c.chosen = '' AND c.proposed = ANY(:undetermined)),"
        " count(*) FILTER (WHERE c.state = 'due' AND c.review_due < :today)"
        f" FROM classification c WHERE {{scope:c}} AND c.classifier = :classifier AND c.{OPEN} AND c.step = :done",
        {
            "classifier": classifier.key,
            "undetermined": [o.key for o in classifier.outcomes if o.undetermined],
            "today": today,
            "done": done,
        },
        scope=scope,
    )
    total, left_open, late = rows[0]
    return total, left_open, late


def last_computed(uow: Uow, classifier: str) -> datetime | None:
    """When the classifier was last computed for an area of the county."""
    statement = (
        select(AuditEntry.at)
        .where(
            AuditEntry.object_type == "classifier",
            AuditEntry.action == "classification.compute",
            AuditEntry.object_label == classifier,
        )
        .order_by(AuditEntry.id.desc())
        .limit(1)
    )
    return uow.session.scalars(statement).one_or_none()
