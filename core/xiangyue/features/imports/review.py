"""What stands on the page of a checked import: wrong cells to be mended, repairs done, what a writing would do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import request, url_for

from xiangyue.db.paging import decode_ids, encode_cursor, unreadable
from xiangyue.errors import Invalid
from xiangyue.features.imports import alike, queries, samples, view, view_repair
from xiangyue.features.imports.models import ImportBatch
from xiangyue.features.imports.offered import named
from xiangyue.features.imports.policy import CHECK_KIND, REPAIR_KIND
from xiangyue.features.imports.queries_rows import list_rows
from xiangyue.features.imports.repair_work import list_repairs
from xiangyue.features.imports.roster_suggest import Suggester
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.i18n import ngettext
from xiangyue.web.components import Column, Filter, ListView
from xiangyue.web.pipeline import current_uow, runtime

#: Rows of a page, and repairs shown beside them.
ROWS = 15
REPAIRS = 5


def page_start(asked: ListView) -> int | None:
    """Where the page begins, or None on the first one. Raises Invalid."""
    direction, text = asked.cursor
    if direction != "after" or text is None:
        return None
    try:
        return decode_ids(text, 1)[0]
    except Invalid:
        raise unreadable("after") from None


def outcome(batch: ImportBatch, counts: Mapping[str, Any]) -> dict[str, Any]:
    """New, changed and unchanged ones, with examples."""
    uow = current_uow()
    taken = [(*named(uow, key), number) for key, number in (counts.get("taken") or {}).items()]
    return {
        "tallies": samples.tallies(counts),
        "samples": samples.samples(uow, batch.counts, batch.kind),
        "taken": taken,
    }


def review(batch: ImportBatch) -> dict[str, Any]:
    """Rows with errors of the chosen kind and column, the same mistakes, the last repairs, what a writing would do."""
    uow, keys = current_uow(), runtime().tenant_keys(current_uow())
    columns = queries.columns_for(uow, batch)
    kinds = queries.error_kinds(uow, batch.id)
    state: dict[str, Any] = {
        "columns": (Column("row", _l("Row of the sheet"), primary=True),),
        "filters": (Filter("column", _l("Column"), choices=[(c.key, view.marked(c.label)) for c in columns]),),
        "args": request.args,
        "path": url_for("imports.show_import", id=batch.id),
        "page_size": ROWS,
    }
    asked = ListView(**state)
    code = next((kind for kind, _n in kinds if kind == asked.value("kind")), "")
    column = asked.value("column")
    found, following = list_rows(
        uow, keys, batch.id, code=code, column=column, after=page_start(asked) or 0, limit=ROWS
    )
    total = sum(n for kind, n in kinds if code in ("", kind))
    shown = ListView(
        **state,
        count_text="" if column else ngettext("%(n)d cell to mend", "%(n)d cells to mend", total),
        next_cursor=encode_cursor(following) if following else None,
    )
    suggester = Suggester(columns, queries.county_areas(uow)) if found else None
    grid = None
    if suggester is not None:
        grid = view_repair.grid(uow, keys, batch.id, found, columns, suggester, code=code, column=column)
        _focus(grid)
    same = alike.groups(uow, batch.id, code=code, column=column) if kinds else []
    repairs = list_repairs(uow, batch.id, limit=REPAIRS + 1)
    return {
        "view": shown,
        "grid": grid,
        "kinds": kinds,
        "kind": code,
        "same": view_repair.same_mistakes(same, columns, suggester),
        "repairs": [view_repair.repair_line(uow, keys, one, columns) for one in repairs[:REPAIRS]],
        "more_repairs": len(repairs) > REPAIRS,
        "alike_fields": view_repair.alike_fields,
        "repair_kind": REPAIR_KIND,
        "check_kind": CHECK_KIND,
        "back": {name: request.args[name] for name in ("kind", "column", "after") if request.args.get(name)},
        **outcome(batch, batch.counts),
    }


def _focus(grid: view_repair.Grid) -> None:
    """After a repair the keyboard goes on with the next wrong cell."""
    at = request.args.get("at", type=int)
    if at is None:
        return
    rest = [cell for row in grid.rows if row.row_no >= at for cell in row.cells]
    if rest:
        rest[0].focus = True
