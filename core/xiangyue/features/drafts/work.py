"""The work list: drafts that wait for the town's answer, in one line."""

from __future__ import annotations

from flask import url_for
from sqlalchemy import func, select

from xiangyue.db.uow import Uow
from xiangyue.features.drafts.models import GridDraft
from xiangyue.features.drafts.policy import GRID_APPROVE, SUBMITTED
from xiangyue.i18n import gettext as _
from xiangyue.i18n import ngettext
from xiangyue.plugin.registry import WorkItem, WorkProvider


def find_waiting(uow: Uow) -> list[WorkItem]:
    """For those who approve: how many drafts of their area wait."""
    if not uow.actor.can(GRID_APPROVE):
        return []
    with uow.scoped(uow.actor.scope(GRID_APPROVE)):
        number = uow.session.scalar(select(func.count(GridDraft.id)).where(GridDraft.state == SUBMITTED)) or 0
    if not number:
        return []
    title = ngettext("%(n)d draft of grids waits for approval", "%(n)d drafts of grids wait for approval", number)
    detail = _("Approve it, or return it with what is to be changed.")
    url = url_for("drafts.list_drafts", state=SUBMITTED, area="all")
    return [WorkItem(title, detail, url, _("Look at the drafts"))]


PROVIDER = WorkProvider("drafts.waiting", find_waiting)
