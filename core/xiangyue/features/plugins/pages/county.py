"""The county's plugins: which are on, their settings, faults and data."""

from __future__ import annotations

from typing import Any

from flask import redirect, request, url_for

from xiangyue.errors import Conflict, Invalid, NotFound, Stale
from xiangyue.features.accounts.queries.roles import all_roles
from xiangyue.features.audit.queries import history_of
from xiangyue.features.audit.view import row as row_in_words
from xiangyue.features.audit.view import words_for
from xiangyue.features.plugins import policy, queries, service, view
from xiangyue.features.plugins.brings import brought_by, rights_of
from xiangyue.features.plugins.pages import bp
from xiangyue.features.plugins.settings_form import form_errors
from xiangyue.features.plugins.settings_input import typed
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.text.whole import whole_number
from xiangyue.web.access import requires
from xiangyue.web.components import FormView, TimelineItem
from xiangyue.web.pipeline import current_actor, current_uow, runtime
from xiangyue.web.shell import flash, page


def _standing(name: str) -> queries.Standing:
    return queries.standing(current_uow(), runtime().registry, name)


def may_manage() -> bool:
    return current_actor().ranges(policy.PLUGIN_MANAGE) is None


@bp.get("/settings/plugins")
@requires(policy.PLUGIN_VIEW)
def list_plugins() -> Any:
    found = queries.standings(current_uow(), runtime().registry)
    return page("plugins/list.html", plugins=found, states=queries.STATES)


@bp.get("/settings/plugins/<name>")
@requires(policy.PLUGIN_VIEW)
def show_plugin(name: str) -> Any:
    return _page(name)


@bp.post("/settings/plugins/<name>/switch")
@requires(policy.PLUGIN_MANAGE)
def switch(name: str) -> Any:
    enabled = request.form.get("enabled") == "1"
    try:
        service.switch_plugin(current_uow(), name=name, enabled=enabled)
    except Conflict as error:
        return _page(name, 409, problem=error.message)
    label = str(_standing(name).label)
    said = _("“%(name)s” is on.", name=label) if enabled else _("“%(name)s” is off. Its data are kept.", name=label)
    flash(said)
    return redirect(url_for("plugins.show_plugin", name=name), 303)


@bp.post("/settings/plugins/<name>")
@requires(policy.PLUGIN_MANAGE)
def save_settings(name: str) -> Any:
    uow = current_uow()
    found = _standing(name)
    settings = view.settings_of(uow, found)
    if settings is None or settings.fault:
        return _page(name, 409)
    values, faults = typed(settings.schema, request.form, settings.county)
    try:
        view.judged(uow, found, settings, values, faults)
        service.set_plugin_settings(uow, name=name, version=_version(), values=values)
    except Invalid as error:
        errors = form_errors(settings.fields, error.fields)
        version = request.form.get("version")
        return _page(name, 422, form=_form(name, request.form, version=version, errors=errors))
    except Stale:
        version = str(_standing(name).version)
        form = _form(
            name,
            request.form,
            version=version,
            conflict=view.conflict_rows(settings, request.form),
            reload_url=url_for("plugins.show_plugin", name=name),
        )
        return _page(name, 409, form=form)
    flash(_("The settings are saved."))
    return redirect(url_for("plugins.show_plugin", name=name), 303)


@bp.post("/settings/plugins/<name>/purge")
@requires(policy.PLUGIN_MANAGE)
def purge(name: str) -> Any:
    typed_name = request.form.get("confirm", "").strip()
    found = _standing(name)
    if found.row is None:
        raise NotFound(_l("It recorded nothing in this county."))
    label = str(found.label)
    if typed_name != name:
        errors = {"confirm": [_("This is not its name. Nothing was deleted.")]}
        return _page(name, 422, purge=FormView(id="purge", values={"confirm": typed_name}, errors=errors))
    try:
        service.purge_plugin(current_uow(), name=name)
    except Conflict as error:
        return _page(name, 409, problem=error.message)
    flash(_("The data of “%(name)s” are deleted.", name=label))
    return redirect(url_for("plugins.list_plugins"), 303)


def _version() -> int:
    return whole_number(request.form.get("version", "")) or 0


def _form(name: str, values: Any, **more: Any) -> FormView:
    action = url_for("plugins.save_settings", name=name)
    return FormView(action=action, values=values, draft=f"plugin-{name}", id="settings-form", **more)


def _page(
    name: str,
    status: int = 200,
    *,
    form: FormView | None = None,
    purge: FormView | None = None,
    problem: Any = "",
) -> Any:
    uow = current_uow()
    found = _standing(name)
    settings = view.settings_of(uow, found)
    if form is None and settings is not None:
        form = _form(name, settings.values, version=found.version)
    roles = [(line.role, line.accounts) for line in all_roles(uow)]
    purgeable = may_manage() and found.row is not None and not found.enabled
    purge = purge or FormView(id="purge")
    manifest = found.installed.manifest if found.installed is not None else None
    return page(
        "plugins/show.html",
        status,
        plugin=found,
        states=queries.STATES,
        settings=settings,
        form=form,
        brings=brought_by(found.installed) if found.installed is not None else [],
        rights=rights_of(found.installed, roles) if found.installed is not None else [],
        required=manifest.requires if manifest is not None else (),
        faults=queries.faults_of(uow, name),
        history=_history(found),
        may_manage=may_manage(),
        question=view.question(found),
        kept=[line for line in queries.kept_rows(uow, name) if line[1]] if purgeable else [],
        purge=FormView(
            id="purge",
            action=url_for("plugins.purge", name=name),
            values=purge.values,
            errors=purge.errors,
        )
        if purgeable
        else None,
        problem=problem,
    )


def _history(found: queries.Standing) -> list[TimelineItem]:
    if found.row is None:
        return []
    uow = current_uow()
    entries = history_of(uow, "plugin", found.row.id)
    spoken = words_for(uow, entries)
    lines = [row_in_words(spoken, entry) for entry in entries]
    return [TimelineItem(head=line.action, meta=line.who, when=line.at) for line in lines]
