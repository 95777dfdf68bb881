"""Background work: what was registered before the search knew of it is made findable, and its tables are kept tidy."""

from __future__ import annotations

from typing import Any

from xiangyue.features.households import service_search
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.jobs.context import JobContext
from xiangyue.plugin.registry import JobKind, Schedule

KIND = "households.searchable"
DAY = 86_400


def run_searchable(context: JobContext) -> dict[str, Any]:
    """Batch by batch, each kept by itself: a cancel or a crash loses nothing, a second run finds nothing to do."""
    done = {"households": 0, "persons": 0}
    for noun, step in (("households", service_search.index_households), ("persons", service_search.index_persons)):
        while True:
            context.check_cancelled()
            with context.uow() as uow:
                number = step(uow, keys=context.runtime.tenant_keys(uow))
            if not number:
                break
            done[noun] += number
            context.progress(sum(done.values()), 0)
    with context.uow() as uow:
        tidied = service_search.tidy(uow)
    return {**done, "forgotten": tidied}


SEARCHABLE = JobKind(KIND, _l("Bringing the search up to date"), run_searchable)
SCHEDULE = Schedule(KIND, KIND, DAY)
