"""Pages about personal information."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("privacy", "xiangyue.features.privacy", template_folder="templates")

from xiangyue.features.privacy.pages import care, fields, log, request, requests, requests_export  # noqa: E402

__all__ = ["bp", "care", "fields", "log", "request", "requests", "requests_export"]
