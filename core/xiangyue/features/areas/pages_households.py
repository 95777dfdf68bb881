"""Who goes where in a merge or split: by rule, by sheet, or household by household."""

from __future__ import annotations

from typing import Any

from flask import redirect, request, url_for

from xiangyue.access.audit import audit
from xiangyue.db.paging import decode_ids, encode_cursor
from xiangyue.errors import Conflict, Invalid, NotFound, Stale
from xiangyue.features.areas import pages_changes, pages_official, policy, queries
from xiangyue.features.areas.changes import service, sheet
from xiangyue.features.areas.changes.dry_run import DryRun
from xiangyue.features.areas.changes.households import Move
from xiangyue.features.areas.changes.words import KIND_LABELS
from xiangyue.features.areas.models import AreaChange
from xiangyue.features.areas.pages import bp
from xiangyue.features.imports.roster_file import MAX_BYTES
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.text.whole import whole_number
from xiangyue.web.access import requires
from xiangyue.web.components import Column, Filter, FormView, ListView
from xiangyue.web.exporting import Taken, export_list
from xiangyue.web.pipeline import current_uow
from xiangyue.web.shell import flash, page

__all__ = ["bp", "pages_changes", "pages_official"]

PAGE = 50
#: Rules the page offers beyond those that stand.
EMPTY_RULES = 2
_COLUMNS = (
    Column("code", _l("Household no."), primary=True),
    Column("head", _l("Head")),
    Column("address", _l("Address")),
    Column("area", _l("Area")),
    Column("to", _l("Goes to area")),
)
_BY = {
    "sheet": _l("said one by one"),
    "rule": _l("by rule"),
    "area": _l("with its area"),
    "stays": _l("stays where it is"),
}


def _look(id: int) -> tuple[AreaChange, DryRun]:
    """A draft of a kind for which households can be chosen, and that fits. Raises NotFound."""
    change, run = service.look(current_uow(), id=id)
    if change.state != "draft" or change.kind not in ("merge", "split") or run.plan is None:
        raise NotFound(_l("There is nothing to choose in this change."))
    return change, run


def _state(id: int, run: DryRun, names: dict[int, str]) -> dict[str, Any]:
    areas = sorted({move.row.area_code for move in run.moves.moves})
    return {
        "columns": _COLUMNS,
        "filters": (
            Filter("q", _l("Household no., head or address"), kind="text"),
            Filter("group", _l("Area"), choices=[(queries.code_text(c), names.get(c, "")) for c in areas], data=True),
            Filter("only", _l("Only"), choices=[("without", _l("without an area")), ("moves", _l("that move"))]),
        ),
        "args": request.args,
        "path": url_for("areas.show_households", id=id),
        "page_size": PAGE,
        "export_url": url_for("areas.export_households", id=id),
    }


def _names(run: DryRun) -> dict[int, str]:
    known = queries.names(current_uow(), {move.row.area_code for move in run.moves.moves})
    return {**known, **(run.plan.places if run.plan else {})}


def _chosen(asked: ListView, run: DryRun) -> list[Move]:
    q, group, only = (asked.value(name) for name in ("q", "group", "only"))
    without = {row.id for row in run.moves.without}
    return [
        move
        for move in run.moves.moves
        if (not q or any(q in text for text in (move.row.code, move.row.head_name, move.row.address)))
        and (not group or queries.code_text(move.row.area_code) == group)
        and (only != "without" or move.row.id in without)
        and (only != "moves" or (move.to and move.to != move.row.area_code))
    ]


@bp.get("/areas/changes/<int:id>/households")
@requires(policy.AREA_RESTRUCTURE)
def show_households(id: int) -> Any:
    return _page(id)


def _page(id: int, *, status: int = 200, rules: FormView | None = None, upload: FormView | None = None) -> Any:
    change, run = _look(id)
    assert run.plan is not None
    names = _names(run)
    state = _state(id, run, names)
    asked = ListView(**state)
    found = _chosen(asked, run)
    _direction, cursor = asked.cursor
    after = decode_ids(cursor)[0] if cursor else 0
    rest = [move for move in found if move.row.id > after]
    rows = rest[:PAGE]
    shown = ListView(
        **state, count=len(found), next_cursor=encode_cursor(rows[-1].row.id) if len(rest) > PAGE else None
    )
    places = [(str(code), f"{name} {queries.code_text(code)}") for code, name in run.plan.places.items()]
    areas = [(str(c), names.get(c, "")) for c in sorted({move.row.area_code for move in run.moves.moves})]
    standing = change.request.get("rules", [])
    if rules is None:
        values = {
            f"rule{n}_{key}": (rule["groups"][0] if rule["groups"] else "") if key == "groups" else rule[key] or ""
            for n, rule in enumerate(standing)
            for key in ("groups", "first", "last", "to")
        }
        rules = FormView(
            action=url_for("areas.save_rules", id=id), values={k: str(v) for k, v in values.items()},
            version=change.version, id="rules",
        )  # fmt: skip
    if upload is None:
        action = url_for("areas.upload_households", id=id)
        upload = FormView(action=action, multipart=True, version=change.version, id="upload")
    return page(
        "areas/change_households.html",
        status=status,
        change=change,
        run=run,
        view=shown,
        rows=rows,
        names=names,
        places=places,
        areas=areas,
        rules=rules,
        rule_count=range(len(standing) + EMPTY_RULES),
        upload=upload,
        by=_BY,
        said=change.request.get("households", {}),
        kind_label=KIND_LABELS[change.kind],
        code_text=queries.code_text,
    )


def _version() -> int:
    return request.form.get("version", type=int) or 0


@bp.post("/areas/changes/<int:id>/households")
@requires(policy.AREA_RESTRUCTURE)
def save_households(id: int) -> Any:
    """Households of one page: what was chosen of each; "" leaves it to the rules."""
    chosen = {
        number: whole_number(value) or 0
        for name, value in request.form.items()
        if name[:1] == "h" and (number := whole_number(name[1:])) is not None
    }
    return _save(id, lambda: service.set_households(current_uow(), id=id, version=_version(), households=chosen))


def _save(id: int, act: Any) -> Any:
    uow = current_uow()
    try:
        act()
    except (Conflict, Stale) as late:
        uow.rollback()
        flash(late.message, "warning")
    except Invalid as invalid:
        uow.rollback()
        flash("; ".join(str(text) for texts in invalid.fields.values() for text in texts), "warning")
    else:
        flash(_("Saved"), "success")
    return redirect(url_for("areas.show_households", id=id), 303)


@bp.post("/areas/changes/<int:id>/rules")
@requires(policy.AREA_RESTRUCTURE)
def save_rules(id: int) -> Any:
    given = []
    number = 0
    while f"rule{number}_to" in request.form:
        row = {key: request.form.get(f"rule{number}_{key}", "").strip() for key in ("groups", "first", "last", "to")}
        if any(row.values()):
            given.append({**row, "groups": [row["groups"]] if row["groups"] else []})
        number += 1
    try:
        service.set_rules(current_uow(), id=id, version=_version(), rules=given)
    except (Invalid, Conflict, Stale) as error:
        fields = error.fields if isinstance(error, Invalid) else {"": [error.message]}
        errors = {name.replace("rules.", "rule").replace(".", "_"): texts for name, texts in fields.items()}
        current_uow().rollback()
        form = FormView(action=request.path, values=request.form, errors=errors, version=_version(), id="rules")
        return _page(id, status=422 if isinstance(error, Invalid) else 409, rules=form)
    flash(_("Saved"), "success")
    return redirect(url_for("areas.show_households", id=id), 303)


@bp.post("/areas/changes/<int:id>/sheet")
@requires(policy.AREA_RESTRUCTURE)
def upload_households(id: int) -> Any:
    """A filled-in sheet; with one wrong row nothing of it is taken."""
    _change, run = _look(id)
    assert run.plan is not None
    file = request.files.get("file")
    data = file.stream.read(MAX_BYTES + 1) if file is not None else b""
    try:
        taken = sheet.read_sheet(data, run.moves, run.plan)
        service.set_households(current_uow(), id=id, version=_version(), households=taken)
    except (Invalid, Conflict, Stale) as error:
        errors = error.fields if isinstance(error, Invalid) else {"": [error.message]}
        current_uow().rollback()
        form = FormView(action=request.path, errors=errors, version=_version(), multipart=True, id="upload")
        return _page(id, status=422 if isinstance(error, Invalid) else 409, upload=form)
    flash(_("%(n)d rows taken over", n=len(taken)), "success")
    return redirect(url_for("areas.show_households", id=id), 303)


@bp.route("/areas/changes/<int:id>/households/export", methods=["GET", "POST"])
@requires(policy.AREA_RESTRUCTURE)
def export_households(id: int) -> Any:
    """The households with where they go, as a sheet to fill in."""
    change, run = _look(id)
    assert run.plan is not None
    names = _names(run)
    asked = ListView(**_state(id, run, names))
    moves = _chosen(asked, run)

    def note(taken: Taken) -> None:
        after = {"rows": taken.rows, "columns": taken.columns, "number": taken.number}
        audit(current_uow(), action="area.change_sheet", obj=change, after=after, purpose=taken.purpose)

    return export_list(
        asked,
        title=_("Sheet of households"),
        of=_("Households"),
        back=url_for("areas.show_households", id=id),
        cells=lambda: sheet.lines(moves, names),
        headings=sheet.headings(),
        note=note,
        rows=len(moves),
    )
