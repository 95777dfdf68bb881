"""Choices of settings that come from the county: keys of its marks, awards or areas, or of a plugin's own things.

A field says so by ``metadata={"choices": ask}``: ``ask(uow)`` gives (key, label) for each; ``mark_choices`` and
``award_choices`` of ``xiangyue.sdk.settings`` are such. The field's own validation holds besides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from marshmallow import Schema, fields
from sqlalchemy import select

from xiangyue.db.uow import Uow
from xiangyue.features.households.models import MarkKind
from xiangyue.features.households.queries import award_kinds
from xiangyue.features.plugins.settings_form import CHOICES, Choices, SettingField, every_field, settable, value_at
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.i18n import pick
from xiangyue.plugin.faults import Nonsense

Ask = Callable[[Uow], Any]

#: More than a page can show to choose from is a fault of the plugin.
MOST = 500


def mark_choices(uow: Uow) -> list[tuple[str, str]]:
    """The county's kinds of marks in order, as choices of a setting: (key, name). Retired ones are left out."""
    kinds = uow.session.scalars(
        select(MarkKind).where(MarkKind.active.is_(True)).order_by(MarkKind.position, MarkKind.id)
    )
    return [(kind.key, pick(kind.name, kind.name_en)) for kind in kinds]


def award_choices(uow: Uow) -> list[tuple[str, str]]:
    """The county's kinds of awards in order, as choices of a setting: (key, name). Retired ones are left out."""
    return [(kind.key, pick(kind.name, kind.name_en)) for kind in award_kinds(uow, retired=False)]


def asking(schema: Schema) -> Iterator[tuple[str, Ask]]:
    """(path, what gives its choices) of each field whose choices come from the county."""
    for key, field in settable(schema):
        inner = settable(field.schema) if isinstance(field, fields.Nested) and not field.many else ()
        for path, one in ((key, field), *((f"{key}.{child}", f) for child, f in inner)):
            if CHOICES in one.metadata:
                yield path, one.metadata[CHOICES]


def asked(ask: Ask, uow: Uow) -> Choices:
    """What a field's ``choices`` answers. Raises Nonsense when these are no choices."""
    if not callable(ask):
        raise Nonsense("metadata choices is not a function of the unit of work")
    given = ask(uow)
    if not isinstance(given, list | tuple) or len(given) > MOST:
        raise Nonsense(f"choices are a list of at most {MOST} pairs (key, label)")
    found: dict[Any, str] = {}
    for pair in given:
        if not isinstance(pair, list | tuple) or len(pair) != 2 or type(pair[0]) not in (str, int):
            raise Nonsense("a choice is a pair: key (text or whole number) and label")
        if pair[0] in found or not str(pair[1]).strip():
            raise Nonsense(f"choice {pair[0]!r} is there twice or has no label")
        found[pair[0]] = str(pair[1])
    return tuple(found.items())


def with_strays(choices: Choices, held: Any) -> Choices:
    """Choices with those keys of a value that the county does not have (any more): they stay to be seen and named."""
    known = {str(key) for key, _label in choices}
    strays: dict[str, tuple[Any, str]] = {}
    for key in held if isinstance(held, list) else [held]:
        if type(key) in (str, int) and key != "" and str(key) not in known:
            strays[str(key)] = (key, _("%(key)s (not in this county)", key=key))
    return (*choices, *strays.values())


def stray_faults(shown: tuple[SettingField, ...], values: Mapping[str, Any]) -> dict[str, list[Any]]:
    """What was set and is none of the county's choices, by path."""
    found: dict[str, list[Any]] = {}
    for field in every_field(shown):
        if field.from_county:
            value = value_at(values, field.path)
            keys = [key for key, _label in field.choices]
            strays = [v for v in (value if isinstance(value, list) else [value]) if v not in (None, "", *keys)]
            if strays:
                found[field.path] = [_l("This county has no “%(key)s”. Choose among its own.", key=s) for s in strays]
    return found
