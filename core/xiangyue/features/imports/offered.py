"""Columns of the roster that plugins and other features offer: as the roster knows them, and what comes of them."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from functools import partial
from typing import Any

from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, XiangyueError
from xiangyue.features.imports.models import ImportBatch
from xiangyue.features.imports.roster_columns import STANDARD_COLUMNS, YES_NO, Column
from xiangyue.features.imports.staging import Household
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.jobs.context import JobCancelled, JobInterrupted, JobLost
from xiangyue.plugin.blame import FROM_OUTSIDE, is_away
from xiangyue.plugin.dispatch import folder_of, gather
from xiangyue.plugin.faults import record_fault
from xiangyue.plugin.limits import limited
from xiangyue.plugin.metrics import timed
from xiangyue.plugin.offer import Contributor
from xiangyue.plugin.registry import ImportColumn
from xiangyue.runtime import offer_of, runtime_of

KINDS = ("text", "integer", "money", "year", "date", "boolean")
_STANDARD = frozenset(column.key for column in STANDARD_COLUMNS)
_HOOK = "import_columns"
#: How long the values of one column may take to write.
_SECONDS = 600.0
_ENDS = (*FROM_OUTSIDE, JobCancelled, JobInterrupted, JobLost)


def offered_columns(uow: Uow) -> list[Column]:
    """The columns of what the county has on, in order; one that cannot be made is left out, which is its fault."""
    return [column for _c, _item, column in gather(uow, offer_of(uow), _HOOK, _column, expect=Column)]


def _column(item: ImportColumn) -> Column:
    if item.kind not in KINDS or item.entity not in ("household", "person"):
        raise ValueError(f"{item.key}: {item.kind!r} of a {item.entity!r} is no kind of column")
    zh, en = item.names
    str(item.help)  # a text that cannot be put out is this column's fault, not the template's
    choices = YES_NO if item.kind == "boolean" else None
    return Column(
        item.key, zh, en, item.kind, item.entity, help=item.help, example=item.example, example_en=item.example,
        width=item.width, choices=choices, aliases=item.aliases, offered=True,
    )  # fmt: skip


def named(uow: Uow, key: str) -> tuple[Any, Any]:
    """(label of whose column it is or "", label of the column), also of one that is off by now; the bare key for one
    that is not even installed."""
    runtime = runtime_of(uow)
    for contributor, item in () if runtime is None else runtime.registry.each(_HOOK):
        if item.key == key:
            whose = contributor.manifest.label if contributor.manifest is not None else ""
            return whose, _column(item).label
    return "", key


def check_still_on(uow: Uow, batch: ImportBatch) -> None:
    """What the check took for a column of a plugin must not be dropped in silence. Raises Conflict."""
    known = {item.key for _c, item in offer_of(uow).each(_HOOK)} | _STANDARD
    for key in batch.header.get("columns", ()):
        if key not in known and "." not in key:
            whose, column = named(uow, key)
            raise Conflict(
                _l(
                    "The column “%(column)s” belongs to the plugin “%(plugin)s”, which is no longer on. Nothing was "
                    "written. Cancel this import and upload the file again.",
                    column=column,
                    plugin=whose or key,
                )
            )


def kept_elsewhere(uow: Uow, batch: ImportBatch) -> list[tuple[str, str]]:
    """(plugin, column) of values that a written import gave to a plugin which keeps them by itself: the undo of the
    import could not take them back."""
    taken = (batch.counts.get("written") or {}).get("taken") or {}
    runtime = runtime_of(uow)
    columns = () if runtime is None else runtime.registry.each(_HOOK)
    core = {item.key for _c, item in columns if getattr(item.apply, "kept_by_core", False)}
    return [
        (str(plugin or key), str(column))
        for key, number in taken.items()
        if number and key not in core
        for plugin, column in [named(uow, key)]
    ]


class Taker:
    """Keeps the values of offered columns while a roster is written, and hands them over when all of it stands."""

    def __init__(self, uow: Uow, header: Iterable[str]) -> None:
        self.uow = uow
        present = set(header)
        self.items: dict[str, tuple[Contributor, ImportColumn]] = {
            item.key: (contributor, item) for contributor, item in offer_of(uow).each(_HOOK) if item.key in present
        }
        self.columns = [_column(item) for _contributor, item in self.items.values()]
        self.entities = {column.key: column.entity for column in self.columns}
        #: (column, row, value) of households that are being written.
        self.pending: list[tuple[str, int, Any]] = []
        self.values: dict[str, list[tuple[int, Any]]] = {key: [] for key in self.items}

    def note(self, household: Household) -> None:
        """Keep what the rows of a household say, by row number."""
        self.pending += household.offered(self.columns)

    def written(self, households: dict[int, int], persons: dict[int, int]) -> None:
        """These rows have become these households and persons (ids by row number)."""
        for key, row_no, value in self.pending:
            ids = households if self.entities[key] == "household" else persons
            if row_no in ids:  # another is a conflict, which ends the import
                self.values[key].append((ids[row_no], value))
        self.pending = []

    def hand_over(self) -> dict[str, int]:
        """Let each column's owner write its values; returns their numbers by column. Raises Conflict with the
        plugin's name when one fails: then nothing of the import may stand."""
        for key, values in self.values.items():
            contributor, item = self.items[key]
            if not values:
                continue
            hook = f"{_HOOK}:{key}"
            try:
                with (
                    nullcontext() if contributor.core else timed(contributor.key, hook),
                    self.uow.lent(_SECONDS),
                ):
                    limited(partial(item.apply, self.uow, values), _SECONDS)
            except _ENDS:
                raise
            except BaseException as error:
                if contributor.core or is_away(error):
                    raise
                record_fault(self.uow, contributor.key, hook, error, near=folder_of(contributor), seconds=_SECONDS)
                raise _not_taken(contributor, item, error) from error
        return {key: len(values) for key, values in self.values.items()}


def _not_taken(contributor: Contributor, item: ImportColumn, error: BaseException) -> Conflict:
    label = contributor.manifest.label if contributor.manifest is not None else contributor.key
    reason = error.message if isinstance(error, XiangyueError) and error.message else type(error).__name__
    return Conflict(
        _l(
            "The plugin “%(plugin)s” could not take the values of the column “%(column)s” (%(reason)s). Nothing was "
            "written.",
            plugin=label,
            column=_column(item).label,
            reason=reason,
        )
    )
