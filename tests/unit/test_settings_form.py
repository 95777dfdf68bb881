"""A settings form from a schema: every kind of field, typed values back, faults in words and by field."""

from __future__ import annotations

import enum
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from marshmallow import Schema, ValidationError, fields, validate, validates_schema
from werkzeug.datastructures import MultiDict

import xiangyue
from xiangyue import i18n
from xiangyue.errors import Invalid
from xiangyue.features.plugins.settings_choices import asked, stray_faults, with_strays
from xiangyue.features.plugins.settings_form import as_data, every_field, form_errors, form_fields, form_values
from xiangyue.features.plugins.settings_input import checked, flat, typed
from xiangyue.features.plugins.settings_schema import described
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.faults import Nonsense


class Basis(enum.Enum):
    head = "head"
    household = "household"


class Limits(Schema):
    low = fields.Integer(
        load_default=50, validate=validate.Range(0, 100), metadata={"label": _l("Lowest"), "unit": "%"}
    )
    high = fields.Float(load_default=150.0, validate=validate.Range(min=0))


class Example(Schema):
    share = fields.Integer(
        load_default=80,
        validate=validate.Range(min=0, max=101, max_inclusive=False),
        metadata={"label": _l("Share of households"), "help": _l("Below it nothing is decided."), "unit": "%"},
    )
    strict = fields.Integer(load_default=1, strict=True)
    factor = fields.Decimal(load_default=Decimal("1.50"), places=2)
    basis = fields.String(
        load_default="head", validate=validate.OneOf(["head", "household"], [_l("Per head"), _l("Per household")])
    )
    month = fields.Integer(load_default=1, validate=validate.OneOf(range(1, 13)))
    kind = fields.Enum(Basis, load_default=Basis.head, by_value=True)
    note = fields.String(load_default="", validate=validate.Length(max=2000))
    title = fields.String(load_default="321", validate=validate.Length(min=1, max=20))
    red_first = fields.Boolean(load_default=True)
    unsure = fields.Boolean(load_default=None, allow_none=True)
    since = fields.Date(load_default=None, allow_none=True)
    until = fields.Date(load_default=date(2030, 1, 1))
    colours = fields.List(fields.String(validate=validate.OneOf(["red", "yellow", "green"])), load_default=["red"])
    words = fields.List(fields.Integer(validate=validate.Range(min=1)), load_default=list)
    site = fields.Url(load_default=None)
    limits = fields.Nested(Limits, load_default=dict, metadata={"label": _l("Limits")})
    table = fields.Dict(keys=fields.String(), values=fields.Integer(), load_default=dict)

    @validates_schema
    def _order(self, data: dict[str, Any], **_options: Any) -> None:
        if data.get("share") == 13:
            raise ValidationError("Thirteen is not a share.")


def form(**changes: Any) -> MultiDict[str, str]:
    """What a browser sends when nothing was changed, and then ``changes`` (None: the box is not ticked)."""
    sent: MultiDict[str, str] = MultiDict()
    for name, value in (form_values(form_fields(Example()), {}) | _names(changes)).items():
        if isinstance(value, list):
            sent.setlist(name, value)
        elif isinstance(value, bool):
            if value:
                sent[name] = "1"
        elif value is not None:
            sent[name] = value
    return sent


def _names(changes: dict[str, Any]) -> dict[str, Any]:
    return {"values." + key.replace("__", "."): value for key, value in changes.items()}


def faults(**changes: Any) -> dict[str, list[str]]:
    """Faults by name of the form's field after typing ``changes``."""
    values, unread = typed(Example(), form(**changes))
    try:
        checked(Example(), values, unread)
    except Invalid as error:
        found = form_errors(form_fields(Example()), error.fields)
        return {name.removeprefix("values."): [str(t) for t in texts] for name, texts in found.items()}
    return {}


def loaded(**changes: Any) -> dict[str, Any]:
    values, unread = typed(Example(), form(**changes))
    found: dict[str, Any] = checked(Example(), values, unread)
    return found


@pytest.fixture(autouse=True)
def words() -> Any:
    for room in ("text", "features/plugins"):
        i18n.add_catalogue(Path(xiangyue.__file__).parent / room / "translations")
    with i18n.in_locale("en"):
        yield


def test_every_kind_of_field_has_its_control() -> None:
    shown = {field.path: field for field in every_field(form_fields(Example()))}
    assert {path: field.kind for path, field in shown.items()} == {
        "share": "integer",
        "strict": "integer",
        "factor": "number",
        "basis": "radio",
        "month": "select",
        "kind": "radio",
        "note": "area",
        "title": "text",
        "red_first": "switch",
        "unsure": "select",
        "since": "date",
        "until": "date",
        "colours": "checks",
        "words": "lines",
        "site": "text",
        "limits.low": "integer",
        "limits.high": "number",
        "table": "json",
    }
    share = shown["share"]
    assert (str(share.label), str(share.help), share.unit) == (
        "Share of households",
        "Below it nothing is decided.",
        "%",
    )
    assert (share.least, share.most, share.default, share.required) == (0, 100, 80, True)
    assert shown["factor"].step == "0.01"
    assert shown["limits.high"].step == "any"
    assert shown["red_first"].label == "Red first"
    assert (shown["title"].longest, shown["title"].required, shown["note"].required) == (20, True, False)
    assert [str(label) for _value, label in shown["basis"].choices] == ["Per head", "Per household"]
    assert not shown["since"].required
    assert shown["until"].required
    assert [field.path for field in form_fields(Example()) if field.kind == "section"] == ["limits"]


def test_defaults_stand_in_the_form_and_load_again_as_they_were() -> None:
    stood = form_values(form_fields(Example()), {})
    assert stood["values.share"] == "80"
    assert stood["values.factor"] == "1.50"
    assert stood["values.red_first"] is True
    assert stood["values.colours"] == ["red"]
    assert stood["values.until"] == "2030-01-01"
    assert stood["values.limits.low"] == "50"
    assert stood["values.table"] == "{}"
    assert as_data(Example(), loaded()) == as_data(Example(), Example().load({}))


def test_typed_values_become_the_schemas() -> None:
    found = loaded(
        share="９５",
        strict="7",
        factor="2.25",
        basis="household",
        month="12",
        kind="household",
        note=" two\r\nlines ",
        red_first=None,
        unsure="false",
        since="2026-01-31",
        colours=["green", "red"],
        words="3\n\n 5 ",
        limits__low="10",
        table='{"a": 1}',
    )
    assert found["share"] == 95
    assert found["strict"] == 7
    assert found["factor"] == Decimal("2.25")
    assert (found["basis"], found["month"], found["kind"]) == ("household", 12, Basis.household)
    assert found["note"] == "two\nlines"
    assert (found["red_first"], found["unsure"]) == (False, False)
    assert found["since"] == date(2026, 1, 31)
    assert (found["colours"], found["words"]) == (["green", "red"], [3, 5])
    assert found["limits"] == {"low": 10, "high": 150.0}
    assert found["table"] == {"a": 1}
    again = as_data(Example(), found)
    assert Example().load(again) == found
    assert again["factor"] == "2.25"


def test_left_empty_is_null_or_empty_or_a_fault() -> None:
    found = loaded(since="", unsure="", note="", words="", site="", colours=[])
    assert (found["since"], found["unsure"], found["note"]) == (None, None, "")
    assert (found["words"], found["site"], found["colours"]) == ([], None, [])
    assert faults(share="", title=" ", until="", limits__low="") == {
        "share": ["This must be filled in."],
        "title": ["This must be filled in."],
        "until": ["This must be filled in."],
        "limits.low": ["This must be filled in."],
    }


def test_faults_stand_at_their_field() -> None:
    assert faults(
        share="many", factor="x", month="13", title="x" * 21, since="yesterday", colours=["blue"], limits__low="101"
    ) == {
        "share": ["This must be a whole number."],
        "factor": ["This must be a number."],
        "month": ["Choose one of: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12."],
        "title": ["This must be from 1 to 20 long."],
        "since": ["This must be a date like 2026-01-31."],
        "colours": ["Choose one of: red, yellow, green."],
        "limits.low": ["This must be from 0 to 100."],
    }
    assert faults(words="3\n0") == {"words": ["Line 2: This must be at least 1."]}
    assert faults(table="{") == {"table": ["This is not JSON: line 1, column 2."]}
    assert faults(table='{"a": "x"}') == {"table": ["a.value: This must be a whole number."]}
    assert faults(share="13") == {"": ["Thirteen is not a share."]}


def test_faults_are_said_in_the_readers_language() -> None:
    with i18n.in_locale("zh"):
        found = faults(share="many", until="", words="0")
    assert found == {"share": ["请填写整数。"], "until": ["此项必填。"], "words": ["第 1 行：不能小于 1。"]}


def test_what_nobody_asked_for_is_named() -> None:
    with pytest.raises(Invalid) as caught:
        checked(Example(), {"sharee": 3, "limits": {"lowest": 1}})
    assert {path: str(texts[0]) for path, texts in caught.value.fields.items()} == {
        "sharee": "There is no field of this name.",
        "limits.lowest": "There is no field of this name.",
    }
    assert form_errors(form_fields(Example()), caught.value.fields)[""]


def test_messages_of_a_schema_flatten_to_paths() -> None:
    assert flat({"_schema": ["a"], "b": {"_schema": ["c"], 0: ["d"]}}) == {"": ["a"], "b": ["c"], "b.0": ["d"]}


def test_a_number_beyond_json_is_kept_as_text() -> None:
    found = loaded(share="80", words=str(10**25))
    assert found["words"] == [10**25]
    assert as_data(Example(), found)["words"] == [str(10**25)]


def test_values_are_said_in_words() -> None:
    shown = {field.path: field for field in every_field(form_fields(Example()))}
    assert shown["red_first"].said(True) == "on"
    assert shown["basis"].said("household") == "Per household"
    assert shown["colours"].said(["red", "green"]) == "red, green"
    assert shown["since"].said(None) == ""


def test_the_schema_is_described_for_the_api() -> None:
    told = described(Example())
    assert told["additionalProperties"] is False
    properties = told["properties"]
    assert properties["share"] == {
        "type": "integer",
        "default": 80,
        "minimum": 0,
        "maximum": 101,
        "title": "Share of households",
        "description": "Below it nothing is decided. (%)",
    }
    assert properties["limits"]["properties"]["low"]["title"] == "Lowest"
    assert properties["colours"]["items"]["enum"] == ["red", "yellow", "green"]
    assert properties["since"]["type"] == ["string", "null"]
    assert properties["until"]["default"] == "2030-01-01"


def test_a_schema_without_fields_is_an_empty_form() -> None:
    assert form_fields(Schema()) == ()
    assert typed(Schema(), MultiDict()) == ({}, {})
    assert checked(Schema(), {}) == {}


class Chosen(Schema):
    marks = fields.List(
        fields.String(validate=validate.Regexp("[a-z]+$")), load_default=["disabled"], metadata={"choices": None}
    )
    award = fields.String(load_default="safe", metadata={"choices": None})
    inside = fields.Nested(
        Schema.from_dict({"town": fields.Integer(load_default=None, allow_none=True, metadata={"choices": None})}),
        load_default=dict,
    )


COUNTY = {
    "marks": with_strays((("disabled", "残疾"), ("left", "留守")), ["disabled", "gone"]),
    "award": (("safe", "平安家庭"),),
    "inside.town": ((610921100, "城关镇"), (610921101, "汉王镇")),
}


def test_choices_of_the_county() -> None:
    """Boxes and lists instead of typed keys; a key that the county has no more stays, named."""
    marks, award, inside = form_fields(Chosen(), COUNTY)
    assert (marks.kind, award.kind, inside.children[0].kind) == ("checks", "select", "select")
    assert (marks.data, award.required, inside.children[0].required) == (True, True, False)
    assert marks.choices[-1] == ("gone", "gone (not in this county)")
    assert marks.said(["disabled", "gone"]) == "残疾, gone (not in this county)"
    assert form_fields(Chosen())[0].kind == "lines"  # where the choices fail, keys are typed


def test_what_was_chosen_of_the_county_comes_back() -> None:
    sent: MultiDict[str, str] = MultiDict({"values.award": "safe", "values.inside.town": "610921101"})
    sent.setlist("values.marks", ["left", "gone"])
    values, faults = typed(Chosen(), sent, COUNTY)
    assert (values, faults) == ({"marks": ["left", "gone"], "award": "safe", "inside": {"town": 610921101}}, {})
    shown = form_fields(Chosen(), COUNTY)
    assert stray_faults(shown, values) == {}
    strange = {"marks": ["left", "other"], "award": "none", "inside": {"town": 5}}
    found = {path: [str(text) for text in texts] for path, texts in stray_faults(shown, strange).items()}
    assert found["marks"] == ["This county has no “other”. Choose among its own."]
    assert sorted(found) == ["award", "inside.town", "marks"]


def test_choices_of_the_county_in_the_json_schema() -> None:
    found = described(Chosen(), COUNTY)["properties"]
    assert found["award"]["oneOf"] == [{"const": "safe", "title": "平安家庭"}]
    assert [one["const"] for one in found["marks"]["items"]["oneOf"]] == ["disabled", "left", "gone"]
    assert found["inside"]["properties"]["town"]["oneOf"][0]["const"] == 610921100
    assert "oneOf" not in described(Chosen(), {"marks": ()})["properties"]["marks"]["items"]


@pytest.mark.parametrize(
    "answer", [None, "disabled", ["disabled"], [("a", "")], [("a", "A"), ("a", "B")], [(1.5, "A")], [("a", "A")] * 501]
)
def test_nonsense_for_choices_is_found(answer: Any) -> None:
    with pytest.raises(Nonsense):
        asked(lambda _uow: answer, Any)  # type: ignore[arg-type]
