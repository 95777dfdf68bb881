"""Pages of imports: the list, the upload, and one page by state as a wizard from the check to the result."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Mapping
from typing import IO, Any

from flask import Blueprint, redirect, request, send_file, url_for

from xiangyue.access.lawful import BASES, USUAL
from xiangyue.errors import Conflict, Invalid, NotFound, Refused, Stale, TooLarge
from xiangyue.features.areas.queries import has_villages
from xiangyue.features.imports import (
    afterwards,
    keeping,
    policy,
    queries,
    registers,
    review,
    service,
    view,
    view_columns,
)
from xiangyue.features.imports.models import ImportBatch
from xiangyue.features.imports.policy import ROSTER
from xiangyue.features.imports.registers import get_register, is_register
from xiangyue.features.imports.repair_work import list_repairs
from xiangyue.features.imports.roster_file import MAX_BYTES, MAX_ROWS
from xiangyue.features.imports.roster_template import table_words, write_template
from xiangyue.features.imports.staging import open_columns
from xiangyue.features.imports.view import FILE_KINDS
from xiangyue.features.privacy.queries_consent import published_choices
from xiangyue.files.names import content_disposition
from xiangyue.files.workbook import MEDIA_TYPE
from xiangyue.i18n import current_locale
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.tenancy.field_owners import DEPARTMENTS
from xiangyue.tenancy.own import own_settings
from xiangyue.web.access import requires
from xiangyue.web.components import FormView
from xiangyue.web.limits import limit_uploads
from xiangyue.web.pipeline import current_uow, is_fragment, runtime
from xiangyue.web.shell import flash, page

bp = Blueprint("imports", __name__, template_folder="templates")

PAGE = 50


@bp.app_template_filter("import_row")
def _row_of(number: int, batch: ImportBatch) -> Any:
    return view.row_of(batch, number)


@bp.get("/imports/new")
@requires(policy.IMPORT_RUN)
def new_import() -> Any:
    """The upload; ``again`` is a batch whose source and purpose stand in the fields already, ``kind`` what is chosen to
    be in the file."""
    values: dict[str, str] = {}
    if kind := request.args.get("kind", ""):
        values["kind"] = _offered_kind(kind)
    again = request.args.get("again", type=int)
    if again is not None:
        batch = queries.get_batch(current_uow(), again)
        values |= {
            name: getattr(batch, name)
            for name in ("source", "purpose", "lawful_basis", "department")
            if getattr(batch, name)
        }
        if batch.kind in dict(view.file_kinds(current_uow())):
            values["kind"] = batch.kind
    return _upload_page(values)


def _offered_kind(kind: str) -> str:
    """Raises NotFound for something that the actor may not import here."""
    return kind if kind in FILE_KINDS else get_register(current_uow(), kind)[1].key


def _upload_page(values: Any, errors: Any = None, status: int = 200) -> Any:
    kinds = view.file_kinds(current_uow())
    form = FormView(
        action=url_for("imports.upload"),
        values={"lawful_basis": USUAL, "kind": kinds[0][0], **values},
        errors=errors or {},
        multipart=True,
        id="upload",
        cancel_url=url_for("imports.list_imports"),
    )
    steps, current = view.steps(None)
    limits = {
        "mb": min(MAX_BYTES, runtime().settings.max_upload_bytes) // 2**20,
        "rows": MAX_ROWS,
        "days": own_settings(current_uow()).import_file_days,
    }
    return page(
        "imports/new.html",
        status=status,
        form=form,
        steps_list=steps,
        current=current,
        limits=limits,
        bases=list(BASES.items()),
        departments=list(DEPARTMENTS.items()),
        notices=published_choices(current_uow()),
        kinds=kinds,
        registers=[(key, label) for key, label in kinds if key not in FILE_KINDS],
        no_villages=not has_villages(current_uow()),
    )


@bp.post("/imports")
@requires(policy.IMPORT_RUN)
def upload() -> Any:
    """Take the file in and send it to the check. Errors bring the form back with what was typed."""
    uow, form = current_uow(), request.form
    given = request.files.get("file")
    errors: dict[str, list[Any]] = {}
    if given is None or not given.filename:
        errors["file"] = [_("Choose the workbook.")]
    if not form.get("purpose", "").strip():
        errors["purpose"] = [_("Say what the data is used for.")]
    if errors or given is None:
        return _upload_page(form, errors, 422)
    limit_uploads(runtime(), uow.actor)
    try:
        batch = service.upload_roster(
            uow,
            runtime().storage,
            stream=given.stream,
            name=given.filename or "",
            source=form.get("source", "").strip(),
            purpose=form["purpose"].strip(),
            lawful_basis=form.get("lawful_basis", USUAL),
            department=form.get("department", ""),
            notice_version_id=form.get("notice", type=int),
            kind=form.get("kind", ROSTER),
        )
    except Invalid as invalid:
        return _upload_page(form, invalid.fields, 422)
    except TooLarge as large:
        return _upload_page(form, {"file": [large.message]}, 413)
    return redirect(url_for("imports.show_import", id=batch.id), 303)


@bp.get("/imports/template.xlsx")
@requires(policy.IMPORT_RUN)
def template() -> Any:
    """The empty roster, or the table of a register (``kind``): the county's own columns and lists, the areas I may fill
    in for."""
    uow = current_uow()
    kind = _offered_kind(request.args.get("kind", ROSTER))
    if is_register(kind):
        register = get_register(uow, kind)[1]
        columns, ranges = queries.columns_of_file(uow, kind), queries.import_ranges(uow.actor, register.permission)
        areas, words = queries.areas_to_fill(uow, ranges), table_words(register.label, register.help)
        name = _("Template %(register)s.xlsx", register=register.label)
        return _workbook(lambda stream: write_template(stream, columns, areas, current_locale(), words), name)
    areas = queries.areas_to_fill(uow, queries.import_ranges(uow.actor))
    columns = queries.columns_of(uow)
    return _workbook(lambda stream: write_template(stream, columns, areas, current_locale()), _("Roster template.xlsx"))


def _workbook(write: Callable[[IO[bytes]], object], name: str) -> Any:
    stream = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    write(stream)
    stream.seek(0)
    response = send_file(stream, mimetype=MEDIA_TYPE, max_age=0)
    response.headers["Content-Disposition"] = content_disposition(name)
    response.headers["Cache-Control"] = "private, no-store"
    return response


@bp.get("/imports/<int:id>")
@requires(policy.IMPORT_RUN)
def show_import(id: int) -> Any:
    uow = current_uow()
    batch = queries.get_batch(uow, id)
    job = queries.batch_job(uow, batch)
    steps, current = view.steps(batch)
    context: dict[str, Any] = {"batch": batch, "job": job, "show": view, "steps_list": steps, "current": current}
    context |= keeping.shown(uow, batch)
    context |= {"kind_words": view.kind_words(uow, batch.kind), "off": registers.is_off(uow, batch)}
    if context["off"] and batch.state in ("mapping", "checked"):
        return page("imports/show.html", **context)
    if batch.state in view.BUSY:
        context["card"] = view.job_card(uow, batch, job) if job is not None else None
    elif batch.state == "mapping":
        context |= _matching(batch)
    elif batch.state == "checked":
        context |= review.review(batch)
    elif batch.state == "committed":
        context |= review.outcome(batch, batch.counts.get("written") or {})
        context["afterwards"] = afterwards.sentences(uow, id)
    elif batch.state == "undone":
        context["undone"] = view.undone_lines(batch.counts.get("undone") or {})
    return page("imports/show.html", **context)


def _matching(
    batch: ImportBatch, chosen: Mapping[int, str] | None = None, read: Collection[str] | None = None
) -> dict[str, Any]:
    """The file's columns by sheet, each with what is suggested or was chosen just now."""
    columns = queries.columns_for(current_uow(), batch)
    found = open_columns(runtime().tenant_keys(current_uow()), batch)
    if chosen is not None:
        for column in found:
            column.target = chosen.get(column.position, "")
    sheets = view_columns.sheets(batch.header, found, columns, read)
    return {
        "sheets": sheets,
        "lacking": [view.marked(column.label) for column in view_columns.missing(sheets, found, columns)],
        "how": view_columns.HOW,
        "field": view_columns.FIELD,
    }


@bp.get("/imports/<int:id>/columns")
@requires(policy.IMPORT_RUN)
def show_columns(id: int) -> Any:
    """Where the columns of a checked file went, to be changed; the file is then checked anew."""
    uow = current_uow()
    batch = queries.get_batch(uow, id)
    if batch.state not in ("mapping", "checked") or not keeping.file_kept(batch) or registers.is_off(uow, batch):
        return redirect(url_for("imports.show_import", id=id))
    return _columns_page(batch)


def _columns_page(
    batch: ImportBatch,
    chosen: Mapping[int, str] | None = None,
    read: Collection[str] | None = None,
    errors: Any = (),
    status: int = 200,
) -> Any:
    steps = view.steps(batch)[0]
    faults = [view.marked(fault) for fault in errors]
    return page(
        "imports/columns.html",
        status=status,
        batch=batch,
        steps_list=steps,
        current=1,
        show=view,
        faults=faults,
        repaired=any(one.state == "done" for one in list_repairs(current_uow(), batch.id)),
        **_matching(batch, chosen, read),
    )


@bp.post("/imports/<int:id>/columns")
@requires(policy.IMPORT_RUN)
def match_columns(id: int) -> Any:
    uow = current_uow()
    version = request.form.get("version", type=int) or 0
    chosen = view_columns.typed(request.form)
    # With one sheet there is nothing to choose.
    read = request.form.getlist("sheet") if "several" in request.form else None
    keys = runtime().tenant_keys(uow)
    try:
        return do_act(
            id,
            lambda: service.match_columns(uow, keys, batch_id=id, version=version, targets=chosen, sheets=read),
        )
    except Invalid as invalid:
        return _columns_page(queries.get_batch(uow, id), chosen, read, invalid.fields.get("columns", ()), 422)


@bp.get("/imports/<int:id>/progress")
@requires(policy.IMPORT_RUN)
def progress(id: int) -> Any:
    """The job's card for polling; once the batch has gone on, the page is told to draw itself anew."""
    uow = current_uow()
    batch = queries.get_batch(uow, id)
    job = queries.batch_job(uow, batch)
    if not is_fragment():
        return redirect(url_for("imports.show_import", id=id))
    if job is None or batch.state not in view.BUSY:
        return "", 200, {"HX-Refresh": "true"}
    return page("imports/card.html", card=view.job_card(uow, batch, job))


@bp.get("/imports/<int:id>/errors.xlsx")
@requires(policy.IMPORT_RUN)
def error_workbook(id: int) -> Any:
    """The households with errors as they were uploaded, what is wrong beside each cell."""
    uow = current_uow()
    batch = queries.get_batch(uow, id)
    if batch.state == "cancelled" or not view.count(batch, "errors"):
        raise NotFound(_l("This import has no cells to mend."))
    try:
        keeping.check_rows_kept(uow, batch)
    except Conflict as gone:
        flash(gone.message, "warning")
        return redirect(url_for("imports.show_import", id=id))
    keys = runtime().tenant_keys(uow)
    name = _("To mend %(name)s", name=batch.file_name.rpartition(".")[0] or batch.file_name) + ".xlsx"
    return _workbook(lambda stream: service.write_error_workbook_of(uow, keys, batch_id=id, stream=stream), name)


@bp.post("/imports/<int:id>/commit")
@requires(policy.IMPORT_RUN)
def commit(id: int) -> Any:
    uow = current_uow()
    version = request.form.get("version", type=int) or 0
    valid_only = request.form.get("valid_only") == "1"
    return do_act(id, lambda: service.request_commit(uow, batch_id=id, version=version, valid_only=valid_only))


@bp.post("/imports/<int:id>/cancel")
@requires(policy.IMPORT_RUN)
def cancel(id: int) -> Any:
    """Stop the work or drop what was checked. The card of running work sends no version: whatever it has come to by
    now, it shall stop."""
    uow = current_uow()
    version = request.form.get("version", type=int)
    if version is None:
        version = queries.get_batch(uow, id).version
    done = _("Cancelled. Nothing of this file was written.")
    return do_act(id, lambda: service.cancel_batch(uow, batch_id=id, version=version), done)


def do_act(id: int, act: Callable[[], ImportBatch], done: str = "") -> Any:
    """Do it once; pressed twice or too late, the page says so and shows how it stands."""
    try:
        batch = act()
    except (Conflict, Refused, Stale) as late:
        current_uow().rollback()
        flash(late.message, "warning")
    else:
        if batch.state == "cancelled" and done:
            flash(done)
    return redirect(url_for("imports.show_import", id=id), 303)
