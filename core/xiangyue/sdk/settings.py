"""What a county has set for a plugin, and choices for settings that are keys of the county's own things."""

from __future__ import annotations

from xiangyue.features.plugins.service import plugin_settings
from xiangyue.features.plugins.settings_choices import award_choices, mark_choices

__all__ = ["award_choices", "mark_choices", "plugin_settings"]
