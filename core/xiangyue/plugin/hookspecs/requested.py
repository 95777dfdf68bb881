"""Before an act: an implementation may raise ``Refused``, or warn where the hook says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from xiangyue.db.uow import Uow
from xiangyue.plugin.hookspecs.marks import hookspec
from xiangyue.plugin.registry import (
    RuleWarning,
)

# mypy: disable-error-code="empty-body"


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


REQUESTED = (
    "household_change_requested",
    "import_commit_requested",
    "classification_decision_requested",
    "grid_leader_requested",
)
