"""Import at a terminal: the same batch and jobs as on the page, run here and watched."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from xiangyue.access.actor import Actor, system_actor
from xiangyue.errors import Conflict
from xiangyue.features.imports import queries, service
from xiangyue.features.imports.models import ImportBatch
from xiangyue.features.imports.roster_file import describe_file_problem
from xiangyue.features.imports.roster_header import HeaderProblem, describe_header
from xiangyue.features.imports.roster_messages import describe
from xiangyue.features.imports.roster_places import sheet_names
from xiangyue.i18n import gettext as _
from xiangyue.jobs.models import FINAL_STATES, Job
from xiangyue.jobs.run import run_with
from xiangyue.jobs.service import request_cancel
from xiangyue.runtime import Runtime
from xiangyue.tenancy.directory import TenantInfo

#: Called with (step, done, total) while a job runs.
Watch = Callable[[str, int, int], None]


@dataclass(slots=True)
class Outcome:
    """``state``: of the batch in the end. ``problems``: what is wrong with the file, or ""; errors are in the batch."""

    batch_id: int
    state: str
    counts: dict[str, Any] = field(default_factory=dict)
    problem: str = ""


def import_roster(
    runtime: Runtime,
    tenant: TenantInfo,
    path: Path,
    *,
    source: str,
    purpose: str,
    dry_run: bool = False,
    valid_only: bool = False,
    watch: Watch | None = None,
    actor: Actor | None = None,
) -> Outcome:
    """Upload, check and write a roster here and now. With errors nothing is written unless ``valid_only``.

    ``dry_run`` ends after the check and drops the batch. Raises Invalid for a file that is no spreadsheet,
    XiangyueError when a job fails.
    """
    actor = actor or system_actor(tenant.id, "command line")
    with runtime.uow(tenant.id, actor=actor) as uow, path.open("rb") as stream:
        batch = service.upload_roster(
            uow, runtime.storage, stream=stream, name=path.name, source=source, purpose=purpose
        )
    batch = _finish_job(runtime, tenant, actor, batch.id, watch)
    errors = bool(batch.counts.get("errors"))
    if batch.state == "checked" and not dry_run and (valid_only or not errors) and batch.counts["valid_households"]:
        with runtime.uow(tenant.id, actor=actor) as uow:
            service.request_commit(uow, batch_id=batch.id, version=batch.version, valid_only=valid_only)
        batch = _finish_job(runtime, tenant, actor, batch.id, watch)
    return Outcome(batch.id, batch.state, dict(batch.counts), file_problem(batch))


def drop(runtime: Runtime, tenant: TenantInfo, batch_id: int) -> None:
    """Drop a batch that shall not be written."""
    with runtime.uow(tenant.id, actor=system_actor(tenant.id, "command line")) as uow:
        batch = queries.get_batch(uow, batch_id)
        if batch.state in ("checked", "failed", "mapping"):
            service.cancel_batch(uow, batch_id=batch_id, version=batch.version)


def file_problem(batch: ImportBatch) -> str:
    """Why the file could not be read, in the current language; "" when it could."""
    if batch.problem is None:
        return ""
    if batch.problem["code"] != "header":
        return describe_file_problem(batch.problem["code"], batch.problem["params"])
    problems = [HeaderProblem.from_dict(p) for p in batch.header.get("problems", [])]
    return " ".join(describe_header(problem) for problem in problems if problem.blocking)


def error_lines(runtime: Runtime, tenant: TenantInfo, batch_id: int) -> Iterator[str]:
    """Every wrong cell as a line: where, what, and how to mend it; identifiers masked."""
    with runtime.uow(tenant.id) as uow:
        batch = queries.get_batch(uow, batch_id)
        columns, sheets = queries.columns_for(uow, batch), sheet_names(batch.header)
        after: tuple[int, int] | None = None
        while True:
            errors, after = queries.list_errors(uow, batch_id, after=after, limit=500)
            for error in errors:
                yield describe(error, columns, sheets)
            if after is None:
                return


def _finish_job(runtime: Runtime, tenant: TenantInfo, actor: Actor, batch_id: int, watch: Watch | None) -> ImportBatch:
    """Run the batch's job in this process (a worker may be faster) and tell how far it is."""
    job_id = _look(runtime, tenant, actor, batch_id)[1].id
    # No daemon: an interrupt waits for it to roll back.
    thread = threading.Thread(target=run_with, args=(runtime, tenant.id, job_id), name="import")
    thread.start()
    with _cancelling(runtime, tenant, job_id):
        pause = threading.Event()
        while True:
            batch, job = _look(runtime, tenant, actor, batch_id)
            if watch is not None:
                watch(_(job.step), job.done, job.total)
            if job.state in FINAL_STATES:
                break
            thread.join(0.3)
            if not thread.is_alive():
                run_with(runtime, tenant.id, job_id)  # waits for a second attempt, or a worker has it
                pause.wait(0.3)
    thread.join()
    if job.state != "succeeded":
        raise Conflict(job.error or _("The import was cancelled. Nothing was written."))
    return batch


def _look(runtime: Runtime, tenant: TenantInfo, actor: Actor, batch_id: int) -> tuple[ImportBatch, Job]:
    with runtime.uow(tenant.id, actor=actor) as uow:
        batch = queries.get_batch(uow, batch_id)
        job = queries.batch_job(uow, batch)
    assert job is not None
    return batch, job


@contextmanager
def _cancelling(runtime: Runtime, tenant: TenantInfo, job_id: int) -> Iterator[None]:
    """An interrupt (Ctrl-C) cancels the job before it goes on its way."""
    try:
        yield
    except BaseException:
        with runtime.uow(tenant.id) as uow:
            request_cancel(uow, job_id=job_id)
        raise
