"""One step of a decision on a locked row: what may be decided, what it leads to, what stands in the history."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from xiangyue.access.permissions import lacking
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Invalid, Stale
from xiangyue.features.classifications import rules
from xiangyue.features.classifications.compute import today
from xiangyue.features.classifications.models import Classification, ClassificationEvent
from xiangyue.features.classifications.policy import OPEN_STATES
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.dispatch import guarded
from xiangyue.plugin.registry import Classifier, Step
from xiangyue.runtime import offer_of


def standing_values(row: Classification) -> dict[str, Any]:
    """What now stands, for somebody whose decision came too late; never inputs."""
    return {
        "proposed": row.proposed,
        "outcome": row.outcome,
        "state": row.state,
        "step": row.step,
        "version": row.version,
    }


def check_version(row: Classification, version: int) -> None:
    """Raises Stale when the row was decided or computed anew in between."""
    if row.version != version:
        message = _l("This classification has changed in the meantime. Look at it again before you decide.")
        raise Stale(message, theirs=standing_values(row))


def step_of(classifier: Classifier, key: str) -> tuple[int, Step]:
    """Number and step. Raises Invalid."""
    for number, step in enumerate(classifier.steps):
        if step.key == key:
            return number, step
    raise Invalid({"step": [_l("There is no step “%(step)s”.", step=key)]})


def check_right(uow: Uow, step: Step, area_code: int) -> None:
    """Raises Forbidden for somebody who may not do this step there."""
    if not uow.actor.scope(step.permission).contains(area_code):
        raise lacking(step.permission)


def check_order(row: Classification, classifier: Classifier, number: int) -> None:
    """Raises Conflict when another step is owed, or none."""
    if row.state == "lapsed":
        raise Conflict(_l("This classification has lapsed."))
    if row.state not in OPEN_STATES:
        raise Conflict(_l("This is decided already. Have it decided again first."))
    owed = rules.next_step(classifier, row.step)
    if owed is not None and owed.key != classifier.steps[number].key:
        raise Conflict(_l("The step “%(step)s” is next.", step=str(owed.label)))


def check_outcome(row: Classification, classifier: Classifier, outcome: str, note: str) -> bool:
    """Whether this goes another way than what was proposed, or agreed on so far. Raises Invalid."""
    chosen = next((o for o in classifier.outcomes if o.key == outcome), None)
    if chosen is None:
        raise Invalid({"outcome": [_l("There is no outcome “%(outcome)s”.", outcome=outcome)]})
    if chosen.undetermined:
        raise Invalid({"outcome": [_l("The rule leaves this open: choose an outcome and say why.")]})
    otherwise = outcome != (row.chosen or row.proposed)
    if otherwise and not note:
        raise Invalid({"note": [_l("Say why it is decided otherwise than proposed.")]})
    return otherwise


def take_step(
    uow: Uow, row: Classification, classifier: Classifier, step: Step, outcome: str, *, otherwise: bool, note: str
) -> None:
    """The step is done; the last one puts the outcome in force."""
    row.step += 1
    row.chosen = outcome
    if row.step >= len(classifier.steps):
        day, months = today(), review_months(uow, classifier)
        row.state = "in_force"
        row.outcome, row.answered, row.answered_clause = outcome, row.proposed, row.clause
        row.valid_from, row.valid_to = day, None
        row.review_due = rules.months_later(day, months)
        row.step, row.chosen = 0, ""
    row.version += 1
    record(uow, row, "otherwise" if otherwise else "confirmed", outcome=outcome, step=step.key, note=note)


def review_months(uow: Uow, classifier: Classifier) -> int:
    """Months until a decision made now is due for review, as the county has set them where it can."""
    if classifier.review_months is None:
        return classifier.valid_months
    asked = None
    for contributor, item in offer_of(uow).each("classifiers"):
        if item is classifier:
            call = partial(classifier.review_months, uow)
            asked = guarded(uow, contributor, f"classifiers:{classifier.key}", call, expect=int)
    return asked if asked and asked > 0 else classifier.valid_months


def record(uow: Uow, row: Classification, event: str, *, outcome: str, step: str = "", note: str = "") -> None:
    """A line of the history, with the grounds of this moment."""
    inputs: Mapping[str, Any] = row.inputs
    uow.session.add(
        ClassificationEvent(
            classification_id=row.id,
            event=event,
            step=step,
            outcome=outcome,
            state=row.state,
            proposed=row.proposed,
            clause=row.clause,
            rule_version=row.rule_version,
            inputs=dict(inputs),
            note=note,
            actor_kind=uow.actor.kind,
            account_id=uow.actor.account_id,
            actor_name=uow.actor.name or uow.actor.login,
        )
    )
