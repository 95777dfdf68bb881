"""A settings form from any marshmallow schema: its fields as a page shows them and what stands in each.

Label and help come from ``metadata={"label": …, "help": …}`` (lazy texts); further keys that are looked at: ``unit``,
``multiline``, ``data`` (labels of choices are Chinese data), ``labels`` (of an enumeration's members), ``choices``
(what gives those of the county, ``settings_choices``). Fields of a kind that has no control of its own are written as
JSON.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Literal

import orjson
from marshmallow import Schema, fields, missing, validate

from xiangyue.i18n import join_words
from xiangyue.i18n import lazy_gettext as _l

Field = fields.Field[Any]
Kind = Literal[
    "integer", "number", "text", "area", "select", "radio", "switch", "date", "checks", "lines", "json", "section"
]

#: Up to so many choices are shown side by side, more in a list that opens.
SIDE_BY_SIDE = 4
#: A text that may be longer than this is typed into an area of several lines.
ONE_LINE = 200
#: Before each name in the form's data, so that no setting meets a hidden field.
PREFIX = "values."
#: Key of a field's metadata: the function that gives its choices in a county.
CHOICES = "choices"

#: (value in the data, label) of each.
Choices = tuple[tuple[Any, str], ...]
#: Choices that a county gives, by path in the schema's data. Fields that are not among them are typed.
OfCounty = Mapping[str, Choices]
NO_COUNTY: OfCounty = MappingProxyType({})

_ADDRESSES = (fields.UUID, fields.Time, fields.DateTime, fields.IP)


@dataclass(frozen=True, slots=True)
class SettingField:
    """A field as it is shown, in the reader's language.

    ``path`` is its key in the schema's data, ``a.b`` inside a section. ``required``: it cannot be left empty.
    ``default`` is JSON, ``missing`` where the schema has none. ``from_county``: its choices are the county's.
    """

    path: str
    kind: Kind
    label: str
    help: str = ""
    unit: str = ""
    required: bool = False
    default: Any = missing
    least: Any = None
    most: Any = None
    step: str = "1"
    longest: int | None = None
    choices: Choices = ()
    from_county: bool = False
    data: bool = False
    children: tuple[SettingField, ...] = ()

    @property
    def name(self) -> str:
        """Its name in the form."""
        return PREFIX + self.path

    @property
    def has_default(self) -> bool:
        return self.default is not missing and self.default not in (None, "", [])

    def said(self, value: Any) -> str:
        """A value of this field (JSON) in words."""
        if self.kind == "switch":
            return str(_l("on") if value else _l("off"))
        if self.kind == "json":
            return "" if value is None else _json_text(value)
        listed = value if isinstance(value, list) else [] if value is None else [value]
        labels = {str(key): str(label) for key, label in self.choices}
        return join_words(labels.get(str(one), str(one)) for one in listed)


def form_fields(schema: Schema, county: OfCounty = NO_COUNTY) -> tuple[SettingField, ...]:
    """All fields that can be set, in the schema's order."""
    return tuple(setting_field(key, field, county=county) for key, field in settable(schema))


def every_field(shown: Iterable[SettingField]) -> list[SettingField]:
    """Fields with those inside sections instead of the sections."""
    return [one for field in shown for one in (field.children if field.kind == "section" else (field,))]


def settable(schema: Schema) -> list[tuple[str, Field]]:
    """(key in the data, field) of all that people may set."""
    return [
        (field.data_key or name, field)
        for name, field in schema.load_fields.items()
        if not isinstance(field, fields.Constant)
    ]


def setting_field(key: str, field: Field, above: str = "", county: OfCounty = NO_COUNTY) -> SettingField:
    """One field as it is shown; ``above`` is the section it stands in."""
    path = f"{above}.{key}" if above else key
    told = field.metadata
    shown: dict[str, Any] = {
        "path": path,
        "label": str(told.get("label") or key.replace("_", " ").capitalize()),
        "help": str(told.get("help") or told.get("description") or ""),
        "unit": str(told.get("unit") or ""),
        "required": when_empty(field) == "fault",
        "default": _default(field),
        "data": bool(told.get("data")),
    }
    if isinstance(field, fields.Nested) and not (above or field.many or isinstance(field, fields.Pluck)):
        children = tuple(setting_field(k, f, path, county) for k, f in settable(field.schema))
        return SettingField(kind="section", **{**shown, "children": children})
    control = _control(field, county.get(path))
    shown["data"] |= any(ord(c) >= 0x2E80 for _value, label in control.get("choices", ()) for c in label)
    return SettingField(**{**shown, **control})


def when_empty(field: Field) -> Literal["null", "out", "text", "fault"]:
    """What a field left empty means: null, not given, an empty text, or a fault. Nobody empties a number to get its
    default back."""
    default = _default(field)
    if field.allow_none:
        return "null"
    if (default is missing and not field.required) or default in ("", [], {}):
        return "out"
    plain = isinstance(field, fields.String) and not isinstance(field, (fields.UUID, fields.Url, fields.Email))
    chosen = CHOICES in field.metadata or _choices(field)
    return "text" if plain and _shortest(field) < 1 and not chosen else "fault"


def _control(field: Field, county: Choices | None = None) -> dict[str, Any]:
    """Kind of control and what belongs to it; ``county``: the choices that it has there."""
    if county is not None:
        if isinstance(field, fields.List):
            return {"kind": "checks", "choices": county, "from_county": True, "required": _shortest(field) > 0}
        if _one_line(field):
            return {"kind": "select", "choices": county, "from_county": True}
    choices = _choices(field)
    if isinstance(field, fields.List):
        inner = field.inner
        choices = choices or _choices(inner)
        if choices:
            return {"kind": "checks", "choices": choices, "required": _shortest(field) > 0}
        if _one_line(inner):
            return {"kind": "lines", "required": _shortest(field) > 0}
        return {"kind": "json"}
    if choices:
        side_by_side = len(choices) <= SIDE_BY_SIDE and not field.allow_none
        return {"kind": "radio" if side_by_side else "select", "choices": choices}
    if isinstance(field, fields.Boolean):
        if field.allow_none:
            return {"kind": "select", "choices": (("true", str(_l("on"))), ("false", str(_l("off"))))}
        return {"kind": "switch", "required": False}
    if isinstance(field, fields.Integer):
        return {"kind": "integer", **_range(field, whole=True)}
    if isinstance(field, fields.Number):
        places = getattr(field, "places", None)
        step = "any" if places is None else format(abs(Decimal(places)), "f")
        return {"kind": "number", "step": step, **_range(field, whole=False)}
    if isinstance(field, fields.Date):
        return {"kind": "date", **_range(field, whole=False)}
    if _one_line(field):
        longest = _longest(field)
        area = bool(field.metadata.get("multiline")) or (longest is not None and longest > ONE_LINE)
        return {"kind": "area" if area else "text", "longest": longest}
    return {"kind": "json"}


def _one_line(field: Field) -> bool:
    """Whether a value is a text or number that JSON holds as such. A ``DateTime`` covers its subclasses."""
    return isinstance(field, (fields.String, fields.Integer, fields.Number, fields.Date, *_ADDRESSES))


def _choices(field: Field) -> Choices:
    """(value in the data, label) of a field to choose from."""
    if isinstance(field, fields.Enum):
        labels = field.metadata.get("labels") or {}
        return tuple(
            (member.value if field.by_value else member.name, str(labels.get(member.name) or member.name))
            for member in field.enum
        )
    for check in field.validators:
        if isinstance(check, validate.OneOf) and not isinstance(check.choices, str):
            labels = list(check.labels or ())
            labels += [""] * (len(list(check.choices)) - len(labels))
            return tuple((choice, str(label or choice)) for choice, label in zip(check.choices, labels, strict=False))
    return ()


def _range(field: Field, *, whole: bool) -> dict[str, Any]:
    for check in field.validators:
        if isinstance(check, validate.Range):
            least, most = check.min, check.max
            if whole and least is not None and not check.min_inclusive:
                least += 1
            if whole and most is not None and not check.max_inclusive:
                most -= 1
            return {"least": _as_json(least), "most": _as_json(most)}
    return {}


def _shortest(field: Field) -> int:
    return max((c.min or c.equal or 0 for c in field.validators if isinstance(c, validate.Length)), default=0)


def _longest(field: Field) -> int | None:
    found = [c.max or c.equal for c in field.validators if isinstance(c, validate.Length)]
    return min((n for n in found if n), default=None)


def _default(field: Field) -> Any:
    """The default as JSON; that of a section is made of its fields'."""
    value = field.load_default
    value = value() if callable(value) else value
    if value is missing or value is None:
        return value
    try:
        return _as_json(field.serialize("value", {field.attribute or "value": value}))
    except (AttributeError, TypeError, ValueError):  # a default that is JSON already
        return _as_json(value)


def _as_json(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _as_json(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_as_json(v) for v in value]
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    if isinstance(value, int) and abs(value) >= 2**63:
        return str(value)  # more than JSON readers hold
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)


def _json_text(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2, default=str).decode()


# --- values: from the schema to the form and back ----------------------------------------------------------


def as_data(schema: Schema, values: Mapping[str, Any]) -> dict[str, Any]:
    """Loaded values as the JSON that loads into them again."""
    found: dict[str, Any] = {}
    for name, field in schema.load_fields.items():
        value = field.serialize(name, values)
        if value is not missing:
            found[field.data_key or name] = _as_json(value)
    return with_section_defaults(schema, found)


def with_section_defaults(schema: Schema, data: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as JSON; what is not given inside a section has its default there."""
    found = dict(data)
    for field in form_fields(schema):
        if field.kind == "section" and isinstance(found.get(field.path), dict):
            inner = {c.path.removeprefix(f"{field.path}."): c.default for c in field.children}
            found[field.path] = {k: v for k, v in inner.items() if v is not missing} | found[field.path]
    return found


def value_at(data: Any, path: str) -> Any:
    """The value at a path of the settings, None where nothing stands."""
    for part in path.split("."):
        data = data.get(part) if isinstance(data, Mapping) else None
    return data


def form_values(shown: Sequence[SettingField], data: Mapping[str, Any]) -> dict[str, Any]:
    """What stands in the form's fields for settings as JSON: name in the form -> text, list or true/false."""
    found: dict[str, Any] = {}
    for field in shown:
        value = data.get(field.path.rsplit(".", 1)[-1], None if field.default is missing else field.default)
        if field.kind == "section":
            found |= form_values(field.children, value if isinstance(value, Mapping) else {})
        else:
            found[field.name] = _written(field, value)
    return found


def _written(field: SettingField, value: Any) -> Any:
    if field.kind == "switch":
        return value is True
    if field.kind == "checks":
        return [str(one) for one in value or ()]
    if value is None:
        return ""
    if field.kind == "json":
        return _json_text(value)
    if field.kind == "lines":
        return "\n".join(str(one) for one in value)
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


def form_errors(shown: Sequence[SettingField], faults: Mapping[str, Sequence[Any]]) -> dict[str, list[Any]]:
    """Faults under the names of the form's fields; one deeper than a field says where in it."""
    known = {field.path: field for field in every_field(shown)}
    found: dict[str, list[Any]] = {}
    for path, texts in faults.items():
        parts = path.split(".")
        owner = next((p for n in range(len(parts), 0, -1) if (p := ".".join(parts[:n])) in known), None)
        if owner is None:
            section = next((field for field in shown if field.path == path), None)
            label = section.label if section else path
            found.setdefault("", []).extend(
                _l("%(field)s: %(fault)s", field=label, fault=t) if path else t for t in texts
            )
            continue
        inside = path.removeprefix(owner).strip(".")
        found.setdefault(PREFIX + owner, []).extend(_placed(known[owner], inside, text) for text in texts)
    return found


def _placed(field: SettingField, inside: str, text: Any) -> Any:
    if not inside or field.kind == "checks":
        return text
    if field.kind == "lines" and inside.isdigit():
        return _l("Line %(n)d: %(fault)s", n=int(inside) + 1, fault=text)
    return _l("%(field)s: %(fault)s", field=inside, fault=text)
