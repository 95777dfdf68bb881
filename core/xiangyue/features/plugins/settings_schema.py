"""A settings schema described as JSON Schema, for those who set it through the API."""

from __future__ import annotations

from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import Schema

from xiangyue.features.plugins.settings_form import NO_COUNTY, Field, OfCounty, every_field, form_fields, setting_field


def described(schema: Schema, county: OfCounty = NO_COUNTY) -> dict[str, Any]:
    """JSON Schema (2020-12) of the settings, with labels and help in the reader's language.

    Choices of the county are ``oneOf``, each a ``const`` with its ``title``.
    """
    plugin = MarshmallowPlugin(schema_name_resolver=lambda _schema: "")  # no name: sections stand where they are
    APISpec("", "", "3.1.0", plugins=[plugin])
    converter = plugin.converter
    assert converter is not None
    converter.add_attribute_function(_words)  # type: ignore[no-untyped-call]
    found: dict[str, Any] = converter.fields2jsonschema(schema.load_fields, partial=None)  # type: ignore[no-untyped-call]
    shown = form_fields(schema, county)
    for field in shown:
        if field.has_default or field.default is None:
            found["properties"][field.path]["default"] = field.default
    for field in every_field(shown):
        if field.from_county and field.choices:  # none at all cannot be said by oneOf
            at = found
            for part in field.path.split("."):
                at = at["properties"][part]
            one_of = [{"const": key, "title": label} for key, label in field.choices]
            (at["items"] if field.kind == "checks" else at)["oneOf"] = one_of
    found["additionalProperties"] = False
    return found


def _words(_converter: Any, field: Field, ret: Any = None, **_options: Any) -> dict[str, Any]:
    """Title and description of one field; ``ret`` is what is known of it so far."""
    shown = setting_field("", field)
    told = {"title": str(field.metadata["label"])} if field.metadata.get("label") else {}
    text = " ".join(str(part) for part in (shown.help, shown.unit and f"({shown.unit})") if part)
    return {**told, **({"description": text} if text else {})}
