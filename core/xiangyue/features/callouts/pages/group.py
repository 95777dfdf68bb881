"""A group's households in a call: the head says on the phone who was reached, or the village in the head's place."""

from __future__ import annotations

import uuid
from typing import Any

from flask import redirect, request, url_for

from xiangyue.errors import Conflict, Invalid, NotFound
from xiangyue.features.callouts import phones, queries, service
from xiangyue.features.callouts.models import Callout, CalloutGroup
from xiangyue.features.callouts.pages import bp
from xiangyue.features.callouts.policy import (
    ANSWERS,
    CALLOUT_ANSWER,
    CALLOUT_PHONES,
    CALLOUT_VIEW,
    KINDS,
    REACHED,
    STATES,
)
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.text.whole import whole_number, whole_numbers
from xiangyue.web.access import requires
from xiangyue.web.pipeline import current_actor, current_uow, is_fragment, runtime
from xiangyue.web.shell import page


def _group(id: int) -> CalloutGroup:
    """The head's own, or one that the reader may see. Raises NotFound."""
    uow = current_uow()
    group = uow.get(CalloutGroup, id)
    if not queries.is_head(uow, group) and not current_actor().scope(CALLOUT_VIEW).contains(group.area_code):
        raise NotFound(_l("There is no such entry, or it lies outside your area."))
    return group


@bp.get("/calls/groups/<int:id>")
@requires(CALLOUT_ANSWER)
def show_group(id: int) -> Any:
    return group_page(id)


def group_page(id: int, status: int = 200, *, problem: str = "", shown: dict[str, Any] | None = None) -> Any:
    uow, part = current_uow(), _group(id)
    with uow.tenant_wide("the call of a group may have gone to a wider area than the reader's"):
        call = uow.get(Callout, part.callout_id)
    return page(
        "callouts/group.html",
        status,
        call=call,
        group=queries.call_group(uow, id),
        kind=KINDS.get(call.kind, call.kind),
        rows=queries.households_of(uow, [id]),
        states=STATES,
        answers=ANSWERS,
        mine=queries.is_head(uow, part),
        may_phone=call.state == "open" and current_actor().scope(CALLOUT_PHONES).contains(part.area_code),
        may_view=current_actor().scope(CALLOUT_VIEW).contains(part.area_code),
        problem=problem,
        shown=shown or {},
        new_id=lambda: str(uuid.uuid4()),
    )


@bp.post("/calls/groups/<int:id>/answers")
@requires(CALLOUT_ANSWER)
def answer(id: int) -> Any:
    """One tap: ``all`` for everybody without an answer, or the state of one household."""
    uow, given = current_uow(), request.form
    house, state = given.get("household_id", ""), given.get("state", "")
    try:
        service.answer(
            uow, callout_group_id=id,
            # The buttons of a form are answers of their own: “needs help” after “reached” is no repetition.
            client_id=uuid.uuid5(_uuid(given.get("client_id", "")), state),
            states=dict.fromkeys(whole_numbers([house]), state),
            rest=REACHED if given.get("all") == "1" else "",
        )  # fmt: skip
    except Invalid as invalid:
        return group_page(id, 422, problem=str(next(iter(invalid.fields.values()))[0]))
    except Conflict as error:
        return group_page(id, 409, problem=str(error.message))
    if is_fragment():
        return group_page(id)
    return redirect(url_for("callouts.show_group", id=id), 303)


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise Invalid({"client_id": [_l("This form is broken: open it again.")]}) from None


@bp.post("/calls/groups/<int:id>/phones")
@requires(CALLOUT_PHONES)
def show_phones(id: int) -> Any:
    """Telephones of a household in the call, or of the head: with an entry in the access log for each person."""
    uow, house = current_uow(), request.form.get("household_id", "")
    found = phones.reveal_phones(
        uow, keys=runtime().tenant_keys(uow), callout_group_id=id, household_id=whole_number(house)
    )
    return group_page(id, shown={"household": house, "phones": found})
