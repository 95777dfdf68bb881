"""For tests of plugins: the conformance kit, two counties on real servers, and waiting with a deadline.

Name it in ``pytest_plugins`` of the tests' ``conftest.py``; it brings the fixtures ``runtime``, ``app``, ``hanyin``,
``tongyu``, ``operator``, ``kit``, ``live`` and ``new_page``.
"""

from __future__ import annotations

from xiangyue.plugin.follows import follow_rows, unfollow_rows
from xiangyue.testing.conformance import Kit, PluginConformance, prepared
from xiangyue.testing.conformance.kit import switch
from xiangyue.testing.fixtures import PASSWORD, County
from xiangyue.testing.live import LiveServer, wait_for

__all__ = [
    "PASSWORD",
    "County",
    "Kit",
    "LiveServer",
    "PluginConformance",
    "follow_rows",
    "prepared",
    "switch",
    "unfollow_rows",
    "wait_for",
]

pytest_plugins = [
    "xiangyue.testing.servers",
    "xiangyue.testing.fixtures",
    "xiangyue.testing.conformance.fixtures",
    "xiangyue.testing.live",
    "xiangyue.testing.workers",
]
