"""Pages about personal information."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("privacy", "xiangyue.features.privacy", template_folder="templates")

from xiangyue.features.privacy.pages import (  # noqa: E402
    care,
    consents,
    fields,
    log,
    notices,
    request,
    requests,
    requests_export,
)

__all__ = ["bp", "care", "consents", "fields", "log", "notices", "request", "requests", "requests_export"]
