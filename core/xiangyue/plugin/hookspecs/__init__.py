"""Hook specifications: what a plugin, and each of the core's own features, may implement.

Three families. ``register_*`` are asked once per process and return frozen dataclasses (``plugin.registry``).
``*_requested`` are asked before an act and may raise ``Refused``; `grid_leader_requested` may answer with warnings.
``*_happened`` are told of it after the commit, at least once, in a background job. Parameters are ordinary named ones
(pluggy ignores keyword-only ones); an implementation names only those that it uses.
"""

from __future__ import annotations

from xiangyue.plugin.hookspecs import happened, register, requested
from xiangyue.plugin.hookspecs.happened import HAPPENED
from xiangyue.plugin.hookspecs.marks import NAMESPACE, hookimpl, hookspec
from xiangyue.plugin.hookspecs.register import REGISTRATIONS
from xiangyue.plugin.hookspecs.requested import REQUESTED

#: Modules with the specifications.
FAMILIES = (register, requested, happened)

__all__ = ["FAMILIES", "HAPPENED", "NAMESPACE", "REGISTRATIONS", "REQUESTED", "hookimpl", "hookspec"]
