"""Lines of the work list: reports that wait for the village, and to their reporters what was refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask import url_for
from sqlalchemy import select

from xiangyue.db.scope import Scope
from xiangyue.db.uow import Uow
from xiangyue.features.households.models import RegisterAct
from xiangyue.features.households.policy import HOUSEHOLD_EDIT, REGISTER_REPORT
from xiangyue.features.households.queries_acts import ActRow, act_rows
from xiangyue.features.households.queries_register import waiting_count
from xiangyue.features.households.register.words import KIND_LABELS
from xiangyue.i18n import gettext as _
from xiangyue.i18n import ngettext
from xiangyue.plugin.registry import WorkItem, WorkProvider

#: More than these are one line that leads to the list.
SHOWN = 5
#: How long somebody is told that a report was refused.
TOLD = timedelta(days=14)


def find_reports(uow: Uow) -> list[WorkItem]:
    """Reports to decide, the oldest first; my own that were refused of late."""
    items: list[WorkItem] = []
    ranges = uow.actor.ranges(HOUSEHOLD_EDIT)
    if uow.actor.account_id is None:
        return items
    if ranges != ():
        with uow.scoped(Scope(uow.tenant_id, ranges)):
            waits = select(RegisterAct).where(RegisterAct.state == "reported").order_by(RegisterAct.id)
            found = act_rows(uow, list(uow.session.scalars(waits.limit(SHOWN))))
            count = waiting_count(uow) if len(found) == SHOWN else len(found)
        items += [_waits(row) for row in found]
        if count > len(found):
            more = count - len(found)
            items.append(
                WorkItem(
                    ngettext("%(n)d more report", "%(n)d more reports", more, n=more),
                    _("Births, deaths and moves that wait to be confirmed"),
                    url_for("households.list_reports", state="reported"),
                    _("Look"),
                    state="soon",
                )
            )
    elif uow.actor.can(REGISTER_REPORT):
        refused = (
            select(RegisterAct)
            .where(
                RegisterAct.reported_by == uow.actor.account_id,
                RegisterAct.state == "refused",
                RegisterAct.decided_at > datetime.now(UTC) - TOLD,
            )
            .order_by(RegisterAct.decided_at.desc())
            .limit(SHOWN)
        )
        items += [_refused(row) for row in act_rows(uow, list(uow.session.scalars(refused)))]
    return items


def _waits(row: ActRow) -> WorkItem:
    return WorkItem(
        _("%(name)s: %(act)s", name=_who(row), act=KIND_LABELS[row.act.kind]),
        _("%(day)s · reported by %(who)s", day=row.act.on_date.isoformat(), who=row.act.reported_name),
        url_for("households.show_act", id=row.id),
        _("Confirm"),
        state="soon",
    )


def _refused(row: ActRow) -> WorkItem:
    return WorkItem(
        _("%(name)s: %(act)s", name=_who(row), act=KIND_LABELS[row.act.kind]),
        _("Refused: %(why)s", why=row.act.decision),
        url_for("households.show_act", id=row.id),
        _("Look"),
    )


def _who(row: ActRow) -> str:
    return row.names or (row.household.head_name if row.household else "")


PROVIDER = WorkProvider("register.reports", find_reports)
