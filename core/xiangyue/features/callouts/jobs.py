"""A call goes on to grid leaders when its time has come; old calls are deleted once a day."""

from __future__ import annotations

from typing import Any

from xiangyue.features.callouts.service import ESCALATE, escalate, forget_old
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.registry import JobKind, Schedule

_DAY_SECONDS = 86_400


def _escalate(context: Any) -> dict[str, Any]:
    with context.uow() as uow:
        return {"groups": escalate(uow, callout_id=int(context.params["callout_id"]))}


def _forget(context: Any) -> dict[str, Any]:
    with context.uow() as uow:
        return {"calls": forget_old(uow)}


PASS_ON = JobKind(ESCALATE, _l("Pass a call on to grid leaders"), _escalate)
FORGET = JobKind("callouts.forget", _l("Delete old calls"), _forget)
DAILY = Schedule("callouts.forget", FORGET.key, _DAY_SECONDS)
