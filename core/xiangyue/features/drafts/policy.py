"""Rights, states and the words of drafts."""

from __future__ import annotations

from xiangyue.access.permissions import Permission
from xiangyue.i18n import lazy_gettext as _l

GRID_PLAN = Permission("grid.plan", _l("Draw drafts of grids and submit them"), group=_l("Grids"))
GRID_APPROVE = Permission("grid.approve", _l("Approve drafts of grids and put them in force"), group=_l("Grids"))
PERMISSIONS = (GRID_PLAN, GRID_APPROVE)

_BOTH = frozenset({GRID_PLAN.name, GRID_APPROVE.name})
ROLE_TEMPLATES = {
    "county_admin": _BOTH,
    "town": _BOTH,
    "village": frozenset({GRID_PLAN.name}),
}

DRAFT, SUBMITTED, RETURNED, APPROVED, IN_FORCE, DISCARDED = (
    "draft", "submitted", "returned", "approved", "in_force", "discarded",
)  # fmt: skip
STATES = {
    DRAFT: _l("Being drawn"),
    SUBMITTED: _l("Waits for approval"),
    RETURNED: _l("Returned"),
    APPROVED: _l("Approved"),
    IN_FORCE: _l("Put in force"),
    DISCARDED: _l("Discarded"),
}
#: States in which households are moved and parts renamed.
EDITABLE = frozenset({DRAFT, RETURNED})
#: States that are over: the draft stays to be read.
OVER = frozenset({IN_FORCE, DISCARDED})

PLANNER, PRESENT, COPY = "planner", "present", "copy"
ORIGINS = {PLANNER: _l("Planner"), PRESENT: _l("The grids as they are"), COPY: _l("Copy of a draft")}

JOININGS = {
    "none": _l("Every grid lies in one villager group"),
    "whole": _l("Small neighbouring groups may be one grid, each of them whole"),
    "free": _l("Groups may be cut and joined freely"),
}

ACTIONS = {
    "grid_draft.plan": _l("Draft of grids planned"),
    "grid_draft.copy": _l("Draft of grids made from another or from what is"),
    "grid_draft.move": _l("Households moved in a draft"),
    "grid_draft.edit": _l("Grid of a draft changed"),
    "grid_draft.replan": _l("Draft planned anew"),
    "grid_draft.refresh": _l("Draft brought up to the register"),
    "grid_draft.submit": _l("Draft submitted"),
    "grid_draft.return": _l("Draft returned"),
    "grid_draft.approve": _l("Draft approved"),
    "grid_draft.force": _l("Draft put in force"),
    "grid_draft.undo": _l("Draft in force taken back"),
    "grid_draft.discard": _l("Draft discarded"),
    "grid_draft.remove": _l("Discarded draft removed"),
    "grid_draft.export": _l("Drafts of grids exported"),
}

PLAN_KIND = "drafts.plan_area"
NAME_LENGTH = 40
LEADER_LENGTH = 40
REASON_LENGTH = 500
