"""Writes of plugins in a county: on and off, settings, deleting what one recorded. All for the whole county."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, func, select

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit, changed
from xiangyue.db.plugin_tables import RowsInUse, delete_rows
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Forbidden, NotFound, Stale
from xiangyue.features.accounts.roles import follow_templates
from xiangyue.features.plugins import policy
from xiangyue.features.plugins.settings_input import checked
from xiangyue.features.plugins.stored import CACHE, as_stored, forget_settings, installed_in, read_stored
from xiangyue.i18n import join_words
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.dispatch import publish_to, unpause
from xiangyue.plugin.faults import Nonsense, record_fault
from xiangyue.plugin.models import PluginFault, TenantPlugin
from xiangyue.runtime import runtime_of
from xiangyue.tenancy.enablement import enabled_names, plugins_changed

SWITCHED = "plugin_switch_happened"


def _county_wide(uow: Uow) -> None:
    if uow.scope.ranges is not None:
        raise Forbidden(_l("Plugins hold for the whole county: you need the right for the whole county."))


def _row(uow: Uow, name: str) -> TenantPlugin | None:
    statement = select(TenantPlugin).where(TenantPlugin.name == name)
    return uow.session.scalars(statement.execution_options(populate_existing=True)).one_or_none()


def _row_or_new(uow: Uow, name: str) -> TenantPlugin:
    row = _row(uow, name)
    if row is None:
        if name not in installed_in(uow):
            raise NotFound(_l("There is no plugin of this name."))
        last = uow.session.scalars(select(func.coalesce(func.max(TenantPlugin.position), 0))).one()
        row = TenantPlugin(name=name, enabled=False, settings={}, position=last + 1, version=0)
        uow.session.add(row)
    return row


def _label(uow: Uow, name: str) -> str:
    installed = installed_in(uow).get(name)
    return name if installed is None else str(installed.label)


@acts(policy.PLUGIN_MANAGE)
def switch_plugin(uow: Uow, *, name: str, enabled: bool) -> TenantPlugin:
    """Switch a plugin on or off in the county, from the next request on. Its settings and data are kept.

    Roles made from templates get the rights that the plugin gives to these, or lose them. Raises NotFound, and
    Conflict when it cannot be on, or when another that is on requires it.
    """
    _county_wide(uow)
    runtime = runtime_of(uow)
    if runtime is not None:
        runtime.check_plugins(uow)
    plugins_changed(uow)
    row = _row_or_new(uow, name)
    if row.enabled == enabled:
        return row
    (_may_be_on if enabled else _may_be_off)(uow, name)
    row.enabled = enabled
    row.version += 1
    uow.session.flush()
    unpause(uow, name)
    roles = follow_templates(uow)
    audit(
        uow,
        action="plugin.on" if enabled else "plugin.off",
        object_type="plugin",
        object_id=row.id,
        label=_label(uow, name),
        after={"plugin": name, "roles": roles},
    )
    installed = installed_in(uow).get(name)
    if installed is not None and installed.contributor is not None:
        publish_to(uow, installed.contributor, SWITCHED, enabled=enabled)
    return row


def _may_be_on(uow: Uow, name: str) -> None:
    known = installed_in(uow)
    installed = known.get(name)
    if installed is None:
        raise Conflict(_l("“%(name)s” is not installed, so it cannot be switched on.", name=name))
    if not installed.ready:
        raise Conflict(
            _l("“%(name)s” cannot be switched on: %(reason)s", name=installed.label, reason=installed.reason)
        )
    on = {n for n in enabled_names(uow) if n in known and known[n].ready}
    missing = [n for n in (installed.manifest.requires if installed.manifest else ()) if n not in on]
    if missing:
        names = join_words(_label(uow, n) for n in missing)
        raise Conflict(_l("“%(name)s” needs %(names)s. Switch that on first.", name=installed.label, names=names))


def _may_be_off(uow: Uow, name: str) -> None:
    known = installed_in(uow)
    needing = []
    for other in enabled_names(uow):
        manifest = known[other].manifest if other in known else None
        if manifest is not None and name in manifest.requires:
            needing.append(_label(uow, other))
    if needing:
        raise Conflict(
            _l(
                "%(names)s needs “%(name)s”. Switch that off first.",
                names=join_words(needing),
                name=_label(uow, name),
            )
        )


@acts(policy.PLUGIN_MANAGE)
def set_plugin_settings(uow: Uow, *, name: str, version: int, values: Mapping[str, Any]) -> TenantPlugin:
    """Set a plugin's settings in the county; they may be set before it is switched on.

    ``values``: all of them as data of its schema (JSON); what is left out has its default. ``version``: what the
    person read, 0 before there were any. Raises NotFound, Stale with the settings that stand, Invalid by field.
    """
    _county_wide(uow)
    plugins_changed(uow)
    row = _row_or_new(uow, name)
    if row.version != version:
        raise Stale(_l("Somebody changed this meanwhile."), theirs=dict(row.settings))
    installed = installed_in(uow).get(name)
    schema = installed.manifest.settings if installed is not None and installed.manifest is not None else None
    if schema is None:
        raise NotFound(_l("This plugin has no settings."))
    checked(schema(), values)
    before, after = dict(row.settings), as_stored(values)
    if before == after and row.version:
        return row
    row.settings = after
    row.version += 1
    uow.session.flush()
    forget_settings(uow)
    unpause(uow, name)
    keys = {**before, **after}
    old, new = changed({k: before.get(k) for k in keys}, {k: after.get(k) for k in keys})
    audit(
        uow,
        action="plugin.settings",
        object_type="plugin",
        object_id=row.id,
        label=_label(uow, name),
        before=old,
        after=new,
    )
    return row


@acts(None)
def plugin_settings(uow: Uow, name: str) -> dict[str, Any]:
    """A plugin's settings in the county as its schema loads them, defaults filled in; {} where it has no schema.

    A stored value that the schema refuses by now has its default, and a fault says so.
    """
    cache: dict[str, dict[str, Any]] = uow.session.info.setdefault(CACHE, {})
    if name not in cache:
        installed = installed_in(uow).get(name)
        schema = installed.manifest.settings if installed is not None and installed.manifest is not None else None
        if schema is None:
            return {}
        stored = uow.session.scalars(select(TenantPlugin.settings).where(TenantPlugin.name == name)).one_or_none()
        cache[name], refused = read_stored(schema(), stored or {})
        if refused:
            record_fault(uow, name, "settings", Nonsense(f"stored values no longer fit: {', '.join(refused)}"))
    return dict(cache[name])


@acts(policy.PLUGIN_MANAGE)
def purge_plugin(uow: Uow, *, name: str) -> dict[str, int]:
    """Delete for good what a plugin that is off recorded in this county, with its settings and faults.

    Decisions of its classifiers stay: they are the county's records, as the audit trail is. Works for one that is no
    longer installed too. Returns rows deleted by table. Raises NotFound, Conflict when it is
    on, or when rows of others refer to its rows.
    """
    _county_wide(uow)
    plugins_changed(uow)
    row = _row(uow, name)
    if row is None and name not in installed_in(uow):
        raise NotFound(_l("There is no plugin of this name."))
    if row is not None and row.enabled:
        raise Conflict(_l("Switch “%(name)s” off first; then its data can be deleted.", name=_label(uow, name)))
    try:
        counts = delete_rows(uow.session, f"plugin_{name}")
    except RowsInUse as error:
        raise Conflict(
            _l("Rows of “%(table)s” are still referred to by others, so nothing was deleted.", table=error.table)
        ) from None
    uow.session.execute(delete(PluginFault).where(PluginFault.plugin == name))
    if row is not None:
        uow.session.delete(row)
    uow.session.flush()
    forget_settings(uow)
    after = {"plugin": name, "rows": {table: n for table, n in counts.items() if n}}
    audit(uow, action="plugin.purge", object_type="plugin", label=_label(uow, name), after=after)
    return counts
