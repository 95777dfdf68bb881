"""Hook specifications: what a plugin, and each of the core's own features, may implement.

Three families. ``register_*`` are asked once per process and return frozen dataclasses (``plugin.registry``).
``*_requested`` are asked before an act and may raise ``Refused``; `grid_leader_requested` may answer with warnings.
``*_happened`` are told of it after the commit, at least once, in a background job. Parameters are ordinary named ones
(pluggy ignores keyword-only ones); an implementation names only those that it uses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import click
import pluggy
from flask import Blueprint

from xiangyue.access.permissions import Permission
from xiangyue.db.uow import Uow
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
    RuleWarning,
    Schedule,
    SearchKind,
    WorkProvider,
)

# mypy: disable-error-code="empty-body"

NAMESPACE = "xiangyue"
hookspec = pluggy.HookspecMarker(NAMESPACE)
hookimpl = pluggy.HookimplMarker(NAMESPACE)


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


@hookspec
def household_change_requested(uow: Uow, household_id: int, changes: Mapping[str, Any]) -> None:
    """Before a household or a member of it is changed: ``changes`` are the fields with their new values. Raise Refused
    to prevent it.

    Names as in the audit trail (address, note, area_code, state, income, award, mark, ``custom.<key>`` …); of a person
    also ``person_id``; never an identifier. Somebody new has a row already, which goes again when it is refused.

    Example::

        @hookimpl
        def household_change_requested(uow, changes):
            if "note" in changes and "…" in changes["note"]:
                raise Refused(_l("Write the note out."))
    """


@hookspec
def import_commit_requested(uow: Uow, batch_id: int) -> None:
    """Before a checked roster is written into the register. Raise Refused to prevent it.

    Example::

        @hookimpl
        def import_commit_requested(uow, batch_id):
            if queries.closed(uow):
                raise Refused(_l("The year is closed."))
    """


@hookspec
def classification_decision_requested(
    uow: Uow, classifier: str, household_id: int, step: str, outcome: str, note: str
) -> None:
    """Before a proposal is confirmed or decided otherwise. Raise Refused to prevent it.

    Example::

        @hookimpl
        def classification_decision_requested(classifier, outcome, note):
            if classifier == "orchard.colour" and outcome == "red" and not note:
                raise Refused(_l("Say why."))
    """


@hookspec
def grid_leader_requested(
    uow: Uow, grid_id: int, level: int, area_code: int, person_id: int | None, role: str, on: date
) -> Sequence[RuleWarning] | None:
    """Before somebody is put in charge of a grid from the day ``on``: ``level`` 1 to 3, 0 for a special grid;
    ``area_code`` (15 digits) where it lies; ``role`` is leader, deputy, worker or representative; ``person_id`` None
    for somebody from outside the register. Raise Refused, with the clause, for who may not be. It is also asked while
    a form is filled in, and of who is proposed in a draft, with ``grid_id`` 0: look only, write nothing.

    Return warnings for who may be, but not by the rule: the form and the API show each with its source and take a
    reason, and then it is done; both stay with the post. At most ten, of 300 characters each.

    Example::

        @hookimpl
        def grid_leader_requested(uow, level, area_code, person_id, role):
            if role == "leader" and level == 2 and not queries.is_group_head(uow, area_code, person_id):
                return [RuleWarning(_l("The head of the villager group leads this grid."), "X〔2026〕1号 二")]
    """


@hookspec
def household_change_happened(uow: Uow, household_id: int, action: str) -> None:
    """A household was changed: ``action`` is that of the audit trail (household.create, household.edit …).

    Example::

        @hookimpl
        def household_change_happened(uow, household_id):
            service.recount(uow, household_id=household_id)
    """


@hookspec
def person_change_happened(uow: Uow, person_id: int, household_id: int, action: str) -> None:
    """A person was changed, with their marks: ``action`` is that of the audit trail (person.edit, mark.add …).

    Example::

        @hookimpl
        def person_change_happened(uow, household_id):
            service.recount(uow, household_id=household_id)
    """


@hookspec
def person_merge_happened(uow: Uow, person_id: int, merged_id: int, undone: bool) -> None:
    """Two records of one person became one, ``person_id``; or, ``undone``, two again.

    Example::

        @hookimpl
        def person_merge_happened(uow, person_id, merged_id, undone):
            service.look_again(uow, person_ids=[person_id, merged_id])
    """


@hookspec
def household_merge_happened(uow: Uow, household_id: int, merged_id: int, undone: bool) -> None:
    """Two records of one household became one, ``household_id``; or, ``undone``, two again.

    Example::

        @hookimpl
        def household_merge_happened(uow, household_id, merged_id):
            service.recount(uow, household_id=household_id)
            service.recount(uow, household_id=merged_id)
    """


@hookspec
def post_change_happened(uow: Uow, organisation_id: int, holder_id: int, person_id: int, action: str) -> None:
    """Somebody took a post of an organisation up or left it: ``action`` is that of the audit trail (post_holder.add,
    post_holder.edit, post_holder.end, post_holder.remove). ``person_id`` is 0 for somebody outside the register.

    Example::

        @hookimpl
        def post_change_happened(uow, person_id):
            service.ask_again(uow, person_id=person_id)
    """


@hookspec
def import_commit_happened(uow: Uow, batch_id: int) -> None:
    """A roster was written into the register.

    Example::

        @hookimpl
        def import_commit_happened(uow, batch_id):
            service.recount_all(uow)
    """


@hookspec
def area_change_happened(uow: Uow, change_id: int, kind: str, undone: bool) -> None:
    """Areas were changed (``kind``: rename, recode, move, merge, split, create, close); or, ``undone``, are as before.

    Example::

        @hookimpl
        def area_change_happened(uow):
            service.open_stations(uow)
    """


@hookspec
def classification_decision_happened(uow: Uow, classifier: str, household_id: int, outcome: str, state: str) -> None:
    """A proposal was confirmed at a step, or decided otherwise.

    Example::

        @hookimpl
        def classification_decision_happened(uow, household_id, state):
            if state == "in_force":
                service.plan_visits(uow, household_id=household_id)
    """


@hookspec
def grid_change_happened(uow: Uow, change_id: int, area_code: int, action: str) -> None:
    """Grids of the village ``area_code`` (15 digits) were changed: ``change_id`` names the entry of their history,
    ``action`` is that of the audit trail (grid.create, grid.split, grid.plan, grid.register, grid.undo …). It may take
    effect on a day to come.

    Example::

        @hookimpl
        def grid_change_happened(uow, area_code, action):
            if action in ("grid.plan", "grid.undo"):
                service.share_out_again(uow, village=area_code)
    """


@hookspec
def grid_leader_happened(uow: Uow, grid_id: int, post_id: int, action: str) -> None:
    """Somebody was put in charge of a grid (grid.appoint), or is no longer (grid.end_post).

    Example::

        @hookimpl
        def grid_leader_happened(uow, grid_id, action):
            if action == "grid.end_post":
                service.hand_over(uow, grid_id=grid_id)
    """


@hookspec
def household_group_happened(uow: Uow, group_id: int, change_id: int, action: str) -> None:
    """A ten-household group was changed: ``action`` is that of the audit trail (household_group.create,
    household_group.members, household_group.follow, household_group.undo …), ``change_id`` its entry in the history; 0
    for a head (household_group.head, household_group.end_head). It may take effect on a day to come.

    Example::

        @hookimpl
        def household_group_happened(uow, group_id, action):
            if action != "household_group.rename":
                service.share_out_again(uow, group_id=group_id)
    """


@hookspec
def callout_happened(
    uow: Uow, callout_id: int, action: str, message: str, drill: bool, person_ids: Sequence[int]
) -> None:
    """A call in an emergency was sent (callout.send; ``person_ids``: heads of ten-household groups), went on
    (callout.escalate; grid leaders of groups without an answer) or has ended (callout.end; nobody). Where a county has
    a short message or a telephone service, a plugin delivers here; a repeat for the same call and action sends nothing.

    Example::

        @hookimpl
        def callout_happened(uow, callout_id, action, message, person_ids):
            if action != "callout.end":
                service.send_messages(uow, key=f"{action}:{callout_id}", to=person_ids, text=message)
    """


@hookspec
def plugin_switch_happened(uow: Uow, enabled: bool) -> None:
    """This plugin was switched on or off in the county; only told to the plugin itself.

    Example::

        @hookimpl
        def plugin_switch_happened(uow, enabled):
            if enabled:
                service.first_rows(uow)
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
REQUESTED = (
    "household_change_requested",
    "import_commit_requested",
    "classification_decision_requested",
    "grid_leader_requested",
)
HAPPENED = (
    "household_change_happened",
    "person_change_happened",
    "person_merge_happened",
    "household_merge_happened",
    "post_change_happened",
    "import_commit_happened",
    "area_change_happened",
    "classification_decision_happened",
    "grid_change_happened",
    "grid_leader_happened",
    "household_group_happened",
    "callout_happened",
    "plugin_switch_happened",
)
