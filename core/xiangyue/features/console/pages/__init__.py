"""Pages on the base domain: counties, one county, bringing counties aboard."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("console", "xiangyue.features.console", template_folder="templates")

from xiangyue.features.console.pages import (  # noqa: E402
    aboard,
    administrators,
    counties,
    counties_export,
    divisions,
    profiles,
)

__all__ = ["aboard", "administrators", "bp", "counties", "counties_export", "divisions", "profiles"]
