"""Where the feature comes into other pages: the work list and the page of a person."""

from __future__ import annotations

from flask import url_for

from xiangyue.db.uow import Uow
from xiangyue.features.households.models import Person
from xiangyue.features.privacy import policy, queries, queries_log, view, view_log
from xiangyue.features.privacy.models import PrivacyRequest
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.registry import Follows, PanelView, PersonPanel, WorkItem, WorkProvider

#: Lines of the work list.
MOST = 20

FOLLOWS = Follows(
    "privacy_request",
    _l("Requests about personal information"),
    "person",
    PrivacyRequest,
    "person_id",
    open=PrivacyRequest.state.in_(policy.OPEN_STATES),
)


def find_requests(uow: Uow) -> list[WorkItem]:
    """What waits to be answered in the reader's area, the most urgent first."""
    if uow.actor.kind == "system" or not uow.actor.can(policy.REQUEST):
        return []
    with uow.scoped(uow.scope.within(uow.actor.scope(policy.REQUEST))):
        lines = queries.open_requests(uow, limit=MOST)
    items = []
    for line in lines:
        words, kind = view.clock(line)
        items.append(
            WorkItem(
                title=_("%(kind)s for %(name)s", kind=policy.KINDS_SHORT[line.request.kind], name=line.person.name),
                detail=_("Request %(number)s", number=line.request.number),
                url=url_for("privacy.show_request", id=line.id),
                act=_("Answer it") if line.request.state == policy.IN_WORK else _("Take it up"),
                due=words,
                state="" if kind == "ok" else kind,
            )
        )
    return items


WORK = WorkProvider("privacy.requests", find_requests)


def _panel(uow: Uow, person_id: int) -> PanelView:
    return PanelView(
        "privacy/person_requests.html",
        {
            "lines": queries.requests_of(uow, person_id),
            "person_id": person_id,
            "show": view,
            "policy": policy,
        },
    )


def _log_panel(uow: Uow, person_id: int) -> PanelView:
    looks = queries_log.read_log(uow, uow.get(Person, person_id), queries_log.LogFilter(), limit=3).looks
    context = {"looks": looks, "person_id": person_id, "show": view_log, "names": view_log.mark_names(uow)}
    return PanelView("privacy/person_log.html", context)


LOG_PANEL = PersonPanel("privacy_log", _l("Who looked"), policy.LOG_VIEW, _log_panel, position=70)
PANEL = PersonPanel("privacy_requests", _l("Requests of the person"), policy.REQUEST, _panel, position=60)
