"""Export of exactly the list of background work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from xiangyue.features.jobs import queries, view
from xiangyue.features.jobs.pages import bp, listing, wanted_of
from xiangyue.features.jobs.service import note_export
from xiangyue.i18n import gettext as _
from xiangyue.jobs.models import Job
from xiangyue.web.access import signed_in
from xiangyue.web.actors import actor_words
from xiangyue.web.exporting import Taken, export_list
from xiangyue.web.pipeline import current_uow

__all__ = ["bp"]

STEP = 500


@bp.route("/jobs/export", methods=["GET", "POST"])
@signed_in
def export() -> Any:
    """What is going to be exported and the question what for; sent, the spreadsheet of the list at this address."""
    uow = current_uow()
    asked = listing(uow)

    def cells() -> Iterator[list[Any]]:
        after: str | None = None
        while True:
            found = queries.find_jobs(uow, **wanted_of(asked), limit=STEP, after=after)
            for job in found.jobs:
                yield [_cell(column.key, job) for column in asked.visible]
            if (after := found.next) is None:
                return

    def note(taken: Taken) -> None:
        note_export(uow, **asdict(taken))

    title = _("Export background work")
    return export_list(asked, title=title, of=_("Background work"), back=asked.url(), cells=cells, note=note)


def _cell(column: str, job: Job) -> Any:
    made: dict[str, Any] = {
        "kind": f"{view.label_of(job)} {job.id}",
        "state": str(view.STATES[job.state]),
        "progress": f"{job.done} / {job.total}" if job.total else None,
        "who": actor_words(job.created_by_name, job.created_by),
        "created": job.created_at,
        "finished": job.finished_at,
    }
    return made[column]
