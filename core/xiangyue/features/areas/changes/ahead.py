"""Changes arranged for a day to come are put in force when it comes, as whoever arranged them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from xiangyue.access.actor import Actor, system_actor
from xiangyue.access.audit import audit
from xiangyue.db.uow import Uow
from xiangyue.errors import Unavailable, XiangyueError
from xiangyue.features.areas.changes import refusal, service
from xiangyue.features.areas.changes.order import AtWork
from xiangyue.features.areas.models import AreaChange
from xiangyue.features.areas.policy import AHEAD_KIND
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.i18n import today
from xiangyue.jobs.actors import account_actor
from xiangyue.jobs.context import JobContext
from xiangyue.plugin.registry import JobKind, Schedule

#: Midnight in China is a full hour everywhere; the other rounds are for what was held up.
_HOUR = 3600


def run(context: JobContext) -> dict[str, Any]:
    """Start each change whose day has come. Each is started, or refused with the reason, in a transaction of its own,
    and by its state only once: a run that is killed, or a second one, does what is left."""
    with context.uow() as uow:
        due = select(AreaChange.id).where(AreaChange.state == "arranged", AreaChange.on_date <= today())
        ids = list(uow.session.scalars(due.order_by(AreaChange.on_date, AreaChange.id)))
    started = 0
    broken: Exception | None = None
    for id in ids:
        context.check_cancelled()
        try:
            with context.uow() as uow:
                actor = _whoever_arranged(context, uow, id)
            with context.runtime.uow(context.tenant_id, actor=actor) as uow:
                started += service.start_arranged(uow, id=id) is not None
        except (AtWork, Unavailable):
            continue  # the next round decides, when that is done
        except XiangyueError as error:
            with context.uow() as uow:
                _refuse(uow, id, error)
        except Exception as error:  # what nobody foresaw of one keeps no other from its day
            broken = broken or error
    if broken is not None:
        raise broken
    return {"due": len(ids), "started": started}


def _whoever_arranged(context: JobContext, uow: Uow, id: int) -> Actor:
    """Raises Forbidden for an account that is disabled."""
    change = uow.get(AreaChange, id)
    if change.arranged_by is None:
        return system_actor(context.tenant_id, change.arranged_name)
    tenant = context.runtime.directory.by_id(context.tenant_id)
    return account_actor(uow, change.arranged_by, tenant_area=tenant.area_code if tenant is not None else 0)


def _refuse(uow: Uow, id: int, error: XiangyueError) -> None:
    """It is a draft again, and says why."""
    change = uow.get_for_update(AreaChange, id)
    if change.state != "arranged":
        return
    change.state, change.refused = "draft", refusal.kept(error)
    change.version += 1
    after = {"on": change.on_date, "reason": refusal.shown(change.refused)}
    audit(uow, action="area.change_refused", obj=change, after=after)
    uow.session.flush()


AHEAD = JobKind(AHEAD_KIND, _l("Changes of areas whose day has come"), run)
HOURLY = Schedule(AHEAD_KIND, AHEAD.key, _HOUR)
