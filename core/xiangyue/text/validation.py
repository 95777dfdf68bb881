"""What marshmallow and webargs say of a value, in the reader's language and in plain words."""

from __future__ import annotations

import re
from typing import Any

from xiangyue.i18n import lazy_gettext as _l

#: Shape of the library's sentence -> our message id, filled from the named groups.
_SENTENCES = tuple(
    (re.compile(shape), words)
    for shape, words in (
        (r"Missing data for required field\.", _l("This must be filled in.")),
        (r"Field may not be null\.", _l("This must not be empty.")),
        (r"Not a valid (utf-8 )?string\.", _l("This must be text.")),
        (r"Not a valid integer\.", _l("This must be a whole number.")),
        (r"Not a valid number\.|Special numeric values .* are not permitted\.", _l("This must be a number.")),
        (r"Number too large\.", _l("This number is too large.")),
        (r"Not a valid boolean\.", _l("This must be true or false.")),
        (r'Not a valid date\.|".*" cannot be formatted as a date\.', _l("This must be a date like 2026-01-31.")),
        (
            r'Not a valid (naive |aware )?datetime\.|".*" cannot be formatted as a datetime\.',
            _l("This must be a point in time like 2026-01-31T14:05:00+08:00."),
        ),
        (r"Not a valid time\.", _l("This must be a time of day like 14:05.")),
        (r"Not a valid UUID\.", _l("This must be a UUID.")),
        (r"Not a valid list\.|Not a valid tuple\.", _l("This must be a list.")),
        (r"Not a valid mapping type\.|Invalid (input )?type\.", _l("This must be an object with named fields.")),
        (r"Not a valid URL\.", _l("This must be an address that begins with http:// or https://.")),
        (r"Not a valid email address\.", _l("This must be an e-mail address.")),
        (r"Must be one of: (?P<choices>.*)\.", _l("Choose one of: %(choices)s.")),
        (r"One or more of the choices you made was not in: (?P<choices>.*)\.", _l("Choose only from: %(choices)s.")),
        (r"One or more of the choices you made was in: (?P<choices>.*)\.", _l("Not allowed here: %(choices)s.")),
        (
            r"Must be greater than or equal to (?P<least>\S+) and less than or equal to (?P<most>\S+)\.",
            _l("This must be from %(least)s to %(most)s."),
        ),
        (r"Must be greater than or equal to (?P<least>\S+)\.", _l("This must be at least %(least)s.")),
        (r"Must be less than or equal to (?P<most>\S+)\.", _l("This must be at most %(most)s.")),
        (r"Must be greater than (?P<least>\S+)\.", _l("This must be more than %(least)s.")),
        (r"Must be less than (?P<most>\S+)\.", _l("This must be less than %(most)s.")),
        (
            r"Length must be between (?P<least>\d+) and (?P<most>\d+)\.",
            _l("This must be from %(least)s to %(most)s long."),
        ),
        (r"Length must be (?P<length>\d+)\.", _l("This must be %(length)s long.")),
        (r"Longer than maximum length (?P<most>\d+)\.", _l("This is too long: at most %(most)s fit.")),
        (r"Shorter than minimum length (?P<least>\d+)\.", _l("This is too short: at least %(least)s are needed.")),
        (r"Must be equal to (?P<other>.*)\.", _l("This must be %(other)s.")),
        (r"String does not match expected pattern\.", _l("This does not have the form that is expected here.")),
        (r"Unknown field\.", _l("There is no field of this name.")),
        (r"Invalid JSON body\.", _l("The body is not JSON.")),
        (r"Invalid (value|input)\.", _l("This value is not taken here.")),
    )
)


def in_words(message: Any) -> Any:
    """A message for people. Our own (lazy) texts and sentences that are not known come back as they are."""
    if not isinstance(message, str):
        return message
    for shape, words in _SENTENCES:
        if found := shape.fullmatch(message):
            return _l(words.message, **{k: v for k, v in found.groupdict().items() if v is not None})
    return message
