"""A plugin's own pages and API: whose a request is, what it did wrong, and that it rests after it hung."""

from __future__ import annotations

from flask import g, request

from xiangyue.db.session import end_statements_after
from xiangyue.db.uow import Uow
from xiangyue.errors import NotFound, Stopped
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.addresses import API, plugin_of
from xiangyue.plugin.blame import is_away
from xiangyue.plugin.dispatch import folder_of, is_paused
from xiangyue.plugin.faults import record_fault
from xiangyue.plugin.limits import allowed_at_length
from xiangyue.plugin.offer import Contributor
from xiangyue.runtime import offer_of


def hook() -> str:
    """What faults and times of this request stand under: never its address, which may hold ids."""
    return f"{'api' if request.path.startswith(API) else 'pages'}:{request.endpoint}"


def owner() -> Contributor | None:
    """The plugin whose code answers this request; None for the core's, and where it is off."""
    found: Contributor | None = g.get("plugin")
    return found


def admit(uow: Uow, path: str) -> None:
    """Raises NotFound at an address of a plugin that is off in this county, whoever asks; Stopped while it rests.

    From here on the database ends each statement when the view's time is up.
    """
    plugin = plugin_of(path)
    if plugin is None:
        return
    found = next((c for c in offer_of(uow).contributors if c.key == plugin), None)
    if found is None:
        raise NotFound()
    if found.core or request.blueprint is None:
        return
    g.plugin = found
    if is_paused(uow, plugin, hook()):
        raise stopped(found)
    end_statements_after(uow.session, allowed_at_length())


def note(error: BaseException) -> Contributor | None:
    """Put an error on the plugins page if a plugin's code answers this request; returns the plugin to blame."""
    found = owner()
    uow: Uow | None = g.get("uow")
    if found is None or uow is None or is_away(error):
        return None
    record_fault(uow, found.key, hook(), error, near=folder_of(found), seconds=allowed_at_length())
    return found


def stopped(plugin: Contributor) -> Stopped:
    """What people read of a page that was stopped, or that rests because it was."""
    label = plugin.manifest.label if plugin.manifest is not None else plugin.key
    return Stopped(
        _l(
            "The plugin “%(plugin)s” took longer than %(seconds)s seconds for this and was stopped. Nothing was "
            "changed, and all other pages work. Try again in a minute; if it stays, tell whoever manages plugins here.",
            plugin=label,
            seconds=f"{allowed_at_length():g}",
        ),
        plugin=plugin.key,
    )
