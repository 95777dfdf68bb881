"""Undo of a whole import: what it would do, what stands in the way, and its start. The work itself is a job's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit, audit_export
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict
from xiangyue.features.households import undo
from xiangyue.features.households.undo import Built, Written
from xiangyue.features.imports import register_undo
from xiangyue.features.imports.models import ImportBatch
from xiangyue.features.imports.offered import kept_elsewhere
from xiangyue.features.imports.policy import IMPORT_RUN, KEEP_CHANGES_DAYS, UNDO_KIND
from xiangyue.features.imports.queries import get_batch
from xiangyue.features.imports.registers import is_register
from xiangyue.features.imports.release import require_version, start_job
from xiangyue.features.imports.schemas_undo import ENTITY, WHAT
from xiangyue.features.privacy.access_log import Ids, note_set
from xiangyue.i18n import lazy_gettext as _l

#: Where a row in the way stands in their list: entity, id, what, detail.
Place = tuple[str, int, str, str]
#: What the result of an import is looked at with.
REASON = "an import can only be undone as a whole"


@dataclass(frozen=True, slots=True)
class Outlook:
    """What an undo would do (`undo.count_undone`), and what stands in the way, by `undo.WHATS`. ``elsewhere``:
    (plugin, column) of values that a plugin keeps by itself and nobody could take back. ``unseen``: records of a
    declared register that nobody looked at yet."""

    counts: dict[str, int]
    built: dict[str, int]
    elsewhere: list[tuple[str, str]]
    unseen: bool = False

    @property
    def possible(self) -> bool:
        return not self.built and not self.elsewhere


def written_of(batch: ImportBatch) -> Written:
    """Where what the import wrote is found. Raises Conflict when it cannot be undone at all."""
    if batch.state == "undone":
        raise Conflict(_l("This import has been undone already."))
    if batch.state not in ("committed", "undoing"):
        raise Conflict(_l("Only an import that was written can be undone."))
    if batch.written is None:
        raise Conflict(
            _l(
                "This import cannot be undone any more: what stood before it is kept for %(n)d days, and not at all "
                "for imports of older versions.",
                n=KEEP_CHANGES_DAYS,
            )
        )
    return Written.from_dict(batch.id, batch.written)


def outlook(uow: Uow, batch: ImportBatch) -> Outlook:
    """What an undo of the batch would do and what stands in the way. Raises Conflict, see `written_of`."""
    written = written_of(batch)
    if is_register(batch.kind):
        seen = register_undo.look(uow, batch)
        built = {WHAT: len(seen.built)} if seen.built else {}
        return Outlook(register_undo.count_undone(uow, batch), built, [], seen.onward is not None)
    return Outlook(undo.count_undone(uow, written), undo.count_built(uow, written), kept_elsewhere(uow, batch))


def built_on(
    uow: Uow, batch: ImportBatch, *, what: str = "", after: Place | None = None, limit: int = 50
) -> tuple[list[Built], Place | None]:
    """A page of the rows in the way, and after what the next one begins: of a declared register, that one may have
    fewer rows, or none. Raises Conflict, see `written_of`."""
    written = written_of(batch)
    if not is_register(batch.kind):
        found = undo.list_built(uow, written, what=what, after=after, limit=limit + 1)
        return found[:limit], found[limit - 1].key if len(found) > limit else None
    if what not in ("", WHAT):
        return [], None
    seen = register_undo.look(uow, batch, before=after[1] if after is not None else None, limit=limit)
    onward = seen.built[limit - 1].id if len(seen.built) > limit else seen.onward
    return seen.built[:limit], None if onward is None else (ENTITY, onward, WHAT, "")


def each_built_on(
    uow: Uow, batch: ImportBatch, *, what: str = "", looked: Callable[[int], None] | None = None
) -> Iterator[Built]:
    """All rows in the way, for a file. ``looked``: is told how many were looked at, and may raise to stop. Raises
    Conflict, see `written_of`."""
    written = written_of(batch)
    if is_register(batch.kind):
        return register_undo.each_built_on(uow, batch, looked) if what in ("", WHAT) else iter(())
    found = undo.each_built(uow, written, what=what)
    return found if looked is None else _counted(found, looked)


def _counted(rows: Iterator[Built], looked: Callable[[int], None]) -> Iterator[Built]:
    for number, row in enumerate(rows, 1):
        looked(number)
        yield row


@acts(IMPORT_RUN)
def note_export(uow: Uow, batch: ImportBatch, *, number: str, purpose: str, what: str, rows: int, seen: Ids) -> None:
    """Who took the rows in the way along and what for: in the audit trail, and in the log of everybody in it;
    the ``number`` finds the entry."""
    conditions = {"batch": [batch.id], **({"what": [what]} if what else {})}
    audit_export(uow, action="import.undo_list", number=number, purpose=purpose, rows=rows, conditions=conditions)
    note_set(uow, persons=seen, seen="columns", detail=["name"], purpose=purpose, way="export", number=number)


@acts(IMPORT_RUN)
def request_undo(uow: Uow, *, batch_id: int, version: int) -> ImportBatch:
    """Start undoing a written import, as a job that undoes everything or nothing.

    Raises Conflict when it is not written, is being undone or was, when something was built on it (``rows``: how
    many; of a large declared register its job looks at all), or when a plugin keeps values of it; Stale when it is no
    longer what ``version`` was.
    """
    batch = get_batch(uow, batch_id, lock=True)
    if batch.state == "undoing":
        raise Conflict(_l("This import is being undone already."))
    written = written_of(batch)
    require_version(batch, version)
    check_elsewhere(uow, batch)
    if is_register(batch.kind):
        built = len(register_undo.look(uow, batch).built)
    else:
        built = sum(undo.count_built(uow, written).values())
    if built:
        raise Conflict(
            _l(
                "Something was built on this import since: %(n)d rows. Nothing was undone. Its page lists them.",
                n=built,
            ),
            rows=built,
        )
    batch.state = "undoing"
    start_job(uow, batch, UNDO_KIND)
    audit(uow, action="import.undo", obj=batch, label=batch.file_name, purpose=batch.purpose)
    return batch


def check_elsewhere(uow: Uow, batch: ImportBatch) -> None:
    """Raises Conflict when a plugin took values of the import that only it could take back."""
    for plugin, column in kept_elsewhere(uow, batch):
        raise Conflict(
            _l(
                "The plugin “%(plugin)s” has taken values of the column “%(column)s” and keeps them by itself, so this "
                "import cannot be undone as a whole.",
                plugin=plugin,
                column=column,
            )
        )
