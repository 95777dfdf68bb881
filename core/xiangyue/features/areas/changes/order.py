"""What changes of the same areas are to each other: one after the other, by day and by hand."""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, delete, select

from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Invalid
from xiangyue.features.areas.changes import refusal
from xiangyue.features.areas.changes.dry_run import WHY
from xiangyue.features.areas.changes.planned import Plan
from xiangyue.features.areas.changes.words import KIND_LABELS
from xiangyue.features.areas.models import AreaChange, AreaChangePart
from xiangyue.i18n import lazy_gettext as _l


class AtWork(Conflict):
    """Another change of the same areas is being done at this moment."""


def check_order(uow: Uow, change: AreaChange, plan: Plan) -> None:
    """Raises Invalid (on) for a day before an earlier change of the same areas, AtWork while one is at work."""
    part = AreaChangePart
    with uow.tenant_wide(WHY):
        statement = (
            select(AreaChange)
            .join(part, and_(part.tenant_id == AreaChange.tenant_id, part.id == AreaChange.id))
            .where(part.area_code.in_(plan.touched), AreaChange.id != (change.id or 0))
            .order_by(AreaChange.on_date.desc(), AreaChange.id.desc())
        )
        others = list(uow.session.scalars(statement).unique())
    if any(one.state in ("working", "undoing") for one in others):
        raise AtWork(
            _l("Another change of the same areas is being done at this moment. Wait until it is, and look again.")
        )
    latest = others[0] if others else None
    if latest is not None and latest.on_date > change.on_date:
        raise Invalid(
            {
                "on": [
                    _l(
                        "Not before %(day)s: on that day “%(act)s” changed the same areas.",
                        day=latest.on_date.isoformat(),
                        act=KIND_LABELS[latest.kind],
                    )
                ]
            }
        )


def let_go(uow: Uow, job: Any) -> None:
    """Its job ended without success: what was in force stays, a draft is one again."""
    found = uow.session.scalars(
        select(AreaChange).where(AreaChange.id == int(job.params.get("change_id", 0))).with_for_update()
    ).one_or_none()
    if found is None or found.job_id != job.id or found.state not in ("working", "undoing"):
        return
    if found.state == "working":
        uow.session.execute(
            delete(AreaChangePart).where(AreaChangePart.id == found.id),
            execution_options={"synchronize_session": False},
        )
        if found.arranged_name:
            found.refused = refusal.kept(job.error or _l("The work was ended."))
    found.state = "draft" if found.state == "working" else "done"
    found.version += 1
    uow.session.flush()
