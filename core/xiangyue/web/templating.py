"""What every template may use: translation that keeps marked-up values, assets, and a few filters."""

from __future__ import annotations

import re
from datetime import date, datetime
from pathlib import Path
from typing import Any

from jinja2 import BytecodeCache, Environment
from markupsafe import Markup, escape

from xiangyue.i18n import add_catalogue, current_locale, format_date, format_datetime, gettext, join_words, ngettext
from xiangyue.web.actors import actor_words
from xiangyue.web.assets import asset

#: Where applications of one process share their compiled templates; None: each compiles its own. Tests make hundreds.
compiled: BytecodeCache | None = None


def _filled(text: str, values: dict[str, Any]) -> str:
    if any(hasattr(v, "__html__") for v in values.values()):
        return Markup(escape(text)) % values  # noqa: S704 - the message is escaped, and Markup escapes the values
    return text % values if values else text


def html_gettext(message: str, /, **values: Any) -> str:
    """``_()`` of templates: a value that is markup (a name marked as Chinese) stays markup, the rest is escaped."""
    return _filled(gettext(message), values)


def html_ngettext(singular: str, plural: str, n: int, /, **values: Any) -> str:
    """``ngettext()`` of templates, with ``n`` among the values."""
    filled = {"n": n, "num": n, **values}
    if any(hasattr(v, "__html__") for v in filled.values()):
        # A placeholder stands in for each value until the sentence is escaped.
        text = ngettext(singular, plural, n, **{k: f"%({k})s" for k in values})
        return _filled(text, filled)
    return ngettext(singular, plural, n, **values)


def when(value: date | datetime | None) -> str:
    """2026-11-21 or, with a time, 2026-11-21 14:05 in Asia/Shanghai."""
    if isinstance(value, datetime):
        return format_datetime(value)
    return format_date(value)


def thousands(value: Any) -> str:
    """12345 -> 12,345; None -> an em dash."""
    return "—" if value is None else f"{value:,}"


def who(name: str, account_id: int | None = None) -> Markup:
    """`actor_words`, marked as Chinese where they are."""
    return marked(actor_words(name, account_id))


_CHINESE = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uf900-\ufaff\uff00-\uffef\u00b7]+")


def marked(text: Any) -> Markup:
    """Text of either language with its Chinese parts marked as such where the page is English: names in a sentence."""
    if current_locale() == "zh":
        return escape(str(text))
    parts, last = [], 0
    for found in _CHINESE.finditer(shown := str(text)):
        parts.append(escape(shown[last : found.start()]))
        parts.append(Markup('<span lang="zh-CN">{}</span>').format(found.group()))
        last = found.end()
    return Markup("").join([*parts, escape(shown[last:])])


def install(env: Environment) -> None:
    """Give an environment the globals, the filters and the catalogue that the shell and components use."""
    add_catalogue(Path(__file__).parent / "translations")
    env.bytecode_cache = compiled
    env.globals.update({"_": html_gettext, "ngettext": html_ngettext, "asset": asset, "who": who})
    env.filters.update({"when": when, "date": format_date, "datetime": format_datetime, "thousands": thousands})
    env.filters["marked"] = marked
    env.filters["listed"] = join_words
