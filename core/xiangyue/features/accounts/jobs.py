"""Recurring work of the feature."""

from __future__ import annotations

from typing import Any

from xiangyue.features.accounts.policy import ACCOUNT_MANAGE
from xiangyue.features.accounts.service.upkeep import sweep_sessions
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.registry import JobKind, Schedule

DAY = 24 * 3600


def run_sweep(context: Any) -> dict[str, Any]:
    """Delete sessions and one-time links that ran out more than 30 days ago."""
    with context.uow() as uow:
        return dict(sweep_sessions(uow))


SWEEP = JobKind("sessions.sweep", _l("Clear ended sessions"), run_sweep, permission=ACCOUNT_MANAGE)
SWEEP_DAILY = Schedule("sessions.sweep", SWEEP.key, DAY)
