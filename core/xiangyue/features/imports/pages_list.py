"""The list of imports, and its export."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from flask import request, url_for

from xiangyue.db.paging import encode_cursor
from xiangyue.db.uow import Uow
from xiangyue.features.areas.queries import has_villages
from xiangyue.features.imports import policy, queries, review, view
from xiangyue.features.imports.models import ImportBatch
from xiangyue.features.imports.pages_repair import bp
from xiangyue.features.imports.service_export import note_export
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.web.access import requires
from xiangyue.web.actors import actor_words
from xiangyue.web.components import Column, Filter, ListView
from xiangyue.web.exporting import Taken, export_list
from xiangyue.web.pipeline import current_uow
from xiangyue.web.shell import page, without_problems

__all__ = ["bp"]

PAGE, STEP = 50, 500
_COLUMNS = (
    Column("file", _l("File"), primary=True),
    Column("kind", _l("What is in it")),
    Column("state", _l("State")),
    Column("rows", _l("Rows"), numeric=True),
    Column("errors", _l("Cells to mend"), numeric=True),
    Column("who", _l("Uploaded by")),
    Column("when", _l("Uploaded at")),
)


def _view(uow: Uow, **state: Any) -> ListView:
    return ListView(
        columns=_COLUMNS,
        filters=(
            Filter("q", _l("File, source or name"), kind="text"),
            Filter("state", _l("State"), choices=list(view.STATES.items())),
            Filter("kind", _l("What is in it"), choices=view.filter_kinds(uow)),
        ),
        args=request.args,
        path=url_for("imports.list_imports"),
        page_size=PAGE,
        export_url=url_for("imports.export"),
        **state,
    )


def _found(uow: Uow, asked: ListView, *, limit: int, before: int | None) -> list[ImportBatch]:
    return queries.list_batches(
        uow,
        state=asked.value("state") or None,
        kind=asked.value("kind"),
        q=asked.value("q"),
        limit=limit,
        before=before,
    )


@bp.get("/imports")
@requires(policy.IMPORT_RUN)
def list_imports() -> Any:
    uow = current_uow()
    asked = _view(uow)
    if onward := without_problems(asked):
        return onward
    found = _found(uow, asked, limit=PAGE + 1, before=review.page_start(asked))
    rows = found[:PAGE]
    shown = _view(uow, next_cursor=encode_cursor(rows[-1].id) if len(found) > PAGE else None)
    kinds = {kind: view.kind_words(uow, kind) for kind in {batch.kind for batch in rows}}
    return page("imports/list.html", view=shown, rows=rows, kinds=kinds, show=view, no_villages=not has_villages(uow))


@bp.route("/imports/export", methods=["GET", "POST"])
@requires(policy.IMPORT_RUN)
def export() -> Any:
    """What is going to be exported and the question what for; sent, the spreadsheet of the list at this address."""
    uow = current_uow()
    asked = _view(uow)

    def cells() -> Iterator[list[Any]]:
        before: int | None = None
        while found := _found(uow, asked, limit=STEP, before=before):
            for batch in found:
                yield [_cell(uow, column.key, batch) for column in asked.visible]
            before = found[-1].id

    def note(taken: Taken) -> None:
        note_export(uow, **asdict(taken))

    return export_list(asked, title=_("Export imports"), of=_("Imports"), back=asked.url(), cells=cells, note=note)


def _cell(uow: Uow, column: str, batch: ImportBatch) -> Any:
    made: dict[str, Any] = {
        "file": batch.file_name,
        "kind": str(view.kind_words(uow, batch.kind)),
        "state": str(view.state_label(batch)),
        "rows": view.count(batch, "rows") if batch.counts else None,
        "errors": view.count(batch, "errors") if batch.counts else None,
        "who": actor_words(batch.created_by_name, batch.created_by),
        "when": batch.created_at,
    }
    return made[column]
