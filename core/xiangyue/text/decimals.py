"""Numbers with up to two places after the point, as people and spreadsheets write them; kept as whole hundredths.

At most 13 digits before the point: with two behind they are the 15 that a float, a spreadsheet and JSON hold exactly,
so that what was typed is what is shown, and 3.50 is 3.5.
"""

from __future__ import annotations

import re

from xiangyue.text.folding import without_spaces
from xiangyue.text.problems import TextProblem

# A comma only where it parts thousands: 3,5 may well be meant for 3.5.
_DECIMAL = re.compile(r"-?(?!(?:,?[0-9]){14})(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.[0-9]{1,2}0*)?")


def parse_decimal(value: object) -> int | float:
    """The number; a whole one is an int and so loses its noughts.

    :raises TextProblem: ``decimal_format`` for anything else, a third place too: nothing is rounded.
    """
    # A spreadsheet shows 15 digits of what it has counted: 0.1 + 0.2 is 0.3 there.
    text = format(value, ".15g") if isinstance(value, float) else without_spaces(str(value))
    if _DECIMAL.fullmatch(text) is None:
        raise TextProblem("decimal_format")
    return of_hundredths(hundredths(float(text.replace(",", ""))))


def hundredths(value: float) -> int:
    return round(value * 100)


def of_hundredths(number: int) -> int | float:
    whole, rest = divmod(number, 100)
    return number / 100 if rest else whole
