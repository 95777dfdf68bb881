"""Looking for pairs, and saying what they are. Merging is in ``service_merge``; nothing here commits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit, audit_export
from xiangyue.access.crypto import TenantKeys
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Invalid
from xiangyue.features.duplicates import deciding, find, pairs, policy, queries
from xiangyue.features.duplicates.models import DuplicatePair
from xiangyue.features.duplicates.policy import DUPLICATE_MERGE
from xiangyue.features.households.policy import HOUSEHOLD_EXPORT
from xiangyue.features.privacy.access_log import Ids, note_set
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.jobs.models import Job
from xiangyue.jobs.service import enqueue_job


@acts(DUPLICATE_MERGE)
def request_find(uow: Uow) -> Job:
    """Look through all that the actor may see, as a job; one that runs already is returned."""
    return enqueue_job(
        uow, kind=policy.FIND_KIND, params={}, unique_key=f"{policy.FIND_KIND}:{uow.actor.account_id or 0}"
    )


@acts(DUPLICATE_MERGE)
def find_by_rules(uow: Uow, *, rules: Mapping[str, str], into: find.Reasons) -> None:
    """Pairs by some rules of ``find``."""
    find.collect(uow, dict(rules), into)


@acts(DUPLICATE_MERGE)
def find_by_numbers(uow: Uow, *, keys: TenantKeys, after: int, into: find.Reasons) -> int:
    """A batch of persons whose citizen number may be another's with a slip; where to go on, 0 at the end."""
    last, candidates = find.wrong_numbers(uow, keys, after)
    find.meant_by(uow, candidates, into)
    return last


@acts(DUPLICATE_MERGE)
def keep_found(uow: Uow, *, kind: str, found: find.Reasons) -> dict[str, int]:
    """Score the pairs and make the open ones of the actor's area be these."""
    score = find.score_persons if kind == policy.PERSON else find.score_households
    scored = score(uow, found)
    written, gone = pairs.write_found(uow, kind, scored)
    return {"found": len(scored), "written": written, "gone": gone}


@acts(DUPLICATE_MERGE)
def note_find(uow: Uow, *, counts: Mapping[str, int]) -> None:
    """Put a look through the register into the audit trail, in numbers."""
    audit(uow, action="duplicate.find", object_type="duplicate_pair", after=counts)


@acts(DUPLICATE_MERGE)
def find_all(uow: Uow, *, keys: TenantKeys) -> dict[str, int]:
    """Everything in one transaction: for tests and small counties; the job goes step by step."""
    persons: find.Reasons = {}
    find_by_rules(uow, rules=find.PERSON_RULES, into=persons)
    after = find_by_numbers(uow, keys=keys, after=0, into=persons)
    while after:
        after = find_by_numbers(uow, keys=keys, after=after, into=persons)
    counts = keep_found(uow, kind=policy.PERSON, found=persons)
    households: find.Reasons = {}
    find_by_rules(uow, rules=find.HOUSEHOLD_RULES, into=households)
    more = keep_found(uow, kind=policy.HOUSEHOLD, found=households)
    return {**{f"persons_{k}": v for k, v in counts.items()}, **{f"households_{k}": v for k, v in more.items()}}


@acts(DUPLICATE_MERGE)
def name_pair(uow: Uow, *, kind: str, one: int, other: int) -> DuplicatePair:
    """Take two records up as a possible duplicate by hand. Raises NotFound, Invalid, Conflict (merged already)."""
    if kind not in policy.KINDS or one == other:
        raise Invalid({"other_id": [_l("Choose two different records.")]})
    model = queries.MODELS[kind]
    rows = [uow.get(model, id) for id in sorted((one, other))]
    if any(row.merged_into_id is not None for row in rows):
        raise Conflict(_l("One of the two is part of another record already."))
    pairs.note_pairs(uow, kind, {(rows[0].id, rows[1].id): (policy.WEIGHTS["by_hand"], ["by_hand"])}, state="open")
    pair = queries.pair_between(uow, kind, one, other)
    uow.session.refresh(pair)
    _audit(uow, "duplicate.open", pair, rows)
    return pair


@acts(DUPLICATE_MERGE)
def say_different(uow: Uow, *, id: int, version: int, note: str = "") -> DuplicatePair:
    """The two are not one: the pair does not come back unless what was compared changes. Raises NotFound, Stale,
    Conflict, Invalid."""
    pair, rows = deciding.locked_pair(uow, id, version)
    if pair.state != "open":
        raise Conflict(_l("This pair has been decided already."))
    deciding.decide(uow, pair, "different", note)
    _audit(uow, "duplicate.different", pair, rows, note=pair.note)
    return pair


@acts(DUPLICATE_MERGE)
def say_many_different(uow: Uow, *, ids: Iterable[int]) -> int:
    """The same of several at once; how many of them were open and are decided now."""
    done = 0
    for id in sorted(set(ids)):
        _pair, first, second = queries.get_pair(uow, id)
        # Somebody else may be merging the two at this moment.
        pair = uow.get_for_update(DuplicatePair, id)
        if pair.state == "open":
            deciding.decide(uow, pair, "different", "")
            _audit(uow, "duplicate.different", pair, [first, second])
            done += 1
    return done


@acts(DUPLICATE_MERGE)
def open_again(uow: Uow, *, id: int, version: int) -> DuplicatePair:
    """Take back that two are different. Raises NotFound, Stale, Conflict."""
    pair, rows = deciding.locked_pair(uow, id, version)
    if pair.state != "different":
        raise Conflict(_l("Only what was said to be different is opened again."))
    pair.state, pair.decided_at, pair.decided_by, pair.decided_name = "open", None, None, ""
    pair.version += 1
    _audit(uow, "duplicate.open", pair, rows)
    return pair


def _audit(uow: Uow, action: str, pair: DuplicatePair, rows: list[Any], **after: Any) -> None:
    audit(
        uow,
        action=action,
        obj=pair,
        label=" / ".join(deciding.label_of(row) for row in rows),
        area_code=rows[0].area_code,
        after={f"{pair.kind}s": [row.id for row in rows], **{k: v for k, v in after.items() if v}},
    )


@acts(HOUSEHOLD_EXPORT)
def note_export(
    uow: Uow,
    *,
    number: str,
    purpose: str,
    area: int,
    rows: int,
    columns: Sequence[str],
    conditions: Mapping[str, Any],
    seen: Ids,
) -> None:
    """Put an export of pairs into the audit trail, where its ``number`` finds it, and into the log of everybody in it
    (``seen``: ids of persons)."""
    note_set(uow, persons=seen, seen="columns", detail=columns, purpose=purpose, way="export", number=number)
    audit_export(
        uow,
        action="duplicate.export",
        number=number,
        purpose=purpose,
        rows=rows,
        columns=columns,
        conditions=conditions,
        area_code=area,
    )
