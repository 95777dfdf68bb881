"""The operator's look at plugins: what is installed, whether it fits, where it is on, what it costs."""

from __future__ import annotations

from typing import Any

from flask import url_for

from xiangyue.errors import NotFound
from xiangyue.features.console.policy import OPERATOR_VIEW
from xiangyue.features.plugins import queries
from xiangyue.features.plugins.deployment import hook_times, spread, total
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
    where, times = spread(runtime(), current_uow()), hook_times()
    return _console_page(
        "plugins/installed.html",
        installed=[installed[name] for name in sorted(installed)],
        gone=sorted(name for name, counties in where.items() if name not in installed and _on(counties)),
        on={name: _on(counties) for name, counties in where.items()},
        faults={name: sum(c.faults for c in counties) for name, counties in where.items()},
        times={name: total(hooks) for name, hooks in times.items()},
        revisions=queries.installations(current_uow()),
        group=ENTRY_POINTS,
    )


def _on(counties: list[Any]) -> int:
    return sum(1 for county in counties if county.enabled)


@bp.get("/console/plugins/<name>")
@requires(OPERATOR_VIEW)
def show_installed(name: str) -> Any:
    installed = runtime().registry.installed.get(name)
    where = spread(runtime(), current_uow()).get(name, [])
    revision = queries.installations(current_uow()).get(name)
    if installed is None and not where and revision is None:
        raise NotFound(_l("There is no plugin of this name."))
    times = hook_times().get(name, [])
    return _console_page(
        "plugins/installed_one.html",
        name=name,
        plugin=installed,
        label=installed.label if installed is not None else name,
        counties=sorted(where, key=lambda c: (not c.enabled, c.county.slug)),
        revision=revision,
        times=times,
        total=total(times),
    )
