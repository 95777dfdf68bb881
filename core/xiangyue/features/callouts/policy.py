"""Rights, the kinds of emergencies, and what is known of a household in a call."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from xiangyue.access.permissions import Permission
from xiangyue.i18n import lazy_gettext as _l

CALLOUT_SEND = Permission("callout.send", _l("Send calls in an emergency, and end them"))
CALLOUT_VIEW = Permission("callout.view", _l("See calls in an emergency and who has not been reached"))
CALLOUT_ANSWER = Permission("callout.answer", _l("Answer calls for the own ten households"))
CALLOUT_PHONES = Permission(
    "callout.phones", _l("Show telephones of households in a call that is under way"), sensitive=True
)
CALLOUT_EXPORT = Permission("callout.export", _l("Export calls and who has not been reached"))
CALLOUT_SETTINGS = Permission("callout.settings", _l("Set when calls go on to grid leaders and how long they are kept"))
PERMISSIONS = (CALLOUT_SEND, CALLOUT_VIEW, CALLOUT_ANSWER, CALLOUT_PHONES, CALLOUT_EXPORT, CALLOUT_SETTINGS)

#: For what a call may be sent. There is none for a roll call, attendance, a meeting or "other", and none can be made.
KINDS = {
    "evacuation": _l("Evacuation"),
    "storm": _l("Rainstorm"),
    "flood": _l("Flood or flash flood"),
    "landslide": _l("Landslide or mud flow"),
    "fire": _l("Fire"),
    "wind": _l("Strong wind, hail or lightning"),
    "cold": _l("Cold wave, snow or ice"),
    "heat": _l("Heat"),
    "earthquake": _l("Earthquake"),
    "gas": _l("Gas, poison or explosion"),
    "missing": _l("Missing person"),
    "epidemic": _l("Outbreak of a disease"),
}
WAITING, REACHED, NOT_REACHED, HELP = "waiting", "reached", "not_reached", "help"
STATES = {
    WAITING: _l("no answer yet"),
    REACHED: _l("reached"),
    NOT_REACHED: _l("not reached"),
    HELP: _l("needs help"),
}
ANSWERS = (REACHED, NOT_REACHED, HELP)
CALL_STATES = {"open": _l("Under way"), "ended": _l("Ended")}

ACTIONS = {
    "callout.send": _l("Call in an emergency sent"),
    "callout.answer": _l("Call answered for a ten-household group"),
    "callout.escalate": _l("Call passed on to grid leaders"),
    "callout.end": _l("Call in an emergency ended"),
    "callout.export": _l("Calls exported"),
    "callout.forget": _l("Old calls deleted"),
    "callout.phones": _l("Telephone shown for a call"),
}
#: What somebody who answers needs: of the own ten, or with the right to see calls for others.
_ANSWERS = frozenset({CALLOUT_ANSWER.name, CALLOUT_PHONES.name})
_SENDS = _ANSWERS | {CALLOUT_SEND.name, CALLOUT_VIEW.name, CALLOUT_EXPORT.name}
ROLE_TEMPLATES = {
    "county_admin": _SENDS | {CALLOUT_SETTINGS.name},
    "town": _SENDS,
    "village": _SENDS,
    "grid_leader": _ANSWERS | {CALLOUT_VIEW.name},
    "group_head": _ANSWERS,
    "auditor": frozenset({CALLOUT_VIEW.name}),
}

#: Age from which somebody is old (老年人权益保障法, article 2).
OLD = 60
#: A household takes part in a drill once in so many days: a drill is no way round the ban on roll calls.
DRILL_DAYS = 30
#: Households of one call; a county sends it town by town.
MOST_HOUSEHOLDS = 20_000
TEXT_LENGTH, PLACE_LENGTH, NOTE_LENGTH = 300, 100, 500
#: A call that nobody ended ends by itself after so many days.
FORGOTTEN_DAYS = 7
#: Key of the county's rule among those of grids (``grid_setting``).
SETTING = "callout"


@dataclass(frozen=True, slots=True)
class CallRule:
    """``escalate_minutes``: after how long without an answer a group's call goes on to its grid leader; ``keep_days``,
    ``drill_keep_days``: how long an ended call is kept."""

    escalate_minutes: int = 15
    keep_days: int = 365
    drill_keep_days: int = 90

    def plain(self) -> dict[str, Any]:
        return asdict(self)


#: (least, most) of each.
LIMITS = {"escalate_minutes": (1, 240), "keep_days": (30, 1095), "drill_keep_days": (7, 365)}
