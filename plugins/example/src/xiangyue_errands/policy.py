"""Rights of the plugin, who gets them by template, kinds of errands, and the words of its audit entries."""

from __future__ import annotations

from xiangyue.sdk.access import Permission
from xiangyue.sdk.i18n import _l

VIEW = Permission("errands.view", _l("See errands"), group=_l("Errands"))
EDIT = Permission("errands.edit", _l("Take on and finish errands"), group=_l("Errands"))

PERMISSIONS = (VIEW, EDIT)

_BOTH = frozenset({VIEW.name, EDIT.name})
ROLE_TEMPLATES = {
    "county_admin": _BOTH,
    "department": frozenset({VIEW.name}),
    "town": _BOTH,
    "village": _BOTH,
    "grid_leader": _BOTH,
    "auditor": frozenset({VIEW.name}),
}

#: Kinds of errands, by key.
KINDS = {
    "certificate": _l("Certificate"),
    "payment": _l("Payment"),
    "medical": _l("Medical claim"),
    "visit": _l("Visit at home"),
    "other": _l("Something else"),
}
STATES = {"open": _l("Not finished"), "done": _l("Done")}

ACTIONS = {
    "errands.open": _l("Errand taken on"),
    "errands.finish": _l("Errand finished"),
    "errands.import": _l("Errands taken from a roster"),
    "errands.ask_again": _l("Old errands marked to be asked about again"),
}

TITLE_LENGTH = 100
#: Days after which an open errand that is overdue is asked about again.
STALE_DAYS = 30
RECHECK_KIND = "errands.recheck"
CLASSIFIER = "errands.need"
