"""Pages of plugins: the county's under its settings, the operator's on the base domain."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("plugins", "xiangyue.features.plugins", template_folder="templates")

from xiangyue.features.plugins.pages import county, installed  # noqa: E402

__all__ = ["bp", "county", "installed"]
