"""The jobs that put a change of areas in force and that undo it: everything in one transaction, or nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xiangyue.access.acts import acts
from xiangyue.db.session import end_statements_after
from xiangyue.db.sql import refresh_statistics
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict
from xiangyue.features.areas.changes import back, force
from xiangyue.features.areas.changes.order import let_go
from xiangyue.features.areas.models import AreaChange
from xiangyue.features.areas.policy import AREA_RESTRUCTURE, CHANGE_KIND, UNDO_KIND
from xiangyue.features.imports.commit_job import take_turn
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.jobs.context import JobContext
from xiangyue.plugin.registry import JobKind

MOVING = _l("Moving what lies in the areas")
BACK = _l("Putting everything back")
STATEMENT_SECONDS = 600.0
_WRITTEN = ("household", "person", "area_move")
Work = Callable[[Uow, AreaChange, Callable[[int, int], None]], dict[str, int]]


def run(context: JobContext) -> dict[str, Any]:
    """Put the change in ``params["change_id"]`` in force.

    Its row is locked all the while and changes its state in the same transaction, so a second run of the same job finds
    the work done; a kill or a cancel leaves everything as it was.
    """
    return _in_turn(context, "working", "done", MOVING, force.force)


def run_undo(context: JobContext) -> dict[str, Any]:
    """Undo the change in ``params["change_id"]``."""

    def work(uow: Uow, change: AreaChange, step: Callable[[int, int], None]) -> dict[str, int]:
        return back.take_back(uow, change, change.undo_reason, step)

    return _in_turn(context, "undoing", "undone", BACK, work)


def _in_turn(context: JobContext, state: str, after: str, words: Any, work: Work) -> dict[str, Any]:
    change_id = int(context.params["change_id"])
    with context.uow() as uow:
        end_statements_after(uow.session, STATEMENT_SECONDS)
        take_turn(context, uow)
        counts = _do(uow, context, change_id, (state, after), words, work)
    with context.uow() as uow:
        refresh_statistics(uow.session, *_WRITTEN)
    return {"change_id": change_id, **counts}


@acts(AREA_RESTRUCTURE)
def _do(
    uow: Uow, context: JobContext, change_id: int, states: tuple[str, str], words: Any, work: Work
) -> dict[str, int]:
    change = uow.get_for_update(AreaChange, change_id)
    if change.state == states[1]:
        return dict(change.counts)
    if change.state != states[0] or change.job_id != context.job_id:  # it failed, and was repeated by hand
        raise Conflict(_l("This work has ended. Start it again on the page of the change."))

    def step(done: int, total: int) -> None:
        context.progress(done, total, words)
        context.check_cancelled()

    return work(uow, change, step)


CHANGE = JobKind(CHANGE_KIND, _l("Change of areas"), run, permission=AREA_RESTRUCTURE, ended=let_go)
UNDO = JobKind(UNDO_KIND, _l("Undo of a change of areas"), run_undo, permission=AREA_RESTRUCTURE, ended=let_go)
