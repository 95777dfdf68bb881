"""Pages: the list with its export, and two records side by side."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("duplicates", "xiangyue.features.duplicates", template_folder="templates")

from xiangyue.features.duplicates.pages import compare, export, lists, name  # noqa: E402

__all__ = ["bp", "compare", "export", "lists", "name"]
