"""The daily clearing away of files."""

from __future__ import annotations

from xiangyue.files.service import delete_orphans, expire_files
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.jobs.context import JobContext
from xiangyue.plugin.registry import JobKind, Schedule


def clear_away(context: JobContext) -> dict[str, int]:
    """Bytes of expired files and of rolled back uploads; returns how many of each."""
    storage = context.runtime.storage
    expired = 0
    while True:
        context.check_cancelled()
        with context.uow() as uow:
            found = len(expire_files(uow, storage))
        expired += found
        if not found:
            break
    with context.uow() as uow:
        return {"expired": expired, "orphans": delete_orphans(uow, storage)}


CLEAR = JobKind("files.clear", _l("Clearing away expired files"), clear_away)
DAILY = Schedule("files.clear", CLEAR.key, 86_400)
