"""The work list: changes of areas that could not be put in force on their day."""

from __future__ import annotations

from flask import url_for
from sqlalchemy import select

from xiangyue.db.uow import Uow
from xiangyue.features.areas.changes import refusal
from xiangyue.features.areas.changes.words import KIND_LABELS
from xiangyue.features.areas.models import AreaChange
from xiangyue.features.areas.policy import AREA_RESTRUCTURE, AREA_VIEW
from xiangyue.features.areas.queries import code_text, names
from xiangyue.i18n import gettext as _
from xiangyue.plugin.registry import WorkItem, WorkProvider


def find_refused(uow: Uow) -> list[WorkItem]:
    """For whoever may change areas the change itself; for the town and the village, that it waits and why."""
    if uow.actor.kind == "system":
        return []
    mends = uow.actor.can(AREA_RESTRUCTURE)
    if not mends and (not uow.actor.can(AREA_VIEW) or uow.actor.ranges(AREA_VIEW) is None):
        return []
    with uow.scoped(uow.scope.within(uow.actor.scope(AREA_RESTRUCTURE if mends else AREA_VIEW))):
        wanted = select(AreaChange).where(AreaChange.state == "draft", AreaChange.refused != "")
        changes = uow.session.scalars(wanted.order_by(AreaChange.on_date, AreaChange.id).limit(20)).all()
    called = names(uow, [change.area_code for change in changes])
    found = []
    for change in changes:
        what = {"kind": KIND_LABELS[change.kind], "name": called.get(change.area_code, code_text(change.area_code))}
        title = _("Not put in force on %(day)s: %(kind)s, %(name)s", day=change.on_date.isoformat(), **what)
        if mends:
            url, act = url_for("areas.show_change", id=change.id), _("Look at it again")
        else:
            url, act = url_for("areas.show_area", code=code_text(change.area_code)), _("Look at the area")
        found.append(WorkItem(title, refusal.shown(change.refused), url, act, state="late"))
    return found


WORK = WorkProvider("areas.refused", find_refused)
