"""What a plugin brings: asked once per process, and answered with frozen dataclasses (``plugin.registry``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click
from flask import Blueprint

from xiangyue.access.permissions import Permission
from xiangyue.plugin.hookspecs.marks import hookspec
from xiangyue.plugin.registers import ImportRegister
from xiangyue.plugin.registry import (
    Classifier,
    DashboardCard,
    Follows,
    HouseholdColumn,
    HouseholdFilter,
    HouseholdPanel,
    ImportColumn,
    JobKind,
    NavItem,
    PersonPanel,
    ProfileSection,
    Schedule,
    SearchKind,
    WorkProvider,
)

# mypy: disable-error-code="empty-body"


@hookspec
def register_permissions() -> Sequence[Permission]:
    """Rights that roles can be given. A plugin's names begin with its own: ``orchard.confirm``.

    Example::

        @hookimpl
        def register_permissions():
            return (CONFIRM,)
    """


@hookspec
def register_role_templates() -> Mapping[str, frozenset[str]]:
    """Names of permissions that role templates get: county_admin, department, town, village, grid_leader, group_head,
    auditor.

    Example::

        @hookimpl
        def register_role_templates():
            return {"town": frozenset({CONFIRM.name})}
    """


@hookspec
def register_pages() -> Sequence[Blueprint]:
    """Flask blueprints with pages. A plugin's stand under ``/p/<plugin>/``, are called like the plugin, and keep
    their templates in a folder of that name. Every view says who may reach it (``requires``, ``public`` …).

    Example::

        @hookimpl
        def register_pages():
            return (pages.bp,)
    """


@hookspec
def register_api() -> Sequence[Any]:
    """API blueprints (``ApiBlueprint``). A plugin's stand under ``/api/v1/p/<plugin>/`` and in the OpenAPI document of
    the counties that have it on.

    Example::

        @hookimpl
        def register_api():
            return (api.bp,)
    """


@hookspec
def register_navigation() -> Sequence[NavItem]:
    """Lines of the navigation.

    Example::

        @hookimpl
        def register_navigation():
            return (NavItem("orchard", _l("Colours"), "orchard.show", VIEW, "people", "palette"),)
    """


@hookspec
def register_household_panels() -> Sequence[HouseholdPanel]:
    """Panels of the household page.

    Example::

        @hookimpl
        def register_household_panels():
            return (HouseholdPanel("orchard_colour", _l("Colour"), VIEW, panels.colour),)
    """


@hookspec
def register_person_panels() -> Sequence[PersonPanel]:
    """Panels of a person's page.

    Example::

        @hookimpl
        def register_person_panels():
            return (PersonPanel("orchard_trees", _l("Trees"), VIEW, panels.trees),)
    """


@hookspec
def register_household_filters() -> Sequence[HouseholdFilter]:
    """Conditions of the household list, in the page and in the API.

    Example::

        @hookimpl
        def register_household_filters():
            return (HouseholdFilter("orchard_colour", _l("Colour"), VIEW, filters.choices, filters.condition),)
    """


@hookspec
def register_household_columns() -> Sequence[HouseholdColumn]:
    """Columns of the household list and of its export.

    Example::

        @hookimpl
        def register_household_columns():
            return (HouseholdColumn("orchard_colour", _l("Colour"), VIEW, filters.colours),)
    """


@hookspec
def register_dashboard_cards() -> Sequence[DashboardCard]:
    """Cards of the cockpit.

    Example::

        @hookimpl
        def register_dashboard_cards():
            return (DashboardCard("orchard_colours", _l("Colours"), VIEW, panels.card),)
    """


@hookspec
def register_work() -> Sequence[WorkProvider]:
    """Finders of what the reader owes (待办).

    Example::

        @hookimpl
        def register_work():
            return (WorkProvider("orchard.unconfirmed", work.find),)
    """


@hookspec
def register_jobs() -> Sequence[JobKind]:
    """Kinds of background jobs. A plugin's keys begin with its name and a dot.

    Example::

        @hookimpl
        def register_jobs():
            return (JobKind("orchard.recount", _l("Count again"), jobs.recount),)
    """


@hookspec
def register_schedules() -> Sequence[Schedule]:
    """Recurring jobs.

    Example::

        @hookimpl
        def register_schedules():
            return (Schedule("orchard.daily", "orchard.recount", 86_400),)
    """


@hookspec
def register_commands() -> Sequence[click.Command]:
    """Commands of ``xiangyue``. A plugin has one command or group, called like itself.

    Example::

        @hookimpl
        def register_commands():
            return (commands.orchard,)
    """


@hookspec
def register_import_columns() -> Sequence[ImportColumn]:
    """Columns of the roster import.

    Example::

        @hookimpl
        def register_import_columns():
            return (ImportColumn("orchard_note", ("备注", "Note"), "text", columns.write_notes),)
    """


@hookspec
def register_imports() -> Sequence[ImportRegister]:
    """Imports of registers of its own: columns, and functions that look rows up and write them.

    Example::

        @hookimpl
        def register_imports():
            return (trees.REGISTER,)
    """


@hookspec
def register_search_kinds() -> Sequence[SearchKind]:
    """Other things that the search box finds.

    Example::

        @hookimpl
        def register_search_kinds():
            return (SearchKind("orchard_plan", _l("Plans"), VIEW, queries.find_plans),)
    """


@hookspec
def register_follows() -> Sequence[Follows]:
    """Rows that hang on persons or households and go along when these are merged or succeeded by others.

    Example::

        @hookimpl
        def register_follows():
            return (Follows("orchard_tree", _l("Trees"), "household", Tree, "household_id"),)
    """


@hookspec
def register_classifiers() -> Sequence[Classifier]:
    """Classifications by rule.

    Example::

        @hookimpl
        def register_classifiers():
            return (colour.CLASSIFIER,)
    """


@hookspec
def register_profile_sections() -> Sequence[ProfileSection]:
    """Parts of a county profile. A plugin's settings need none: they are applied by its schema.

    Example::

        @hookimpl
        def register_profile_sections():
            return (ProfileSection("orchard", 60, profile.apply),)
    """


@hookspec
def register_audit_actions() -> Mapping[str, Any]:
    """What actions of the audit trail say to people: ``household.edit`` -> lazy text. A plugin's begin with its name.

    Example::

        @hookimpl
        def register_audit_actions():
            return {"orchard.confirm": _l("Confirmed a colour")}
    """


#: Hook -> attribute of ``Offer``, for the first family.
REGISTRATIONS = {
    "register_permissions": "permissions",
    "register_role_templates": "role_templates",
    "register_pages": "pages",
    "register_api": "api",
    "register_navigation": "navigation",
    "register_household_panels": "household_panels",
    "register_person_panels": "person_panels",
    "register_household_filters": "household_filters",
    "register_household_columns": "household_columns",
    "register_dashboard_cards": "dashboard_cards",
    "register_work": "work",
    "register_jobs": "jobs",
    "register_schedules": "schedules",
    "register_commands": "commands",
    "register_import_columns": "import_columns",
    "register_imports": "imports",
    "register_search_kinds": "search_kinds",
    "register_follows": "follows",
    "register_classifiers": "classifiers",
    "register_profile_sections": "profile_sections",
    "register_audit_actions": "audit_actions",
}
