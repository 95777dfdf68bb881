"""Why an arranged change could not be put in force: kept in both languages: nobody reads along at midnight."""

from __future__ import annotations

import json
from typing import Any

from xiangyue.errors import XiangyueError
from xiangyue.i18n import LOCALES, current_locale, in_locale


def kept(why: Any) -> str:
    """A text (maybe lazy) or an error, as `AreaChange.refused` has it."""
    said = {}
    for locale in LOCALES:
        with in_locale(locale):
            said[locale] = _words(why)
    return json.dumps(said, ensure_ascii=False)


def _words(why: Any) -> str:
    if not isinstance(why, XiangyueError):
        return str(why)
    fields = getattr(why, "fields", {})
    return "; ".join(str(text) for texts in fields.values() for text in texts) or str(why.message)


def shown(refused: str) -> str:
    """In the reader's language; one that a former version kept, as it was written. "" of none."""
    try:
        said = json.loads(refused)
    except ValueError:
        return refused
    return str(said.get(current_locale(), "")) if isinstance(said, dict) else refused
