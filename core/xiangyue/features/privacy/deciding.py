"""Steps the acts on requests share: the texts people type, the request that is still open, its next state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xiangyue.access.audit import audit
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Invalid, Stale
from xiangyue.features.households.models import Person
from xiangyue.features.households.person_input import today
from xiangyue.features.privacy import policy, queries
from xiangyue.features.privacy.models import PrivacyRequest
from xiangyue.i18n import lazy_gettext as _l


def clean_words(values: Mapping[str, Any], limits: Mapping[str, int], wrong: dict[str, list[Any]]) -> dict[str, str]:
    """Each named text without needless blanks; what is too long goes into ``wrong``."""
    found = {}
    for name, limit in limits.items():
        # What people said stays as they said it; only names and numbers are folded elsewhere.
        text = str(values.get(name) or "").replace("\x00", "").strip()
        found[name] = "\n".join(" ".join(line.split()) for line in text.splitlines())
        if len(found[name]) > limit:
            wrong[name] = [_l("At most %(limit)s characters.", limit=limit)]
    return found


def required_words(text: Any, name: str, *, limit: int = policy.TEXT_LENGTH) -> str:
    """A text that says something. Raises Invalid."""
    wrong: dict[str, list[Any]] = {}
    found = clean_words({name: text}, {name: limit}, wrong)[name]
    if not wrong and len(found) < 2:
        wrong[name] = [_l("Please fill this in.")]
    if wrong:
        raise Invalid(wrong)
    return found


def open_request(uow: Uow, id: int, version: int) -> queries.Line:
    """The request, locked, that is still to be answered. Raises NotFound, Stale, Conflict."""
    line = queries.get_request(uow, id, lock=True)
    if line.request.version != version:
        raise Stale(
            _l("Somebody else has saved this in the meantime."),
            theirs={"state": line.request.state, "version": line.request.version},
        )
    if not line.open:
        raise Conflict(_l("This request is closed: %(state)s.", state=policy.STATES[line.request.state]))
    return line


def move(
    uow: Uow, line: queries.Line, verb: str, state: str, *, after: Mapping[str, Any] | None = None
) -> PrivacyRequest:
    """Put an open, locked request into another state."""
    request = line.request
    before = {"state": request.state}
    request.state = state
    request.version += 1
    if state not in policy.OPEN_STATES:
        request.ended_on = today()
    note(uow, verb, request, line.person, before=before, after={"state": state, **(after or {})})
    uow.session.flush()
    return request


def close_as_done(uow: Uow, line: queries.Line, text: str, outcome: Mapping[str, Any]) -> PrivacyRequest:
    """For an act of the feature's own that answers a request (``line`` is locked and open)."""
    line.request.answer, line.request.outcome = text, dict(outcome)
    return move(uow, line, "done", policy.DONE)


def note(uow: Uow, verb: str, request: PrivacyRequest, person: Person, **values: Any) -> None:
    """An entry about the request in the audit trail, by its number."""
    audit(
        uow,
        action=f"privacy_request.{verb}",
        obj=request,
        label=request.number,
        area_code=person.area_code,
        **values,
    )
