"""A batch and its job: given to one, and what becomes of it when that is no longer at work on it."""

from __future__ import annotations

from sqlalchemy import delete

from xiangyue.db.uow import Uow
from xiangyue.errors import NotFound, Stale
from xiangyue.features.imports.models import ImportBatch, ImportRepair, ImportRow
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.jobs.models import Job
from xiangyue.jobs.service import enqueue_job


def let_go(uow: Uow, job: Job) -> None:
    """A check, a writing or an undo ended without success: the batch is its uploader's again."""
    try:
        batch = uow.get_for_update(ImportBatch, int(job.params["batch_id"]))
    except (NotFound, KeyError):
        return  # no such batch here: the end of the job must be written all the same
    if batch.job_id != job.id:
        return
    if batch.state in ("committing", "undoing"):
        batch.state = "checked" if batch.state == "committing" else "committed"
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


def start_job(uow: Uow, batch: ImportBatch, kind: str) -> None:
    """Put the batch's next job in the queue: of its check, its writing, its undo."""
    job = enqueue_job(uow, kind=kind, params={"batch_id": batch.id}, unique_key=f"import:{batch.id}")
    batch.job_id = job.id
    batch.version += 1
    uow.session.flush()


def require_version(batch: ImportBatch, version: int) -> None:
    """Raises Stale when the batch has gone on."""
    if batch.version != version:
        raise Stale(
            _l("The import has gone on in the meantime. Look at it again."),
            theirs={"state": batch.state, "version": batch.version},
        )
