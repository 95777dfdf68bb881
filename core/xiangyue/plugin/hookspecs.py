"""Hook specifications. Parameters are ordinary named ones (pluggy ignores keyword-only ones)."""

from __future__ import annotations

import pluggy

from xiangyue.plugin.registry import Feature

NAMESPACE = "xiangyue"
hookspec = pluggy.HookspecMarker(NAMESPACE)
hookimpl = pluggy.HookimplMarker(NAMESPACE)


@hookspec
def register_feature() -> Feature:  # type: ignore[empty-body]
    """Return what the feature brings: permissions, pages, API, navigation, jobs, profile sections.

    Example::

        @hookimpl
        def register_feature():
            return Feature(key="areas", permissions=(AREA_VIEW,), blueprints=(pages.bp,))
    """
