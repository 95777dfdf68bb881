"""The operator's look at plugins: what is installed, whether it fits, where it is on, what it costs."""

from __future__ import annotations

from typing import Any

from flask import request, url_for

from xiangyue.errors import NotFound
from xiangyue.features.console.policy import OPERATOR_VIEW
from xiangyue.features.plugins import queries
from xiangyue.features.plugins.deployment import Spread, hook_times, spread, total
from xiangyue.features.plugins.pages import bp
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.installed import STATES
from xiangyue.plugin.manifest import API_VERSION, ENTRY_POINTS
from xiangyue.web.access import requires
from xiangyue.web.pipeline import current_uow, runtime
from xiangyue.web.shell import page


def _console_page(template: str, **context: Any) -> Any:
    """As the console's pages: the search of the top bar looks for counties."""
    return page(
        template, urls={"search": url_for("console.list_counties")}, states=STATES, api_version=API_VERSION, **context
    )


@bp.get("/console/plugins")
@requires(OPERATOR_VIEW)
def list_installed() -> Any:
    installed = runtime().registry.installed
    look, times = _look(), hook_times(runtime())
    return _console_page(
        "plugins/installed.html",
        installed=[installed[name] for name in sorted(installed)],
        look=look,
        gone=sorted(name for name in look.plugins if name not in installed and look.on(name)),
        times={name: total(hooks) for name, hooks in times.items()},
        revisions=queries.installations(current_uow()),
        group=ENTRY_POINTS,
    )


def _look() -> Spread:
    """At the counties of this page, at most ``deployment.COUNTIES``."""
    return spread(runtime(), current_uow(), request.args.get("after", ""))


@bp.get("/console/plugins/<name>")
@requires(OPERATOR_VIEW)
def show_installed(name: str) -> Any:
    installed = runtime().registry.installed.get(name)
    look = _look()
    where = look.plugins.get(name, [])
    revision = queries.installations(current_uow()).get(name)
    if installed is None and not where and revision is None and look.whole:
        raise NotFound(_l("There is no plugin of this name."))
    times = hook_times(runtime()).get(name, [])
    return _console_page(
        "plugins/installed_one.html",
        name=name,
        plugin=installed,
        label=installed.label if installed is not None else name,
        look=look,
        counties=sorted(where, key=lambda c: (not c.enabled, c.county.slug)),
        revision=revision,
        times=times,
        total=total(times),
    )
