"""Requests as pages, work list and API show them: words, columns, filters, clocks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from xiangyue.features.households.person_input import today
from xiangyue.features.privacy import policy
from xiangyue.features.privacy.queries import Line, RequestFilter
from xiangyue.features.privacy.service_erase import ERASED, KEPT
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.i18n import ngettext
from xiangyue.runtime import installed_offer
from xiangyue.text.workdays import add_working_days
from xiangyue.web.components import Column, Filter
from xiangyue.web.pipeline import current_uow

COLUMNS = (
    Column("number", _l("Number"), primary=True),
    Column("person", _l("Full name")),
    Column("kind", _l("What is asked")),
    Column("received", _l("Received"), sort=True),
    Column("due", _l("Due"), sort=True),
    Column("state", _l("State")),
    Column("agent", _l("Asked by"), default=False),
    Column("channel", _l("How it came in"), default=False),
    Column("ended", _l("Ended on"), default=False),
)
BADGES = {"received": "soon", "in_work": "info", "done": "ok", "refused": "neutral", "withdrawn": "neutral"}


def filters() -> tuple[Filter, ...]:
    states = [("open", _l("Not answered yet")), *policy.STATES.items()]
    due = [("late", _l("Overdue")), ("soon", _l("Due within three working days"))]
    return (
        Filter("q", _l("Number or name"), kind="text"),
        Filter("kind", _l("What is asked"), choices=list(policy.KINDS_SHORT.items())),
        Filter("state", _l("State"), choices=states),
        Filter("due", _l("Clock"), choices=due),
        Filter("since", _l("Received from"), kind="date", more=True),
        Filter("until", _l("Received up to"), kind="date", more=True),
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def wanted(args: Mapping[str, str], area: int = 0) -> RequestFilter:
    """The conditions of an address; what cannot be read is left out (the list names it)."""
    return RequestFilter(
        q=args.get("q", "").strip(),
        kind=args["kind"] if args.get("kind") in policy.KINDS else "",
        state=args["state"] if args.get("state") in (*policy.STATES, "open") else "",
        due=args["due"] if args.get("due") in ("late", "soon") else "",
        since=_day(args.get("since", "")),
        until=_day(args.get("until", "")),
        area=area,
    )


def soon_until() -> date:
    """The last day that counts as soon."""
    return add_working_days(today(), policy.SOON_DAYS).day


def clock(line: Line) -> tuple[str, str]:
    """(words, kind of due) of an open request: late, soon or ok."""
    left = line.days_left
    if line.late:
        return ngettext("%(n)d working day late", "%(n)d working days late", -left or 1), "late"
    if left == 0:
        return _("due today"), "soon"
    words = ngettext("%(n)d working day left", "%(n)d working days left", left)
    return words, "soon" if left <= policy.SOON_DAYS else "ok"


def asked_by(line: Line) -> str:
    """Who stands at the counter: the person, or the agent with the relation."""
    request = line.request
    if not request.by_agent:
        return _("the person")
    return _("%(name)s (%(relation)s)", name=request.agent_name, relation=request.agent_relation)


def erased(line: Line) -> list[Any]:
    """What went, in words; what plugins kept, by the words they registered."""
    labels = _follows()
    return [
        ERASED.get(key, labels.get(key.removeprefix("follows:"), key)) for key in line.request.outcome.get("erased", ())
    ]


def _follows() -> dict[str, Any]:
    return {item.key: item.label for _by, item in installed_offer(current_uow()).each("follows")}


def files(line: Line) -> list[dict[str, Any]]:
    """Uploaded files that still held the person at the erasure: import, name, until (None: kept until somebody deletes
    it), sure."""
    found: list[dict[str, Any]] = line.request.outcome.get("files", [])
    return found


def kept(line: Line) -> list[tuple[Any, Any]]:
    """(what stayed, by which law)."""
    return [KEPT[key] for key in line.request.outcome.get("kept", ()) if key in KEPT]
