"""A batch and its job: given to one, and what becomes of it when that is no longer at work on it."""

from __future__ import annotations

from sqlalchemy import delete

from xiangyue.db.uow import Uow
from xiangyue.errors import NotFound, Stale
from xiangyue.features.imports.models import ImportBatch, ImportRepair, ImportRow
from xiangyue.features.imports.policy import COMMIT_KIND, UNDO_KIND
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.jobs.models import Job
from xiangyue.jobs.service import enqueue_next


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


def start_job(uow: Uow, batch: ImportBatch, kind: str, **params: int | None) -> None:
    """Put the batch's next job in the queue: of its check, a repair, its writing, its undo.

    Raises Conflict while the last one of the kind is not done; an undo waits for the writing, of which search rows
    come after all else. What was checked may be written at once.
    """
    key = COMMIT_KIND if kind == UNDO_KIND else kind
    params = {"batch_id": batch.id, **params}
    batch.job_id = enqueue_next(uow, kind=kind, params=params, unique_key=f"{key}:{batch.id}").id
    batch.version += 1
    uow.session.flush()


def require_version(batch: ImportBatch, version: int) -> None:
    """Raises Stale when the batch has gone on."""
    if batch.version != version:
        raise Stale(
            _l("The import has gone on in the meantime. Look at it again."),
            theirs={"state": batch.state, "version": batch.version},
        )
