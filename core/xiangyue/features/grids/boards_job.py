"""Many boards are drawn by a job, whose file is fetched until it expires."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, cast

from xiangyue.access.acts import acts
from xiangyue.db.uow import Uow
from xiangyue.features.grids.boards import Boards, print_boards, standing
from xiangyue.features.grids.policy import GRID_PRINT
from xiangyue.files.service import in_days, store_file
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.jobs.context import JobContext
from xiangyue.jobs.models import Job
from xiangyue.jobs.service import enqueue_job
from xiangyue.plugin.registry import JobKind

KIND = "grids.print_boards"
#: Sheets between two looks whether to go on.
PULSE = 20


@acts(GRID_PRINT)
def start_boards(uow: Uow, *, wanted: Boards, address: str) -> Job:
    """Have them drawn. ``address``: of a public page, with ``{token}``. Asked for again
    meanwhile, it is the same job."""
    params = {**asdict(wanted), "on": wanted.on.isoformat(), "address": address}
    key = f"{KIND}:{uow.actor.account_id}:{wanted.area}:{wanted.on}:{wanted.leaf_only}:{wanted.orientation}"
    return enqueue_job(uow, kind=KIND, params=params, unique_key=key)


def run_boards(context: JobContext) -> dict[str, Any]:
    """Draw, keep the file and put it on record in one transaction: a cancel leaves nothing."""
    wanted, pattern = Boards.kept(context.params), str(context.params["address"])
    county = context.runtime.directory.by_id(context.tenant_id)
    with context.uow() as uow, uow.scoped(uow.scope.within(uow.actor.scope(GRID_PRINT))):
        total = len(standing(uow, wanted))
        written, name = print_boards(
            uow, wanted=wanted, county=county.name if county else "",
            address=lambda token: pattern.format(token=token), step=_stepping(context, total),
        )  # fmt: skip
        with written.stream:
            context.check_cancelled()
            context.progress(total, total, _l("Keeping the file"))
            expires = in_days(context.runtime.settings.export_keep_days)
            file = store_file(
                uow, context.runtime.storage, stream=cast("Any", written.stream), name=f"{name}.{written.extension}",
                media_type=written.media_type, purpose="grid.boards", permission=GRID_PRINT, expires_at=expires,
            )  # fmt: skip
            return {"boards": written.rows, "bytes": written.size, "file": str(file.token),
                    "expires_at": expires.isoformat()}  # fmt: skip


def _stepping(context: JobContext, total: int) -> Callable[[int], None]:
    context.progress(0, total, _l("Drawing the boards"))

    def step(number: int) -> None:
        if number % PULSE == 0:
            context.check_cancelled()
            context.progress(number, total)

    return step


def _gone(result: dict[str, Any]) -> bool:
    return datetime.fromisoformat(result["expires_at"]) <= datetime.now(UTC)


def file_url(job: Job) -> str | None:
    """Where the file is fetched; nowhere once it has expired."""
    result = job.result or {}
    return f"/files/{result['file']}" if "file" in result and not _gone(result) else None


def result_text(job: Job) -> Any:
    """How many, and until when the file is there."""
    result = job.result or {}
    if "file" not in result:
        return None
    if _gone(result):
        return _l("The file has expired and is gone. Print the boards again.")
    return _l("%(n)s boards. The file can be fetched until %(day)s.", n=f"{result['boards']:,}",
              day=datetime.fromisoformat(result["expires_at"]).date().isoformat())  # fmt: skip


PRINT = JobKind(
    KIND, _l("Printing grid boards"), run_boards, permission=GRID_PRINT, result_url=file_url, result_text=result_text
)
