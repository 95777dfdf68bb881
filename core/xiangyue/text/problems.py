"""What can be wrong with a typed value: one code, one translated sentence that says how to mend it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from xiangyue.i18n import LazyText, add_catalogue, gettext
from xiangyue.i18n import lazy_gettext as _l

# This room has no plugin to register it: whoever can raise these messages can also show them.
add_catalogue(Path(__file__).parent / "translations")

PROBLEMS: dict[str, LazyText] = {
    "id_format": _l("A citizen number has 17 digits and a last digit or X. Copy it from the identity card."),
    "id_last": _l("The last character looks like the letter X, but is another sign. Type an X."),
    "id_length": _l("A citizen number has 18 characters; this has %(length)s. Copy it from the identity card."),
    "id_old": _l("This is an old number of 15 digits, no longer valid. Enter the number of 18 digits."),
    "id_truncated": _l(
        "A spreadsheet made a figure of this number: only its first %(kept)s digits are certain, those shown as ? are "
        "lost. Enter all 18 characters from the identity card, in a column formatted as text."
    ),
    "id_region": _l("The first six digits %(region)s are no known county. Compare with the identity card."),
    "id_date": _l("Digits 7 to 14 of the number are no date of birth. Compare with the identity card."),
    "id_checksum": _l("The check digit is wrong, so at least one character is. Compare with the identity card."),
    "date_format": _l("This cannot be read as a date. Write it like 1980-01-31."),
    "date_incomplete": _l("The date lacks the year's four digits, the month or the day. Write it like 1980-01-31."),
    "date_impossible": _l("There is no such day. Write the date like 1980-01-31."),
    "phone_format": _l("This is no phone number. A mobile number has 11 digits; a fixed line needs its area code."),
    "phone_many": _l("Enter one phone number only."),
    "decimal_format": _l(
        "Enter a number without a unit, such as 3.5: at most two places after the point and 13 digits before it."
    ),
    "name_format": _l("A name holds characters, letters, a middle dot or a hyphen only."),
    "name_long": _l("The name is longer than %(limit)s characters."),
}


class TextProblem(ValueError):
    """A value that cannot be taken. ``code`` is a key of `PROBLEMS`; ``params`` fill its message and hold
    no personal data.
    """

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.params = params

    def __str__(self) -> str:
        return problem_text(self.code, self.params)


def problem_text(code: str, params: dict[str, Any]) -> str:
    """The message of a problem in the current language."""
    return gettext(PROBLEMS[code].message, **params)
