"""Pages of calls: sending, who has not been reached, a group's answers, the county's rule."""

from flask import Blueprint

bp = Blueprint("callouts", __name__, template_folder="../templates")

from xiangyue.features.callouts.pages import export, group, lists, rule, send, show  # noqa: E402

__all__ = ["bp", "export", "group", "lists", "rule", "send", "show"]
