"""What ``register_*`` hooks return: frozen dataclasses, never HTML."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from xiangyue.access.permissions import Permission
from xiangyue.db.uow import Uow

#: Groups of the left navigation, by work and not by module, in order: (key, English label).
NAV_GROUPS = ("today", "people", "grids", "contact", "points", "cockpit", "settings")


@dataclass(frozen=True, slots=True)
class NavItem:
    """A line of the navigation. ``endpoint`` is a Flask endpoint; shown to those who have ``permission``.

    ``tab`` puts it on the phone's bottom tabs; ``site`` county or operator; ``position`` orders within the group.
    """

    key: str
    label: Any
    endpoint: str
    permission: Permission | None
    group: str
    icon: str
    position: int = 50
    site: str = "county"
    tab: bool = False
    #: The round button in the middle of the phone's tabs.
    main: bool = False
    #: Whether the count is of things that are late (shown in red).
    late: bool = False
    count: Callable[[Uow], int | None] | None = None


@dataclass(frozen=True, slots=True)
class WorkItem:
    """A line of the work list (待办): what is owed, where, by when, and the one act."""

    title: Any
    detail: Any
    url: str
    act: Any
    due: Any = ""
    state: str = ""  # "", soon, late


@dataclass(frozen=True, slots=True)
class WorkProvider:
    """Finds the work items of the actor."""

    key: str
    find: Callable[[Uow], list[WorkItem]]


@dataclass(frozen=True, slots=True)
class JobKind:
    """A kind of background job: ``run(context)`` does it; ``result_url(job)`` leads to its result.

    ``ended(uow, job)`` is called in the transaction that ends a job as failed or cancelled, so that what it worked on
    is let go of; it must not fail.
    """

    key: str
    label: Any
    run: Callable[[Any], dict[str, Any] | None]
    permission: Permission | None = None
    result_url: Callable[[Any], str | None] | None = None
    max_attempts: int = 3
    ended: Callable[[Uow, Any], None] | None = None


@dataclass(frozen=True, slots=True)
class Schedule:
    """Recurring work: every ``every_seconds`` a job of ``job_kind`` in each active tenant."""

    key: str
    job_kind: str
    every_seconds: int


@dataclass(frozen=True, slots=True)
class ProfileSection:
    """A part of a county profile that a feature applies.

    ``apply(uow, profile, registry)`` makes the county's rows what the profile says and returns the changes (lines with
    ``verb``, ``what``, ``before``, ``after``); nothing to do returns nothing. A plan is an apply rolled back.
    """

    key: str
    position: int
    apply: Callable[[Uow, Any, Any], list[Any]]


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature's registrations in one place."""

    key: str
    permissions: tuple[Permission, ...] = ()
    blueprints: tuple[Any, ...] = ()  # Flask blueprints with pages
    api_blueprints: tuple[Any, ...] = ()  # flask-smorest blueprints
    navigation: tuple[NavItem, ...] = ()
    work: tuple[WorkProvider, ...] = ()
    jobs: tuple[JobKind, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    profile_sections: tuple[ProfileSection, ...] = ()
    translations: Path | None = None
    role_templates: dict[str, frozenset[str]] = field(default_factory=dict)
    commands: tuple[Any, ...] = ()  # click commands or groups
    #: What audit actions say to people: ``household.edit`` -> lazy text.
    actions: dict[str, Any] = field(default_factory=dict)
    #: Makes the area switcher of the top bar for the present page; one feature has it.
    area_switch: Callable[[Uow], Any] | None = None
