"""The three lists of the settings as pages and API show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict

from xiangyue.features.settings.queries import AWARDS, FIELDS, MARKS, KindSpec
from xiangyue.i18n import lazy_gettext as _l

#: Empty rows for new choices in the form of a field.
BLANK_OPTIONS = 3


@dataclass(frozen=True, slots=True)
class ListWords:
    """A list's address and its words."""

    slug: str
    spec: KindSpec
    title: Any
    sub: Any
    add: Any
    empty: Any


LISTS = {
    "marks": ListWords(
        "marks",
        MARKS,
        _l("Marks on persons"),
        _l("What a person may be marked with; those that follow are shown on the household too."),
        _l("Add a mark"),
        _l("No marks yet"),
    ),
    "awards": ListWords(
        "awards",
        AWARDS,
        _l("Awards for households"),
        _l("What a household is awarded year by year."),
        _l("Add an award"),
        _l("No awards yet"),
    ),
    "custom-fields": ListWords(
        "custom-fields",
        FIELDS,
        _l("Own fields"),
        _l("What this county records besides the standard, on households or persons."),
        _l("Add a field"),
        _l("No own fields yet"),
    ),
}

TYPES = {
    "text": _l("Text"),
    "integer": _l("Whole number"),
    "decimal": _l("Number with up to two decimal places"),
    "date": _l("Date"),
    "boolean": _l("Yes or no"),
    "choice": _l("Choice from a list"),
}
ENTITIES = {"household": _l("Household"), "person": _l("Person")}
SENSITIVITIES = {
    "normal": _l("Ordinary: whoever sees the household sees it"),
    "sensitive": _l("Sensitive: only with a right of its own, and every look is logged"),
}
LABELS = {
    "name": _l("Chinese name"),
    "name_en": _l("English name"),
    "sensitivity": _l("Who sees it"),
    "follows_to_household": _l("Shown on the household too"),
    "source": _l("Department that answers for it"),
    "help": _l("Help under the field"),
    "help_en": _l("Help in English"),
    "required": _l("Must be filled in"),
    "options": _l("Choices"),
    "active": _l("In use"),
    "entity": _l("Belongs to"),
    "type": _l("Kind of value"),
}


def typed(form: MultiDict[str, str], spec: KindSpec) -> dict[str, Any]:
    """The values of a sent form. A check box that is not sent is off."""
    values: dict[str, Any] = {}
    for column in spec.columns:
        if column in ("follows_to_household", "required"):
            values[column] = form.get(column) == "1"
        elif column == "options":
            if "option_name" in form:
                values[column] = typed_options(form)
        elif column != "active" and column in form:
            values[column] = form.get(column, "")
    if spec is FIELDS:
        values |= {k: form[k] for k in ("entity", "type") if k in form}
        if values.get("type", "choice") != "choice":
            values.pop("options", None)  # rows that were filled in before another kind was chosen
    return values


def typed_options(form: MultiDict[str, str]) -> list[dict[str, str]]:
    """The rows of choices that are not wholly empty; a known one with its name emptied stays out: it is taken away."""
    columns = [form.getlist(name) for name in ("option_key", "option_name", "option_name_en")]
    rows = [dict(zip(("key", "name", "name_en"), row, strict=True)) for row in zip(*columns, strict=False)]
    return [row for row in rows if row["name"].strip() or (row["name_en"].strip() and not row["key"])]


def option_rows(options: list[dict[str, str]]) -> list[dict[str, str]]:
    """Choices of a form: the known ones and some empty rows."""
    return [*options, *({"key": "", "name": "", "name_en": ""} for _ in range(BLANK_OPTIONS))]


def ends(fields: Sequence[Any]) -> dict[int, set[str]]:
    """Which ways a field in use can be moved ("up", "down") among those of its entity, by its id."""
    found: dict[int, set[str]] = {}
    for entity in ENTITIES:
        ids = [field.id for field in fields if field.active and field.entity == entity]
        for at, id in enumerate(ids):
            found[id] = {way for way, can in (("up", at > 0), ("down", at < len(ids) - 1)) if can}
    return found
