"""Pages about personal information."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("privacy", "xiangyue.features.privacy", template_folder="templates")

from xiangyue.features.privacy.pages import fields, log, request, requests  # noqa: E402

__all__ = ["bp", "fields", "log", "request", "requests"]
