"""Pages of the settings: the county as its profile says, and its lists."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, request, url_for
from sqlalchemy import func, select

from xiangyue import __version__
from xiangyue.access.models import AuditEntry, Role
from xiangyue.errors import Invalid, NotFound, Stale
from xiangyue.features.audit.queries import history_of
from xiangyue.features.audit.view import row as row_in_words
from xiangyue.features.audit.view import words_for
from xiangyue.features.households.custom_usage import lacking, lacking_query, option_usage, records_query
from xiangyue.features.plugins import queries as plugin_queries
from xiangyue.features.plugins.policy import PLUGIN_VIEW
from xiangyue.features.settings import queries, service, view
from xiangyue.features.settings.policy import SETTINGS_EDIT, SETTINGS_VIEW
from xiangyue.i18n import gettext as _
from xiangyue.i18n import join_words, pick
from xiangyue.text.whole import whole_number
from xiangyue.web.access import requires
from xiangyue.web.components import ConflictRow, FormView
from xiangyue.web.pipeline import current_actor, current_offer, current_uow, runtime
from xiangyue.web.shell import flash, page

bp = Blueprint("settings", __name__, template_folder="templates")


def _list(slug: str) -> view.ListWords:
    found = view.LISTS.get(slug)
    if found is None:
        raise NotFound()
    return found


def may_edit() -> bool:
    return current_actor().ranges(SETTINGS_EDIT) is None


def plugin_keys() -> list[str]:
    """Features that are no part of the core."""
    return [c.key for c in current_offer().contributors if not c.core]


@bp.get("/settings")
@requires(SETTINGS_VIEW)
def show_settings() -> Any:
    uow = current_uow()
    tenant = queries.tenant_row(uow)
    settings = runtime().settings
    roles = {r.key: pick(r.name, r.name_en) for r in uow.session.scalars(select(Role).order_by(Role.id))}
    counts = {
        slug: uow.session.execute(
            select(func.count()).select_from(words.spec.model).where(words.spec.model.active)
        ).scalar_one()
        for slug, words in view.LISTS.items()
    }
    return page(
        "settings/show.html",
        tenant=tenant,
        addresses=[
            settings.address(host) for host in (f"{tenant.slug}.{settings.base_domain}", *queries.own_hosts(uow))
        ],
        session_hours=tenant.settings.get("session_hours") or settings.session_hours,
        own_hours=tenant.settings.get("session_hours") is not None,
        totp_roles=[roles.get(key, key) for key in tenant.settings.get("require_totp_roles", [])],
        role_count=len(roles),
        lists=view.LISTS,
        counts=counts,
        version=__version__,
        plugins=plugin_queries.standings(uow, runtime().registry),
        plugin_states=plugin_queries.STATES,
        may_see_plugins=current_actor().can(PLUGIN_VIEW),
    )


@bp.get("/settings/<slug>")
@requires(SETTINGS_VIEW)
def list_kinds(slug: str) -> Any:
    uow = current_uow()
    words = _list(slug)
    rows = queries.list_kinds(uow, words.spec)
    numbers = queries.usage(uow, words.spec)
    return page(
        "settings/list.html",
        words=words,
        rows=[(row, queries.used(row, words.spec, numbers)) for row in rows],
        records_of=records_query,
        ends=view.ends(rows) if words.slug == "custom-fields" else {},
        types=view.TYPES,
        entities=view.ENTITIES,
        may_edit=may_edit(),
    )


@bp.get("/settings/<slug>/new")
@requires(SETTINGS_EDIT)
def new_kind(slug: str) -> Any:
    words = _list(slug)
    start = {"sensitivity": "normal", "follows_to_household": True, "entity": "household", "type": "text"}
    return _form(words, FormView(values=start, draft=f"settings-{slug}-new"), options=[])


@bp.post("/settings/<slug>/new")
@requires(SETTINGS_EDIT)
def add_kind(slug: str) -> Any:
    uow = current_uow()
    words = _list(slug)
    values = view.typed(request.form, words.spec)
    try:
        row = service.add_kind(uow, spec=words.spec, values=values)
    except Invalid as error:
        form = FormView(values=values, errors=error.fields, draft=f"settings-{slug}-new")
        return _form(words, form, options=values.get("options", []), status=422)
    flash(_("“%(name)s” is in the list now.", name=row.name))
    return redirect(url_for("settings.list_kinds", slug=slug), 303)


@bp.get("/settings/<slug>/<int:id>")
@requires(SETTINGS_VIEW)
def show_kind(slug: str, id: int) -> Any:
    uow = current_uow()
    words = _list(slug)
    row = queries.get_kind(uow, words.spec, id)
    values = queries.values_of(row, words.spec)
    form = FormView(
        values=values,
        version=queries.version_of(row, words.spec),
        draft=f"settings-{slug}-{id}" if may_edit() else None,
    )
    return _form(words, form, row=row, options=values.get("options", []))


@bp.post("/settings/<slug>/<int:id>")
@requires(SETTINGS_EDIT)
def edit_kind(slug: str, id: int) -> Any:
    uow = current_uow()
    words = _list(slug)
    values = view.typed(request.form, words.spec)
    draft = f"settings-{slug}-{id}"
    was = getattr(queries.get_kind(uow, words.spec, id), "required", True)
    try:
        row = service.edit_kind(uow, spec=words.spec, id=id, version=_version(), values=values)
    except Invalid as error:
        row = queries.get_kind(uow, words.spec, id)
        form = FormView(values=values, errors=error.fields, version=request.form.get("version"), draft=draft)
        return _form(words, form, row=row, options=values.get("options", []), status=422)
    except Stale as error:
        row = queries.get_kind(uow, words.spec, id)
        form = FormView(
            values=values,
            version=queries.version_of(row, words.spec),
            draft=draft,
            conflict=_conflict(values, error.theirs),
            reload_url=url_for("settings.show_kind", slug=slug, id=id),
        )
        return _form(words, form, row=row, options=values.get("options", []), status=409)
    flash(_("Saved: %(name)s", name=row.name))
    if values.get("required") and not was and lacking(uow, row):
        return redirect(url_for("settings.show_kind", slug=slug, id=id), 303)  # which says what that means
    return redirect(url_for("settings.list_kinds", slug=slug), 303)


@bp.post("/settings/custom-fields/<int:id>/move")
@requires(SETTINGS_EDIT)
def move_field(id: int) -> Any:
    service.move_field(current_uow(), id=id, up=request.form.get("to") == "up")
    return redirect(url_for("settings.list_kinds", slug="custom-fields") + f"#field-{id}", 303)


@bp.post("/settings/<slug>/<int:id>/active")
@requires(SETTINGS_EDIT)
def set_active(slug: str, id: int) -> Any:
    uow = current_uow()
    words = _list(slug)
    active = request.form.get("active") == "1"
    row = service.edit_kind(uow, spec=words.spec, id=id, version=_version(), values={"active": active})
    said = _("“%(name)s” is in use again.") if active else _("“%(name)s” is retired. Records that have it keep it.")
    flash(said % {"name": row.name})
    return redirect(url_for("settings.list_kinds", slug=slug), 303)


def _version() -> int:
    return whole_number(request.form.get("version", "")) or 0


def _conflict(mine: dict[str, Any], theirs: dict[str, Any]) -> list[ConflictRow]:
    return [
        ConflictRow(column, view.LABELS[column], _flat(mine[column]), _flat(theirs[column]))
        for column in mine
        if column in theirs
    ]


def _flat(value: Any) -> Any:
    if isinstance(value, list):
        return join_words((option["name"] for option in value), "; ")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return value


def _form(
    words: view.ListWords,
    form: FormView,
    *,
    row: Any = None,
    options: list[dict[str, str]],
    status: int = 200,
) -> Any:
    uow = current_uow()
    history = history_of(uow, words.spec.key, row.id) if row is not None else []
    spoken = words_for(uow, history)
    return page(
        "settings/form.html",
        status,
        words=words,
        form=form,
        row=row,
        labels=view.LABELS,
        types=view.TYPES,
        entities=view.ENTITIES,
        sensitivities=view.SENSITIVITIES,
        options=view.option_rows(options),
        chosen=option_usage(uow, row.id) if row is not None and words.slug == "custom-fields" else {},
        lacking=lacking(uow, row) if row is not None and row.active and words.slug == "custom-fields" else 0,
        lacking_of=lacking_query,
        records_of=records_query,
        used=queries.used(row, words.spec, queries.usage(uow, words.spec)) if row is not None else 0,
        version=queries.version_of(row, words.spec) if row is not None else None,
        may_edit=may_edit(),
        history=[_event(spoken, entry) for entry in history],
    )


def _event(spoken: Any, entry: AuditEntry) -> dict[str, Any]:
    line = row_in_words(spoken, entry)
    changes = line.changes if entry.action.endswith(".edit") else []
    return {"head": line.action, "who": line.who, "system": line.system, "when": line.at, "changes": changes}
