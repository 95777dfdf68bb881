"""API of the county's plugins: which are on, their settings, their data."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify

from xiangyue.api.lists import list_response, required_version, set_etag, takes_version
from xiangyue.api.setup import ApiBlueprint
from xiangyue.errors import Invalid, NotFound, PreconditionFailed, Stale
from xiangyue.features.accounts.queries.roles import all_roles
from xiangyue.features.plugins import policy, queries, schemas, service, view
from xiangyue.features.plugins.brings import brought_by, rights_of
from xiangyue.features.plugins.queries import Standing
from xiangyue.features.plugins.settings_schema import described
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.tenancy.enablement import plugins_changed
from xiangyue.web.access import requires
from xiangyue.web.pipeline import current_uow, runtime

bp = ApiBlueprint("plugins", __name__, url_prefix="/plugins", description="Plugins of the county")


def _standing(name: str) -> Standing:
    return queries.standing(current_uow(), runtime().registry, name)


def _shown(found: Standing) -> dict[str, Any]:
    return {
        "name": found.name,
        "label": str(found.label),
        "summary": str(found.summary),
        "version": found.installed.version if found.installed is not None else "",
        "enabled": found.enabled,
        "state": found.state,
        "can_be_on": found.can_be_on,
        "reason": str(found.reason),
        "needs": list(found.needs),
        "needed_by": list(found.needed_by),
        "faults": found.faults,
        "row_version": found.version,
    }


def _described(settings: view.Settings | None) -> dict[str, Any] | None:
    return None if settings is None or settings.fault else described(settings.schema, settings.county)


def _detail(found: Standing) -> Response:
    uow = current_uow()
    settings = view.settings_of(uow, found)
    installed = found.installed
    roles = [(line.role, line.accounts) for line in all_roles(uow)]
    body = {
        **_shown(found),
        "settings": dict(settings.data) if settings is not None and settings.data is not None else None,
        "settings_schema": _described(settings),
        "brings": [
            {"kind": b.key, "label": str(b.label), "things": list(b.things)}
            for b in (brought_by(installed) if installed is not None else [])
        ],
        "rights": [
            {
                "name": right.permission.name,
                "label": str(right.permission.label),
                "sensitive": right.permission.sensitive,
                "roles": [role.key for role, _held in right.roles],
            }
            for right in (rights_of(installed, roles) if installed is not None else [])
        ],
        "last_faults": [
            {
                "hook": fault.hook,
                "error": fault.error,
                "count": fault.count,
                "first_at": fault.first_at.isoformat(),
                "last_at": fault.last_at.isoformat(),
            }
            for fault in queries.faults_of(uow, found.name)
        ],
    }
    return set_etag(jsonify(body), found.version)


@bp.route("", methods=["GET"])
@bp.response(200, schemas.PluginListSchema)
@requires(policy.PLUGIN_VIEW)
def list_plugins() -> Response:
    """Plugins that are installed or that the county ever had, those that are on first"""
    found = queries.standings(current_uow(), runtime().registry)
    return list_response([_shown(one) for one in found], None)


@bp.route("/<name>", methods=["GET"])
@bp.response(200, schemas.PluginDetailSchema)
@requires(policy.PLUGIN_VIEW)
def show_plugin(name: str) -> Response:
    """One plugin: settings with their schema, what it brings, its rights, its last faults"""
    return _detail(_standing(name))


@bp.route("/<name>", methods=["PATCH"])
@bp.arguments(schemas.PluginChangeSchema)
@bp.response(200, schemas.PluginDetailSchema)
@requires(policy.PLUGIN_MANAGE)
@takes_version
def change_plugin(values: dict[str, Any], name: str) -> Response:
    """Switch it on or off, change its settings; needs If-Match"""
    uow = current_uow()
    version = required_version()
    plugins_changed(uow)  # from here on nobody else changes a plugin of this county
    found = _standing(name)
    if found.version != version:
        raise PreconditionFailed(_l("Somebody changed this meanwhile."), theirs=_theirs(found))
    if "settings" in values:
        settings = view.settings_of(uow, found)
        if settings is None or settings.fault:
            raise Invalid({"settings": [_l("This plugin has no settings here.")]})
        wanted = view.merged(settings.data or {}, values["settings"], settings.fields)
        try:
            view.judged(uow, found, settings, wanted, {})
            service.set_plugin_settings(uow, name=name, version=version, values=wanted)
        except Invalid as error:
            raise Invalid({f"settings.{path}".rstrip("."): texts for path, texts in error.fields.items()}) from None
        except Stale as error:
            raise PreconditionFailed(error.message, theirs=_theirs(_standing(name))) from None
    if "enabled" in values and values["enabled"] != _standing(name).enabled:
        service.switch_plugin(uow, name=name, enabled=values["enabled"])
    uow.session.flush()
    return _detail(_standing(name))


def _theirs(found: Standing) -> dict[str, Any]:
    settings = view.settings_of(current_uow(), found)
    data = dict(settings.data) if settings is not None and settings.data is not None else None
    return {"enabled": found.enabled, "settings": data, "row_version": found.version}


@bp.route("/<name>/data", methods=["DELETE"])
@bp.arguments(schemas.PluginPurgeSchema)
@bp.response(200, schemas.PluginPurgedSchema)
@requires(policy.PLUGIN_MANAGE)
def purge_plugin(values: dict[str, Any], name: str) -> Response:
    """Delete for good what a plugin that is off recorded in the county, with its settings"""
    uow = current_uow()
    if _standing(name).row is None:
        raise NotFound(_l("It recorded nothing in this county."))
    if values["confirm"] != name:
        raise Invalid({"confirm": [_l("This is not its name. Nothing was deleted.")]})
    return jsonify({"deleted": service.purge_plugin(uow, name=name)})
