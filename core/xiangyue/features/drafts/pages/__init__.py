"""Pages: the list with its export, planning, one draft on its board, two drafts side by side."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("drafts", "xiangyue.features.drafts", template_folder="templates")

from xiangyue.features.drafts.pages import acts, lists, show  # noqa: E402

__all__ = ["acts", "bp", "lists", "show"]
