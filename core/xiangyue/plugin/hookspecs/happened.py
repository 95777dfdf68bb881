"""After the commit, at least once, in a background job."""

from __future__ import annotations

from collections.abc import Sequence

from xiangyue.db.uow import Uow
from xiangyue.plugin.hookspecs.marks import hookspec

# mypy: disable-error-code="empty-body"


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
