"""The work list: how many values wait for a decision, in one line."""

from __future__ import annotations

from flask import url_for

from xiangyue.db.uow import Uow
from xiangyue.features.facts import queries
from xiangyue.features.facts.policy import FACT_DECIDE
from xiangyue.i18n import gettext as _
from xiangyue.i18n import ngettext
from xiangyue.plugin.registry import WorkItem, WorkProvider


def find_open(uow: Uow) -> list[WorkItem]:
    """For those who may decide."""
    if not uow.actor.can(FACT_DECIDE):
        return []
    with uow.scoped(uow.actor.scope(FACT_DECIDE)):
        number = queries.count_facts(uow, queries.FactFilter())
    if not number:
        return []
    title = ngettext("%(n)d value waits for a decision", "%(n)d values wait for a decision", number)
    detail = _("An import says otherwise than what somebody had put right, or the department that answers for it said.")
    return [WorkItem(title, detail, url_for("facts.list_facts", area="all"), _("Decide"))]


PROVIDER = WorkProvider("facts.open", find_open)
