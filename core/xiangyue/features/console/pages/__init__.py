"""Pages on the base domain: counties, one county, bringing counties aboard."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("console", "xiangyue.features.console", template_folder="templates")

from xiangyue.features.console.pages import aboard, administrators, counties, divisions, profiles  # noqa: E402

__all__ = ["aboard", "administrators", "bp", "counties", "divisions", "profiles"]
