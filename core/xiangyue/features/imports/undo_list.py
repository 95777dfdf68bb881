"""What stands in the way of an import's undo as a file: at once, or by a job where not all of it was looked at yet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from xiangyue.access.permissions import lacking
from xiangyue.db.uow import Uow
from xiangyue.features.areas import queries as areas
from xiangyue.features.households.policy import HOUSEHOLD_EXPORT
from xiangyue.features.households.undo import WHATS, Built
from xiangyue.features.imports import queries, undoing
from xiangyue.features.imports.policy import IMPORT_RUN, UNDO_LIST_KIND
from xiangyue.features.imports.schemas_undo import ENTITY, WHAT
from xiangyue.features.imports.undo_words import record_label
from xiangyue.features.privacy.access_log import Ids
from xiangyue.files.workbook import write_table
from xiangyue.i18n import TIMEZONE, today
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.jobs.context import JobContext
from xiangyue.plugin.registry import JobKind
from xiangyue.web.kept_exports import file_url, keep_written, reading_as, result_text, stepping
from xiangyue.web.watermark import watermark

#: Columns of the file: those of the list with what it shows beneath a name.
HEADINGS = (
    _l("Kind of entry"), _l("Who"), _l("Household no."), _l("What was built on it"), _l("Village or group"), _l("When"),
)  # fmt: skip
ENTITIES: dict[str, Any] = {"household": _l("Household"), "person": _l("Person"), ENTITY: _l("Record")}
_PART = 500


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants as a file. ``what``: one kind of it, or ""; ``number``: under which it will be on record."""

    batch_id: int
    what: str
    format: str
    purpose: str
    number: str

    @classmethod
    def kept(cls, params: Mapping[str, Any]) -> Asked:
        """From what a job kept."""
        return cls(**{name: params[name] for name in cls.__slots__})

    def as_params(self) -> dict[str, Any]:
        return asdict(self)


def title(batch_id: int) -> str:
    return _("What was built on import %(id)s", id=batch_id)


def places(uow: Uow, rows: Iterable[Built]) -> dict[int, str]:
    """Where the rows lie, by code, as one word."""
    found = areas.paths(uow, {row.area_code for row in rows if row.area_code})
    return {code: "".join(name for _code, name in path) for code, path in found.items()}


def what_of(uow: Uow, row: Built) -> str:
    if row.what == WHAT:
        return row.detail
    text = str(WHATS[row.what])
    return f"{text}: {record_label(uow, row.detail)}" if row.detail else text


def cells(uow: Uow, built: Iterable[Built], seen: Ids) -> Iterator[list[Any]]:
    """Lines of the file; who is in it is added to ``seen``."""
    part: list[Built] = []
    for row in built:
        if row.entity == "person" and row.household_id is not None:
            seen.add(row.id)
        part.append(row)
        if len(part) == _PART:
            yield from _lines(uow, part)
            part = []
    yield from _lines(uow, part)


def _lines(uow: Uow, rows: list[Built]) -> Iterator[list[Any]]:
    where = places(uow, rows)
    for row in rows:
        at = row.at.astimezone(TIMEZONE).strftime("%Y-%m-%d %H:%M") if row.at else ""
        name, place = row.label or row.code, where.get(row.area_code, "")
        yield [str(ENTITIES[row.entity]), name, row.code, what_of(uow, row), place, at]


def run(context: JobContext) -> dict[str, Any]:
    """Look at everything the import wrote, block by block, then keep the file."""
    asked, seen = Asked.kept(context.params), Ids()
    with reading_as(context, IMPORT_RUN) as uow:
        if not uow.actor.can(HOUSEHOLD_EXPORT):
            raise lacking(HOUSEHOLD_EXPORT)
        batch = queries.get_batch(uow, asked.batch_id)
        outlook = undoing.outlook(uow, batch)
        # Of a register that was not looked at wholly, nobody knows yet how many are in the way.
        total = sum((outlook.counts if outlook.unseen else outlook.built).values())
        built = undoing.each_built_on(uow, batch, what=asked.what, looked=stepping(context, total))
        mark = watermark(uow, asked.purpose, asked.number)
        name = title(batch.id)
        written = write_table(name, HEADINGS, cells(uow, built, seen), format=asked.format, watermark=mark)
        name = f"{name}-{today().isoformat()}"

    def note(uow: Uow) -> None:
        batch = queries.get_batch(uow, asked.batch_id)
        undoing.note_export(
            uow, batch, number=asked.number, purpose=asked.purpose, what=asked.what, rows=written.rows, seen=seen
        )

    return keep_written(context, written, name, asked.number, HOUSEHOLD_EXPORT, note)


UNDO_LIST = JobKind(
    UNDO_LIST_KIND, _l("Export of what is in the way of an undo"), run, permission=HOUSEHOLD_EXPORT,
    result_url=file_url, result_text=result_text,
)  # fmt: skip
