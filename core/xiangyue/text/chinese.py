"""Whether a text is Chinese: the county's own words are marked so on an English page."""

from __future__ import annotations

import re

_HAN = re.compile(r"[\u3400-\u9fff]")


def has_han(text: str) -> bool:
    """Whether a Chinese character stands in the text."""
    return _HAN.search(text) is not None
