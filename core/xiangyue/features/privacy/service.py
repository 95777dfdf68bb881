"""Requests about personal information: registered, taken up, answered or refused in time. Nothing here commits."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit_export
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Invalid
from xiangyue.features.households.models import Person
from xiangyue.features.households.person_input import past_day, today
from xiangyue.features.households.writing import refuse_merged
from xiangyue.features.privacy import policy, queries
from xiangyue.features.privacy.access_log import Ids, note_set
from xiangyue.features.privacy.deciding import clean_words, move, note, open_request, required_words
from xiangyue.features.privacy.models import PrivacyRequest
from xiangyue.features.privacy.policy import REQUEST
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.tenancy.own import own_settings
from xiangyue.text.workdays import add_working_days

_CHOICES: dict[str, Mapping[str, Any]] = {
    "kind": policy.KINDS,
    "channel": policy.CHANNELS,
    "identity": policy.IDENTITIES,
}
_LIMITS = {
    "asked": policy.TEXT_LENGTH,
    "agent_name": policy.NAME_LENGTH,
    "agent_relation": policy.NAME_LENGTH,
    "identity_note": policy.NOTE_LENGTH,
}


@acts(REQUEST)
def register_request(uow: Uow, *, person_id: int, values: Mapping[str, Any]) -> PrivacyRequest:
    """Take a request in for a person, or for the agent who asks on the person's behalf.

    ``values``: kind, asked, channel, identity, identity_note, by_agent, agent_name, agent_relation, received_on (today
    when missing). It is due so many working days after it came in as the county says. Raises NotFound, Invalid by
    field, Conflict when the same is asked already or the record is erased or part of another.
    """
    person = uow.get(Person, person_id)
    refuse_merged(person)
    if person.erased_at is not None:
        raise Conflict(_l("What was recorded of this person is erased: there is nothing left to ask for."))
    wrong: dict[str, list[Any]] = {}
    found: dict[str, Any] = clean_words(values, _LIMITS, wrong)
    for name, known in _CHOICES.items():
        found[name] = str(values.get(name) or "")
        if found[name] not in known:
            wrong[name] = [_l("Choose one of the options.")]
    found["by_agent"] = bool(values.get("by_agent"))
    if found["kind"] not in (policy.ACCESS, policy.COPY) and not found["asked"]:
        wrong.setdefault("asked", [_l("Say what is to be changed.")])
    if found["by_agent"] and not found["agent_name"]:
        wrong.setdefault("agent_name", [_l("Please fill this in.")])
    if found["by_agent"] and not found["agent_relation"]:
        wrong.setdefault("agent_relation", [_l("Say in what relation the agent stands to the person.")])
    if not found["by_agent"]:
        found["agent_name"] = found["agent_relation"] = ""
    received = _received(values.get("received_on"), wrong)
    if wrong:
        raise Invalid(wrong)
    for line in queries.requests_of(uow, person_id, limit=50):
        if line.open and line.request.kind == found["kind"]:
            number = line.request.number
            raise Conflict(_l("Request %(number)s asks for the same and is not answered yet.", number=number))
    due = add_working_days(received, own_settings(uow).request_days)
    request = PrivacyRequest(
        number="",
        person_id=person_id,
        received_on=received,
        due_on=due.day,
        due_provisional=due.provisional,
        state=policy.RECEIVED,
        outcome={},
        version=1,
        created_by=uow.actor.account_id,
        created_by_name=uow.actor.name or uow.actor.login,
        **found,
    )
    uow.session.add(request)
    uow.session.flush()
    request.number = f"{received.year}-{request.id:06d}"
    after = {"kind": request.kind, "due_on": request.due_on, "by_agent": request.by_agent}
    note(uow, "add", request, person, after=after)
    uow.session.flush()
    return request


def _received(given: Any, wrong: dict[str, list[Any]]) -> date:
    if given in (None, ""):
        return today()
    try:
        day = past_day(given)
    except ValueError as error:
        wrong["received_on"] = [str(error)]
        return today()
    if (today() - day).days > 60:
        wrong["received_on"] = [_l("This day is more than two months back.")]
    return day


@acts(REQUEST)
def take_up(uow: Uow, *, id: int, version: int) -> PrivacyRequest:
    """Somebody begins to work on it. Raises NotFound, Stale, Conflict."""
    line = open_request(uow, id, version)
    if line.request.state != policy.RECEIVED:
        raise Conflict(_l("Somebody works on this request already."))
    return move(uow, line, "take", policy.IN_WORK)


@acts(REQUEST)
def extend(uow: Uow, *, id: int, version: int, reason: str) -> PrivacyRequest:
    """Put the day off once, by as many working days again. Raises NotFound, Stale, Conflict, Invalid (reason)."""
    line = open_request(uow, id, version)
    request = line.request
    if request.extended_from is not None:
        raise Conflict(_l("This request was given more time once already."))
    reason = required_words(reason, "reason", limit=policy.NOTE_LENGTH)
    due = add_working_days(request.due_on, own_settings(uow).request_days)
    before = {"due_on": request.due_on}
    request.extended_from, request.extension_reason = request.due_on, reason
    request.due_on, request.due_provisional = due.day, due.provisional
    request.version += 1
    note(uow, "extend", request, line.person, before=before, after={"due_on": due.day, "reason": reason})
    uow.session.flush()
    return request


@acts(REQUEST)
def answer(uow: Uow, *, id: int, version: int, text: str) -> PrivacyRequest:
    """Close it as done, saying what was done and what the person was told.

    A correction or completion names the changes made since it came in, which must be there; an erasure is closed by
    ``service_erase.erase_person`` alone. Raises NotFound, Stale, Conflict, Invalid (answer).
    """
    line = open_request(uow, id, version)
    request = line.request
    if request.kind == policy.ERASURE:
        raise Conflict(_l("Erase what is to be erased, or refuse the request with the reason."))
    text = required_words(text, "answer")
    if request.kind in (policy.CORRECT, policy.COMPLETE):
        entries = queries.changes_since(uow, line)
        if not entries:
            raise Conflict(
                _l(
                    "Nothing was changed in the record since the request came in. Change it first, or refuse the "
                    "request."
                )
            )
        request.outcome = {"entries": [entry.id for entry in entries]}
    request.answer = text
    return move(uow, line, "done", policy.DONE, after={"answer": text})


@acts(REQUEST)
def refuse(uow: Uow, *, id: int, version: int, reason: str) -> PrivacyRequest:
    """Close it as refused; the reason is told to the person (PIPL article 50). Raises NotFound, Stale, Conflict,
    Invalid (reason)."""
    line = open_request(uow, id, version)
    line.request.answer = required_words(reason, "reason")
    return move(uow, line, "refuse", policy.REFUSED, after={"reason": line.request.answer})


@acts(REQUEST)
def withdraw(uow: Uow, *, id: int, version: int, reason: str) -> PrivacyRequest:
    """The person no longer asks for it. Raises NotFound, Stale, Conflict, Invalid (reason)."""
    line = open_request(uow, id, version)
    line.request.answer = required_words(reason, "reason")
    return move(uow, line, "withdraw", policy.WITHDRAWN, after={"reason": line.request.answer})


@acts(REQUEST)
def note_export(
    uow: Uow, *, number: str, purpose: str, rows: int, seen: Ids, columns: list[str], conditions: Mapping[str, Any]
) -> None:
    """Put an export of the list into the audit trail, where its ``number`` finds it, and into the log of everybody in
    it (``seen``: ids of persons)."""
    note_set(uow, persons=seen, seen="columns", detail=columns, purpose=purpose, way="export", number=number)
    audit_export(
        uow,
        action="privacy_request.export",
        number=number,
        purpose=purpose,
        rows=rows,
        columns=columns,
        conditions=conditions,
    )
