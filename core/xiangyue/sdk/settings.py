"""What a county has set for a plugin."""

from __future__ import annotations

from xiangyue.features.plugins.service import plugin_settings

__all__ = ["plugin_settings"]
