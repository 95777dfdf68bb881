"""Pages of organisations."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("organisations", "xiangyue.features.organisations", template_folder="templates")

from xiangyue.features.organisations.pages import (  # noqa: E402
    card,
    edit,
    elections,
    exports,
    figures,
    holding,
    listing,
    show,
)

__all__ = ["bp", "card", "edit", "elections", "exports", "figures", "holding", "listing", "show"]
