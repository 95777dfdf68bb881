"""Words in both languages: message ids are English, Chinese is in the plugin's ``translations/zh.po``."""

from __future__ import annotations

from xiangyue.i18n import (
    LazyText,
    _,
    _l,
    current_locale,
    format_date,
    format_datetime,
    gettext,
    in_locale,
    lazy_gettext,
    ngettext,
    pick,
    today,
)

__all__ = [
    "LazyText",
    "_",
    "_l",
    "current_locale",
    "format_date",
    "format_datetime",
    "gettext",
    "in_locale",
    "lazy_gettext",
    "ngettext",
    "pick",
    "today",
]
