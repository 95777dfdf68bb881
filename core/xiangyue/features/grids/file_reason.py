"""By what a change that a file brought is told from one made by hand: only the former goes back with its import."""

from __future__ import annotations

from xiangyue.features.grids.models import GridChange
from xiangyue.i18n import LOCALES, in_locale
from xiangyue.i18n import gettext as _


def reason() -> str:
    """What stands in a change as its reason."""
    return _("By an import")


def by_import(change: GridChange) -> bool:
    """In whatever language the reason was written."""
    return said_by_import(change.reason)


def said_by_import(words: str) -> bool:
    """Whether these are the words of `reason`."""
    said = set()
    for locale in LOCALES:
        with in_locale(locale):
            said.add(reason())
    return words in said
