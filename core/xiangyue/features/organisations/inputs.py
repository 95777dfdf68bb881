"""What people type about organisations and posts, as the columns take it: all faults at once, by field."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from stdnum.cn import uscc
from stdnum.exceptions import ValidationError

from xiangyue.features.households.person_input import clean_text
from xiangyue.features.organisations import policy
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.text.dates import parse_date
from xiangyue.text.whole import whole_number

Errors = dict[str, list[Any]]
#: Nothing here is older or reaches further.
FIRST_YEAR, LAST_YEAR = 1900, 2200
MOST_VOTES = 10_000_000


def day(values: Mapping[str, Any], name: str, errors: Errors, *, required: bool = False) -> date | None:
    """A date, None for nothing."""
    given = values.get(name)
    if given is None or (isinstance(given, str) and not given.strip()):
        if required:
            errors[name] = [_l("Please fill this in.")]
        return None
    try:
        found = given if isinstance(given, date) else parse_date(str(given))
    except ValueError as error:
        errors[name] = [str(error)]
        return None
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        errors[name] = [_l("Enter a day from 1900 to 2200.")]
        return None
    return found


def whole(values: Mapping[str, Any], name: str, errors: Errors, *, least: int = 0, most: int) -> int | None:
    """A whole number, None for nothing."""
    given = values.get(name)
    if given is None or (isinstance(given, str) and not given.strip()):
        return None
    number = None if isinstance(given, bool) else whole_number(given)
    if number is None or not least <= number <= most:
        errors[name] = [_l("Enter a whole number from %(least)s to %(most)s.", least=least, most=most)]
        return None
    return number


def words(values: Mapping[str, Any], name: str, limit: int, errors: Errors, *, required: bool = False) -> str:
    """Text without needless blanks."""
    try:
        found = clean_text(values.get(name), limit)
    except ValueError as error:
        errors[name] = [str(error)]
        return ""
    if required and not found:
        errors[name] = [_l("Please fill this in.")]
    return found


def choice(values: Mapping[str, Any], name: str, known: Mapping[str, Any], errors: Errors, default: str = "") -> str:
    found = str(values.get(name) or default)
    if found not in known:
        errors[name] = [_l("Choose one of the options.")]
    return found


def registration_code(values: Mapping[str, Any], errors: Errors) -> str:
    """统一社会信用代码 (GB 32100) with its check character, or nothing."""
    text = "".join(str(values.get("registration_code") or "").split()).upper()
    if not text:
        return ""
    try:
        return str(uscc.validate(text))
    except ValidationError:
        errors["registration_code"] = [
            _l("This is no unified social credit code: 18 characters with a check character.")
        ]
        return ""


def votes(values: Mapping[str, Any], errors: Errors) -> dict[str, int | None]:
    """Votes for somebody and votes cast."""
    found = {name: whole(values, name, errors, most=MOST_VOTES) for name in ("votes", "votes_cast")}
    mine, cast = found["votes"], found["votes_cast"]
    if mine is not None and cast is not None and mine > cast:
        errors["votes"] = [_l("More votes than were cast.")]
    return found


def came_to_it(values: Mapping[str, Any], errors: Errors, *, since: date | None) -> dict[str, Any]:
    """How somebody came to a post: way, day of the decision, votes, document, note."""
    way = choice(values, "way", policy.WAYS, errors)
    decided = day(values, "decided_on", errors)
    if way in policy.DECIDED and decided is None and "decided_on" not in errors:
        errors["decided_on"] = [_l("Say when it was decided.")]
    if decided is not None and since is not None and decided > since:
        errors["decided_on"] = [
            _l("It was decided on %(day)s at the latest: the post begins then.", day=since.isoformat())
        ]
    return {
        "way": way,
        "decided_on": decided,
        **votes(values, errors),
        "document": words(values, "document", 100, errors),
        "note": words(values, "note", policy.NOTE_LENGTH, errors),
    }
