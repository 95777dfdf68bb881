"""Classifications as the API gives them, in the order of their schemas."""

from __future__ import annotations

from typing import Any

from xiangyue.db.uow import Uow
from xiangyue.features.areas.queries import paths
from xiangyue.features.classifications.list_query import Row
from xiangyue.features.classifications.queries import EventView, Reason, Why
from xiangyue.features.classifications.rules import OutcomeView
from xiangyue.plugin.registry import Classifier, Clause


def outcome_json(view: OutcomeView | None) -> dict[str, Any] | None:
    if view is None:
        return None
    return {"outcome": view.key, "text": str(view), "tone": view.chip, "restricted": view.restricted}


def row_json(row: Row) -> dict[str, Any]:
    v = row.values
    return {
        **{name: v[name] for name in ("id", "household_id", "household_code", "head_name", "area_code", "area_name")},
        "classifier": row.classifier.key,
        "standing": outcome_json(row.standing),
        "in_force": outcome_json(row.in_force),
        "proposed": outcome_json(row.proposed),
        "state": v["state"],
        "waits_for": row.waits_for.key if row.waits_for else None,
        **{
            name: v[name] for name in ("rule_version", "valid_from", "valid_to", "review_due", "computed_at", "version")
        },
    }


def clause_json(clause: Clause | None) -> dict[str, str] | None:
    return None if clause is None else {"clause": clause.key, "source": clause.source, "text": clause.text}


def reason_json(reason: Reason) -> dict[str, Any]:
    grounds = reason.grounds
    return {
        "outcome": outcome_json(reason.outcome),
        "inputs": [{"input": g.key, "label": g.label, "value": g.value, "text": g.text} for g in grounds.shown],
        "restricted": grounds.restricted,
        "closed": grounds.closed,
        "clause": clause_json(reason.clause),
        "rule_version": reason.rule_version,
    }


def event_json(view: EventView) -> dict[str, Any]:
    event = view.event
    return {
        "at": event.at,
        "event": event.event,
        "step": event.step,
        "outcome": outcome_json(view.outcome),
        "state": event.state,
        "note": view.note,
        "who": event.actor_name,
        "reason": reason_json(view.reason),
    }


def why_json(uow: Uow, found: Why) -> dict[str, Any]:
    row, household = found.row, found.household
    path = paths(uow, [row.area_code]).get(row.area_code, [])
    return {
        "id": row.id,
        "household_id": row.household_id,
        "household_code": household.code,
        "head_name": household.head_name,
        "area_code": row.area_code,
        "area_name": "".join(name for _code, name in path[1:]),
        "classifier": row.classifier,
        "standing": outcome_json(found.standing),
        "in_force": outcome_json(found.in_force.outcome) if found.in_force else None,
        "proposed": outcome_json(found.proposal.outcome),
        "state": row.state,
        "waits_for": found.waits_for.key if found.waits_for else None,
        "rule_version": row.rule_version,
        "valid_from": row.valid_from,
        "valid_to": row.valid_to,
        "review_due": row.review_due,
        "computed_at": row.computed_at,
        "version": row.version,
        "why": reason_json(found.reason),
        "proposal": reason_json(found.proposal),
        "otherwise": found.otherwise,
        "history": [event_json(e) for e in found.history],
    }


def classifier_json(classifier: Classifier) -> dict[str, Any]:
    return {
        "key": classifier.key,
        "label": str(classifier.label),
        "outcomes": [
            {"key": o.key, "label": str(o.label), "tone": o.tone, "undetermined": o.undetermined}
            for o in classifier.outcomes
        ],
        "inputs": [
            {
                "key": i.key,
                "label": str(i.label),
                "kind": i.kind,
                "permission": i.permission.name if i.permission else "",
            }
            for i in classifier.inputs
        ],
        "steps": [{"key": s.key, "label": str(s.label), "permission": s.permission.name} for s in classifier.steps],
        "versions": [
            {"key": v.key, "valid_from": v.valid_from, "clauses": [clause_json(c) for c in v.clauses]}
            for v in classifier.versions
        ],
        "valid_months": classifier.valid_months,
    }
