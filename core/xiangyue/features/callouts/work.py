"""Open calls on the work list: the head's own groups first of all, and for the village who has not answered."""

from __future__ import annotations

from flask import url_for

from xiangyue.db.uow import Uow
from xiangyue.features.callouts import queries
from xiangyue.features.callouts.policy import CALLOUT_ANSWER, CALLOUT_VIEW, KINDS
from xiangyue.i18n import gettext as _
from xiangyue.i18n import ngettext
from xiangyue.plugin.registry import WorkItem, WorkProvider


def find_calls(uow: Uow) -> list[WorkItem]:
    """What the actor owes to open calls."""
    found = []
    if uow.actor.can(CALLOUT_ANSWER) and uow.actor.account_id is not None:
        for row in queries.open_for_head(uow, uow.actor.account_id):
            if row["answered_at"] is None:
                found.append(WorkItem(title_of(row), row["message"], url_for("callouts.show_group", id=row["id"]),
                                      _("Answer"), state="late"))  # fmt: skip
    if uow.actor.can(CALLOUT_VIEW):
        for row in queries.open_calls(uow):
            if not row["unanswered"]:
                continue
            detail = ngettext("%(n)d group has not answered", "%(n)d groups have not answered", row["unanswered"])
            if row["escalated"]:
                detail += _("; passed on to grid leaders: %(n)d", n=row["escalated"])
            found.append(WorkItem(title_of(row), detail, url_for("callouts.show_call", id=row["id"]), _("See who"),
                                  state="late"))  # fmt: skip
    return found


def title_of(row: dict[str, object]) -> str:
    """Rainstorm; of a drill it says so first."""
    kind = str(KINDS.get(str(row["kind"]), row["kind"]))
    return _("Drill: %(kind)s", kind=kind) if row["drill"] else kind


PROVIDER = WorkProvider("callouts", find_calls)
