"""The sealing job, every minute in every county; and the check of the seals, when somebody asks for it."""

from __future__ import annotations

from typing import Any

from xiangyue.access.seal import SEAL_ACTION, seal_entries
from xiangyue.access.verify import verify
from xiangyue.features.audit.policy import AUDIT_VIEW, VERIFY_KIND
from xiangyue.features.audit.queries import need_whole_county
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.registry import JobKind, Schedule


def run_seal(context: Any) -> dict[str, Any]:
    """Seal what is certainly over. Running twice does no harm: the second finds nothing new."""
    with context.uow() as uow:
        run = seal_entries(uow)
    return {"seals": run.seals, "entries": run.entries, "head": run.head}


def run_verify(context: Any) -> dict[str, Any]:
    """Compute every seal again (``params``: head, a hash noted earlier, or ""); the result is the report as JSON.

    A broken chain is a result, not a failure of the job. Raises Forbidden for an actor of a part of the county.
    """
    need_whole_county(context.actor.ranges(AUDIT_VIEW))

    def progress(done: int, total: int) -> None:
        context.progress(done, total, _l("Computing every seal again"))
        context.check_cancelled()

    with context.uow() as uow:
        return verify(uow, head=context.params.get("head", ""), progress=progress).kept()


SEAL = JobKind(SEAL_ACTION, _l("Seal the audit trail"), run_seal)
VERIFY = JobKind(VERIFY_KIND, _l("Check of the seals"), run_verify, permission=AUDIT_VIEW)
EVERY_MINUTE = Schedule(SEAL_ACTION, SEAL_ACTION, 60)
