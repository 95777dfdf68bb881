"""The only place where the parts are put together."""

from __future__ import annotations

from pathlib import Path

from werkzeug.middleware.proxy_fix import ProxyFix

from xiangyue.access.acts import DECLARED
from xiangyue.api import setup as api_setup
from xiangyue.config import Settings
from xiangyue.features.areas.switch import area_switch
from xiangyue.runtime import Runtime
from xiangyue.web import assets, bounded, development, health, logs, pipeline, plugins, shell
from xiangyue.web import errors as web_errors
from xiangyue.web.access import anywhere

ROOT = Path(__file__).parent


def create_app(settings: Settings | None = None, *, runtime: Runtime | None = None) -> pipeline.AppFlask:
    """A Flask application ready to serve. Raises when a route or service of the core lacks a registered permission.

    A plugin whose blueprints fail here, after their trial, is left out.
    """
    runtime = runtime or Runtime(settings or Settings.load())
    logs.configure(runtime.settings)
    while True:
        try:
            return _build(runtime)
        except plugins.MountFailed as failed:
            plugins.leave_out(runtime.registry, failed)


def _build(runtime: Runtime) -> pipeline.AppFlask:
    app = bounded.CountyFlask(
        "xiangyue",
        static_folder=str(ROOT / "web" / "static"),
        template_folder=str(ROOT / "web" / "templates"),
    )
    app.extensions["xiangyue"] = runtime
    app.config["MAX_CONTENT_LENGTH"] = runtime.settings.max_upload_bytes
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 31_536_000  # names of built assets carry their hash
    app.view_functions["static"] = anywhere(assets.serve_static)
    pipeline.install(app)
    logs.install(app)
    shell.install(app, area_switch)
    web_errors.install(app)
    registry = runtime.registry
    plugins.mount_pages(app, registry)
    health.install(app)
    development.install(app)
    api_setup.install(app, registry)
    pipeline.check_marks(app)
    for name, permission in DECLARED.items():
        if permission is not None and name.startswith("xiangyue."):  # a plugin's were looked at when it came in
            registry.permissions.require(permission, name)
    if runtime.settings.trusted_proxies:
        n = runtime.settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=n, x_proto=n, x_host=n)  # type: ignore[method-assign]
    return app
