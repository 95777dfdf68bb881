"""Whether the dataclasses that plugins return hold what their annotations say: Python does not look."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

from xiangyue.i18n import LazyText

#: Fields that people read; annotated ``Any`` because they may be lazy.
WORDS = frozenset({"label", "title", "detail", "act", "due", "help", "summary"})
MAY_BE_EMPTY = frozenset({"help", "detail", "due"})


def problem_of(value: Any) -> str:
    """What is wrong with a dataclass, all the way down: ``steps[0].label: …``; "" when nothing is."""
    cls: Any = type(value)
    hints = _hints(cls)
    for field in fields(value):
        found = _words(field.name, getattr(value, field.name)) if field.name in WORDS else ""
        found = found or _problem(getattr(value, field.name), hints[field.name])
        if found:
            return f"{field.name}{found if found.startswith(('[', '.')) else f': {found}'}"
    return ""


@cache
def _hints(cls: Any) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def _words(name: str, value: Any) -> str:
    """Words must come out in both languages; a broken placeholder would break the page that shows them."""
    if not isinstance(value, str | LazyText):
        return f"{shown(value)} is no text"
    try:
        empty = not str(value).strip()
    except Exception as error:
        return f"the text cannot be shown ({type(error).__name__})"
    return "empty" if empty and name not in MAY_BE_EMPTY else ""


def _problem(value: Any, wanted: Any) -> str:
    """Of one value against one annotation."""
    origin = typing.get_origin(wanted)
    if wanted is Any or isinstance(wanted, typing.TypeVar):
        return ""
    if origin in (typing.Union, types.UnionType):
        choices = typing.get_args(wanted)
        found = [_problem(value, choice) for choice in choices]
        return "" if "" in found else found[0]
    if wanted is type(None):
        return "" if value is None else f"{shown(value)} is not None"
    if wanted is Callable or origin is Callable:
        return "" if callable(value) else f"{shown(value)} cannot be called"
    if origin is type:
        bound = typing.get_args(wanted)[0]
        return "" if isinstance(value, type) and issubclass(value, bound) else f"{shown(value)} is no {bound.__name__}"
    if origin in (tuple, Sequence):
        return _sequence(value, typing.get_args(wanted))
    if origin in (dict, Mapping):
        return _mapping(value, typing.get_args(wanted))
    if isinstance(wanted, type):
        # True is an int for Python, not for a position or a number of seconds.
        right = isinstance(value, wanted) and not (wanted is int and isinstance(value, bool))
        if not right:
            return f"{shown(value)} is no {wanted.__name__}"
        return problem_of(value) and f".{problem_of(value)}" if is_dataclass(wanted) else ""
    return ""


def _sequence(value: Any, wanted: tuple[Any, ...]) -> str:
    if not isinstance(value, tuple | list):
        return f"{shown(value)} is no sequence"
    kinds = [wanted[0]] * len(value) if wanted[-1] is Ellipsis or len(wanted) == 1 else list(wanted)
    if len(kinds) != len(value):
        return f"{len(value)} parts instead of {len(kinds)}"
    for number, (item, kind) in enumerate(zip(value, kinds, strict=True)):
        found = _problem(item, kind)
        if found:
            return f"[{number}]{found if found.startswith(('[', '.')) else f': {found}'}"
    return ""


def _mapping(value: Any, wanted: tuple[Any, ...]) -> str:
    if not isinstance(value, Mapping):
        return f"{shown(value)} is no mapping"
    for key, item in value.items():
        found = _problem(key, wanted[0]) or _problem(item, wanted[1])
        if found:
            return f"[{key!r}]: {found}"
    return ""


def shown(value: Any) -> str:
    """A value in an error, short; its own ``repr`` may be as broken as the rest."""
    try:
        text = repr(value)
    except Exception:
        text = f"<{type(value).__name__}>"
    return text if len(text) <= 60 else f"{text[:57]}…"
