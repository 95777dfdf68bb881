"""Pages: signing in, one's own account, accounts of others, roles."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("accounts", "xiangyue.features.accounts", template_folder="templates")

from xiangyue.features.accounts.pages import (  # noqa: E402
    accounts,
    changes,
    export,
    me,
    purpose,
    rights,
    roles,
    secrets,
    sign_in,
)

__all__ = ["accounts", "bp", "changes", "export", "me", "purpose", "rights", "roles", "secrets", "sign_in"]
