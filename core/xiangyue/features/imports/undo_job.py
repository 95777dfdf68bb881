"""The undo of a written roster: everything in one transaction, or nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from xiangyue.access.audit import audit
from xiangyue.db.session import end_statements_after
from xiangyue.errors import Conflict
from xiangyue.features.households.origins import forget_offers
from xiangyue.features.households.undo import undo_import
from xiangyue.features.imports.commit_job import look_at_tables, take_turn
from xiangyue.features.imports.models import ImportBatch
from xiangyue.features.imports.policy import IMPORT_RUN, STATEMENT_SECONDS, UNDO_KIND
from xiangyue.features.imports.register_undo import undo_register
from xiangyue.features.imports.registers import is_register
from xiangyue.features.imports.release import let_go
from xiangyue.features.imports.undoing import check_elsewhere, written_of
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.jobs.context import JobContext
from xiangyue.plugin.dispatch import publish
from xiangyue.plugin.registry import JobKind

LOOKING = _l("Looking whether something was built on it")
UNDOING = _l("Taking back households and persons")
FINISHING = _l("Finishing")


def run(context: JobContext) -> dict[str, Any]:
    """Undo the batch in ``params["batch_id"]``; returns what was done.

    The batch row is locked all the while and changes its state in the same transaction, so a second run of the same
    job finds the work done; a kill or a cancel leaves the register as it was.
    """
    batch_id = int(context.params["batch_id"])
    with context.uow() as uow:
        end_statements_after(uow.session, STATEMENT_SECONDS)
        take_turn(context, uow)
        batch = uow.get_for_update(ImportBatch, batch_id)
        if batch.state == "undone":
            return _result(batch)
        # "committed" with this very job: it failed and was repeated by hand.
        if batch.state not in ("undoing", "committed") or batch.job_id != context.job_id:
            raise Conflict(_l("This import is not to be undone any more. Reload its page."))
        context.progress(0, 0, LOOKING)

        def progress(done: int, total: int) -> None:
            context.progress(done, total, UNDOING)
            context.check_cancelled()

        register = is_register(batch.kind)
        if register:
            counts = undo_register(context, uow, batch)
        else:
            check_elsewhere(uow, batch)
            counts = undo_import(uow, written=written_of(batch), source=batch.source, progress=progress)
            forget_offers(uow, batch.id)
        context.progress(context.total, context.total, FINISHING)
        batch = uow.get(ImportBatch, batch_id)  # the bulk write let go of what the session knew
        batch.state = "undone"
        batch.undone_at = datetime.now(UTC)
        batch.written = None
        batch.version += 1
        batch.counts = {**batch.counts, "undone": counts}
        after = {"counts": {name: number for name, number in counts.items() if number}}
        audit(uow, action="import.undone", obj=batch, label=batch.file_name, after=after, purpose=batch.purpose)
        if not register:
            # The register has changed at large: whoever follows rosters looks again.
            publish(uow, "import_commit_happened", batch_id=batch.id)
        context.check_cancelled()
        result = _result(batch)
    look_at_tables(context)
    return result


def _result(batch: ImportBatch) -> dict[str, Any]:
    return {"batch_id": batch.id, **batch.counts.get("undone", {})}


UNDO = JobKind(UNDO_KIND, _l("Undo of an import"), run, permission=IMPORT_RUN, ended=let_go)
