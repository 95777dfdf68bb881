"""Background work: once a day, long overdue errands are marked to be asked about again."""

from __future__ import annotations

from typing import Any

from xiangyue.sdk.hooks import JobKind, Schedule
from xiangyue.sdk.i18n import _l
from xiangyue.sdk.jobs import JobContext
from xiangyue_errands import policy, service


def recheck(context: JobContext) -> dict[str, Any]:
    with context.uow() as uow:
        return {"errands": service.recheck_old(uow)}


KIND = JobKind(policy.RECHECK_KIND, _l("Look for old errands"), recheck)
DAILY = Schedule("errands.daily", policy.RECHECK_KIND, 86_400)
