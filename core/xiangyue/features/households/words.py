"""What states of households and persons are called."""

from __future__ import annotations

from typing import Any

from xiangyue.i18n import lazy_gettext as _l

HOUSEHOLD_STATES: dict[str, Any] = {"active": _l("On the register"), "closed": _l("Closed")}
#: Whoever is away is in the household too.
PERSON_STATES: dict[str, Any] = {
    "active": _l("In the household"),
    "moved": _l("Moved away"),
    "deceased": _l("Deceased"),
}
