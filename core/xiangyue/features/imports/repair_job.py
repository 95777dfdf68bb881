"""Repairs that look at more rows than a page can wait for."""

from __future__ import annotations

from typing import Any

from xiangyue.db.session import end_statements_after
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, NotFound
from xiangyue.features.imports import repair_work as repairs
from xiangyue.features.imports.models import ImportBatch, ImportRepair
from xiangyue.features.imports.policy import IMPORT_RUN, REPAIR_KIND, STATEMENT_SECONDS
from xiangyue.features.imports.queries import columns_for
from xiangyue.features.imports.register_judge import judge_of
from xiangyue.features.imports.rework import MENDING, Change, MendedRow, Rework, touch
from xiangyue.features.imports.staging import read_upload
from xiangyue.features.imports.workbook_back import Corrections, read_corrections
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.jobs.context import JobContext
from xiangyue.jobs.models import Job
from xiangyue.plugin.registry import JobKind


def run(context: JobContext) -> dict[str, Any]:
    """Do the repair in ``params["repair_id"]`` or take it back, as its state says (None: take all back); all in one
    transaction: a stop leaves nothing."""
    context.progress(0, 0, MENDING)
    with context.uow() as uow:
        end_statements_after(uow.session, STATEMENT_SECONDS)
        batch = uow.get_for_update(ImportBatch, int(context.params["batch_id"]))
        if batch.state != "checking" or batch.job_id != context.job_id:
            raise Conflict(_l("This import was discarded, or is being checked by newer work."))
        repair = None
        if context.params["repair_id"] is not None:
            repair = repairs.get_repair(uow, batch, int(context.params["repair_id"]))
        keys = context.runtime.tenant_keys(uow)
        if repair is not None and repair.kind == "workbook" and repair.state == "waiting":
            found = _corrections(context, uow, batch, repair)
            repair.result = {
                **repair.result,
                "problem": found.problem,
                "refused": [list(line) for line in found.refused],
                "refused_count": found.refused_count,
                "columns": sorted({column for cells in found.cells.values() for column in cells}),
            }
            rows, change = touch(uow, found.cells), _putting(repair.id, found)
        else:
            rows = repairs.rows_of(uow, keys, batch, repair)
            change = repairs.change_of(uow, keys, repair)
        rework = Rework(context, uow, keys, batch, judge_of(context.runtime, uow, batch))
        rework.foresee(change)
        rework.apply(change)
        repairs.settle(uow, batch, repair, rows)
        context.check_cancelled()
        return {"batch_id": batch.id, "rows": rows}


def _corrections(context: JobContext, uow: Uow, batch: ImportBatch, repair: ImportRepair) -> Corrections:
    data = read_upload(uow, context.runtime, int(repair.result["file_id"]))
    keys = context.runtime.tenant_keys(uow)
    return read_corrections(context, uow, keys, batch.id, data, columns_for(uow, batch))


def _putting(repair_id: int, found: Corrections) -> Change:
    def put(row: MendedRow) -> None:
        for column, text in found.cells[row.row_no].items():
            row.put(repair_id, column, text)

    return put


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


REPAIR = JobKind(REPAIR_KIND, _l("Mending of an imported file"), run, permission=IMPORT_RUN, ended=let_go)
