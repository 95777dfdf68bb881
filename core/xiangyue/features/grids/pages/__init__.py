"""Pages of grids: the list, one grid, its forms, changes and their undo, the county's rules."""

from flask import Blueprint

bp = Blueprint("grids", __name__, template_folder="../templates")

from xiangyue.features.grids.pages import boards, changes, forms, lists, posts, rules, show  # noqa: E402

__all__ = ["boards", "bp", "changes", "forms", "lists", "posts", "rules", "show"]
