"""Telling a plugin what happened: one job for each plugin and event, after the commit, at least once."""

from __future__ import annotations

from typing import Any

from xiangyue.access.actor import system_actor
from xiangyue.db.uow import RequestInfo, Uow
from xiangyue.errors import XiangyueError
from xiangyue.features.plugins.service import SWITCHED
from xiangyue.features.plugins.stored import installed_in
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.jobs.context import JobCancelled, JobContext, JobInterrupted, JobLost
from xiangyue.plugin.blame import FROM_OUTSIDE, is_away
from xiangyue.plugin.dispatch import EVENT, folder_of, implementations
from xiangyue.plugin.faults import record_fault
from xiangyue.plugin.metrics import timed
from xiangyue.plugin.offer import Contributor
from xiangyue.plugin.registry import JobKind
from xiangyue.runtime import offer_of
from xiangyue.tenancy.enablement import enabled_names

#: The first try and five more.
ATTEMPTS = 6
#: How long one try may use the database: it is a job by itself and holds nobody up.
TELL_SECONDS = 600.0

_FROM_OUTSIDE = (*FROM_OUTSIDE, JobCancelled, JobInterrupted, JobLost)
_OFF = _l("Left out: the plugin was switched off meanwhile")
_DEAF = _l("Left out: the plugin no longer listens to this")


class EventNotTaken(Exception):
    """The plugin failed; it is told again later."""


def tell(context: JobContext) -> dict[str, Any]:
    """Call one plugin's ``*_happened`` hook, as the plugin itself, in a transaction of its own that it cannot end.

    ``uow.info.request_id`` is the event's own number, the same at every try, so that an effect outside the database
    can be made once. Parameters: plugin, hook, arguments, event.
    """
    params = context.params
    name, hook, arguments = params["plugin"], params["hook"], params["arguments"]
    with context.runtime.uow(
        context.tenant_id,
        actor=system_actor(context.tenant_id, name),
        info=RequestInfo(request_id=str(params["event"])),
    ) as uow:
        contributor = _receiver(uow, name, hook, arguments)
        implementation = None if contributor is None else implementations(contributor).get(hook)
        if contributor is None or implementation is None:
            note = _OFF if contributor is None else _DEAF
            context.progress(1, 1, note)
            return {"told": False, "note": note.message}
        if contributor.core:
            implementation(uow=uow, **arguments)
            return {"told": True}
        try:
            with timed(name, hook), uow.lent(TELL_SECONDS):
                implementation(uow=uow, **arguments)
        except _FROM_OUTSIDE:
            raise
        except BaseException as error:
            if is_away(error):
                raise
            line = record_fault(uow, name, hook, error, near=folder_of(contributor), seconds=TELL_SECONDS)
            if context.attempt < ATTEMPTS:
                raise EventNotTaken(line) from error
            label = contributor.manifest.label if contributor.manifest is not None else name
            raise XiangyueError(
                _l(
                    "The plugin “%(plugin)s” could not take this, %(n)d times: %(error)s. Repeat it once the plugin "
                    "works again.",
                    plugin=label,
                    n=context.attempt,
                    error=line,
                )
            ) from error
    return {"told": True}


def _receiver(uow: Uow, name: str, hook: str, arguments: dict[str, Any]) -> Contributor | None:
    """Whom to tell; None when it is off by now. Raises XiangyueError when it is on and does not work."""
    if hook == SWITCHED:
        # Of its own switching off it is told when it is off; of what was undone meanwhile it is not.
        installed = installed_in(uow).get(name)
        stands = (name in enabled_names(uow)) == arguments["enabled"]
        return installed.contributor if installed is not None and installed.ready and stands else None
    for contributor in offer_of(uow).contributors:
        if contributor.key == name:
            return contributor
    if name in enabled_names(uow):
        raise XiangyueError(
            _l("The plugin “%(plugin)s” does not work at present. Repeat this once it does.", plugin=name)
        )
    return None


KIND = JobKind(EVENT, _l("Tell a plugin what happened"), tell, max_attempts=ATTEMPTS)
