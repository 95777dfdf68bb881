"""Pages of changes of areas: the list, the form of each kind, and the page of one with its dry run and undo."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

from flask import redirect, request, url_for

from xiangyue.db.paging import decode_ids, encode_cursor
from xiangyue.errors import Conflict, Invalid, NotFound, Refused, Stale
from xiangyue.features.areas import forms_changes as forms
from xiangyue.features.areas import policy, queries, switch
from xiangyue.features.areas.changes import back, refusal, service
from xiangyue.features.areas.changes import queries as changes
from xiangyue.features.areas.changes.words import KIND_HELP, KIND_LABELS, STATE_LABELS
from xiangyue.features.areas.models import AreaChange
from xiangyue.features.areas.models_change import KINDS
from xiangyue.features.areas.pages import bp
from xiangyue.features.jobs import view as job_view
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.i18n import ngettext, today
from xiangyue.jobs.models import Job
from xiangyue.web.access import requires
from xiangyue.web.components import Column, Filter, FormView, ListView
from xiangyue.web.exporting import export_list
from xiangyue.web.pipeline import current_uow, is_fragment
from xiangyue.web.shell import flash, page, without_problems

__all__ = ["bp"]

PAGE = 50
_MOST = 20_000
_COLUMNS = (
    Column("what", _l("What changes"), primary=True),
    Column("on", _l("From which day")),
    Column("state", _l("State")),
    Column("households", _l("Households"), numeric=True),
    Column("reason", _l("By whose decision")),
    Column("by", _l("Drafted by")),
)


def _listing(**state: Any) -> ListView:
    return ListView(
        columns=_COLUMNS,
        filters=(
            Filter("state", _l("State"), choices=list(STATE_LABELS.items())),
            Filter("kind", _l("Kind"), choices=list(KIND_LABELS.items())),
        ),
        args=request.args,
        path=url_for("areas.list_changes"),
        page_size=PAGE,
        export_url=url_for("areas.export_changes"),
        **state,
    )


@bp.get("/areas/changes")
@requires(policy.AREA_RESTRUCTURE)
def list_changes() -> Any:
    """Changes in my areas, the latest first."""
    uow, asked = current_uow(), _listing()
    if onward := without_problems(asked):
        return onward
    state, kind = asked.value("state"), asked.value("kind")
    before = decode_ids(asked.after)[0] if asked.after else 0
    found = changes.list_changes(uow, state=state, kind=kind, before=before, limit=PAGE + 1)
    rows, count = found[:PAGE], changes.count_changes(uow, state=state, kind=kind)
    shown = _listing(
        count=count,
        count_text=ngettext("%(n)d change", "%(n)d changes", count),
        shown=len(rows),
        next_cursor=encode_cursor(rows[-1].id) if len(found) > PAGE else None,
    )
    names = queries.names(uow, {row.area_code for row in rows})
    return page("areas/changes.html", view=shown, rows=rows, names=names, kinds=KIND_LABELS, states=STATE_LABELS)


@bp.route("/areas/changes/export", methods=["GET", "POST"])
@requires(policy.AREA_RESTRUCTURE)
def export_changes() -> Any:
    """The question what for; sent, the list at this address as a spreadsheet."""
    uow, asked = current_uow(), _listing()

    def cells() -> Iterator[list[Any]]:
        rows = changes.list_changes(uow, state=asked.value("state"), kind=asked.value("kind"), limit=_MOST + 1)
        names = queries.names(uow, {row.area_code for row in rows})
        for row in rows:
            values: dict[str, Any] = {
                "what": f"{KIND_LABELS[row.kind]} {names.get(row.area_code, '')} {queries.code_text(row.area_code)}",
                "on": row.on_date,
                "state": str(STATE_LABELS[row.state]),
                "households": row.counts.get("households"),
                "reason": row.reason,
                "by": row.made_name,
            }
            yield [values[column.key] for column in asked.visible]

    return export_list(
        asked,
        title=_("Export changes of areas"),
        of=_("Changes of areas"),
        back=asked.url(url_for("areas.list_changes")),
        cells=cells,
        note=lambda taken: service.note_export(uow, **asdict(taken)),
        most=_MOST,
    )


@bp.get("/areas/changes/new")
@requires(policy.AREA_RESTRUCTURE)
def new_change() -> Any:
    """Choose a kind; then its form. ``area``: about which area."""
    kind = request.args.get("kind", "")
    text = request.args.get("area", "")
    area = queries.find_area(current_uow(), queries.parse_code(text)) if text not in ("", switch.ALL) else None
    if kind not in KINDS:
        return page("areas/change_kinds.html", kinds=KIND_LABELS, help=KIND_HELP, area=area, area_value=text)
    values: dict[str, Any] = {"on": today().isoformat(), "keep": "1"}
    if area is not None and kind == "create":
        values["parent"], area = str(area.area_code), None
    elif area is not None:
        values |= {"area": str(area.area_code), "name": area.name if kind == "rename" else ""}
    return _form(kind, FormView(action=url_for("areas.draft_change", kind=kind), values=values), area)


def _form(kind: str, form: FormView, area: Any, *, status: int = 200, change: AreaChange | None = None) -> Any:
    asked = forms.asked_of(current_uow(), kind, area)
    return page(
        "areas/change_form.html",
        status=status,
        form=form,
        asked=asked,
        kind=kind,
        kind_label=KIND_LABELS[kind],
        help=KIND_HELP[kind],
        part_numbers=range(forms.PARTS),
        change=change,
        code_text=queries.code_text,
        group_kinds=[(key, policy.KIND_LABELS[key]) for key in ("group", "hamlet")],
    )


def _area_of(text: str) -> Any:
    return queries.find_area(current_uow(), queries.parse_code(text)) if text else None


@bp.post("/areas/changes/new/<kind>")
@requires(policy.AREA_RESTRUCTURE)
def draft_change(kind: str) -> Any:
    """Keep a draft, and show what it would do."""
    if kind not in KINDS:
        raise NotFound(_l("There is no such kind of change."))
    area = _area_of(request.form.get("about", ""))
    try:
        change = service.draft_change(
            current_uow(),
            kind=kind,
            on=request.form.get("on", ""),
            reason=request.form.get("reason", ""),
            request=_typed(kind, area, {}),
        )
    except (Invalid, Conflict) as error:
        return _again(kind, area, error, request.path, None)
    return redirect(url_for("areas.show_change", id=change.id), 303)


def _typed(kind: str, area: Any, kept: dict[str, Any]) -> dict[str, Any]:
    asked = forms.request_of(kind, request.form, kept)
    if area is not None and kind == "merge":
        asked["areas"] = list(dict.fromkeys([str(area.area_code), *asked["areas"]]))
    elif area is not None:
        asked["area"] = str(area.area_code)
    return asked


def _again(kind: str, area: Any, error: Any, action: str, change: AreaChange | None) -> Any:
    errors = forms.errors_of(error.fields) if isinstance(error, Invalid) else {"": [error.message]}
    values: dict[str, Any] = {**request.form.to_dict(), "areas": request.form.getlist("areas")}
    values |= {name: request.form.getlist(name) for name in request.form if name.endswith("_children")}
    form = FormView(action=action, values=values, errors=errors, version=request.form.get("version"))
    return _form(kind, form, area, status=422 if isinstance(error, Invalid) else 409, change=change)


@bp.get("/areas/changes/<int:id>/edit")
@requires(policy.AREA_RESTRUCTURE)
def edit_change(id: int) -> Any:
    change = current_uow().get(AreaChange, id)
    if change.state != "draft":
        return redirect(url_for("areas.show_change", id=id))
    kept = change.request
    values = {**forms.values_of(change.kind, kept), "on": change.on_date.isoformat(), "reason": change.reason}
    code = kept.get("area") or (kept.get("areas") or [0])[0]
    area = _area_of(str(code)) if code and change.kind != "create" else None
    action = url_for("areas.save_change", id=id)
    return _form(change.kind, FormView(action=action, values=values, version=change.version), area, change=change)


@bp.post("/areas/changes/<int:id>/edit")
@requires(policy.AREA_RESTRUCTURE)
def save_change(id: int) -> Any:
    uow = current_uow()
    change = uow.get(AreaChange, id)
    area = _area_of(request.form.get("about", ""))
    try:
        service.edit_change(
            uow,
            id=id,
            version=_version(),
            on=request.form.get("on", ""),
            reason=request.form.get("reason", ""),
            request=_typed(change.kind, area, change.request),
        )
    except (Invalid, Conflict, Stale) as error:
        return _again(change.kind, area, error, request.path, change)
    return redirect(url_for("areas.show_change", id=id), 303)


def _version() -> int:
    return request.form.get("version", type=int) or 0


@bp.get("/areas/changes/<int:id>")
@requires(policy.AREA_RESTRUCTURE)
def show_change(id: int) -> Any:
    """A draft with what it would do; one at work with its progress; one in force with its undo."""
    return _page(id)


def _page(id: int, *, status: int = 200, undo: FormView | None = None) -> Any:
    uow = current_uow()
    change = uow.get(AreaChange, id)
    context: dict[str, Any] = {"change": change, "run": None, "card": None, "outlook": None}
    codes = {change.area_code, *_codes_in(change)}
    if change.state in ("draft", "arranged"):
        _change, run = service.look(uow, id=id)
        context["late"] = service.in_the_way(uow, change) if change.state == "arranged" else ""
        context["run"] = run
        codes |= {code for old, new, _n in run.steps for code in (old, new)}
        codes |= {code for grant in run.grants for code in (grant.code, *grant.to)}
        codes |= set(run.plan.retired.values()) | set(run.plan.standing) if run.plan else set()
    elif change.state in ("working", "undoing") and change.job_id:
        context["card"] = _card(change)
    elif change.state == "done":
        context["outlook"] = back.outlook(uow, change)
        action = url_for("areas.undo_change", id=id)
        context["undo"] = undo or FormView(action=action, version=change.version, id="undo")
    names = queries.names(uow, codes)
    if context["run"] is not None and context["run"].plan is not None:
        names |= {code: made.name for code, made in context["run"].plan.made.items()}
    return page(
        "areas/change.html",
        status=status,
        names=names,
        kind_label=KIND_LABELS[change.kind],
        state_label=STATE_LABELS[change.state],
        area_kind=policy.kind_label,
        ahead=change.on_date > today(),
        code_text=queries.code_text,
        failed=_failure(change),
        refused=refusal.shown(change.refused),
        later_label=lambda one: _("%(kind)s of %(day)s", kind=KIND_LABELS[one.kind], day=one.on_date.isoformat()),
        **context,
    )


def _card(change: AreaChange) -> Any:
    uow = current_uow()
    title = _("Changing areas") if change.state == "working" else _("Undoing the change")
    url = url_for("areas.change_progress", id=change.id)
    return job_view.card(uow, uow.get(Job, change.job_id or 0), url=url, result=False, title=title)


@bp.get("/areas/changes/<int:id>/progress")
@requires(policy.AREA_RESTRUCTURE)
def change_progress(id: int) -> Any:
    """The job's card for polling; once the change has gone on, the page is told to draw itself anew."""
    change = current_uow().get(AreaChange, id)
    if not is_fragment():
        return redirect(url_for("areas.show_change", id=id))
    if change.state not in ("working", "undoing"):
        return "", 200, {"HX-Refresh": "true"}
    return page("areas/card.html", card=_card(change))


def _failure(change: AreaChange) -> str:
    """Why the last try ended; "" when there was none."""
    if change.state not in ("draft", "done") or not change.job_id:
        return ""
    job = current_uow().get(Job, change.job_id)
    return job_view.card(current_uow(), job, result=False).error or "" if job.state == "failed" else ""


def _codes_in(change: AreaChange) -> set[int]:
    asked = change.request
    singles = {int(asked.get(name) or 0) for name in ("area", "into", "parent")}
    return singles | {int(code) for code in asked.get("areas", ())}


def _act(id: int, act: Callable[[], Any], said: str = "") -> Any:
    """Do it; what stands in the way is said on its page."""
    try:
        act()
    except (Conflict, Stale, Refused) as late:
        current_uow().rollback()
        flash(late.message, "warning")
    except Invalid as invalid:
        current_uow().rollback()
        flash("; ".join(str(text) for texts in invalid.fields.values() for text in texts), "warning")
    else:
        if said:
            flash(said, "success")
    return redirect(url_for("areas.show_change", id=id), 303)


@bp.post("/areas/changes/<int:id>/force")
@requires(policy.AREA_RESTRUCTURE)
def force_change(id: int) -> Any:
    version = _version()
    return _act(id, lambda: service.request_change(current_uow(), id=id, version=version))


@bp.post("/areas/changes/<int:id>/call-back")
@requires(policy.AREA_RESTRUCTURE)
def call_back(id: int) -> Any:
    """An arranged change is a draft again."""
    version = _version()
    said = _("Called back: it is a draft again, and nothing has changed.")
    return _act(id, lambda: service.call_back(current_uow(), id=id, version=version), said)


@bp.post("/areas/changes/<int:id>/drop")
@requires(policy.AREA_RESTRUCTURE)
def drop_change(id: int) -> Any:
    try:
        service.drop_change(current_uow(), id=id, version=_version())
    except (Conflict, Stale) as late:
        flash(late.message, "warning")
        return redirect(url_for("areas.show_change", id=id), 303)
    flash(_("The draft is thrown away."), "success")
    return redirect(url_for("areas.list_changes"), 303)


@bp.post("/areas/changes/<int:id>/undo")
@requires(policy.AREA_RESTRUCTURE)
def undo_change(id: int) -> Any:
    uow, version, reason = current_uow(), _version(), request.form.get("reason", "")
    try:
        service.request_undo(uow, id=id, version=version, reason=reason)
    except Invalid as invalid:
        form = FormView(action=request.path, values=request.form, errors=invalid.fields, version=version, id="undo")
        return _page(id, status=422, undo=form)
    except (Conflict, Stale) as late:
        uow.rollback()
        flash(late.message, "warning")
    return redirect(url_for("areas.show_change", id=id), 303)
