"""Plugins in the application: their pages are mounted under ``/p/<plugin>/``, their files served from there.

Whether a county has a plugin on is asked by the pipeline, at every request.
"""

from __future__ import annotations

from flask import Flask, Response, request, send_from_directory, url_for

from xiangyue.errors import NotFound
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.addresses import PAGES, pages_prefix
from xiangyue.plugin.installed import BROKEN, told
from xiangyue.plugin.manager import Registry
from xiangyue.web.access import public
from xiangyue.web.pipeline import runtime

#: A file asked for with the plugin's version in its address never changes.
_LONG = 31_536_000
_SHORT = 300


class MountFailed(Exception):
    """A plugin's blueprint could not be registered, though it could on the trial application."""

    def __init__(self, plugin: str, error: BaseException) -> None:
        super().__init__(plugin)
        self.plugin = plugin
        self.error = error


def mount_pages(app: Flask, registry: Registry) -> None:
    """Register everyone's page blueprints. Raises MountFailed for a plugin, after which the application is useless."""
    for contributor, blueprint in registry.each("pages"):
        if contributor.core:
            app.register_blueprint(blueprint)
            continue
        try:
            app.register_blueprint(blueprint, url_prefix=pages_prefix(contributor.key))
        except Exception as error:
            raise MountFailed(contributor.key, error) from error
    app.add_url_rule(f"{PAGES}<plugin>/static/<path:filename>", "plugin_static", _serve_static)
    app.jinja_env.globals.update(plugin_static=plugin_static)


def leave_out(registry: Registry, failed: MountFailed) -> None:
    """Go on without a plugin that could not be mounted; its reason says why."""
    registry.remove(failed.plugin)
    registry.mark(
        failed.plugin,
        BROKEN,
        _l("Its pages or API could not be registered: %(detail)s", detail=told(failed.error)),
    )


def plugin_static(plugin: str, filename: str) -> str:
    """Address of a file of the plugin's static folder, with its version: it may be kept for long."""
    installed = runtime().registry.installed.get(plugin)
    version = installed.manifest.version if installed is not None and installed.manifest is not None else None
    return url_for("plugin_static", plugin=plugin, filename=filename, v=version)


@public
def _serve_static(plugin: str, filename: str) -> Response:
    installed = runtime().registry.installed.get(plugin)
    manifest = installed.manifest if installed is not None else None
    if manifest is None or manifest.static is None:
        raise NotFound()
    kept = _LONG if request.args.get("v") == manifest.version else _SHORT
    return send_from_directory(manifest.static, filename, max_age=kept)
