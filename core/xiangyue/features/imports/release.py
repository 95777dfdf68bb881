"""What becomes of a batch whose job is no longer at work on it."""

from __future__ import annotations

from sqlalchemy import delete

from xiangyue.db.uow import Uow
from xiangyue.errors import NotFound
from xiangyue.features.imports.models import ImportBatch, ImportRepair, ImportRow
from xiangyue.jobs.models import Job


def let_go(uow: Uow, job: Job) -> None:
    """A check or a writing ended without success: the batch is its uploader's again."""
    try:
        batch = uow.get_for_update(ImportBatch, int(job.params["batch_id"]))
    except (NotFound, KeyError):
        return  # no such batch here: the end of the job must be written all the same
    if batch.job_id != job.id:
        return
    if batch.state == "committing":
        batch.state = "checked"
        batch.version += 1
    elif batch.state in ("uploaded", "checking") and job.state == "cancelled":
        drop_batch(uow, batch)
    elif batch.state in ("uploaded", "checking"):
        batch.state, batch.problem = "failed", {"code": "check_broke", "params": {}}
        batch.version += 1


def drop_batch(uow: Uow, batch: ImportBatch) -> None:
    """Take a locked batch out of the way, with its rows and what was mended in them."""
    drop_rows(uow, batch)
    batch.state = "cancelled"
    batch.version += 1


def drop_rows(uow: Uow, batch: ImportBatch) -> None:
    """Delete the rows of a batch and their repairs."""
    for model in (ImportRow, ImportRepair):
        uow.session.execute(
            delete(model).where(model.batch_id == batch.id), execution_options={"synchronize_session": False}
        )
