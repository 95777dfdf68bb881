"""Writes on who holds a post: taking it up, changing an entry, leaving it, taking a wrong entry out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit, changed
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict
from xiangyue.features.households.models import Person
from xiangyue.features.households.person_input import today
from xiangyue.features.households.writing import required_text
from xiangyue.features.organisations import checks, inputs, policy
from xiangyue.features.organisations.checks import Term, refuse
from xiangyue.features.organisations.dates import add_years
from xiangyue.features.organisations.events import tell
from xiangyue.features.organisations.models import Organisation, PostHolder
from xiangyue.features.organisations.steps import lock_post, refuse_dissolved
from xiangyue.features.organisations.taking import (
    PLAIN,
    Holder,
    check,
    label,
    lock_holder,
    new_holder,
    note,
    read_holder,
    told,
)
from xiangyue.i18n import lazy_gettext as _l


@acts(policy.EDIT)
def appoint(uow: Uow, *, post_id: int, values: Mapping[str, Any]) -> PostHolder:
    """Somebody takes up a post. ``values``: ``person_id`` or ``outsider_name`` and ``outsider_unit``, columns of
    PostHolder, ``valid_to`` with ``end_reason`` for a term of the past, ``doubt_reason``.

    Without ``term_until`` the organisation's term holds. Raises NotFound, Conflict (dissolved, closed), Invalid by
    field: a term that overlaps beyond the seats, somebody who died or moved away, who is a minor, or whom the law
    excludes; where the law leaves a doubt, ``doubt_reason`` says why it is allowed.
    """
    post, organisation = lock_post(uow, post_id)
    refuse_dissolved(organisation)
    if not post.active:
        raise Conflict(_l("This post is closed."))
    errors: dict[str, list[Any]] = {}
    holder = read_holder(uow, values, errors)
    since, found = _clean(values, errors)
    until = _past_end(values, since, errors)
    if found["term_until"] is None and until is None:
        found["term_until"] = _default_term(organisation, since)
    refuse(errors)
    assert holder is not None
    assert since is not None
    reason = inputs.words(values, "doubt_reason", policy.TEXT_LENGTH, errors)
    doubts, wrong = check(uow, organisation, post, holder, Term(since, until), reason)
    refuse(errors | wrong)
    row = new_holder(uow, post, holder, found, until, doubts, reason)
    row.end_reason = str(values.get("end_reason") or "other") if until is not None else ""
    checks.assign_seats(uow, post.id)
    note(uow, "add", row, post, organisation, after=told(row))
    return row


def _clean(values: Mapping[str, Any], errors: dict[str, list[Any]]) -> tuple[date | None, dict[str, Any]]:
    since = inputs.day(values, "valid_from", errors, required=True)
    until = inputs.day(values, "term_until", errors)
    if since is not None and until is not None and until <= since:
        errors["term_until"] = [_l("The term ends before it begins.")]
    return since, {"valid_from": since, "term_until": until, **inputs.came_to_it(values, errors, since=since)}


def _past_end(values: Mapping[str, Any], since: date | None, errors: dict[str, list[Any]]) -> date | None:
    until = inputs.day(values, "valid_to", errors)
    if until is not None and since is not None and until <= since:
        errors["valid_to"] = [_l("The term ends before it begins.")]
    return until


def _default_term(organisation: Organisation, since: date | None) -> date | None:
    """The end of the organisation's term; somebody who comes to it in between stays until then."""
    if since is None or organisation.term_until is None or organisation.term_until <= since:
        return add_years(since, organisation.term_years) if since and organisation.term_years else None
    return organisation.term_until


@acts(policy.EDIT)
def edit_holder(uow: Uow, *, id: int, version: int, values: Mapping[str, Any]) -> PostHolder:
    """Put an entry right: its days and how it came. Who it is stays: take a wrong entry out and enter the right one.
    What is left out stays. Raises as ``appoint``, and Stale."""
    row, post, organisation = lock_holder(uow, id, version)
    errors: dict[str, list[Any]] = {}
    before = {name: getattr(row, name) for name in (*PLAIN, "valid_to")}
    since, found = _clean({**before, **values}, errors)
    until = _past_end({**before, **values}, since, errors)
    if (until is None) != (row.valid_to is None):
        errors["valid_to"] = [_l("A term is ended by its own act, with the reason.")]
    reason = inputs.words({"doubt_reason": row.doubt_reason, **values}, "doubt_reason", policy.TEXT_LENGTH, errors)
    refuse(errors)
    assert since is not None
    with uow.tenant_wide("whoever holds the post may live elsewhere by now"):
        person = uow.get(Person, row.person_id) if row.person_id is not None else None
    holder = Holder(person, row.outsider_name, row.outsider_unit)
    days = (since, until) != (row.valid_from, row.valid_to)
    doubts = row.doubt
    if days:
        doubts, wrong = check(uow, organisation, post, holder, Term(since, until), reason, but=id)
        refuse(wrong)
    old, new = changed(before, {**found, "valid_to": until})
    if not new and reason == row.doubt_reason:
        return row
    if days:
        # On a seat of its own until all are given anew: the constraint is looked at after each statement.
        row.seat = max(other.seat for other in checks.holders_of_post(uow, post.id)) + 1
    for name, value in new.items():
        setattr(row, name, value)
    row.doubt, row.doubt_reason = list(doubts), reason if doubts else ""
    row.version += 1
    uow.session.flush()
    checks.assign_seats(uow, post.id)
    note(uow, "edit", row, post, organisation, before=old, after=new)
    return row


@acts(policy.EDIT)
def end_holder(uow: Uow, *, id: int, version: int, on: Any, reason: str, text: str = "") -> PostHolder:
    """Somebody no longer holds the post from the day ``on``. ``reason``: a key of ``policy.END_CHOICES``. Raises
    NotFound, Stale, Conflict (ended), Invalid by field."""
    row, post, organisation = lock_holder(uow, id, version)
    if row.valid_to is not None:
        raise Conflict(_l("This term has ended already."))
    errors: dict[str, list[Any]] = {}
    day = inputs.day({"on": on}, "on", errors, required=True)
    why = inputs.choice({"reason": reason}, "reason", policy.END_CHOICES, errors)
    words = inputs.words({"text": text}, "text", policy.NOTE_LENGTH, errors)
    if why == "other" and not words:
        errors["text"] = [_l("Say why.")]
    if day is not None and day <= row.valid_from:
        errors["on"] = [
            _l(
                "The term began on %(day)s. If the entry is wrong as a whole, take it out instead.",
                day=row.valid_from.isoformat(),
            )
        ]
    elif day is not None and day > today():
        errors["on"] = [_l("This day has not come yet.")]
    refuse(errors)
    row.valid_to, row.end_reason, row.end_note = day, why, words
    row.version += 1
    uow.session.flush()
    checks.assign_seats(uow, post.id)
    note(uow, "end", row, post, organisation, after={"on": day, "end_reason": why})
    return row


@acts(policy.EDIT)
def remove_holder(uow: Uow, *, id: int, version: int, reason: str) -> None:
    """Take out an entry that was made by mistake; the audit trail keeps what it said. Raises NotFound, Stale, Invalid,
    Conflict for one that came with a new term."""
    row, post, organisation = lock_holder(uow, id, version)
    why = required_text(reason, "reason", least=2)
    if row.election_id is not None:
        raise Conflict(_l("This entry came with a new term. End it, or take the new term back as a whole."))
    before = told(row)
    tell(uow, row, "post_holder.remove")
    audit(uow, action="post_holder.remove", obj=row, label=label(uow, row, post, organisation),
          area_code=organisation.area_code, before=before, purpose=why)  # fmt: skip
    uow.session.delete(row)
    uow.session.flush()
    checks.assign_seats(uow, post.id)
