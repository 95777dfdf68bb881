"""Checks of what is typed for marks, awards and own fields. All faults are named at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from xiangyue.errors import Invalid
from xiangyue.features.settings import policy
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.i18n import pick
from xiangyue.text.pinyin import syllables

TEXTS = {
    "name": policy.LONGEST_NAME,
    "name_en": 2 * policy.LONGEST_NAME,
    "source": policy.LONGEST_NAME,
    "help": policy.LONGEST_HELP,
    "help_en": policy.LONGEST_HELP,
}


_HAN = re.compile(r"[\u3400-\u9fff]")
_PARTS = re.compile(r"[\u3400-\u9fff]|[A-Za-z0-9]+")

CHOICES = {
    "sensitivity": ("normal", "sensitive"),
    "entity": ("household", "person"),
    "type": ("text", "integer", "decimal", "date", "boolean", "choice"),
}


class Faults:
    """Collects messages by field; ``done`` raises Invalid when there are any."""

    def __init__(self) -> None:
        self.found: dict[str, list[Any]] = {}

    def add(self, path: str, message: Any) -> None:
        self.found.setdefault(path, []).append(message)

    def done(self) -> None:
        if self.found:
            raise Invalid(self.found)


def clean_texts(values: Mapping[str, Any], faults: Faults) -> dict[str, Any]:
    """Values with their texts trimmed; too long or missing ones are faults."""
    cleaned = dict(values)
    for column, longest in TEXTS.items():
        if column not in values:
            continue
        text = " ".join(str(values[column] or "").split())
        cleaned[column] = text
        if len(text) > longest:
            faults.add(column, _l("At most %(n)d characters.", n=longest))
        if column == "name" and not text:
            faults.add(column, _l("Give it a name."))
    for column, known in CHOICES.items():
        if column in values and values[column] not in known:
            faults.add(column, _l("Choose one of these."))
    return cleaned


def check_name(name: str, taken: Iterable[str], faults: Faults) -> None:
    """A name twice in one list could not be told apart on a form or in a spreadsheet."""
    if name in set(taken):
        faults.add("name", _l("This name is taken. Choose another, or bring the retired one back into use."))


def key_for(name: str, name_en: str, taken: Iterable[str]) -> str:
    """A key from the English name, else from the pinyin of the Chinese one; numbered when it is taken."""
    if name_en and name_en.isascii():
        words = name_en
    else:  # characters become syllables, a run of letters or digits stays one word
        words = "_".join(
            syllables(part, person=False)[0] if _HAN.match(part) else part for part in _PARTS.findall(name)
        )
    letters = "".join(c if c.isascii() and c.isalnum() else "_" for c in words.lower()).strip("_")
    while "__" in letters:
        letters = letters.replace("__", "_")
    base = letters if letters[:1].isalpha() else f"k_{letters}".strip("_")
    known, found, number = set(taken), base[:36].strip("_"), 1
    while found in known:
        number += 1
        found = f"{base[:36].strip('_')}_{number}"
    return found


def check_key(key: str, faults: Faults, path: str = "key") -> None:
    if not policy.KEY.fullmatch(key):
        faults.add(path, _l("A key has lower-case letters, digits and _, begins with a letter, at most 40."))


def clean_options(
    given: Sequence[Mapping[str, Any]],
    known: Sequence[Mapping[str, str]],
    in_use: Mapping[str, int],
    faults: Faults,
) -> list[dict[str, str]]:
    """The choices of a field as they are stored. Known keys stay; a choice that records have cannot be taken away."""
    found: list[dict[str, str]] = []
    names: set[str] = set()
    keys = {o["key"] for o in known}
    for number, option in enumerate(given):
        name = " ".join(str(option.get("name") or "").split())
        name_en = " ".join(str(option.get("name_en") or "").split())
        path = f"options.{number}.name"
        if not name:
            if name_en or not option.get("key"):
                faults.add(path, _l("Give the choice a name."))
            continue
        if len(name) > policy.LONGEST_NAME or len(name_en) > 2 * policy.LONGEST_NAME:
            faults.add(path, _l("At most %(n)d characters.", n=policy.LONGEST_NAME))
        if name in names:
            faults.add(path, _l("This choice stands there twice."))
        names.add(name)
        key = str(option.get("key") or "") or key_for(name, name_en, keys | {o["key"] for o in found})
        if key not in keys:
            check_key(key, faults, f"options.{number}.key")
        found.append({"key": key, "name": name, "name_en": name_en})
    for option in known:
        if option["key"] not in {o["key"] for o in found} and in_use.get(option["key"]):
            faults.add(
                "options",
                _l(
                    "“%(name)s” cannot be taken away: %(n)d records have it. Change those first.",
                    name=pick(option["name"], option.get("name_en")),
                    n=in_use[option["key"]],
                ),
            )
    if not found:
        faults.add("options", _l("A field to choose from needs choices."))
    if len(found) > policy.MOST_OPTIONS:
        faults.add("options", _l("At most %(n)d choices.", n=policy.MOST_OPTIONS))
    return found
