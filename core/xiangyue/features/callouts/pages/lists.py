"""Calls of the area, and those to the groups of which the reader is the head."""

from __future__ import annotations

from typing import Any

from flask import redirect, url_for

from xiangyue.errors import Invalid
from xiangyue.features.areas import switch
from xiangyue.features.areas.queries import names
from xiangyue.features.callouts import queries
from xiangyue.features.callouts.pages import bp
from xiangyue.features.callouts.policy import (
    CALL_STATES,
    CALLOUT_ANSWER,
    CALLOUT_EXPORT,
    CALLOUT_SEND,
    CALLOUT_VIEW,
    KINDS,
)
from xiangyue.features.callouts.work import title_of
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.i18n import ngettext
from xiangyue.web.access import requires
from xiangyue.web.components import Column, Filter, ListView
from xiangyue.web.pipeline import current_actor, current_uow
from xiangyue.web.shell import page, without_problems

PAGE_SIZE = 50
COLUMNS = (
    Column("kind", _l("Call"), primary=True),
    Column("at", _l("Sent")),
    Column("area", _l("Area")),
    Column("state", _l("State")),
    Column("households", _l("Households"), numeric=True),
    Column("reached", _l("Reached"), numeric=True),
    Column("by", _l("Sent by"), default=False),
    Column("message", _l("What has happened, and what to do"), default=False),
)
DRILLS = {"no": _l("Real emergencies"), "yes": _l("Drills")}


def list_view(**state: Any) -> ListView:
    filters = (
        Filter("kind", _l("Kind"), choices=list(KINDS.items())),
        Filter("state", _l("State"), choices=list(CALL_STATES.items())),
        Filter("drill", _l("Drill"), choices=list(DRILLS.items())),
    )
    may = current_actor().can(CALLOUT_EXPORT)
    return ListView(COLUMNS, switch.args_without_all(), url_for("callouts.list_calls"), filters, default_sort="",
                    export_url=url_for("callouts.export_calls") if may else None, **state)  # fmt: skip


def wanted_of(view: ListView, area: int) -> queries.CallFilter:
    kind, state, drill = (view.value(name) for name in ("kind", "state", "drill"))
    return queries.CallFilter(
        area=area, kind=kind if kind in KINDS else "", state=state if state in CALL_STATES else "",
        drill=drill if drill in DRILLS else "",
    )  # fmt: skip


@bp.get("/calls")
@requires(CALLOUT_VIEW)
def list_calls() -> Any:
    """Calls that went to the area, the newest first."""
    uow = current_uow()
    code, elsewhere = switch.page_area(uow)
    if elsewhere:
        return redirect(elsewhere)
    asked = list_view()
    if onward := without_problems(asked):
        return onward
    wanted = wanted_of(asked, code)
    try:
        found = queries.list_calls(uow, wanted, limit=PAGE_SIZE, after=asked.after, before=asked.before)
    except Invalid as invalid:
        if "cursor" not in invalid.fields:
            raise
        return redirect(asked.url(after=None, before=None))
    count = queries.count_calls(uow, wanted)
    return page(
        "callouts/list.html",
        view=list_view(
            count=count, count_text=ngettext("%(count)s call", "%(count)s calls", count, count=f"{count:,}"),
            shown=len(found.items), next_cursor=found.next, back_cursor=found.back,
        ),
        rows=found.items, area=code, area_name=names(uow, [code]).get(code, "") if code else "", title_of=title_of,
        states=CALL_STATES, may_send=current_actor().can(CALLOUT_SEND),
    )  # fmt: skip


@bp.get("/calls/mine")
@requires(CALLOUT_ANSWER)
def my_calls() -> Any:
    """Open calls to groups of which the reader is the head."""
    uow = current_uow()
    account = current_actor().account_id
    rows = queries.open_for_head(uow, account) if account is not None else []
    return page("callouts/mine.html", rows=rows, title_of=title_of)
