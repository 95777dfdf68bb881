"""Pages on which the rows of a checked import are mended: one cell, all alike, a whole row, and the way back."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from flask import redirect, request, url_for

from xiangyue.access.audit import audit
from xiangyue.db.paging import decode_ids, encode_cursor, unreadable
from xiangyue.errors import Conflict, Invalid, NotFound, Stale, TooLarge
from xiangyue.features.imports import policy, queries, repair, view, view_repair
from xiangyue.features.imports.alike import Alike, replace_word
from xiangyue.features.imports.models import ImportBatch, ImportRepair
from xiangyue.features.imports.pages_undo import bp
from xiangyue.features.imports.queries_rows import SheetRow, get_row, household_of
from xiangyue.features.imports.repair_work import list_repairs
from xiangyue.features.imports.roster_messages import problem_of
from xiangyue.features.imports.roster_suggest import Suggester
from xiangyue.i18n import gettext as _
from xiangyue.i18n import ngettext
from xiangyue.text.folding import cell_text
from xiangyue.web.access import requires
from xiangyue.web.limits import limit_uploads
from xiangyue.web.pipeline import current_uow, runtime
from xiangyue.web.shell import flash, page

#: The feature's pages, these among them.
__all__ = ["bp"]
_PAGE = 50
_BACK = ("kind", "column", "after")


def _keys() -> Any:
    return runtime().tenant_keys(current_uow())


def _go_back(id: int, row_no: int | None = None) -> Any:
    """To where the repair was made: the row's page, or the list with its filter and page as they were."""
    form = request.form
    if form.get("from") == "row" and row_no is not None:
        return redirect(url_for("imports.show_row", id=id, row_no=row_no), 303)
    back: dict[str, Any] = {name: form[f"back_{name}"] for name in _BACK if form.get(f"back_{name}")}
    anchor = "errors" if row_no is None else f"r{row_no}"
    return redirect(url_for("imports.show_import", id=id, **back, at=row_no, _anchor=anchor), 303)


def _do(id: int, act: Callable[[], ImportRepair | int]) -> ImportRepair | int | None:
    """Do it to the import, or say why not; nothing is lost then but what was typed in one cell, which the message
    names. Raises NotFound without such an import."""
    current_uow().get(ImportBatch, id)
    try:
        return act()
    except (Conflict, Stale, NotFound) as late:
        current_uow().rollback()
        flash(late.message, "warning")
    except Invalid as invalid:
        current_uow().rollback()
        flash(next(iter(invalid.fields.values()))[0], "danger")
    return None


@bp.post("/imports/<int:id>/repairs")
@requires(policy.IMPORT_RUN)
def repair_cells(id: int) -> Any:
    """Mend one cell, or with ``all`` every one alike; ``pick`` is a suggestion pressed instead of typing."""
    uow, form = current_uow(), request.form
    row_no, column = form.get("row", type=int), form.get("column", "")
    pick = form.get("pick")
    value = form.get("value", "") if pick is None else pick
    if form.get("all"):
        wrong = Alike(column, form.get("code", ""), form.get("old", ""), form.get("town", ""), form.get("word") == "1")
        rows = form.get("rows", type=int)
        done = _do(
            id,
            lambda: repair.repair_alike(
                uow, _keys(), batch_id=id, wrong=wrong, value=value, rows=rows, suggested=pick is not None
            ),
        )
    else:
        if pick is not None and form.get("word") == "1":
            value = replace_word(form.get("value", ""), form.get("old", ""), pick)
        done = _do(
            id,
            lambda: repair.repair_cell(
                uow, _keys(), batch_id=id, row_no=row_no or 0, column=column, value=value,
                seen=form.get("seen", ""), suggested=pick is not None,
            )
        )  # fmt: skip
    if isinstance(done, ImportRepair) and done.state == "done":
        _say(id, done)
    return _go_back(id, row_no)


def _say(id: int, done: ImportRepair) -> None:
    """What came of it: a value that is wrong too is told at once."""
    uow = current_uow()
    if done.kind == "alike":
        n = int(done.result["rows"])
        flash(ngettext("%(n)d row mended.", "%(n)d rows mended.", n))
        return
    if done.row_no is None or done.kind == "out":
        n = int(done.result["rows"])
        flash(ngettext("%(n)d row left out.", "%(n)d rows left out.", n))
        return
    row = get_row(uow, _keys(), id, done.row_no)
    batch = queries.get_batch(uow, id)
    place = view.row_of(batch, done.row_no)
    label = view.column_label(queries.columns_for(uow, batch), done.column_key)
    still = next((error for error in row.errors if error.column == done.column_key), None)
    if still is None:
        flash(_("Row %(row)s, %(column)s: mended.", row=place, column=label))
    else:
        told = {"row": place, "column": label, "problem": problem_of(still)}
        flash(_("Row %(row)s, %(column)s is still wrong: %(problem)s", **told), "warning")


@bp.post("/imports/<int:id>/workbook")
@requires(policy.IMPORT_RUN)
def return_workbook(id: int) -> Any:
    """The error workbook comes back corrected."""
    uow = current_uow()
    uow.get(ImportBatch, id)
    given = request.files.get("file")
    if given is None or not given.filename:
        flash(_("Choose the workbook."), "danger")
        return _go_back(id)
    limit_uploads(runtime(), uow.actor)
    name, stream = given.filename, given.stream
    try:
        _do(id, partial(repair.return_workbook, uow, runtime().storage, batch_id=id, stream=stream, name=name))
    except TooLarge as large:
        uow.rollback()
        flash(large.message, "danger")
    return _go_back(id)


@bp.post("/imports/<int:id>/rows/<int:row_no>/out")
@requires(policy.IMPORT_RUN)
def leave_row_out(id: int, row_no: int) -> Any:
    """Leave a row out, or with ``households`` all of its household."""
    uow = current_uow()
    whole = request.form.get("households") == "1"
    done = _do(id, lambda: repair.leave_out(uow, _keys(), batch_id=id, rows=[row_no], households=whole))
    if isinstance(done, ImportRepair) and done.state == "done":
        _say(id, done)
    return _go_back(id, row_no)


@bp.post("/imports/<int:id>/repairs/<int:repair_id>/undo")
@requires(policy.IMPORT_RUN)
def undo_repair(id: int, repair_id: int) -> Any:
    uow = current_uow()
    done = _do(id, lambda: repair.undo_repair(uow, _keys(), batch_id=id, repair_id=repair_id))
    if done is not None:
        flash(_("Taken back. The rows are as they were before this repair."))
    return _go_back(id)


@bp.post("/imports/<int:id>/repairs/undo-all")
@requires(policy.IMPORT_RUN)
def undo_all_repairs(id: int) -> Any:
    uow = current_uow()
    if _do(id, lambda: repair.undo_all(uow, _keys(), batch_id=id)) is not None:
        flash(_("All repairs are taken back. The rows are as the file has them."))
    return _go_back(id)


@bp.get("/imports/<int:id>/repairs")
@requires(policy.IMPORT_RUN)
def show_repairs(id: int) -> Any:
    """All repairs of an import, the last first."""
    uow = current_uow()
    batch = queries.get_batch(uow, id)
    columns = queries.columns_for(uow, batch)
    before = None
    if text := request.args.get("after"):
        try:
            before = decode_ids(text, 1)[0]
        except Invalid:
            raise unreadable("after") from None
    found = list_repairs(uow, batch.id, limit=_PAGE + 1, before=before)
    following = encode_cursor(found[_PAGE - 1].id) if len(found) > _PAGE else None
    return page(
        "imports/repairs.html",
        batch=batch,
        show=view,
        repairs=[view_repair.repair_line(uow, _keys(), one, columns) for one in found[:_PAGE]],
        next_url=url_for("imports.show_repairs", id=id, after=following) if following else None,
        back={},
    )


@bp.get("/imports/<int:id>/rows/<int:row_no>")
@requires(policy.IMPORT_RUN)
def show_row(id: int, row_no: int) -> Any:
    """All cells of a row, numbers in full as in the error workbook: who looked is in the audit trail."""
    uow = current_uow()
    batch = queries.get_batch(uow, id)
    if batch.state != "checked":
        return redirect(url_for("imports.show_import", id=id))
    row = get_row(uow, _keys(), batch.id, row_no)
    after = {"row": row_no}
    audit(uow, action="import.row", obj=batch, label=batch.file_name, after=after, purpose=batch.purpose)
    return _row_page(batch, row)


def _row_page(batch: Any, row: SheetRow) -> Any:
    uow = current_uow()
    columns = queries.columns_for(uow, batch)
    suggester = Suggester(columns, queries.county_areas(uow))
    wrong: dict[str, list[Any]] = {}
    for error in row.errors:
        wrong.setdefault(error.column, []).append(error)
    fields = []
    for column in columns:
        made = view_repair.wrong_cell(_keys(), row, column.key, wrong.get(column.key, ()), columns, suggester)
        made.text = cell_text(row.cells.get(column.key))
        values = suggester.choices(column.key, row.cells) if column.key != "marks" else []
        fields.append((column, made, values, column.key in row.mended))
    alone = view.is_register(batch) or row.out
    family = [] if alone else [one for one in household_of(uow, _keys(), batch.id, row) if one.row_no != row.row_no]
    return page(
        "imports/row.html",
        batch=batch,
        show=view,
        row=row,
        name=view_repair.title_of(row.cells, columns),
        where=view_repair.where_of(row.cells),
        fields=fields,
        family=[(one, cell_text(one.cells.get("name")), cell_text(one.cells.get("relation"))) for one in family],
    )


@bp.post("/imports/<int:id>/rows/<int:row_no>")
@requires(policy.IMPORT_RUN)
def save_row(id: int, row_no: int) -> Any:
    """Mend every cell of the row that was changed in the form."""
    uow, form = current_uow(), request.form
    batch = uow.get(ImportBatch, id)
    mended = 0
    for column in queries.columns_for(uow, batch):
        name = f"cell_{column.key}"
        if name not in form or form[name].strip() == form.get(f"was_{column.key}", ""):
            continue
        given = {"column": column.key, "value": form[name], "seen": form.get(f"seen_{column.key}", "")}
        if _do(id, partial(repair.repair_cell, uow, _keys(), batch_id=id, row_no=row_no, **given)) is None:
            return redirect(url_for("imports.show_row", id=id, row_no=row_no), 303)
        mended += 1
    if not mended:
        flash(_("Nothing was changed."), "info")
        return redirect(url_for("imports.show_row", id=id, row_no=row_no), 303)
    row = get_row(uow, _keys(), id, row_no)
    if row.errors and queries.get_batch(uow, id).state == "checked":
        flash(_("Saved. This row is still wrong, see below."), "warning")
        return redirect(url_for("imports.show_row", id=id, row_no=row_no), 303)
    flash(_("Row %(row)s is mended.", row=view.row_of(queries.get_batch(uow, id), row_no)))
    return redirect(url_for("imports.show_import", id=id, at=row_no, _anchor="errors"), 303)


@bp.post("/imports/<int:id>/rows/<int:row_no>/back")
@requires(policy.IMPORT_RUN)
def take_row_back(id: int, row_no: int) -> Any:
    """Take a row back that was left out."""
    uow = current_uow()
    done = _do(id, lambda: repair.take_back(uow, _keys(), batch_id=id, row_no=row_no))
    if done is not None:
        flash(_("The row is back."))
    return _go_back(id, row_no)
