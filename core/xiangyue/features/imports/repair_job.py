"""Repairs that look at more rows than a page can wait for."""

from __future__ import annotations

from typing import Any

from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, NotFound
from xiangyue.features.imports import repair_work as repairs
from xiangyue.features.imports.judging import Judge
from xiangyue.features.imports.models import ImportBatch
from xiangyue.features.imports.policy import IMPORT_RUN, REPAIR_KIND
from xiangyue.features.imports.rework import MENDING, Rework
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.jobs.context import JobContext
from xiangyue.jobs.models import Job
from xiangyue.plugin.registry import JobKind


def run(context: JobContext) -> dict[str, Any]:
    """Do the repair in ``params["repair_id"]`` or take it back, as its state says (None: take all back); all in one
    transaction: a stop leaves nothing."""
    context.progress(0, 0, MENDING)
    with context.uow() as uow:
        batch = uow.get_for_update(ImportBatch, int(context.params["batch_id"]))
        if batch.state != "checking" or batch.job_id != context.job_id:
            raise Conflict(_l("This import was discarded, or is being checked by newer work."))
        repair = None
        if context.params["repair_id"] is not None:
            repair = repairs.get_repair(uow, batch, int(context.params["repair_id"]))
        keys = context.runtime.tenant_keys(uow)
        rows = repairs.rows_of(uow, keys, batch, repair)
        change = repairs.change_of(uow, keys, repair)
        rework = Rework(context, uow, keys, batch, Judge(context.runtime, uow, batch))
        rework.foresee(change)
        rework.apply(change)
        repairs.settle(uow, batch, repair, rows)
        context.check_cancelled()
        return {"batch_id": batch.id, "rows": rows}


def let_go(uow: Uow, job: Job) -> None:
    """The job ended without success: the batch is as it was before."""
    try:
        batch = uow.get_for_update(ImportBatch, int(job.params["batch_id"]))
    except (NotFound, KeyError):
        return
    if batch.job_id != job.id or batch.state != "checking":
        return
    for repair in repairs.list_repairs(uow, batch.id, limit=None):
        if repair.state == "waiting":
            uow.session.delete(repair)
        elif repair.state == "undoing":
            repair.state, repair.undone_by_name = "done", ""
    batch.state = "checked"
    batch.version += 1


REPAIR = JobKind(REPAIR_KIND, _l("Mending of a roster"), run, permission=IMPORT_RUN, ended=let_go)
