"""What every plugin is held to."""

from __future__ import annotations

from xiangyue.sdk.testing import PluginConformance


class TestConformance(PluginConformance):
    plugin = "contact321"
