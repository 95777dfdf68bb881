"""Languages: English message ids in the code, catalogues in ``translations/<locale>.po`` of each room and feature.

Catalogues are read once per process and merged, later ones winning. A plugin brings its own beside its code; they are
asked last, so that it cannot change the core's words.
The locale is a context variable: set per request by the web, per job by the worker.
"""

from __future__ import annotations

import gettext as _stdlib_gettext
import io
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

LOCALES = ("zh", "en")
DEFAULT_LOCALE = "zh"
TIMEZONE = ZoneInfo("Asia/Shanghai")

_locale: ContextVar[str] = ContextVar("xiangyue_locale", default=DEFAULT_LOCALE)
_directories: list[Path] = []
#: Those of plugins: the last one is asked last.
_behind: list[Path] = []


def add_catalogue(directory: Path, *, behind: bool = False) -> None:
    """Register a folder holding ``zh.po`` (and optionally ``en.po``). Takes effect at the next look-up.

    ``behind``: asked only for messages that no other catalogue has.
    """
    if directory not in _directories and directory not in _behind:
        (_behind if behind else _directories).append(directory)
        _translations.cache_clear()
        _translated.cache_clear()


def remove_catalogue(directory: Path) -> None:
    """Take a catalogue that was added ``behind`` out again."""
    if directory in _behind:
        _behind.remove(directory)
        _translations.cache_clear()
        _translated.cache_clear()


def check_catalogue(directory: Path) -> None:
    """Read a folder's catalogues without using them. Raises what reading them raises."""
    for locale in LOCALES:
        _read(directory, locale)


def catalogue_directories() -> tuple[Path, ...]:
    return (*_directories, *_behind)


@lru_cache(maxsize=8)
def _translations(locale: str) -> _stdlib_gettext.NullTranslations:
    merged: _stdlib_gettext.NullTranslations = _stdlib_gettext.NullTranslations()
    for directory in (*reversed(_behind), *_directories):
        loaded = _read(directory, locale)
        if loaded is not None:
            loaded.add_fallback(merged)
            merged = loaded
    return merged


def _read(directory: Path, locale: str) -> _stdlib_gettext.GNUTranslations | None:
    source = directory / f"{locale}.po"
    try:
        found = source.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return _stdlib_gettext.GNUTranslations(io.BytesIO(_compiled(source, locale, found.st_mtime_ns, found.st_size)))


@lru_cache(maxsize=256)
def _compiled(source: Path, locale: str, _changed: int, _size: int) -> bytes:
    """A catalogue as the standard library reads it. Kept: all are merged anew whenever a plugin comes or goes."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with source.open("rb") as stream:
        catalogue = read_po(stream, locale=locale)
    buffer = io.BytesIO()
    write_mo(buffer, catalogue)
    return buffer.getvalue()


def current_locale() -> str:
    """``zh`` or ``en``."""
    return _locale.get()


def set_locale(locale: str) -> None:
    _locale.set(locale if locale in LOCALES else DEFAULT_LOCALE)


@contextmanager
def in_locale(locale: str) -> Iterator[None]:
    token = _locale.set(locale if locale in LOCALES else DEFAULT_LOCALE)
    try:
        yield
    finally:
        _locale.reset(token)


def gettext(message: str, /, **values: Any) -> str:
    """Translate an English message; ``%(name)s`` placeholders are filled from ``values``."""
    text = _translated(_locale.get(), message) if message else ""
    return text % values if values else text


@lru_cache(maxsize=16_384)
def _translated(locale: str, message: str) -> str:
    """Looked for once: a message of the last catalogue is asked of all the others before."""
    return _translations(locale).gettext(message)


def ngettext(singular: str, plural: str, n: int, /, **values: Any) -> str:
    """The singular or plural for ``n``, which is among the values. Whole numbers are counts here, so they get their
    thousands separator (20,000 households) in both languages, whether the message says %d or %s."""
    text = _translations(_locale.get()).ngettext(singular, plural, n)
    filled = {"n": n, "num": n, **values}
    return _WHOLE.sub(r"%(\1)s", text) % {k: f"{v:,}" if type(v) is int else v for k, v in filled.items()}


_WHOLE = re.compile(r"%\((\w+)\)d")


class LazyText:
    """A message translated when it is shown, for module-level constants."""

    __slots__ = ("message", "values")

    def __init__(self, message: str, values: dict[str, Any]) -> None:
        self.message = message
        self.values = values

    def __str__(self) -> str:
        return gettext(self.message, **self.values)

    def __html__(self) -> str:
        from markupsafe import escape

        return str(escape(str(self)))

    def __repr__(self) -> str:
        return f"LazyText({self.message!r})"

    def __eq__(self, other: object) -> bool:
        return str(self) == str(other)

    def __hash__(self) -> int:
        return hash((self.message, tuple(sorted(self.values.items()))))

    def __mod__(self, other: Any) -> str:
        filled: str = str(self) % other
        return filled


def lazy_gettext(message: str, /, **values: Any) -> LazyText:
    return LazyText(message, values)


def N_(message: str) -> str:
    """A message that is stored in English and translated where it is shown."""
    return message


_ = gettext
_l = lazy_gettext


def pick(zh: str, en: str | None) -> str:
    """A label that data carries in two languages, in the current one."""
    return en if en and current_locale() == "en" else zh


#: What stands between things one after the other, and between those that have commas themselves.
COMMA, SEMICOLON = N_(", "), N_("; ")


def join_words(parts: Iterable[Any], between: str = COMMA) -> str:
    """Things in a sentence, one after the other as the current language lists them."""
    return gettext(between).join(str(part) for part in parts)


def format_datetime(value: datetime | None) -> str:
    """Local time in Asia/Shanghai, to the minute."""
    return "" if value is None else value.astimezone(TIMEZONE).strftime("%Y-%m-%d %H:%M")


def today() -> date:
    """The day it is in Asia/Shanghai."""
    return datetime.now(TIMEZONE).date()


def format_date(value: date | None) -> str:
    return "" if value is None else value.isoformat()
