"""What people say of a person, as the columns take it: all faults at once, by field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from xiangyue.i18n import TIMEZONE
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.text import idnumber
from xiangyue.text.codes import NATIONALITIES, RELATIONS, SEX, CodeTable
from xiangyue.text.dates import parse_date
from xiangyue.text.folding import squeeze
from xiangyue.text.names import parse_name
from xiangyue.text.phone import parse_phone
from xiangyue.text.problems import TextProblem, problem_text

NOTE_LENGTH = 1000
Errors = dict[str, list[Any]]

_EMPTY: dict[str, Any] = {
    "relation": "", "sex": 0, "birth_date": None, "id_number": "", "phone": "", "nationality": "", "away": False,
    "note": "",
}  # fmt: skip


def today() -> date:
    """In Asia/Shanghai."""
    return datetime.now(TIMEZONE).date()


def clean_text(value: Any, limit: int) -> str:
    """One or more lines without blanks at the ends. ValueError when longer than ``limit``."""
    text = "\n".join(squeeze(line) for line in str(value or "").replace("\x00", "").strip().splitlines())
    if len(text) > limit:
        raise ValueError(str(_l("At most %(limit)s characters.", limit=limit)))
    return text


def past_day(value: Any) -> date:
    """A date that is not in the future. ValueError."""
    day = parse_date(value)
    if day > today():
        raise ValueError(str(_l("This day has not come yet.")))
    if day.year < 1900:
        raise ValueError(str(_l("This day is before 1900.")))
    return day


def _code(table: CodeTable) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        found = table.parse(value)
        if found is None:
            raise ValueError(str(_l("Choose one of the options.")))
        return found

    return read


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    return str(value).strip().lower() in ("true", "yes", "1", "on")


_READERS: dict[str, Callable[[Any], Any]] = {
    "name": lambda value: parse_name(str(value)),
    "relation": _code(RELATIONS),
    "sex": lambda value: int(_code(SEX)(value)),
    "birth_date": past_day,
    "phone": parse_phone,
    "nationality": _code(NATIONALITIES),
    "away": _flag,
    "note": lambda value: clean_text(value, NOTE_LENGTH),
}
FIELDS = (*_READERS, "id_number")


def clean_person(values: Mapping[str, Any], errors: Errors, *, allow_synthetic: bool, new: bool) -> dict[str, Any]:
    """The known fields of ``values``, typed; blanks empty a field. Faults go into ``errors`` by field.

    Sex and date of birth follow from a citizen number and may not contradict it (GB 11643). A wrong check digit is
    taken only where the county lets made-up people in (``allow_synthetic``).
    """
    found: dict[str, Any] = {}
    for name, read in _READERS.items():
        if name not in values:
            continue
        value = values[name]
        if value is None or (isinstance(value, str) and not value.strip()):
            if name == "name":
                errors["name"] = [_l("Please fill this in.")]
            else:
                found[name] = _EMPTY[name]
            continue
        try:
            found[name] = read(value)
        except ValueError as error:
            errors[name] = [str(error)]
    if new and "name" not in values:
        errors["name"] = [_l("Please fill this in.")]
    if "id_number" in values:
        _identity(values["id_number"], found, errors, allow_synthetic)
    return found


def _identity(value: Any, found: dict[str, Any], errors: Errors, allow_synthetic: bool) -> None:
    if value is None or not str(value).strip():
        found["id_number"] = ""
        return
    try:
        number = idnumber.parse(value)
    except TextProblem as problem:
        errors["id_number"] = [str(problem)]
        return
    if not number.checksum_ok and not allow_synthetic:
        errors["id_number"] = [problem_text("id_checksum", {})]
        return
    found["id_number"] = number.value
    if not found.get("sex"):
        found["sex"] = number.sex
    elif found["sex"] != number.sex:
        errors["sex"] = [_l("The citizen number says otherwise. Compare with the identity card.")]
    if found.get("birth_date") is None:
        found["birth_date"] = number.birth_date
    elif found["birth_date"] != number.birth_date:
        errors["birth_date"] = [
            _l("The citizen number says %(day)s. Compare with the identity card.", day=number.birth_date.isoformat())
        ]
