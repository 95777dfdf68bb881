"""By what pluggy knows specifications and implementations."""

from __future__ import annotations

import pluggy

NAMESPACE = "xiangyue"
hookspec = pluggy.HookspecMarker(NAMESPACE)
hookimpl = pluggy.HookimplMarker(NAMESPACE)
