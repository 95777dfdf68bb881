"""Pages of grids: the list, one grid, its forms, changes and their undo, the county's rules."""

from flask import Blueprint

bp = Blueprint("grids", __name__, template_folder="../templates")

from xiangyue.features.grids.pages import (  # noqa: E402
    boards,
    boundaries,
    changes,
    coverage,
    files,
    forms,
    homes,
    lists,
    map,
    posts,
    rules,
    show,
)

__all__ = [
    "boards",
    "boundaries",
    "bp",
    "changes",
    "coverage",
    "files",
    "forms",
    "homes",
    "lists",
    "map",
    "posts",
    "rules",
    "show",
]
