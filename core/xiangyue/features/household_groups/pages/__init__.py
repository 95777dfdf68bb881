"""Pages of ten-household groups: the list, one group with its forms, groups made in a grid, the county's size."""

from flask import Blueprint

bp = Blueprint("household_groups", __name__, template_folder="../templates")

from xiangyue.features.household_groups.pages import forms, lists, show, size  # noqa: E402

__all__ = ["bp", "forms", "lists", "show", "size"]
