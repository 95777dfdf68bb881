"""The work list: how many possible duplicates wait, in one line."""

from __future__ import annotations

from flask import url_for

from xiangyue.db.uow import Uow
from xiangyue.features.duplicates import queries
from xiangyue.features.duplicates.policy import DUPLICATE_MERGE
from xiangyue.i18n import gettext as _
from xiangyue.i18n import ngettext
from xiangyue.plugin.registry import WorkItem, WorkProvider


def find_open(uow: Uow) -> list[WorkItem]:
    """For those who may merge: the pairs of which they see both."""
    if not uow.actor.can(DUPLICATE_MERGE):
        return []
    with uow.scoped(uow.actor.scope(DUPLICATE_MERGE)):
        persons = queries.count_pairs(uow, queries.PairFilter())
        households = queries.count_pairs(uow, queries.PairFilter(kind="household"))
    number = persons + households
    if not number:
        return []
    title = ngettext("%(n)d possible duplicate", "%(n)d possible duplicates", number)
    detail = _("Look at both side by side: merge them, or say that they are different.")
    url = url_for("duplicates.list_pairs", kind="person" if persons else "household", area="all")
    return [WorkItem(title, detail, url, _("Look at the pairs"))]


PROVIDER = WorkProvider("duplicates.open", find_open)
