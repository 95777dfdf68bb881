"""What was typed into a settings form as the schema takes it, and what the schema says of it in people's words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from marshmallow import Schema, ValidationError, fields
from werkzeug.datastructures import MultiDict

from xiangyue.errors import Invalid
from xiangyue.features.plugins.settings_form import (
    NO_COUNTY,
    Field,
    OfCounty,
    SettingField,
    settable,
    setting_field,
    when_empty,
)
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.text.validation import in_words


def typed(
    schema: Schema, form: MultiDict[str, str], county: OfCounty = NO_COUNTY
) -> tuple[dict[str, Any], dict[str, list[Any]]]:
    """What was typed as the schema's data, and what could not even be read, by path.

    ``form`` holds the names of ``SettingField.name``; ``county`` the choices with which it was shown. Fields that
    cannot stay empty and are (``when_empty``) are faults.
    """
    values: dict[str, Any] = {}
    faults: dict[str, list[Any]] = {}
    for key, field in settable(schema):
        shown = setting_field(key, field, county=county)
        if shown.kind == "section" and isinstance(field, fields.Nested):
            inner: dict[str, Any] = {}
            values[key] = inner
            for child_key, child in settable(field.schema):
                _read(setting_field(child_key, child, key, county), child, form, inner, faults)
        else:
            _read(shown, field, form, values, faults)
    return values, faults


def _read(
    shown: SettingField,
    field: Field,
    form: MultiDict[str, str],
    values: dict[str, Any],
    faults: dict[str, list[Any]],
) -> None:
    key = shown.path.rsplit(".", 1)[-1]
    text = form.get(shown.name, "").replace("\r\n", "\n").strip()
    if shown.kind == "switch":
        values[key] = shown.name in form
    elif shown.kind == "checks":
        values[key] = [_choice(shown, one) for one in form.getlist(shown.name)]
    elif shown.kind == "lines":
        lines = [line.strip() for line in text.splitlines()]
        values[key] = [_plain(getattr(field, "inner", field), line) for line in lines if line]
    elif not text:
        meaning = when_empty(field)
        if meaning == "fault":
            faults[shown.path] = [_l("This must be filled in.")]
        elif meaning != "out":
            values[key] = None if meaning == "null" else ""
    elif shown.kind == "json":
        try:
            values[key] = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            faults[shown.path] = [
                _l("This is not JSON: line %(line)d, column %(column)d.", line=error.lineno, column=error.colno)
            ]
    else:
        values[key] = _choice(shown, text) if shown.choices else _plain(field, text)


def _choice(shown: SettingField, text: str) -> Any:
    """The choice as it stands in the data: numbers and true or false are not texts there."""
    known = {str(key): key for key, _label in shown.choices}
    return known.get(text, text)


def _plain(field: Field, text: str) -> Any:
    """A typed number as a number, in digits of either width; the rest as it is: the schema says what is wrong."""
    if not isinstance(field, fields.Number):
        return text
    digits = unicodedata.normalize("NFKC", text).replace("−", "-")
    if isinstance(field, fields.Integer):
        return int(digits) if re.fullmatch(r"[+-]?\d{1,30}", digits) else digits
    if isinstance(field, fields.Float) and re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)", digits):
        return float(digits)
    return digits


def checked(schema: Schema, values: Mapping[str, Any], faults: Mapping[str, Sequence[Any]] | None = None) -> Any:
    """The loaded settings. Raises Invalid with the path of every field and its fault in the reader's language;
    ``faults`` are those that ``typed`` found."""
    found = {path: list(texts) for path, texts in (faults or {}).items()}
    try:
        loaded = schema.load(dict(values))
    except ValidationError as error:
        for path, texts in flat(error.messages).items():
            found.setdefault(path, texts)
    if found:
        raise Invalid(found)
    return loaded


def flat(messages: Any, above: str = "") -> dict[str, list[Any]]:
    """A schema's nested messages by path, in words; "" is the settings as a whole."""
    if not isinstance(messages, Mapping):
        return {above: [in_words(one) for one in (messages if isinstance(messages, list) else [messages])]}
    found: dict[str, list[Any]] = {}
    for key, inner in messages.items():
        name = "" if key == "_schema" else str(key)
        for path, texts in flat(inner, f"{above}.{name}".strip(".")).items():
            found.setdefault(path, []).extend(texts)
    return found
