"""A call as the village sees it: who has not answered, who has not been reached; and its end."""

from __future__ import annotations

from typing import Any

from flask import redirect, request, url_for

from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Invalid, Stale
from xiangyue.features.areas.queries import names
from xiangyue.features.callouts import queries, service
from xiangyue.features.callouts.models import Callout
from xiangyue.features.callouts.pages import bp
from xiangyue.features.callouts.policy import CALLOUT_EXPORT, CALLOUT_SEND, CALLOUT_VIEW, KINDS, STATES
from xiangyue.i18n import gettext as _
from xiangyue.web.access import requires
from xiangyue.web.components import FormView
from xiangyue.web.pipeline import current_actor, current_uow
from xiangyue.web.shell import flash, page


@bp.get("/calls/<int:id>")
@requires(CALLOUT_VIEW)
def show_call(id: int) -> Any:
    return call_page(id)


def call_page(id: int, status: int = 200, errors: dict[str, Any] | None = None) -> Any:
    uow = current_uow()
    groups, call = queries.groups_of_call(uow, id), visible_call(uow, id)
    missing = [group["id"] for group in groups if group["reached"] < group["households"]]
    inside: dict[int, list[dict[str, Any]]] = {}
    for row in queries.households_of(uow, missing, unreached=True):
        inside.setdefault(row["callout_group_id"], []).append(row)
    total = {key: sum(group[key] for group in groups) for key in ("households", *STATES)}
    return page(
        "callouts/show.html",
        status,
        call=call,
        kind=KINDS.get(call.kind, call.kind),
        area_name=names(uow, [call.area_code]).get(call.area_code, ""),
        groups=groups,
        inside=inside,
        total=total,
        unanswered=sum(group["answered_at"] is None for group in groups),
        states=STATES,
        may_export=current_actor().can(CALLOUT_EXPORT),
        may_end=call.state == "open" and current_actor().scope(CALLOUT_SEND).contains(call.area_code),
        form=FormView(action=url_for("callouts.end", id=id), values=request.form, errors=errors or {},
                      version=call.version, id="end"),
    )  # fmt: skip


def visible_call(uow: Uow, id: int) -> Callout:
    """In the reader's area, or one that went to groups there. Raises NotFound."""
    if queries.groups_of_call(uow, id):
        with uow.tenant_wide("a call that went to the reader's area may have gone to a wider one"):
            return uow.get(Callout, id)
    return uow.get(Callout, id)


@bp.post("/calls/<int:id>/end")
@requires(CALLOUT_SEND)
def end(id: int) -> Any:
    try:
        service.end_callout(current_uow(), callout_id=id, version=request.form.get("version", type=int) or 0,
                            note=request.form.get("note", ""))  # fmt: skip
    except Invalid as invalid:
        return call_page(id, 422, invalid.fields)
    except (Stale, Conflict) as error:
        return call_page(id, 409, {"": [error.message]})
    flash(_("The call has ended."), "success")
    return redirect(url_for("callouts.show_call", id=id), 303)
