"""Writes on classifications: confirm or decide otherwise step by step, confirm a lot, open again, what was read."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit, audit_export
from xiangyue.access.permissions import lacking
from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Invalid
from xiangyue.features.classifications import deciding, queries, rules
from xiangyue.features.classifications.compute import own_area
from xiangyue.features.classifications.list_query import ListFilter, conditions
from xiangyue.features.classifications.models import Classification
from xiangyue.features.classifications.policy import (
    CLASSIFICATION_EXPORT,
    CLASSIFICATION_VIEW,
    EXPORT_KIND,
    MOST_AT_ONCE,
    NOTE_LENGTH,
    OPEN_STATES,
)
from xiangyue.features.households.models import Household
from xiangyue.features.households.writing import required_text
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.jobs.models import Job
from xiangyue.jobs.service import enqueue_job
from xiangyue.plugin.dispatch import publish, veto

AS_OF_NEEDED = _l("Say when you looked at the list, so that nothing is confirmed unseen.")


@acts(CLASSIFICATION_VIEW)
def decide(
    uow: Uow, *, household_id: int, classifier: str, step: str, outcome: str, version: int, note: str = ""
) -> Classification:
    """Do the step that is owed: confirm ``outcome``, or decide otherwise than proposed with a reason in ``note``.

    Raises NotFound; Forbidden without the step's right there; Stale when the row changed since ``version``; Conflict
    when another step is owed or none; Invalid on step, outcome or note; Refused by a plugin.
    """
    rule = rules.find(uow, classifier)
    row = queries.of_household(uow, household_id, classifier, lock=True)
    number, one = deciding.step_of(rule, step)
    deciding.check_right(uow, one, row.area_code)
    deciding.check_version(row, version)
    deciding.check_order(row, rule, number)
    note = _note(note)
    otherwise = deciding.check_outcome(row, rule, outcome, note)
    before = {"state": row.state, "outcome": row.outcome, "step": row.step}
    _ask(uow, row, step, outcome, note)
    deciding.take_step(uow, row, rule, one, outcome, otherwise=otherwise, note=note)
    audit(
        uow,
        action="classification.otherwise" if otherwise else "classification.confirm",
        obj=row,
        label=_label(uow, row),
        before=before,
        after={"classifier": classifier, "step": step, "outcome": outcome, "state": row.state},
    )
    _tell(uow, row, outcome)
    return row


def _ask(uow: Uow, row: Classification, step: str, outcome: str, note: str) -> None:
    veto(
        uow,
        "classification_decision_requested",
        classifier=row.classifier,
        household_id=row.household_id,
        step=step,
        outcome=outcome,
        note=note,
    )


def _tell(uow: Uow, row: Classification, outcome: str) -> None:
    uow.session.flush()
    publish(
        uow,
        "classification_decision_happened",
        classifier=row.classifier,
        household_id=row.household_id,
        outcome=outcome,
        state=row.state,
    )


def _label(uow: Uow, row: Classification) -> str:
    return uow.get(Household, row.household_id).head_name


def _note(text: Any, *, required: bool = False) -> str:
    if required or str(text or "").strip():
        return required_text(text, "note", limit=NOTE_LENGTH)
    return ""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """How a lot went: ``ids`` are confirmed; ``changed`` were computed or decided anew since they were looked at;
    ``left`` wait for a person to decide one by one; ``more`` fit too and did not go into this lot."""

    ids: list[int]
    changed: int
    left: int
    more: int


@acts(CLASSIFICATION_VIEW)
def confirm_many(
    uow: Uow,
    *,
    classifier: str,
    step: str,
    wanted: ListFilter | None = None,
    versions: Mapping[int, int] | None = None,
    as_of: datetime | None = None,
) -> Confirmed:
    """Confirm at one step what follows the rule: the rows with these ``versions`` by id, or all of a filtered list
    (``wanted``) that have not changed since ``as_of``. At most MOST_AT_ONCE in one go; one audit entry with the ids.

    Proposals that the rule leaves open, and those where people chose otherwise before, are left for decisions of
    their own. Raises NotFound, Invalid on step, Forbidden, Refused (nothing is confirmed then).
    """
    rule = rules.find(uow, classifier)
    number, one = deciding.step_of(rule, step)
    scope = rules.reach(uow, rule).within(uow.actor.scope(one.permission))
    if scope.ranges == ():
        raise lacking(one.permission)
    with uow.scoped(scope):
        ids = list(versions) if versions is not None else _fitting(uow, classifier, step, wanted or ListFilter())
        rows = _locked(uow, classifier, ids[:MOST_AT_ONCE])
        open_outcomes = {o.key for o in rule.outcomes if o.undetermined}
        done: list[int] = []
        changed = left = 0
        for row in rows:
            seen = versions is None or versions[row.id] == row.version
            if (
                not seen
                or (as_of is not None and row.updated_at > as_of)
                or row.state not in OPEN_STATES
                or row.step != number
            ):
                changed += 1
            elif row.proposed in open_outcomes or row.chosen not in ("", row.proposed):
                left += 1
            else:
                outcome = row.proposed
                _ask(uow, row, step, outcome, "")
                deciding.take_step(uow, row, rule, one, outcome, otherwise=False, note="")
                done.append(row.id)
        uow.session.flush()
        for row in rows:
            if row.id in set(done):
                _tell(uow, row, row.outcome if row.state == "in_force" else row.chosen)
        if done:
            audit(
                uow,
                action="classification.confirm_many",
                object_type="classification",
                label=classifier,
                area_code=(wanted.area if wanted else 0) or own_area(uow),
                after={"classifier": classifier, "step": step, "rows": len(done), "ids": done},
            )
    return Confirmed(done, changed, left, max(0, len(ids) - MOST_AT_ONCE))


def _fitting(uow: Uow, classifier: str, step: str, wanted: ListFilter) -> list[int]:
    """Ids of the list's rows that wait for the step."""
    if wanted.classifier not in ("", classifier) or wanted.step not in ("", step):
        raise Invalid({"step": [_l("There is no step “%(step)s”.", step=step)]})
    narrowed = ListFilter(
        area=wanted.area,
        classifier=classifier,
        outcome=wanted.outcome,
        state=wanted.state if wanted.state else "open",
        step=step,
        due=wanted.due,
        household=wanted.household,
    )
    found = conditions(uow, narrowed)
    scope = uow.scope.narrowed(wanted.area) if wanted.area else uow.scope
    sql = f"SELECT c.id FROM classification c WHERE {{scope:c}}{found.sql()} ORDER BY c.id"  # noqa: S608 - constants
    return [row[0] for row in scoped_rows(uow.session, sql, found.params, scope=scope)]


def _locked(uow: Uow, classifier: str, ids: Sequence[int]) -> list[Classification]:
    statement = (
        select(Classification)
        .where(Classification.id.in_(ids), Classification.classifier == classifier)
        .order_by(Classification.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return list(uow.session.scalars(statement))


@acts(CLASSIFICATION_VIEW)
def reopen(uow: Uow, *, id: int, version: int, note: str) -> Classification:
    """Have a decision in force decided again (it stays in force meanwhile), or send a half-confirmed proposal back to
    the first step. ``note`` says why. Needs the right of the step that is owed next, or of the last one for what is
    in force. Raises NotFound, Forbidden, Stale, Conflict, Invalid on note."""
    row, rule = queries.get(uow, id, lock=True)
    owed = rules.next_step(rule, row.step if row.step else len(rule.steps))
    if owed is None:
        raise Conflict(_l("There is nothing to open again: a decision is owed already."))
    deciding.check_right(uow, owed, row.area_code)
    deciding.check_version(row, version)
    note = _note(note, required=True)
    before = {"state": row.state, "step": row.step}
    if row.step:
        row.step, row.chosen, event = 0, "", "returned"
    elif row.state in ("in_force", "due"):
        row.state, event = "reopened", "reopened"
    else:
        raise Conflict(_l("There is nothing to open again: a decision is owed already."))
    row.version += 1
    deciding.record(uow, row, event, outcome=row.outcome, note=note)
    after = {"classifier": row.classifier, "state": row.state, "step": row.step}
    audit(uow, action="classification.reopen", obj=row, label=_label(uow, row), before=before, after=after)
    uow.session.flush()
    return row


@acts(CLASSIFICATION_VIEW)
def note_read(uow: Uow, *, found: queries.Why) -> None:
    """Put into the audit trail that grounds with a right of their own were shown, and what for; never which."""
    if found.sensitive:
        audit(
            uow,
            action="classification.read",
            obj=found.row,
            label=found.household.head_name,
            after={"classifier": found.row.classifier},
            purpose=uow.info.purpose,
        )


@acts(CLASSIFICATION_EXPORT)
def start_export(uow: Uow, *, params: Mapping[str, Any]) -> Job:
    """Have the list (``pages.export.Asked`` as ``params``) written by a job. Asked for again while it waits or runs,
    the same is the same job."""
    same = sorted((name, value) for name, value in params.items() if name != "number")
    digest = hashlib.sha256(repr(same).encode()).hexdigest()[:24]
    key = f"{EXPORT_KIND}:{uow.actor.account_id}:{digest}"
    return enqueue_job(uow, kind=EXPORT_KIND, params=dict(params), unique_key=key)


@acts(CLASSIFICATION_EXPORT)
def note_export(
    uow: Uow, *, number: str, purpose: str, area: int, rows: int, columns: Sequence[str], conditions: Mapping[str, Any]
) -> None:
    """Put an export of the list into the audit trail, where its ``number`` finds it."""
    audit_export(
        uow,
        action="classification.export",
        number=number,
        purpose=purpose,
        rows=rows,
        columns=columns,
        conditions=conditions,
        area_code=area or own_area(uow),
    )
