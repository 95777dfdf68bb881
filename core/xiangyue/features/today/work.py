"""Work items of the core itself: imports of mine that wait for me."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from markupsafe import Markup

from xiangyue.db.uow import Uow
from xiangyue.features.imports.models import ImportBatch
from xiangyue.features.imports.policy import IMPORT_RUN
from xiangyue.features.today import queries
from xiangyue.i18n import format_datetime, ngettext
from xiangyue.i18n import gettext as _
from xiangyue.plugin.registry import WorkItem, WorkProvider

#: A checked import that lies longer than this is late: the register changes under it.
STALE_AFTER = timedelta(days=3)


def find_imports(uow: Uow) -> list[WorkItem]:
    """Imports with cells to mend, and checked ones that were not taken over."""
    if not uow.actor.can(IMPORT_RUN) or uow.actor.account_id is None:
        return []
    return [_to_mend(b) for b in queries.faulty_imports(uow)] + [_to_take(b) for b in queries.ready_imports(uow)]


def _to_mend(batch: ImportBatch) -> WorkItem:
    errors = int(batch.counts.get("errors", 0))
    title = ngettext("An import has %(n)d row to mend", "An import has %(n)d rows to mend", errors)
    return _item(batch, title, _("Mend"))


def _to_take(batch: ImportBatch) -> WorkItem:
    return _item(batch, _("An import is checked and waits to be taken over"), _("Look and take over"))


def _item(batch: ImportBatch, title: str, act: str) -> WorkItem:
    detail = Markup('<span lang="zh-CN">{name}</span> · {when}').format(
        name=batch.file_name, when=format_datetime(batch.checked_at or batch.created_at)
    )
    age = datetime.now(UTC) - (batch.checked_at or batch.created_at)
    if age < STALE_AFTER:
        return WorkItem(title, detail, f"/imports/{batch.id}", act, due=_("any time"))
    waited = ngettext("waits for %(n)d day", "waits for %(n)d days", age.days)
    return WorkItem(title, detail, f"/imports/{batch.id}", act, due=waited, state="soon")


PROVIDER = WorkProvider("imports", find_imports)
