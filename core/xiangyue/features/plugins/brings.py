"""What a plugin brings, in words: for the page on which a county decides whether to switch it on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from xiangyue.access.models import Role
from xiangyue.access.permissions import Permission
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.i18n import ngettext, pick
from xiangyue.plugin.hookspecs import HAPPENED, REQUESTED
from xiangyue.plugin.installed import Installed

#: Acts that a plugin may prevent, by the hook that asks it.
PREVENTS: dict[str, Any] = {
    "household_change_requested": _l("Changes of households"),
    "import_commit_requested": _l("Rosters being written into the register"),
    "classification_decision_requested": _l("Decisions by rule"),
    "grid_leader_requested": _l("Who is in charge of grids"),
}
#: What a plugin is told of, by hook.
FOLLOWS: dict[str, Any] = {
    "household_change_happened": _l("Changes of households"),
    "person_change_happened": _l("Changes of persons"),
    "person_merge_happened": _l("Records of persons being merged"),
    "household_merge_happened": _l("Records of households being merged"),
    "post_change_happened": _l("Posts taken up and given up"),
    "import_commit_happened": _l("Rosters written into the register"),
    "area_change_happened": _l("Areas being merged, split, renamed or re-coded"),
    "classification_decision_happened": _l("Decisions by rule"),
    "grid_change_happened": _l("Changes of grids"),
    "grid_leader_happened": _l("Who is in charge of grids"),
    "household_group_happened": _l("Changes of ten-household groups"),
    "callout_happened": _l("Calls in an emergency"),
    "plugin_switch_happened": _l("Its own switching on and off"),
}


@dataclass(frozen=True, slots=True)
class Brought:
    """Things of one kind. ``key`` is the registry's word for the kind."""

    key: str
    label: Any
    things: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Right:
    """A permission that a plugin brings, and the roles that have it (name, number of accounts)."""

    permission: Permission
    roles: tuple[tuple[Role, int], ...]


def brought_by(installed: Installed) -> list[Brought]:
    """What it brings, by kind; kinds of which it has nothing are left out."""
    if installed.contributor is None:
        return []
    offered = installed.contributor.offered

    def labels(attribute: str) -> list[str]:
        return [str(item.label) for item in offered.get(attribute, ())]

    jobs = {kind.key: kind.label for kind in offered.get("jobs", ())}
    found: list[tuple[str, Any, Iterable[str]]] = [
        ("pages", _l("Pages"), labels("navigation")),
        ("household_panels", _l("Panels on the page of a household"), labels("household_panels")),
        ("person_panels", _l("Panels on the page of a person"), labels("person_panels")),
        ("household_filters", _l("Conditions of the household list"), labels("household_filters")),
        ("household_columns", _l("Columns of the household list"), labels("household_columns")),
        ("dashboard_cards", _l("Cards of the cockpit"), labels("dashboard_cards")),
        ("classifiers", _l("Classifications by rule"), labels("classifiers")),
        ("search_kinds", _l("Things the search finds"), labels("search_kinds")),
        (
            "import_columns",
            _l("Columns of the roster"),
            [pick(*column.names) for column in offered.get("import_columns", ())],
        ),
        ("imports", _l("Imports of registers"), labels("imports")),
        ("work", _l("Lines of the work list"), _counted(offered.get("work", ()))),
        ("jobs", _l("Background jobs"), labels("jobs")),
        (
            "schedules",
            _l("Recurring jobs"),
            [
                _("%(job)s: %(interval)s", job=jobs.get(s.job_kind, s.job_kind), interval=every(s.every_seconds))
                for s in offered.get("schedules", ())
            ],
        ),
        ("rows", _l("Rows that go along when records are merged"), labels("follows")),
        ("prevents", _l("May prevent"), [str(PREVENTS.get(h, h)) for h in REQUESTED if h in installed.hooks]),
        ("follows", _l("Is told of"), [str(FOLLOWS.get(h, h)) for h in HAPPENED if h in installed.hooks]),
    ]
    return [Brought(key, label, tuple(things)) for key, label, things in found if things]


def _counted(work: Sequence[Any]) -> list[str]:
    return [ngettext("%(n)d kind of work", "%(n)d kinds of work", len(work))] if work else []


def every(seconds: int) -> str:
    """An interval in words."""
    if seconds % 86_400 == 0:
        return ngettext("every day", "every %(n)d days", seconds // 86_400)
    if seconds % 3_600 == 0:
        return ngettext("every hour", "every %(n)d hours", seconds // 3_600)
    if seconds % 60 == 0:
        return ngettext("every minute", "every %(n)d minutes", seconds // 60)
    return ngettext("every second", "every %(n)d seconds", seconds)


def rights_of(installed: Installed, roles: Sequence[tuple[Role, int]]) -> list[Right]:
    """Permissions that it brings, each with the roles that have it."""
    if installed.contributor is None:
        return []
    return [
        Right(permission, tuple((role, held) for role, held in roles if permission.name in role.permissions))
        for permission in installed.contributor.offered.get("permissions", ())
    ]
