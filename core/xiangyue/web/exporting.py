"""The question before a list leaves the house: what is exported, as what and what for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import request

from xiangyue.files.workbook import FORMATS
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.web.components import FormView, ListView
from xiangyue.web.shell import page


def ask_what_for(
    view: ListView,
    *,
    title: str,
    of: str,
    back: str,
    status: int = 200,
    problems: Mapping[str, Sequence[Any]] | None = None,
    rows: int | None = None,
    large: bool = False,
    keep_days: int = 0,
) -> Any:
    """The page that asks; what was typed stays. ``of`` names the list, which is at ``back``. ``rows``: how many, where
    they were counted; ``large``: a job writes them, whose file is kept ``keep_days`` days."""
    form = FormView(
        action=request.full_path.rstrip("?"),
        values=request.form or {"format": "xlsx"},
        errors=problems or {},
        cancel_url=back,
        id="export",
    )
    return page(
        "export.html", status, title=title, of=of, view=view, form=form, back=back, rows=rows, large=large,
        keep_days=keep_days,
    )  # fmt: skip


def chosen_format(problems: dict[str, list[Any]]) -> str:
    """A key of ``FORMATS``, as the form says; anything else is among the problems."""
    format = request.form.get("format", "xlsx")
    if format not in FORMATS:
        problems["format"] = [_l("Choose one of the options.")]
    return format
