"""Pages: the list with its export and batch, one classification with why and its decision."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("classifications", "xiangyue.features.classifications", template_folder="templates")

from xiangyue.features.classifications.pages import acts, export, lists, show  # noqa: E402

__all__ = ["acts", "bp", "export", "lists", "show"]
